"""The record of imports in SQL: which batch brings which row, and what came of each line.

A batch is written with its whole call before anything of it is sent, in one commit with the rows
that it brings; a row stands in one batch at a time. It sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from ledger.errors import InvalidValue, LedgerError, NotFound
from ledger.outbox.records import Request, State
from ledger.store.bulk import insert_rows, upsert_rows
from ledger.store.import_tables import import_batches, import_lines, import_rows, imports
from ledger.store.outbox_tables import operations

TAKEN, WRONG, THERE, FAILED, CANCELLED = "taken", "wrong", "there", "failed", "cancelled"
"""States of a line."""

PLANNED, ASKED, DONE = "planned", "asked", "done"
"""States of a batch: written down; perhaps handed to the outbox; in a block."""

_OVER = (State.FAILED.value, State.CANCELLED.value)
_AT_ONCE = 500
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Import:
    """One file that was brought. Times are milliseconds since 1970 UTC."""

    import_id: bytes
    genesis_hash: bytes
    kind: str
    file_name: str
    content_hash: bytes
    label: str
    sender: bytes
    line_count: int
    created_at: int

    @property
    def name(self) -> str:
        """By what people call it: the first digits of its id."""
        return self.import_id.hex()[:12]


@dataclass(frozen=True, slots=True)
class Known:
    """A row that an import has taken. `is_over`: nothing came of its batch, and nothing will."""

    row_key: bytes
    content: bytes
    import_id: bytes
    line: int
    operation_id: bytes
    is_done: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class TakenRow:
    """A row in a batch: what it is known by, what it asks for, and where it stood."""

    key: bytes
    content: bytes
    has_reference: bool
    line: int


Rows = Sequence[TakenRow]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that go together, as one operation."""

    import_id: bytes
    number: int
    request: Request
    row_count: int
    state: str


def find_import(connection: Connection, reference: str) -> Import:
    """An import by its id, or by the first digits of it. Raises NotFound and InvalidValue."""
    text = reference.removeprefix("0x").lower()
    is_hex = all(letter in "0123456789abcdef" for letter in text)
    if not is_hex or not _SHORTEST <= len(text) <= 64:
        expected = "an import's id, or the first digits of it (at least 4)"
        raise InvalidValue(field="import", value=reference, expected=expected)
    low = bytes.fromhex(text.ljust(64, "0"))
    high = bytes.fromhex(text.ljust(64, "f"))
    query = select(imports).where(imports.c.import_id >= low, imports.c.import_id <= high).limit(2)
    found = connection.execute(query).all()
    if not found:
        raise NotFound(what="import", key=reference)
    if len(found) > 1:
        expected = "the first digits of one import alone; give more of them"
        raise InvalidValue(field="import", value=reference, expected=expected)
    return _import(found[0])


def list_imports(connection: Connection, *, limit: int) -> list[Import]:
    """The latest imports, newest first."""
    query = select(imports).order_by(imports.c.created_at.desc(), imports.c.import_id)
    return [_import(row) for row in connection.execute(query.limit(limit))]


def name_of(connection: Connection, import_id: bytes) -> Import:
    """An import by its whole id."""
    return _import(
        connection.execute(select(imports).where(imports.c.import_id == import_id)).one()
    )


def find_rows(connection: Connection, row_keys: Sequence[bytes]) -> dict[bytes, Known]:
    """Those of the rows that an import has taken."""
    found: dict[bytes, Known] = {}
    for some in _portions(row_keys):
        query = (
            select(
                import_rows,
                import_batches.c.state.label("batch_state"),
                operations.c.state.label("operation_state"),
            )
            .join(import_batches, import_batches.c.operation_id == import_rows.c.operation_id)
            .outerjoin(operations, operations.c.operation_id == import_rows.c.operation_id)
            .where(import_rows.c.row_key.in_(some))
        )
        for row in connection.execute(query):
            found[bytes(row.row_key)] = Known(
                bytes(row.row_key),
                bytes(row.content),
                bytes(row.import_id),
                row.line,
                bytes(row.operation_id),
                is_done=row.batch_state == DONE and row.operation_state not in _OVER,
                is_over=row.operation_state in _OVER,
            )
    return found


def find_alike(
    connection: Connection, contents: Sequence[bytes], *, has_reference: bool
) -> dict[bytes, tuple[bytes, int]]:
    """The import and line that asked for the same, with references or without them."""
    found: dict[bytes, tuple[bytes, int]] = {}
    for some in _portions(contents):
        query = select(import_rows).where(
            import_rows.c.content.in_(some), import_rows.c.has_reference == int(has_reference)
        )
        for row in connection.execute(query):
            found[bytes(row.content)] = (bytes(row.import_id), row.line)
    return found


def write_import(connection: Connection, found: Import) -> None:
    """Write the import down, unless it is."""
    known = connection.execute(
        select(imports.c.import_id).where(imports.c.import_id == found.import_id)
    ).one_or_none()
    if known is None:
        row = (
            *(found.import_id, found.genesis_hash, found.kind, found.file_name),
            *(found.content_hash, found.label, found.sender, found.line_count, found.created_at),
        )
        insert_rows(connection, imports, [row])


def write_lines(
    connection: Connection,
    import_id: bytes,
    lines: Sequence[tuple[int, str, bytes | None, str, str | None]],
) -> None:
    """Write down how lines were judged: the line, reference, row's key, state, problem."""
    upsert_rows(connection, import_lines, [(import_id, *line) for line in lines])


def write_batch(
    connection: Connection,
    batch: Batch,
    rows: Rows,
) -> None:
    """Write down a batch, and that its rows are in it, in their order.

    Fails with IntegrityError where another batch has one of them.
    """
    request = batch.request
    insert_rows(
        connection,
        import_batches,
        [
            (
                *(request.operation_id, batch.import_id, batch.number, request.command),
                *(request.summary, request.contract, request.calldata, batch.row_count),
                *(batch.state, None),
            )
        ],
    )
    insert_rows(
        connection,
        import_rows,
        [
            (
                *(row.key, row.content, int(row.has_reference), batch.import_id, row.line),
                *(request.operation_id, position),
            )
            for position, row in enumerate(rows)
        ],
    )


def next_number(connection: Connection, import_id: bytes) -> int:
    """One above the highest number of an import's batches."""
    query = select(func.max(import_batches.c.number)).where(import_batches.c.import_id == import_id)
    highest = connection.execute(query).scalar_one()
    return int(highest) + 1 if highest is not None else 1


def release_rows(connection: Connection, row_keys: Sequence[bytes]) -> None:
    """Let rows be taken anew, whose batches came to nothing; empty batches go."""
    touched: set[bytes] = set()
    for some in _portions(row_keys):
        query = select(import_rows.c.operation_id).where(import_rows.c.row_key.in_(some))
        touched.update(bytes(each) for each in connection.execute(query.distinct()).scalars())
        connection.execute(delete(import_rows).where(import_rows.c.row_key.in_(some)))
    for operation_id in sorted(touched):
        left = select(import_rows.c.row_key).where(import_rows.c.operation_id == operation_id)
        if connection.execute(left.limit(1)).first() is None:
            connection.execute(
                delete(import_batches).where(import_batches.c.operation_id == operation_id)
            )


def open_batches(connection: Connection, import_id: bytes) -> list[Batch]:
    """The batches of an import that are not known to be in a block, in their order, without
    their calls."""
    query = (
        select(*(column for column in import_batches.c if column.name != "calldata"))
        .where(import_batches.c.import_id == import_id, import_batches.c.state != DONE)
        .order_by(import_batches.c.number)
    )
    return [_batch(row, b"") for row in connection.execute(query)]


def read_batch(connection: Connection, operation_id: bytes) -> Batch | None:
    """A batch with its call; None where it was divided or taken back."""
    query = select(import_batches).where(import_batches.c.operation_id == operation_id)
    row = connection.execute(query).one_or_none()
    return _batch(row, bytes(row.calldata)) if row is not None else None


def rows_of(connection: Connection, operation_id: bytes) -> list[TakenRow]:
    """The rows of a batch, in their order."""
    query = (
        select(import_rows)
        .where(import_rows.c.operation_id == operation_id)
        .order_by(import_rows.c.position)
    )
    return [
        TakenRow(bytes(row.row_key), bytes(row.content), bool(row.has_reference), row.line)
        for row in connection.execute(query)
    ]


def mark_asked(connection: Connection, operation_id: bytes) -> bool:
    """Note that the outbox is about to get it; False where it was divided, taken back or done."""
    changed = connection.execute(
        update(import_batches)
        .where(import_batches.c.operation_id == operation_id, import_batches.c.state != DONE)
        .values(state=ASKED)
        .returning(import_batches.c.operation_id)
    )
    return changed.one_or_none() is not None


def mark_done(connection: Connection, operation_id: bytes, first_subject: int | None) -> None:
    """Note that it is in a block. The outbox has the call."""
    connection.execute(
        update(import_batches)
        .where(import_batches.c.operation_id == operation_id)
        .values(state=DONE, first_subject=first_subject, calldata=b"")
    )


def take_apart(
    connection: Connection,
    batch: Batch,
    parts: Iterable[tuple[Batch, Rows]],
    refused: Sequence[tuple[int, LedgerError]],
    *,
    state: str = FAILED,
) -> bool:
    """Put other batches in the place of one that cannot be done, and note the lines that were
    refused; False where somebody did so before."""
    gone = connection.execute(
        delete(import_batches)
        .where(import_batches.c.operation_id == batch.request.operation_id)
        .returning(import_batches.c.operation_id)
    )
    if gone.one_or_none() is None:
        return False
    connection.execute(
        delete(import_rows).where(import_rows.c.operation_id == batch.request.operation_id)
    )
    for part, rows in parts:
        write_batch(connection, part, rows)
    for line, error in refused:
        note_line(connection, batch.import_id, line, state, error)
    return True


def note_line(
    connection: Connection, import_id: bytes, line: int, state: str, error: LedgerError
) -> None:
    """Note why nothing came of a line."""
    connection.execute(
        update(import_lines)
        .where(import_lines.c.import_id == import_id, import_lines.c.line == line)
        .values(state=state, problem=problem_of(error))
    )


def withdraw(connection: Connection, import_id: bytes, operation_id: bytes) -> str | None:
    """Take a batch back that is in no block; in which state it was, None where it is gone."""
    gone = connection.execute(
        delete(import_batches)
        .where(import_batches.c.operation_id == operation_id, import_batches.c.state != DONE)
        .returning(import_batches.c.state)
    ).one_or_none()
    if gone is None:
        return None
    lines = [row.line for row in rows_of(connection, operation_id)]
    for some in _portions(lines):
        connection.execute(
            update(import_lines)
            .where(import_lines.c.import_id == import_id, import_lines.c.line.in_(some))
            .values(state=CANCELLED)
        )
    connection.execute(delete(import_rows).where(import_rows.c.operation_id == operation_id))
    return str(gone.state)


def problem_of(error: LedgerError) -> str:
    """An error as it is kept."""
    return describe(error.code, f"{error} {error.advice}".strip())


def describe(code: str, sentence: str) -> str:
    """Why nothing came of a line, as it is kept."""
    return json.dumps({"code": code, "sentence": sentence}, ensure_ascii=False)


def _import(row: Row[Any]) -> Import:
    return Import(
        bytes(row.import_id),
        bytes(row.genesis_hash),
        row.kind,
        row.file_name,
        bytes(row.content_hash),
        row.label,
        bytes(row.sender),
        row.line_count,
        row.created_at,
    )


def _batch(row: Row[Any], calldata: bytes) -> Batch:
    request = Request(bytes(row.operation_id), row.command, row.summary, row.contract, calldata)
    return Batch(bytes(row.import_id), row.number, request, row.row_count, row.state)


def _portions(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
