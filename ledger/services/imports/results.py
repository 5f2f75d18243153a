"""What came of every line of an import, read from what is recorded: any time, without the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from ledger.outbox.records import Operation, list_of
from ledger.services.imports import journal
from ledger.services.imports.columns import Subject
from ledger.services.spreadsheets.writing import write_table
from ledger.store.engine import reading
from ledger.store.import_tables import import_batches, import_lines, import_rows
from ledger.store.outbox_tables import operations

_AT_ONCE = 2000

WAITING = "waiting"
"""The state of a line that is written down and was not handed to a node."""

MADE = {
    Subject.AWARDS.value: "entry",
    Subject.ORGANISATIONS.value: "organisation_id",
    Subject.MEMBERSHIPS.value: "journal_line",
}
"""What a row becomes, by the kind of its import."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one line.

    state: wrong, there, failed, cancelled, or how far its operation is: waiting, accepted, sent,
    included, final. made: the id of what it became, None where that is nothing yet. earlier: by
    which import and line it was brought, where that was another.
    """

    line: int
    reference: str
    state: str
    operation_id: bytes | None = None
    made: int | None = None
    transaction_hash: bytes | None = None
    block_number: int | None = None
    earlier: str = ""
    code: str = ""
    sentence: str = ""

    @property
    def is_done(self) -> bool:
        """Whether what the line asks for is so."""
        return self.state in ("included", "final", "there")


@dataclass(frozen=True, slots=True)
class Summary:
    """An import with how many of its lines are how far."""

    found: journal.Import
    counts: dict[str, int]

    @property
    def is_finished(self) -> bool:
        """Whether nothing of it waits any more."""
        return not any(self.counts.get(state) for state in (WAITING, "accepted", "sent"))


def summarise(connection: Connection, found: journal.Import) -> Summary:
    """How far an import is."""
    counts: dict[str, int] = {}
    lines, rows = import_lines.c, import_rows.c
    state = func.coalesce(operations.c.state, WAITING)
    query = (
        select(lines.state, rows.row_key.is_(None).label("is_gone"), state.label("operation"))
        .add_columns(func.count().label("line_count"))
        .select_from(import_lines)
        .outerjoin(import_rows, rows.row_key == lines.row_key)
        .outerjoin(operations, operations.c.operation_id == rows.operation_id)
        .where(lines.import_id == found.import_id)
        .group_by(lines.state, rows.row_key.is_(None), state)
    )
    for row in connection.execute(query):
        name = row.state
        if name == journal.TAKEN:
            name = journal.CANCELLED if row.is_gone else row.operation
        counts[name] = counts.get(name, 0) + row.line_count
    return Summary(found, counts)


def read_results(
    engine: Engine, found: journal.Import, *, after: int = -1, states: Sequence[str] = ()
) -> Iterator[Result]:
    """Every line's result, in the order of the file, behind a line; `states` are those of
    `journal`, all where there are none."""
    while True:
        with reading(engine) as connection:
            rows = connection.execute(_lines_after(found.import_id, after, states)).all()
            ids = sorted({bytes(row.operation_id) for row in rows if row.operation_id is not None})
            known = list_of(connection, ids)
        if not rows:
            return
        for row in rows:
            yield _result(row, found, known)
        after = rows[-1].line


def write_results(path: Path, engine: Engine, found: journal.Import) -> int:
    """Write the results as CSV or as a workbook, by the name's ending; how many there are."""
    made = MADE[found.kind]
    headings = ("row", "reference", "state", "operation", made, "transaction", "block")
    return write_table(
        path,
        (*headings, "earlier", "error", "sentence"),
        (
            (
                *(each.line, each.reference, each.state, _hex(each.operation_id), each.made),
                *(_hex(each.transaction_hash), each.block_number, each.earlier, each.code),
                each.sentence,
            )
            for each in read_results(engine, found)
        ),
    )


def _lines_after(import_id: bytes, line: int, states: Sequence[str]) -> Any:
    query = (
        select(
            *(import_lines.c.line, import_lines.c.reference, import_lines.c.state),
            import_lines.c.problem,
            *(import_rows.c.operation_id, import_rows.c.position),
            import_rows.c.import_id.label("brought_by"),
            import_rows.c.line.label("brought_line"),
            import_batches.c.first_subject,
        )
        .select_from(import_lines)
        .outerjoin(import_rows, import_rows.c.row_key == import_lines.c.row_key)
        .outerjoin(import_batches, import_batches.c.operation_id == import_rows.c.operation_id)
        .where(import_lines.c.import_id == import_id, import_lines.c.line > line)
        .order_by(import_lines.c.line)
        .limit(_AT_ONCE)
    )
    return query.where(import_lines.c.state.in_(states)) if states else query


def _result(row: Row[Any], found: journal.Import, known: dict[bytes, Operation]) -> Result:
    told = json.loads(row.problem) if row.problem else {"code": "", "sentence": ""}
    if row.state != journal.TAKEN:
        return Result(
            row.line, row.reference, row.state, code=told["code"], sentence=told["sentence"]
        )
    if row.operation_id is None:
        return Result(row.line, row.reference, journal.CANCELLED)
    operation_id = bytes(row.operation_id)
    earlier = ""
    if bytes(row.brought_by) != found.import_id:
        earlier = f"import {bytes(row.brought_by).hex()[:12]}, line {row.brought_line}"
    operation = known.get(operation_id)
    if operation is None:
        return Result(row.line, row.reference, WAITING, operation_id, earlier=earlier)
    attempt = operation.last_attempt
    failure = operation.failure
    return Result(
        line=row.line,
        reference=row.reference,
        state=operation.state.value,
        operation_id=operation_id,
        made=_made(row, found, operation) if operation.is_done else None,
        transaction_hash=attempt.transaction_hash if attempt is not None else None,
        block_number=attempt.block_number if attempt is not None else None,
        earlier=earlier,
        code=failure.code if failure is not None else "",
        sentence=f"{failure.sentence} {failure.advice}".strip() if failure is not None else "",
    )


def _made(row: Row[Any], found: journal.Import, operation: Operation) -> int | None:
    """Lines of a journal are numbered in the order of the call, and so are organisations."""
    first = (
        row.first_subject if found.kind == Subject.ORGANISATIONS.value else operation.first_sequence
    )
    return int(first) + int(row.position) if first is not None else None


def _hex(value: bytes | None) -> str:
    return "0x" + value.hex() if value is not None else ""
