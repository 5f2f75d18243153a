"""The sender of webhooks: makes messages of what is new, and delivers what is due, for as long as
it is left to.

A process of its own, so that a receiver that answers slowly, or tries to harm whoever asks it,
touches neither the server nor the keys; and so that one program alone needs a way out of the
house. Several may run on one database. An endpoint that hangs holds two of the eight places.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from sqlalchemy import Engine

from ledger.errors import InvalidValue
from ledger.office.webhooks.addresses import Gate, parse_target
from ledger.office.webhooks.deliveries import (
    Due,
    forget_old,
    is_anything_due,
    put_in_hand,
    record_outcome,
    take_on,
)
from ledger.office.webhooks.messages import Message
from ledger.office.webhooks.posting import Outcome, post
from ledger.office.webhooks.signatures import sign_message
from ledger.services.webhooks.collecting import collect
from ledger.services.webhooks.expiring import tell_expiring
from ledger.store.engine import reading, writing

PLACES = 8
PLACES_EACH = 2
LOOK_EVERY = 1.0
"""Seconds between two looks where nothing is under way."""

_FORGET_EVERY = 3600.0
_EXPIRING_EVERY = 60.0

Clock = Callable[[], float]
"""Seconds since 1970 UTC."""


@dataclass
class WebhookSender:
    """Delivers to what `gate` lets through; `clock` and `chance` are given by tests."""

    engine: Engine
    gate: Gate
    clock: Clock = time.time
    chance: random.Random = field(default_factory=random.SystemRandom)
    _under_way: dict[Future[Outcome], Due] = field(default_factory=dict)
    _forget_at: float = 0.0
    _expiring_at: float = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set, then end with what is under way."""
        with ThreadPoolExecutor(PLACES, thread_name_prefix="webhook") as pool:
            while not stop.is_set():
                self._collect()
                self._fill(pool)
                if self._under_way:
                    self._harvest(timeout=LOOK_EVERY / 4)
                else:
                    stop.wait(LOOK_EVERY)
            while self._under_way:
                self._harvest(timeout=None)

    def drain(self) -> int:
        """Send all that is due now, and return; how many attempts it took."""
        done = 0
        with ThreadPoolExecutor(PLACES, thread_name_prefix="webhook") as pool:
            self._collect()
            self._fill(pool)
            while self._under_way:
                done += self._harvest(timeout=None)
                self._fill(pool)
        return done

    def attempt(self, due: Due) -> Outcome:
        """One attempt, and what became of it, written down."""
        outcome = self._post(due)
        self._record(due, outcome)
        return outcome

    def test(self, endpoint_id: str) -> Outcome:
        """Send a message that means nothing, whatever the endpoint's state; what was answered.

        Raises NotFound.
        """
        now = self._now()
        message = Message(
            "webhook.test", now // 1000, (endpoint_id, now), {"endpoint": endpoint_id}
        )
        with writing(self.engine) as connection:
            due = put_in_hand(connection, endpoint_id, message, now=now)
        return self.attempt(due)

    def _collect(self) -> None:
        collect(self.engine, now=self._now())
        if self.clock() >= self._expiring_at:
            self._expiring_at = self.clock() + _EXPIRING_EVERY
            tell_expiring(self.engine, now=self._now())
        if self.clock() >= self._forget_at:
            self._forget_at = self.clock() + _FORGET_EVERY
            with writing(self.engine) as connection:
                forget_old(connection, now=self._now())

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        free = PLACES - len(self._under_way)
        if free == 0:
            return
        busy = [due.endpoint_id for due in self._under_way.values()]
        with reading(self.engine) as connection:
            if not is_anything_due(connection, now=self._now()):
                return
        with writing(self.engine) as connection:
            taken = take_on(connection, now=self._now(), limit=free, each=PLACES_EACH, busy=busy)
        for due in taken:
            self._under_way[pool.submit(self._post, due)] = due

    def _harvest(self, *, timeout: float | None) -> int:
        ready, _ = wait(self._under_way, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in ready:
            self._record(self._under_way.pop(future), future.result())
        return len(ready)

    def _post(self, due: Due) -> Outcome:
        try:
            target = parse_target(due.url)
        except InvalidValue as error:  # taken by a release that refused less
            return Outcome(None, str(error), 0)
        headers = sign_message(due.keys, due.message_id, due.body, at=int(self.clock()))
        return post(self.gate, target, headers, due.body)

    def _record(self, due: Due, outcome: Outcome) -> None:
        with writing(self.engine) as connection:
            record_outcome(connection, due, outcome, now=self._now(), chance=self.chance)

    def _now(self) -> int:
        return int(self.clock() * 1000)
