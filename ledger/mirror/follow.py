"""Brings a database to the chain's head, once or for good.

A look at the chain ends in one of three ways: it goes well; what is wrong may pass, and is waited
for; or nobody who was asked is right, and the mirror halts. A halt is written down with its reason,
and what is mirrored stays as it is. A mirror that is started again looks again, and a look that
goes well ends the halt.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from itertools import count
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ledger.errors import DatabaseUnusable, DiskFull, LedgerError, MirrorDamaged
from ledger.mirror.lease import LeaseLost, Stopped, lead
from ledger.mirror.look import Mirror
from ledger.mirror.pool import PASSING
from ledger.mirror.reports import CaughtUp, OtherLeads, Waiting
from ledger.mirror.state import MirrorState, Overtaken
from ledger.mirror.statistics import Statistics
from ledger.mirror.trouble import Trouble
from ledger.mirror.upgrade import upgrade
from ledger.store.engine import database_unusable

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_JITTER = 0.25
_DATABASE_WAIT = 1.0
_LOOKS_OF_SYNC = 6
"""How often `sync` looks again before it gives up; with the waits between them, 6 seconds."""


def sync(mirror: Mirror) -> MirrorState:
    """Bring the database to the chain's head, and end; the state at the end.

    Raises the problem that does not pass or that halts the mirror, Stopped if it was asked to end.
    """
    while True:
        with contextlib.suppress(LeaseLost), _leading(mirror):
            return catch_up(mirror)


def catch_up(mirror: Mirror) -> MirrorState:
    """What `sync` does, for whoever holds the lease already."""
    while True:
        state = _look_patiently(mirror, looks=_LOOKS_OF_SYNC)
        if state.lag == 0:
            Statistics(mirror.engine).refresh(state.cursor.number)
            mirror.report(CaughtUp(state.cursor.number))
            return state


class Waiter(Protocol):
    """What waits between two looks (`ledger.chain.subscription.HeadSubscription`)."""

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Return when a look is due: after so many seconds, sooner, or at `stop`."""


class Polling:
    """Looks again when the time is over."""

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Return after so many seconds, or at `stop`."""
        stop.wait(seconds)


POLLING = Polling()


def follow(mirror: Mirror, *, poll_interval: float, waiter: Waiter = POLLING) -> None:
    """Keep the database at the chain's head until the mirror's `stop` is set.

    Looks at the chain every `poll_interval` seconds, or when the `waiter` says so. While it cannot
    write, readers are told by a lock (`ledger.mirror.trouble`). Raises the problem that halts the
    mirror.
    """
    mirror.follows = True
    with contextlib.closing(Trouble(mirror.engine)) as trouble:
        while not mirror.stop.is_set():
            try:
                with _leading(mirror):
                    _follow_leading(mirror, poll_interval, waiter, trouble)
            except Stopped:
                return
            except LeaseLost:
                continue  # and wait until it is free again
            except (DatabaseUnusable, DiskFull) as problem:
                # The lease went with the database, so it is taken anew.
                trouble.tell()
                mirror.report(Waiting(problem, _DATABASE_WAIT))
                mirror.stop.wait(_DATABASE_WAIT)


def _follow_leading(mirror: Mirror, poll_interval: float, waiter: Waiter, trouble: Trouble) -> None:
    told, statistics = -1, Statistics(mirror.engine)
    while not mirror.stop.is_set():
        state = _look_patiently(mirror)
        trouble.close()
        if state.lag == 0:
            statistics.refresh(state.cursor.number)
            if told != state.cursor.number:
                told = state.cursor.number
                mirror.report(CaughtUp(state.cursor.number))
            waiter.wait(mirror.stop, poll_interval)


@contextlib.contextmanager
def _leading(mirror: Mirror) -> Iterator[None]:
    # Before the lease: who holds it, an older release perhaps, goes on until the tables are ready.
    with _database_errors(mirror.engine):
        upgrade(mirror)
    with lead(mirror.engine, mirror.stop, lambda: mirror.report(OtherLeads())) as lease:
        mirror.lead_by(lease.fence)
        mirror.forget()
        with _database_errors(mirror.engine):
            mirror.check_database()
        yield


def _look_patiently(mirror: Mirror, *, looks: int | None = None) -> MirrorState:
    """A look that went well, after waiting for what passes; at most so many `looks`."""
    wait = _FIRST_WAIT
    for attempt in count(1):
        try:
            with _database_errors(mirror.engine):
                return mirror.look()
        except PASSING as problem:
            if attempt == looks:
                raise
            mirror.report(Waiting(problem, wait))
            # Not all mirrors of a node that was away come back to it at the same moment.
            if mirror.stop.wait(wait * (1 - _JITTER * random.random())):  # noqa: S311
                raise Stopped from problem
            wait = min(2 * wait, _LONGEST_WAIT)
        except Overtaken:
            mirror.forget()
            mirror.check_database()
        except (DatabaseUnusable, DiskFull):
            raise
        except LedgerError as problem:
            # The database may be what is wrong; the problem itself matters more.
            with contextlib.suppress(DBAPIError, DatabaseUnusable, DiskFull):
                mirror.halt(problem)
            raise
    raise AssertionError("count() does not end")


@contextlib.contextmanager
def _database_errors(engine: Engine) -> Iterator[None]:
    """Turn a driver's errors into ours: what may pass, and rows that cannot be."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise database_unusable(engine, error) from error
    except DBAPIError as error:
        raise MirrorDamaged(problem=" ".join(str(error.orig).split()).rstrip(".")) from error
