"""Organisations: the register, and what belongs to each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.pagination import Place, cut_page, decode_cursor, link_header, question_of
from api.parameters import (
    LIMIT,
    AddressPath,
    CursorQuery,
    KindQuery,
    LimitQuery,
    OrganisationPath,
    ProgrammeQuery,
    SearchQuery,
    SegmentQuery,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.base import Schema
from api.schemas.entries import BalancesAnswer
from api.schemas.memberships import ApplicationView, MembershipsAnswer, MembershipView
from api.schemas.organisations import (
    AccountAnswer,
    OrganisationAnswer,
    OrganisationsPage,
    OrganisationView,
)
from ledger.chain.addresses import parse_address
from ledger.domain.ids import OrgId
from ledger.mirror.queries.accounts import read_budgets, read_roles
from ledger.mirror.queries.balances import read_balances
from ledger.mirror.queries.memberships import read_applications_of, read_memberships_of
from ledger.mirror.queries.organisations import (
    Organisation,
    OrganisationFilter,
    OrganisationStatus,
    list_organisations,
    read_controlled_by,
    read_organisation,
    require_organisation,
)

router = APIRouter(tags=["organisations"])
accounts = APIRouter(tags=["accounts"])

UNKNOWN = problems(s404="There is no such organisation.")

StatusQuery = Annotated[
    OrganisationStatus | None,
    Query(
        description="Those that have this standing in `programme`, or in any; `applicant`: whose "
        "application is pending; `retired`: that are no more. Without it and with `programme`: "
        "those that hold a membership."
    ),
]


@router.get(
    "/organisations",
    operation_id="listOrganisations",
    response_model=OrganisationsPage,
    responses={**ALWAYS, **problems(s400="The cursor was not given for this question.")},
)
def list_all(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    q: SearchQuery = None,
    programme: ProgrammeQuery = None,
    kind: KindQuery = None,
    status: StatusQuery = None,
    segment: SegmentQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """The register, in the order of ids: searched in both languages, and filtered."""

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        (after,) = decode_cursor(question, cursor, 1) if cursor is not None else (0,)
        wanted = OrganisationFilter(
            search=q or "",
            programme=programme_named(reading, programme) if programme is not None else None,
            kind=kind or "",
            status=status,
            segment=segment or "",
        )
        rows = list_organisations(
            reading.connection, reading.moment, wanted, after=OrgId(after), limit=limit + 1
        )
        page = cut_page(rows, limit, question, _place_of)
        items = [OrganisationView.of(organisation) for organisation in page.rows]
        answer = OrganisationsPage.giving(reading.about, items, page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


@router.get(
    "/organisations/{org_id}",
    operation_id="getOrganisation",
    response_model=OrganisationAnswer,
    responses={**ALWAYS, **UNKNOWN},
)
def get_one(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """An organisation with its memberships and applications."""

    def build(reading: Reading) -> OrganisationAnswer:
        found = read_organisation(reading.connection, reading.moment, OrgId(org_id))
        return OrganisationAnswer.stating(reading.about, OrganisationView.of(found))

    return answers_of(request).json(request, build, asked)


@router.get(
    "/organisations/{org_id}/memberships",
    operation_id="listMembershipsOfOrganisation",
    response_model=MembershipsAnswer,
    responses={**ALWAYS, **UNKNOWN},
)
def list_memberships_of(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """An organisation's memberships, revoked ones too, and its applications."""

    def build(reading: Reading) -> MembershipsAnswer:
        connection, moment, about = reading.connection, reading.moment, reading.about
        wanted = OrgId(org_id)
        require_organisation(connection, moment, wanted)
        held = read_memberships_of(connection, moment, [wanted]).get(wanted, ())
        filed = read_applications_of(connection, moment, [wanted]).get(wanted, ())
        return MembershipsAnswer(
            as_of=about.as_of,
            mirror=about.mirror,
            org_id=org_id,
            items=[MembershipView.of(membership) for membership in held],
            applications=[ApplicationView.of(application) for application in filed],
        )

    return answers_of(request).json(request, build, asked)


@router.get(
    "/organisations/{org_id}/balances",
    operation_id="listBalancesOfOrganisation",
    response_model=BalancesAnswer,
    responses={**ALWAYS, **UNKNOWN},
)
def list_balances_of(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """An organisation's credits by programme and category, now or at a block or time."""

    def build(reading: Reading) -> BalancesAnswer:
        connection, moment = reading.connection, reading.moment
        require_organisation(connection, moment, OrgId(org_id))
        found = read_balances(connection, moment, OrgId(org_id))
        return BalancesAnswer.of(reading.about, org_id, found)

    return answers_of(request).json(request, build, asked)


@accounts.get(
    "/accounts/{address}",
    operation_id="getAccount",
    response_model=AccountAnswer,
    responses=ALWAYS,
)
def get_account(
    request: Request,
    address: AddressPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """What an account may do: the organisation it acts for, its roles and budgets."""
    account = parse_address(address)

    def build(reading: Reading) -> AccountAnswer:
        connection, moment = reading.connection, reading.moment
        return AccountAnswer.of(
            reading.about,
            account,
            read_controlled_by(connection, moment, account),
            read_roles(connection, moment, account),
            read_budgets(connection, moment, account),
        )

    return answers_of(request).json(request, build, asked)


def _place_of(organisation: Organisation) -> Place:
    return (organisation.org_id,)
