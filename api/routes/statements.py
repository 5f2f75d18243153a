"""An organisation's statement for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.formats import parse_time, show_address_once, show_bytes, show_time
from api.parameters import (
    FromQuery,
    OrganisationPath,
    ProgrammeQuery,
    ToQuery,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.entries import EntryKindName
from api.spreadsheets import CSV_TYPE, XLSX_TYPE, Cell, write_csv, write_xlsx
from ledger.domain.ids import EntryId, OrgId
from ledger.errors import InvalidValue
from ledger.mirror.queries.entries import Entry, EntryFilter, list_entries
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.organisations import require_organisation
from ledger.mirror.queries.spans import MAX_ENTRY_ID

router = APIRouter(tags=["organisations"])

MOST_ROWS = 50_000
AS_OF_HEADERS = {
    name: {"description": f"The {what} of the block that it is true at.", "schema": {"type": kind}}
    for name, what, kind in (
        ("As-Of-Block", "number", "integer"),
        ("As-Of-Hash", "hash", "string"),
        ("As-Of-Time", "time", "string"),
    )
}
HEADER = (
    "entry",
    "time",
    "programme",
    "kind",
    "category",
    "amount",
    "balance_after",
    "title_zh",
    "title_en",
    "evidence",
    "refers_to",
    "reversed_by",
    "actor",
    "block",
    "transaction",
)
UNKNOWN = problems(s404="There is no such organisation.")
_AT_ONCE = 1000
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _add_statement(
    suffix: str,
    name: str,
    media_type: str,
    write: Callable[[Sequence[str], Iterable[Sequence[Cell]]], bytes],
) -> None:
    @router.get(
        f"/organisations/{{org_id}}/statement.{suffix}",
        operation_id=name,
        response_class=Response,
        responses={
            200: {
                "description": "The statement.",
                "content": {media_type: _BINARY},
                "headers": AS_OF_HEADERS,
            },
            **ALWAYS,
            **UNKNOWN,
        },
        description=f"An organisation's statement as {suffix.upper()}, the newest entry first, at "
        f"most {MOST_ROWS} entries. Text that looks like a formula is not one.",
    )
    def get_statement(
        request: Request,
        org_id: OrganisationPath,
        asked: Annotated[MomentAsked, Depends(asked_moment)],
        *,
        programme: ProgrammeQuery = None,
        since: FromQuery = None,
        until: ToQuery = None,
    ) -> Response:
        def body(reading: Reading) -> tuple[bytes, Mapping[str, str]]:
            named = programme_named(reading, programme) if programme is not None else None
            wanted = EntryFilter(
                org_id=OrgId(org_id),
                programme_id=named.programme_id if named else None,
                since=parse_time("from", since) if since is not None else None,
                until=parse_time("to", until) if until is not None else None,
            )
            require_organisation(reading.connection, reading.moment, OrgId(org_id))
            rows = [_row(entry) for entry in _all(reading, wanted)]
            block = reading.moment.block_number
            saved = f'attachment; filename="statement-{org_id}-at-{block}.{suffix}"'
            return write(HEADER, rows), {"Content-Disposition": saved, **as_of(reading.moment)}

        return answers_of(request).respond(request, body, asked, media_type=media_type)


_add_statement("csv", "getStatementCsv", CSV_TYPE, write_csv)
_add_statement("xlsx", "getStatementXlsx", XLSX_TYPE, write_xlsx)


def as_of(moment: Moment) -> Mapping[str, str]:
    """Headers that say which block a file is true at, whose form has no place for it."""
    return {
        "As-Of-Block": str(moment.block_number),
        "As-Of-Hash": show_bytes(moment.block_hash),
        "As-Of-Time": show_time(moment.timestamp),
    }


def _all(reading: Reading, wanted: EntryFilter) -> Iterator[Entry]:
    before, count = MAX_ENTRY_ID, 0
    while True:
        found = list_entries(
            reading.connection, reading.moment, wanted, before=before, limit=_AT_ONCE
        )
        count += len(found)
        if count > MOST_ROWS:
            expected = f"a span of at most {MOST_ROWS} entries"
            raise InvalidValue(field="from", value=wanted.since, expected=expected)
        yield from found
        if len(found) < _AT_ONCE:
            return
        before = EntryId(found[-1].entry_id)


def _row(entry: Entry) -> tuple[Cell, ...]:
    document = entry.document
    return (
        entry.entry_id,
        show_time(entry.timestamp),
        entry.programme,
        EntryKindName.of(entry.kind).value,
        entry.category,
        entry.amount,
        entry.balance_after,
        document.title_zh if document else "",
        document.title_en if document else "",
        show_bytes(entry.evidence) if any(entry.evidence) else "",
        entry.refers_to or "",
        entry.reversed_by or "",
        show_address_once(entry.actor),
        entry.block_number,
        show_bytes(entry.transaction_hash),
    )
