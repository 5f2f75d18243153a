"""An organisation's page: its standing, its credits, and its statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_choice, asked_key
from api.console.checking import what_to_check_by
from api.console.columns import MOST_EPOCHS, Columns, draw_columns
from api.console.languages import Language
from api.console.names import organisation_name
from api.console.pages import page
from api.issuing import issuing_of
from api.pagination import cut_page, decode_cursor, question_of
from api.parameters import OrganisationPath
from api.routes.named import programme_named
from api.schemas.entries import EntryKindName
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.mirror.queries.balances import Balance, CategorySum, read_balances
from ledger.mirror.queries.entries import Entry, EntryFilter, list_entries
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.organisations import read_organisation
from ledger.mirror.queries.programmes import read_programmes
from ledger.mirror.queries.rules import Epoch
from ledger.mirror.queries.seasons import read_epoch_sums
from ledger.mirror.queries.spans import MAX_ENTRY_ID

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Bar:
    """A category of a balance; `share` is its length in percent of the longest bar shown."""

    sum: CategorySum
    share: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A programme's balance by category, and by epoch where something was posted in one."""

    balance: Balance
    bars: Sequence[Bar]
    columns: Columns | None

    @property
    def made_up_count(self) -> int:
        """How many entries of the balance rest on made-up documents."""
        return sum(bar.sum.made_up_count for bar in self.bars)


@router.get("/organisations/{org_id}")
def organisation(request: Request, org_id: OrganisationPath) -> Response:
    """One organisation."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        found = read_organisation(connection, moment, OrgId(org_id))
        programme = asked_key(request, "programme")
        named = programme_named(reading, programme) if programme else None
        kind = asked_choice(request, "kind", EntryKindName)
        wanted = EntryFilter(
            org_id=OrgId(org_id),
            programme_id=named.programme_id if named else None,
            kind=kind.kind() if kind else None,
            category=asked_key(request, "category"),
        )
        question = question_of(request)
        cursor = request.query_params.get("cursor")
        (before,) = decode_cursor(question, cursor, 1) if cursor else (MAX_ENTRY_ID,)
        rows = list_entries(connection, moment, wanted, before=EntryId(before), limit=PAGE_SIZE + 1)
        return {
            "organisation": found,
            "followed": {"organisation": org_id},
            "name": organisation_name(language, found.profile, found.org_id),
            "charts": _charts(reading, OrgId(org_id)),
            "statement": cut_page(rows, PAGE_SIZE, question, _place_of),
            "is_first": cursor is None,
            "is_filtered": bool(programme or kind or wanted.category),
            "wanted_programme": named.key if named else "",
            "wanted_kind": kind.value if kind else "",
            "wanted_category": wanted.category,
            "gives_credentials": issuing_of(request).is_ready,
            "kinds": tuple(EntryKindName),
            "certificate": _certificate_at(org_id, moment),
            **what_to_check_by(request, reading, language),
        }

    return page(request, "organisation.html", build)


def _certificate_at(org_id: int, moment: Moment) -> str:
    return f"/v1/organisations/{org_id}/certificate?as_of_block={moment.block_number}"


def _charts(reading: Reading, org_id: OrgId) -> list[Chart]:
    connection, moment = reading.connection, reading.moment
    balances = read_balances(connection, moment, org_id)
    programmes = read_programmes(connection, moment) if balances else ()
    epochs = {each.programme_id: each.rules.epochs for each in programmes}
    longest = max((abs(each.amount) for all_ in balances for each in all_.categories), default=0)
    return [
        Chart(
            balance,
            [
                Bar(each, round(100 * max(0, each.amount) / longest, 1) if longest else 0.0)
                for each in balance.categories
            ],
            _columns(reading, org_id, balance.programme_id, epochs[balance.programme_id]),
        )
        for balance in balances
    ]


def _columns(
    reading: Reading, org_id: OrgId, programme_id: ProgrammeId, epochs: Sequence[Epoch]
) -> Columns | None:
    begun = [each for each in epochs if each.begins_at <= reading.moment.timestamp]
    shown = begun[-MOST_EPOCHS:]
    sums = read_epoch_sums(reading.connection, reading.moment, org_id, programme_id, shown)
    return draw_columns(sums, shown)


def _place_of(entry: Entry) -> tuple[int, ...]:
    return (entry.entry_id,)
