"""Who holds which office, and what issuers may still award."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.parameters import ProgrammeQuery, asked_moment
from api.routes.declared import ALWAYS
from api.routes.named import programme_named
from api.schemas.offices import BudgetLeftView, BudgetsLeftAnswer, OfficersAnswer, OfficerView
from ledger.chain.addresses import parse_address
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.mirror.queries.accounts import list_officers
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.spending import read_budget_standings

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


@router.get(
    "/officers", operation_id="listOfficers", response_model=OfficersAnswer, responses=ALWAYS
)
def list_all_officers(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    role: RoleQuery = None,
) -> Response:
    """Every office that is held, and by whom. With `programme`: whoever holds one in it, those of
    the whole alliance too."""

    def build(reading: Reading) -> OfficersAnswer:
        named = programme_named(reading, programme) if programme is not None else None
        found = [
            OfficerView.of(each)
            for each in list_officers(reading.connection, reading.moment)
            if role in (None, each.role)
            and (named is None or each.programme_id in (ALLIANCE_WIDE, named.programme_id))
        ]
        about = reading.about
        return OfficersAnswer(as_of=about.as_of, mirror=about.mirror, items=found)

    return answers_of(request).json(request, build, asked)


@router.get(
    "/budgets", operation_id="listBudgets", response_model=BudgetsLeftAnswer, responses=ALWAYS
)
def list_budgets(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    issuer: IssuerQuery = None,
) -> Response:
    """What each issuer may award in the epoch in force, and what is left of it."""
    account = parse_address(issuer, "issuer") if issuer is not None else None

    def build(reading: Reading) -> BudgetsLeftAnswer:
        keys = read_programme_keys(reading.connection, reading.moment)
        if programme is not None:
            named = programme_named(reading, programme)
            keys = {named.programme_id: named.key}
        found = read_budget_standings(reading.connection, reading.moment, keys, issuer=account)
        about = reading.about
        return BudgetsLeftAnswer(
            as_of=about.as_of,
            mirror=about.mirror,
            items=[BudgetLeftView.of(each) for each in found],
        )

    return answers_of(request).json(request, build, asked)
