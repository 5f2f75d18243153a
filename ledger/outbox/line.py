"""Many wait for operations of one key; one of them does the work for all.

Within a process one waiting thread drives at a time: it holds the key's lease, or looks in the
database what the process that holds it has done. When its own operation is settled, the next one
goes on. A process that nobody waits in gives the lease back, at once or after a moment in which
somebody else may come, and a process that dies loses it after some seconds; so a command by itself,
a server with many threads, and several processes all send the same way, and no process has to run
for the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ledger.errors import (
    ContractRefused,
    LedgerError,
    OperationCancelled,
    OperationFailed,
    ReceiptOverdue,
)
from ledger.outbox.combining import Combiner
from ledger.outbox.flight import Flight
from ledger.outbox.leases import Key, Lease, LeaseLost, give_back, new_holder, take
from ledger.outbox.records import Failure, Operation, State, list_of
from ledger.outbox.rounds import Round
from ledger.outbox.rules import Rules
from ledger.store.engine import reading

_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.25
_FOLLOWING_PAUSE = 0.02
_LEFT_ALONE = 0.25
_GATHERED = 0.05
_COMPANY = 0.005
"""Seconds that somebody new waits for those who were just told a result, while nothing else is on
its way."""
_ALONE = 8
"""So few are signed for in one round, however few wait."""


class _Ticket:
    """One who waits for one operation."""

    def __init__(self, operation_id: bytes, seconds: float, fresh: Operation | None) -> None:
        self.operation_id = operation_id
        self.fresh = fresh
        self.is_known = False
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.called = threading.Event()
        self.result: Operation | None = None
        self.error: LedgerError | None = None

    @property
    def is_over(self) -> bool:
        return self.result is not None or self.error is not None or self.is_known

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline


class Line:
    """The way for one key: those who wait, and the flight that one of them drives."""

    def __init__(
        self,
        engine: Engine,
        key: Key,
        flight: Flight,
        rules: Rules,
        intake: Combiner[Operation, bool],
    ) -> None:
        self._engine = engine
        self._intake = intake
        self._key = key
        self._flight = flight
        self._rules = rules
        self._holder = new_holder()
        self._lease: Lease | None = None
        self._lock = threading.Lock()
        self._driving = threading.Lock()
        self._tickets: list[_Ticket] = []
        self._news = threading.Event()
        self._lingering: threading.Timer | None = None
        self._is_closed = False
        self._told = 0
        self._withheld = False

    def wait_for(
        self, operation_id: bytes, seconds: float, *, fresh: Operation | None = None
    ) -> Operation | None:
        """See an operation through until it is settled.

        `fresh` is the operation where it is not written down yet; None comes back where its id
        turns out to be taken. Raises what became of it where nothing was done (ContractRefused,
        OperationCancelled …), what keeps it from being sent (KeyHalted, FundsTooLow, NodeRefused),
        and ReceiptOverdue after `seconds`; it stays recorded then, and on its way.
        """
        ticket = _Ticket(operation_id, seconds, fresh)
        with self._lock:
            self._tickets.append(ticket)
        self._news.set()
        try:
            while not ticket.is_over and not ticket.is_late:
                if self._driving.acquire(blocking=False):
                    try:
                        self._drive(ticket)
                    finally:
                        self._stop_driving(ticket)
                else:
                    ticket.called.wait(_LEFT_ALONE)
                    ticket.called.clear()
        finally:
            with self._lock:
                if ticket in self._tickets:
                    self._tickets.remove(ticket)
            self._call_next()
        if ticket.error is not None:
            raise ticket.error
        if ticket.result is None and not ticket.is_known:
            raise self._overdue(ticket)
        return ticket.result

    def go_once(self) -> None:
        """Do one round, unless somebody else is about it."""
        if self._driving.acquire(blocking=False):
            try:
                self._go_round()
            finally:
                self._driving.release()
            self._call_next()

    def leave_if_idle(self) -> None:
        """Give a lease back that is only kept for whoever comes next."""
        if not self._driving.acquire(blocking=False):
            return
        try:
            with self._lock:
                is_idle = all(each.is_over for each in self._tickets)
            if is_idle:
                self._leave()
        except (LedgerError, SQLAlchemyError):
            pass  # it ends by itself, and whoever comes next is told what the database has
        finally:
            self._driving.release()
        self._call_next()

    def close(self) -> None:
        """Keep no lease from now on for whoever comes next."""
        self._is_closed = True
        self.leave_if_idle()

    # --- driving ---

    def _drive(self, own: _Ticket) -> None:
        self._stop_lingering()
        pause = _FIRST_PAUSE
        while not own.is_over and not own.is_late:
            self._news.clear()
            moved = self._go_round()
            if own.is_over:
                break
            pause = _FIRST_PAUSE if moved else min(pause * 1.5, _LONGEST_PAUSE)
            if self._lease is not None:
                self._gather(pause)
            elif not moved:
                self._news.wait(_FOLLOWING_PAUSE)

    def _gather(self, pause: float) -> None:
        """Wait until another round is worth its commit.

        That is when as much is new, or in a block, as is still on its way, and at the latest after
        a moment. So many clients share a commit, a request and a block; and as a round signs for
        half of them at most, the node works for one half while we do for the other.
        """
        began = now = time.monotonic()
        until, looked, next_look = began + max(_GATHERED, pause), began, _FIRST_PAUSE
        while now < until:
            with self._lock:
                fresh = sum(each.fresh is not None for each in self._tickets)
            on_its_way = self._flight.on_its_way
            if not on_its_way and (self._flight.found or 0 < fresh >= self._told / 2):
                return
            if on_its_way and fresh + self._flight.found >= on_its_way:
                return
            if not on_its_way:
                until = min(until, began + (_COMPANY if fresh else pause))
                self._news.wait(max(until - now, 0))
                self._news.clear()
            elif now - looked >= next_look:
                self._flight.glance()
                looked, next_look = time.monotonic(), next_look * 1.5
            else:
                self._news.wait(min(looked + next_look, until) - now)
                self._news.clear()
            now = time.monotonic()

    def _go_round(self) -> bool:
        """Do a round, or follow whoever has the lease; whether anything happened."""
        if self._lease is None:
            self._lease = take(self._engine, self._key, self._holder, self._rules.lease)
            if self._lease is None:
                return self._follow()
            self._flight.begin(self._lease)
        leaves = self._flight.signer is None  # others may have to sign
        with self._lock:
            most = max(_ALONE, -(-len(self._tickets) // 2))
            fresh = [each.fresh for each in self._tickets if each.fresh is not None][:most]
        self._withheld = len(fresh) < self._flight.found and not self._withheld
        if self._withheld:
            fresh = []  # more are told their results now and may ask for more: let them by once
        try:
            done = self._flight.advance(self._lease, fresh, to_the_end=leaves, tell=self._deliver)
        except LeaseLost:
            self._lease = None
            return self._follow()
        if leaves:
            self._leave()
        return self._deliver(done)

    def _stop_driving(self, own: _Ticket) -> None:
        """Let another thread go on; give the lease back, soon or at once, where none waits."""
        try:
            with self._lock:
                left = [each for each in self._tickets if each is not own and not each.is_over]
            if not left and own.result is not None and self._may_linger():
                self._linger()
            elif not left:
                self._leave()
            elif not own.is_over:
                self._flight.begin()  # the round may have gone wrong
        finally:
            self._driving.release()

    def _may_linger(self) -> bool:
        return self._rules.linger > 0 and self._lease is not None and not self._is_closed

    def _linger(self) -> None:
        self._flight.pause()
        self._lingering = threading.Timer(self._rules.linger, self.leave_if_idle)
        self._lingering.daemon = True
        self._lingering.start()

    def _stop_lingering(self) -> None:
        timer, self._lingering = self._lingering, None
        if timer is not None:
            timer.cancel()

    def _leave(self) -> None:
        self._stop_lingering()
        lease, self._lease = self._lease, None
        if lease is not None:
            give_back(self._engine, lease)

    def _call_next(self) -> None:
        with self._lock:
            waiting = next((each for each in self._tickets if not each.is_over), None)
        if waiting is not None:
            waiting.called.set()

    # --- delivering ---

    def _deliver(self, done: Round) -> bool:
        self._told = len(done.settled)
        with self._lock:
            waiting = [each for each in self._tickets if not each.is_over]
        for ticket in waiting:
            if ticket.operation_id in done.written:
                ticket.is_known = ticket.fresh is not None and not any(
                    ticket.fresh is each for each in done.inserted
                )
                ticket.fresh = None
        wanted = {each.operation_id for each in waiting if each.fresh is None}
        # What was settled before somebody began to wait for it is in no round: look, when idle.
        unread = (wanted & done.settled if done.moved else wanted) - done.finished.keys()
        found = {**self._read(unread), **done.finished}
        self._tell(waiting, found, done.errors)
        return done.moved

    def _follow(self) -> bool:
        """Write down what is new, and see what the holder of the lease has done."""
        with self._lock:
            waiting = [each for each in self._tickets if not each.is_over]
        for ticket in waiting:
            if ticket.fresh is not None:
                ticket.is_known = not self._intake.ask(ticket.fresh)
                ticket.fresh = None
        found = self._read({each.operation_id for each in waiting})
        return self._tell(waiting, found, {})

    def _read(self, ids: set[bytes]) -> dict[bytes, Operation]:
        if not ids:
            return {}
        with reading(self._engine) as connection:
            return list_of(connection, sorted(ids))

    def _tell(
        self,
        waiting: list[_Ticket],
        found: Mapping[bytes, Operation],
        errors: Mapping[bytes, LedgerError],
    ) -> bool:
        told = False
        for ticket in waiting:
            operation = found.get(ticket.operation_id)
            error = errors.get(ticket.operation_id)
            if ticket.is_over or (operation is None and error is None):
                if ticket.is_over:
                    ticket.called.set()
                continue
            if operation is not None and operation.is_open and error is None:
                continue
            if operation is not None and operation.is_done:
                ticket.result = operation
            elif operation is not None and operation.state is State.CANCELLED:
                ticket.error = OperationCancelled(operation_id="0x" + ticket.operation_id.hex())
            else:
                ticket.error = error or failure_as_error(operation)
            ticket.called.set()
            told = True
        return told

    def _overdue(self, ticket: _Ticket) -> ReceiptOverdue:
        found = self._read({ticket.operation_id}).get(ticket.operation_id)
        attempt = found.last_attempt if found is not None else None
        shown = attempt.transaction_hash if attempt is not None else ticket.operation_id
        return ReceiptOverdue(transaction_hash="0x" + shown.hex(), seconds=ticket.seconds)


def failure_as_error(operation: Operation | None) -> LedgerError:
    """The error that was recorded for an operation."""
    failure = operation.failure if operation is not None else None
    if failure is None:
        return OperationFailed(sentence="Nothing is recorded of it.", advice="")
    return _contract_refused(failure) or OperationFailed(
        sentence=failure.sentence, advice=failure.advice
    )


def _contract_refused(failure: Failure) -> ContractRefused | None:
    if failure.code != ContractRefused.code:
        return None
    name, arguments = failure.values["name"], failure.values["arguments"]
    bare = str(ContractRefused(name=name, arguments=arguments))
    meaning = failure.sentence.removeprefix(bare).strip()
    return ContractRefused(name=name, arguments=arguments, meaning=meaning, hint=failure.advice)
