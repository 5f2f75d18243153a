"""Which programme and which organisation each row means, looked up for many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.services.imports.directory import Directory
from ledger.services.imports.values import Cells
from ledger.services.spreadsheets.tables import Problem, Row


def read_members(
    rows: Sequence[Row], directory: Directory, default: ProgrammeId
) -> list[tuple[ProgrammeId | Problem, OrgId | Problem]]:
    """The programme and the organisation of each row. `default` is of rows that name none."""
    named = {row["organisation"] for row in rows} - {""}
    known = directory.organisations(named)
    return [
        (_programme(row, directory, default), _organisation(row["organisation"], known))
        for row in rows
    ]


def begin_row(cells: Cells, programme: ProgrammeId | Problem, organisation: OrgId | Problem) -> str:
    """The row's own name; of the programme and the organisation is told what is wrong with them."""
    reference = cells.reference()
    cells.problems += [each for each in (programme, organisation) if isinstance(each, Problem)]
    return reference


def _programme(row: Row, directory: Directory, default: ProgrammeId) -> ProgrammeId | Problem:
    name = row["programme"]
    if not name:
        if default:
            return default
        return Problem("programme", "", "filled in, or named for all rows with --programme")
    found = directory.programme(name)
    return found if found is not None else Problem("programme", name, "a programme's id or key")


def _organisation(name: str, known: dict[str, OrgId]) -> OrgId | Problem:
    if not name:
        return Problem("organisation", "", "filled in")
    found = known.get(name)
    return found if found is not None else Problem("organisation", name, "one that is registered")


def say_day(seconds: int) -> str:
    """A day, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
