"""The credit journal: all of it, one organisation's statement, or one entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.formats import parse_time
from api.pagination import Place, cut_page, decode_cursor, link_header, question_of
from api.parameters import (
    LIMIT,
    CategoryQuery,
    CursorQuery,
    EntryPath,
    FromQuery,
    LimitQuery,
    OrganisationPath,
    OrganisationQuery,
    ProgrammeQuery,
    ToQuery,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.base import Schema
from api.schemas.entries import EntriesPage, EntryAnswer, EntryKindName, EntryView
from ledger.domain.ids import EntryId, OrgId
from ledger.mirror.queries.entries import Entry, EntryFilter, list_entries, read_entry
from ledger.mirror.queries.organisations import require_organisation
from ledger.mirror.queries.spans import MAX_ENTRY_ID

router = APIRouter(tags=["entries"])

KindQuery = Annotated[
    EntryKindName | None, Query(description="What the entries are.", examples=["award"])
]
BAD_CURSOR = problems(s400="The cursor was not given for this question.")


@router.get(
    "/entries",
    operation_id="listEntries",
    response_model=EntriesPage,
    responses={**ALWAYS, **BAD_CURSOR},
)
def list_all(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    organisation: OrganisationQuery = None,
    programme: ProgrammeQuery = None,
    kind: KindQuery = None,
    category: CategoryQuery = None,
    since: FromQuery = None,
    until: ToQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Entries, the newest first. A page after a cursor is not moved by entries that come in."""
    filters = _Filters(programme, kind, category, since, until)
    return _list(request, asked, organisation, filters, limit=limit, cursor=cursor)


@router.get(
    "/organisations/{org_id}/entries",
    operation_id="listEntriesOfOrganisation",
    response_model=EntriesPage,
    responses={**ALWAYS, **BAD_CURSOR, **problems(s404="There is no such organisation.")},
)
def list_statement(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    kind: KindQuery = None,
    category: CategoryQuery = None,
    since: FromQuery = None,
    until: ToQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """An organisation's statement, the newest entry first, each with its evidence."""
    filters = _Filters(programme, kind, category, since, until)
    return _list(request, asked, org_id, filters, limit=limit, cursor=cursor, must_exist=True)


@router.get(
    "/entries/{entry_id}",
    operation_id="getEntry",
    response_model=EntryAnswer,
    responses={**ALWAYS, **problems(s404="There is no such entry.")},
)
def get_one(
    request: Request,
    entry_id: EntryPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """One entry, with its evidence, its block and transaction, and what reversed it."""

    def build(reading: Reading) -> EntryAnswer:
        found = read_entry(reading.connection, reading.moment, EntryId(entry_id))
        return EntryAnswer.stating(reading.about, EntryView.of(found))

    return answers_of(request).json(request, build, asked)


@dataclass(frozen=True, slots=True)
class _Filters:
    """The filters as they were asked for."""

    programme: str | None
    kind: EntryKindName | None
    category: str | None
    since: str | None
    until: str | None

    def resolve(self, reading: Reading, org_id: int | None) -> EntryFilter:
        """What to look for. Raises InvalidValue."""
        named = programme_named(reading, self.programme) if self.programme is not None else None
        return EntryFilter(
            org_id=OrgId(org_id) if org_id is not None else None,
            programme_id=named.programme_id if named else None,
            kind=self.kind.kind() if self.kind else None,
            category=self.category or "",
            since=parse_time("from", self.since) if self.since is not None else None,
            until=parse_time("to", self.until) if self.until is not None else None,
        )


def _list(
    request: Request,
    asked: MomentAsked,
    org_id: int | None,
    filters: _Filters,
    *,
    limit: int,
    cursor: str | None,
    must_exist: bool = False,
) -> Response:
    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        (before,) = decode_cursor(question, cursor, 1) if cursor is not None else (MAX_ENTRY_ID,)
        wanted = filters.resolve(reading, org_id)
        if must_exist and wanted.org_id is not None:
            require_organisation(reading.connection, reading.moment, wanted.org_id)
        rows = list_entries(
            reading.connection, reading.moment, wanted, before=EntryId(before), limit=limit + 1
        )
        page = cut_page(rows, limit, question, place_of)
        items = [EntryView.of(entry) for entry in page.rows]
        answer = EntriesPage.giving(reading.about, items, page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


def place_of(entry: Entry) -> Place:
    """Where a list of entries goes on."""
    return (entry.entry_id,)
