"""Who holds which office, and what issuers may still award."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading
from api.lists import answer_whole
from api.pagination import LONGEST_KEY, Place, numbers_of
from api.parameters import LIMIT, CursorQuery, LimitQuery, ProgrammeQuery, asked_moment
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.offices import BudgetLeftView, BudgetsLeftPage, OfficersPage, OfficerView
from ledger.chain.addresses import parse_address
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.mirror.queries.accounts import Officer, list_officers
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.spending import BudgetStanding, read_budget_standings

router = APIRouter(tags=["programmes"])

RoleQuery = Annotated[
    str | None,
    Query(
        pattern="^(admin|registrar|issuer|treasurer|council|councillor|guardian)$",
        description="Those of this office.",
        examples=["issuer"],
    ),
]
IssuerQuery = Annotated[
    str | None,
    Query(
        pattern="^0x[0-9a-fA-F]{40}$",
        description="Those of this account: what is left for it to award.",
        examples=["0x90F79bf6EB2c4f870365E785982E1f101E93b906"],
    ),
]


LISTED = {**ALWAYS, **problems(s400="The cursor was not given for this question.")}


@router.get("/officers", operation_id="listOfficers", response_model=OfficersPage, responses=LISTED)
def list_all_officers(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    role: RoleQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Every office that is held, and by whom. With `programme`: whoever holds one in it, those of
    the whole alliance too."""

    def read(reading: Reading) -> list[Officer]:
        named = programme_named(reading, programme) if programme is not None else None
        return [
            each
            for each in list_officers(reading.connection, reading.moment)
            if role in (None, each.role)
            and (named is None or each.programme_id in (ALLIANCE_WIDE, named.programme_id))
        ]

    return answer_whole(
        request,
        asked,
        OfficersPage,
        limit=limit,
        cursor=cursor,
        read=read,
        place_of=_place_of_officer,
        show=OfficerView.of,
    )


@router.get(
    "/budgets", operation_id="listBudgets", response_model=BudgetsLeftPage, responses=LISTED
)
def list_budgets(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    issuer: IssuerQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """What each issuer may award in the epoch in force, and what is left of it."""
    account = parse_address(issuer, "issuer") if issuer is not None else None

    def read(reading: Reading) -> Sequence[BudgetStanding]:
        keys = read_programme_keys(reading.connection, reading.moment)
        if programme is not None:
            named = programme_named(reading, programme)
            keys = {named.programme_id: named.key}
        return read_budget_standings(reading.connection, reading.moment, keys, issuer=account)

    return answer_whole(
        request,
        asked,
        BudgetsLeftPage,
        limit=limit,
        cursor=cursor,
        read=read,
        place_of=_place_of_budget,
        show=BudgetLeftView.of,
    )


def _place_of_officer(found: Officer) -> Place:
    role, account = numbers_of(found.role.encode(), LONGEST_KEY), numbers_of(found.account, 20)
    return (found.programme_id, *role, *account)


def _place_of_budget(found: BudgetStanding) -> Place:
    category = numbers_of(found.category.encode(), LONGEST_KEY)
    return (found.programme_id, *numbers_of(found.issuer, 20), *category)
