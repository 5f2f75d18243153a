"""Takes an organisation out of the record of imports, where spreadsheets left its name.

What becomes of a line stays on record, and by which transaction; by what its row was known does
not, nor any hash over the row: a hash over names can be found again by trying names. A file's name
and label stay, as whoever imported it chose them.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select, update

from ledger.domain.ids import OrgId
from ledger.services.imports.columns import Subject
from ledger.services.imports.journal import describe
from ledger.store.import_tables import import_batches, import_lines, import_rows, imports


@dataclass(frozen=True, slots=True)
class Trace:
    """A line of an import that names an organisation, or registered it."""

    import_id: str
    file_name: str
    line: int
    reference: str
    sentence: str


def read_traces(connection: Connection, org_id: OrgId, words: Collection[str]) -> list[Trace]:
    """The lines that registered an organisation, or say one of the words that it is called."""
    lines = {
        (bytes(row.import_id), row.line): row
        for row in (*_lines_of_keys(connection, _row_keys(connection, org_id)),
                    *_lines_saying(connection, words))
    }  # fmt: skip
    return [
        Trace("0x" + import_id.hex(), row.file_name, line, row.reference, _told(row)["sentence"])
        for (import_id, line), row in sorted(lines.items())
    ]


def forget_organisation(connection: Connection, org_id: OrgId, words: Collection[str]) -> None:
    """Empty what `read_traces` finds, in the caller's transaction.

    The same file brought again finds the organisation on the register, not in this record.
    """
    for row_key in _row_keys(connection, org_id):
        for row in list(_lines_of_keys(connection, [row_key])):
            _empty(connection, row)
        # Other bytes in both tables, so that the line still finds what became of it.
        other = secrets.token_bytes(32)
        connection.execute(
            update(import_lines).where(import_lines.c.row_key == row_key).values(row_key=other)
        )
        connection.execute(
            update(import_rows)
            .where(import_rows.c.row_key == row_key)
            .values(row_key=other, content=secrets.token_bytes(32))
        )
    for row in list(_lines_saying(connection, words)):
        reference = "" if _says(row.reference, words) else row.reference
        _empty(connection, row, reference=reference)


def _row_keys(connection: Connection, org_id: OrgId) -> list[bytes]:
    """The rows that became the organisation."""
    rows, batches = import_rows.c, import_batches.c
    query = (
        select(rows.row_key)
        .join(import_batches, batches.operation_id == rows.operation_id)
        .join(imports, imports.c.import_id == batches.import_id)
        .where(
            imports.c.kind == Subject.ORGANISATIONS.value,
            batches.first_subject + rows.position == org_id,
        )
    )
    return [bytes(each) for each in connection.execute(query).scalars()]


def _lines_of_keys(connection: Connection, row_keys: Collection[bytes]) -> Iterator[Any]:
    yield from connection.execute(_LINES.where(import_lines.c.row_key.in_(row_keys)))


def _lines_saying(connection: Connection, words: Collection[str]) -> Iterator[Any]:
    """The lines whose reference or problem has one as a word of its own."""
    for word in sorted(words):
        kept = json.dumps(word, ensure_ascii=False)[1:-1]
        query = _LINES.where(
            or_(
                import_lines.c.reference.contains(word, autoescape=True),
                import_lines.c.problem.contains(kept, autoescape=True),
            )
        )
        for row in connection.execute(query):
            if _says(row.reference, [word]) or _says(_told(row)["sentence"], [word]):
                yield row


def _says(text: str, words: Collection[str]) -> bool:
    """Whether one of the words stands in a text, and not as a part of a longer one in letters."""
    some = "|".join(re.escape(word) for word in words)
    return bool(words) and bool(re.search(f"(?<![A-Za-z0-9])(?:{some})(?![A-Za-z0-9])", text))


def _empty(connection: Connection, row: Any, *, reference: str = "") -> None:
    problem = describe(_told(row)["code"], "") if row.problem else None
    connection.execute(
        update(import_lines)
        .where(import_lines.c.import_id == row.import_id, import_lines.c.line == row.line)
        .values(reference=reference, problem=problem)
    )


def _told(row: Any) -> dict[str, str]:
    told: dict[str, str] = json.loads(row.problem) if row.problem else {"code": "", "sentence": ""}
    return told


_LINES = select(
    import_lines.c.import_id,
    import_lines.c.line,
    import_lines.c.reference,
    import_lines.c.problem,
    imports.c.file_name,
).join(imports, imports.c.import_id == import_lines.c.import_id)
