"""Writes a judged file down, and has all of its batches sent: each row once, whatever happens.

All rows and batches are written in one commit before anything is sent; a batch keeps its operation
id for good, and the outbox and the contract do an operation once. So whoever comes after a crash
goes on with what is written down, with the file or without it, and two who come at once do no
harm. A batch that a contract refuses is divided: what is wrong with it is told row by row, and the
others go.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ledger.chain.addresses import show_address
from ledger.chain.contracts.contract import decode_call, encode_call
from ledger.chain.sending import Call, try_call
from ledger.chain.signers import Signer
from ledger.domain.operations import derive_operation_id
from ledger.errors import (
    ContractRefused,
    LedgerError,
    OperationCancelled,
    OperationFailed,
    OperationOfAnother,
    ReceiptOverdue,
    TransactionTooLarge,
)
from ledger.outbox.records import Operation, Request, State, list_of
from ledger.outbox.times import now_in_milliseconds
from ledger.services.checks import count_of
from ledger.services.desk import Desk
from ledger.services.imports import journal
from ledger.services.imports.evidence import OfficeKeeper
from ledger.services.imports.planning import Plan, Progress, contract_address
from ledger.services.imports.refusing import find_refused
from ledger.services.imports.spool import AT_ONCE, Action, Line
from ledger.store.engine import reading, writing

AT_ONCE_SENT = 24
"""Batches that are on their way at once. A block takes one or two of them, so more would only wait
longer for their receipts."""

_TRIES = 3
_PATIENCE = 600.0
"""Seconds without a batch getting into a block after which an import gives up waiting."""

_STATES = {
    Action.WRONG: journal.WRONG,
    Action.THERE: journal.THERE,
}


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that was written down just now: its operation, of which group, with which values."""

    request: Request
    group: str
    values: Sequence[Sequence[Any]]


Noting = Callable[[Connection, Sequence[Written]], None]
"""Writes in the same commit what else is to be known of an import: who asks for it, say."""


def write_down(desk: Desk, plan: Plan, noting: Noting | None = None) -> None:
    """Write the import with all its batches, in one commit. What others took in between is judged
    again. Raises what judging does, and what `noting` does: nothing is written then."""
    for _ in range(_TRIES):
        try:
            with writing(desk.engine) as connection:
                written = _write(connection, desk, plan)
                if noting is not None:
                    noting(connection, written)
        except IntegrityError:
            plan.look_again()
        else:
            return
    raise AssertionError("a row that is taken is known as such")


def _write(connection: Connection, desk: Desk, plan: Plan) -> list[Written]:
    file = plan.file
    found = journal.Import(
        plan.import_id,
        desk.outbox.chain.genesis_hash,
        file.subject.value,
        file.shown_name,
        plan.content_hash,
        file.given.label,
        file.sender,
        plan.line_count,
        now_in_milliseconds(),
    )
    journal.write_import(connection, found)
    some: list[tuple[int, str, bytes | None, str, str | None]] = []
    for line in plan.lines():
        some.append(_line(line))
        if len(some) == 10 * AT_ONCE:
            journal.write_lines(connection, plan.import_id, some)
            some = []
    journal.write_lines(connection, plan.import_id, some)
    keeper = OfficeKeeper(connection, desk.evidence, file.given.folder, file.given.evidence)
    number = journal.next_number(connection, plan.import_id)
    written: list[Written] = []
    for items in plan.spool.batches():
        known = journal.find_rows(connection, [item.base for item in items])
        journal.release_rows(connection, [key for key, row in known.items() if row.is_over])
        asked = plan.kind.ask(items[0].group, [item.values for item in items], keeper)
        rows = [
            journal.TakenRow(item.base, item.content, bool(item.reference), item.line)
            for item in items
        ]
        operation_id = _new_id(connection, desk, file.sender, rows)
        request = Request(
            operation_id, asked.command, asked.summary, asked.contract, asked.encode(operation_id)
        )
        batch = journal.Batch(plan.import_id, number, request, len(items), journal.PLANNED)
        journal.write_batch(connection, batch, rows)
        written.append(Written(request, items[0].group, [item.values for item in items]))
        number += 1
    return written


def _line(line: Line) -> tuple[int, str, bytes | None, str, str | None]:
    state = _STATES.get(line.action, journal.TAKEN)
    problem = None
    if line.problems:
        problem = journal.describe("import.row_wrong", "; ".join(map(str, line.problems)))
    elif line.action is Action.THERE:
        problem = journal.describe("", line.note)
    return line.line, line.reference, line.row_key, state, problem


def _new_id(connection: Connection, desk: Desk, sender: bytes, rows: journal.Rows) -> bytes:
    """The operation that brings these rows with this key: the same whenever it is asked for, until
    one came to nothing."""
    parts = [part for row in rows for part in (row.key, row.content)]
    genesis_hash = desk.outbox.chain.genesis_hash
    number = 0
    while True:
        number += 1
        operation_id = derive_operation_id(
            "moonlake.import.batch.1", genesis_hash, sender, number.to_bytes(8, "big"), *parts
        )
        found = list_of(connection, [operation_id]).get(operation_id)
        if found is None or found.state not in (State.FAILED, State.CANCELLED):
            return operation_id


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of an import's batches. `refused` are rows that the contract would not have."""

    done: int
    refused: int
    cancelled: int


class Bringing:
    """An import on its way. `stop` ends it after what is on its way; the rest stays written down.

    `progress` is told of every batch that is in a block; `on_part` of every operation that is put
    in the place of another, in the commit that does so.
    """

    def __init__(
        self,
        desk: Desk,
        signer: Signer,
        import_id: bytes,
        progress: Progress,
        *,
        stop: threading.Event | None = None,
        on_part: Callable[[Connection, bytes, bytes], None] | None = None,
    ) -> None:
        self._desk = desk
        self._signer = signer
        self._import_id = import_id
        self._progress = progress
        self._stop = stop or threading.Event()
        self._on_part = on_part
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[journal.Batch] = queue.SimpleQueue()
        self._errors: list[Exception] = []
        self._total = self._done = self._refused = self._cancelled = 0
        self._tried: dict[bytes, int] = {}
        self._shapes: dict[tuple[str, bytes, int], threading.Lock] = {}
        self._learnt: set[tuple[str, bytes, int]] = set()
        self._moved_at = time.monotonic()

    def run(self) -> Brought:
        """Have every open batch sent, and return when each is in a block or was refused.

        Raises the first error that is of no row: of the node, the key, the contract's pause. What
        was not done stays written down, for the same again.
        """
        with reading(self._desk.engine) as connection:
            found = journal.name_of(connection, self._import_id)
            batches = journal.open_batches(connection, self._import_id)
        if batches and found.sender != self._signer.address:
            self._require_same_key(batches[0], found.sender)
        self._total = sum(batch.row_count for batch in batches)
        while batches and not self._stop.is_set():
            self._send(batches)
            if self._errors:
                raise self._errors[0]
            with reading(self._desk.engine) as connection:
                batches = journal.open_batches(connection, self._import_id)
        return Brought(self._done, self._refused, self._cancelled)

    def _require_same_key(self, batch: journal.Batch, sender: bytes) -> None:
        raise OperationOfAnother(
            operation_id="0x" + batch.request.operation_id.hex(),
            signer=show_address(sender),
            given=show_address(self._signer.address),
        )

    # --- threads ---

    def _send(self, batches: Sequence[journal.Batch]) -> None:
        for batch in batches:
            self._queue.put(batch)
        self._moved_at = time.monotonic()
        count = min(AT_ONCE_SENT, len(batches))
        # Daemons: whoever interrupts twice need not wait for a node that says nothing.
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for each in threads:
            each.start()
        try:
            for each in threads:
                each.join()
        except KeyboardInterrupt:
            self._stop.set()
            for each in threads:
                each.join()
            raise

    def _work(self) -> None:
        while not self._stop.is_set() and not self._errors:
            try:
                batch = self._queue.get_nowait()
            except queue.Empty:
                return
            try:
                self._bring(batch)
            except Exception as error:  # noqa: BLE001  raised by `run`, which waits for this thread
                with self._lock:
                    self._errors.append(error)
                return

    def _bring(self, found: journal.Batch) -> None:
        operation_id = found.request.operation_id
        with writing(self._desk.engine) as connection:
            if not journal.mark_asked(connection, operation_id):
                return  # divided or taken back by another process
            batch = journal.read_batch(connection, operation_id)
        if batch is None or batch.state == journal.DONE:
            return
        try:
            operation = self._submit_by_shape(batch.request)
        except OperationCancelled as error:
            self._give_up(batch, error)
        except (ContractRefused, TransactionTooLarge, OperationFailed) as error:
            self._divide(batch, error)
        else:
            self._note_done(batch, operation)

    def _submit_by_shape(self, request: Request) -> Operation:
        """Let the first call of each size go ahead: the outbox learns from it how much gas the
        others may use, which costs a node a dozen runs of a full batch."""
        shape = (request.contract, request.calldata[:4], len(request.calldata))
        with self._lock:
            first = self._shapes.setdefault(shape, threading.Lock())
        with first:
            if shape not in self._learnt:
                operation = self._submit(request)
                self._learnt.add(shape)
                return operation
        return self._submit(request)

    def _submit(self, request: Request) -> Operation:
        """Have it done; a chain that is slow is waited for as long as it takes some of ours."""
        while True:
            try:
                return self._desk.outbox.submit(request, self._signer)
            except ReceiptOverdue:
                if self._stop.is_set() or time.monotonic() - self._moved_at > _PATIENCE:
                    raise

    # --- what came of it ---

    def _note_done(self, batch: journal.Batch, operation: Operation) -> None:
        subject = None
        if batch.request.contract == "Organisations":
            subject = self._desk.outbox.subjects_of(operation)[0]
        with writing(self._desk.engine) as connection:
            journal.mark_done(connection, batch.request.operation_id, subject)
        with self._lock:
            self._moved_at = time.monotonic()
            self._done += batch.row_count
            self._progress("send", self._done + self._refused, self._total)

    def _give_up(self, batch: journal.Batch, error: LedgerError) -> None:
        with writing(self._desk.engine) as connection:
            rows = journal.rows_of(connection, batch.request.operation_id)
            refused = [(row.line, error) for row in rows]
            journal.take_apart(connection, batch, [], refused, state=journal.CANCELLED)
        with self._lock:
            self._cancelled += batch.row_count

    def _divide(self, batch: journal.Batch, error: LedgerError) -> None:
        """Put the rows that a contract takes into batches of their own; tell of the others."""
        call = decode_call(batch.request.contract, batch.request.calldata)
        name, listed = _list_of(call.arguments)

        def encode(some: Sequence[Any], operation_id: bytes) -> bytes:
            given = call.arguments | {name: list(some), "operationId": operation_id}
            return encode_call(call.contract, call.function, *given.values())

        def run(some: Sequence[Any]) -> None:
            to = contract_address(self._desk, call.contract)
            try_call(self._desk.node, Call(self._signer.address, to, encode(some, _TRIAL)))

        refused = find_refused(listed, run)
        too_large = isinstance(error, TransactionTooLarge)
        if not refused and not (too_large and len(listed) > 1):
            self._again(batch, error)
            return
        with writing(self._desk.engine) as connection:
            rows = journal.rows_of(connection, batch.request.operation_id)
            wrong = dict(refused)
            kept = [place for place in range(len(rows)) if place not in wrong]
            half = -(-len(kept) // 2) if too_large else len(kept)
            parts = []
            for places in (kept[:half], kept[half:]):
                if places:
                    of_part = [rows[place] for place in places]
                    operation_id = _new_id(connection, self._desk, self._signer.address, of_part)
                    calldata = encode([listed[place] for place in places], operation_id)
                    parts.append((self._part(batch, operation_id, calldata, len(places)), of_part))
            told = [(rows[place].line, reason) for place, reason in refused]
            if not journal.take_apart(connection, batch, parts, told):
                return
            if self._on_part is not None:
                for part, _rows in parts:
                    self._on_part(connection, batch.request.operation_id, part.request.operation_id)
        with self._lock:
            self._refused += len(refused)

    def _again(self, batch: journal.Batch, error: LedgerError) -> None:
        """What was refused is taken now: it stays open, and is asked for again some times."""
        operation_id = batch.request.operation_id
        with self._lock:
            self._tried[operation_id] = self._tried.get(operation_id, 0) + 1
            if self._tried[operation_id] >= _TRIES:
                raise error

    def _part(
        self, batch: journal.Batch, operation_id: bytes, calldata: bytes, count: int
    ) -> journal.Batch:
        request = replace(
            batch.request,
            operation_id=operation_id,
            calldata=calldata,
            summary=f"{batch.request.summary.removesuffix('.')}: {count_of(count, 'row')} of it.",
        )
        return replace(batch, request=request, row_count=count, state=journal.PLANNED)


_TRIAL = b"\x01" * 32
"""An operation id for calls that are only tried."""


def _list_of(arguments: dict[str, Any]) -> tuple[str, list[Any]]:
    """The argument of a call that has one element a row."""
    return next((name, value) for name, value in arguments.items() if isinstance(value, list))
