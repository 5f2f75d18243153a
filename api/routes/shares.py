"""Pools shared by contribution: what was posted, what each organisation gets, and its proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.formats import show_bytes, show_time
from api.lists import answer_latest
from api.pagination import cut_page, decode_cursor, link_header, question_of
from api.parameters import (
    LIMIT,
    CursorQuery,
    LimitQuery,
    Number,
    OrganisationPath,
    ProgrammeQuery,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.base import Schema
from api.schemas.shares import (
    ClaimView,
    DistributionAnswer,
    DistributionsPage,
    DistributionView,
    EntitlementAnswer,
    EntitlementsPage,
    EntitlementView,
    ShareOfView,
    SharesOfOrganisation,
)
from ledger.chain.merkle import share_leaf
from ledger.domain.ids import DistributionId, OrgId
from ledger.domain.shares import Share
from ledger.errors import EvidenceDamaged, NotFound
from ledger.mirror.queries.organisations import (
    read_organisation_profiles,
    require_organisation,
)
from ledger.mirror.queries.shares import (
    DistributionStanding,
    ListedDistribution,
    list_distributions,
    read_claims_of,
    read_listed,
)
from ledger.services.sharing.distributing import MAX_DISTRIBUTION_ID
from ledger.services.sharing.entitlements import SharesShelf

router = APIRouter(tags=["shares"])

BAD_CURSOR = problems(s400="The cursor was not given for this question.")
NO_SHARES = problems(
    s404="There is no such distribution or share, or the office has not its file of shares.",
    s500="The file of shares is gone, or is no longer what was committed to.",
)

DistributionPath = Annotated[
    Number,
    Path(ge=1, le=MAX_DISTRIBUTION_ID, description="The distribution's number.", examples=[1]),
]
StandingQuery = Annotated[
    DistributionStanding | None,
    Query(
        description="Those of this standing by the time of the answer's block.", examples=["open"]
    ),
]


@router.get(
    "/shares",
    operation_id="listShares",
    response_model=DistributionsPage,
    responses={**ALWAYS, **BAD_CURSOR},
)
def list_all(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    standing: StandingQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Distributions: pools that are shared by contribution, the latest first."""
    return answer_latest(
        request,
        asked,
        DistributionsPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading, before, most: list_distributions(
            reading.connection,
            reading.moment,
            programme_id=programme_named(reading, programme).programme_id if programme else None,
            standing=standing,
            before=DistributionId(before),
            limit=most,
        ),
        number_of=lambda row: row.distribution_id,
        show=lambda _reading, rows: [DistributionView.of(each) for each in rows],
    )


@router.get(
    "/shares/{distribution_id}",
    operation_id="getShares",
    response_model=DistributionAnswer,
    responses={**ALWAYS, **problems(s404="There is no such distribution.")},
)
def get_one(
    request: Request,
    distribution_id: DistributionPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """One distribution, and how much of it was claimed."""

    def build(reading: Reading) -> DistributionAnswer:
        found = read_listed(reading.connection, reading.moment, DistributionId(distribution_id))
        return DistributionAnswer.stating(reading.about, DistributionView.of(found))

    return answers_of(request).json(request, build, asked)


@router.get(
    "/shares/{distribution_id}/entitlements",
    operation_id="listEntitlements",
    response_model=EntitlementsPage,
    responses={**ALWAYS, **BAD_CURSOR, **NO_SHARES},
)
def list_entitlements(
    request: Request,
    distribution_id: DistributionPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """What each organisation gets of a distribution, and which have claimed it."""

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        (after,) = decode_cursor(question, cursor, 1) if cursor is not None else (0,)
        posted = read_listed(reading.connection, reading.moment, DistributionId(distribution_id))
        shares = _shelf(request).read(reading.connection, posted).shared.shares
        rows = [each for each in shares if each.org_id > after][: limit + 1]
        page = cut_page(rows, limit, question, lambda row: (row.org_id,))
        answer = EntitlementsPage.giving(
            reading.about, _show_entitlements(reading, posted, page.rows), page.next
        )
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


@router.get(
    "/shares/{distribution_id}/entitlements/{org_id}",
    operation_id="getEntitlement",
    response_model=EntitlementAnswer,
    responses={**ALWAYS, **NO_SHARES},
)
def get_entitlement(
    request: Request,
    distribution_id: DistributionPath,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """What one organisation gets of a distribution, with the Merkle proof that it is claimed by."""

    def build(reading: Reading) -> EntitlementAnswer:
        posted = read_listed(reading.connection, reading.moment, DistributionId(distribution_id))
        shares = _shelf(request).read(reading.connection, posted)
        share = shares.share_of(OrgId(org_id))
        (view,) = _show_entitlements(reading, posted, [share])
        terms = posted.terms
        leaf = share_leaf(terms.programme_id, terms.epoch, share.org_id, share.amount)
        return EntitlementAnswer.stating(
            reading.about,
            view,
            distribution_id=distribution_id,
            unit=terms.unit,
            standing=posted.standing,
            claimable_from=show_time(terms.claimable_from),
            claimable_until=show_time(terms.claimable_until),
            leaf=show_bytes(leaf),
            proof=[show_bytes(each) for each in shares.proof_of(OrgId(org_id))],
            root=show_bytes(terms.root),
        )

    return answers_of(request).json(request, build, asked)


@router.get(
    "/organisations/{org_id}/shares",
    operation_id="listSharesOfOrganisation",
    response_model=SharesOfOrganisation,
    responses={**ALWAYS, **BAD_CURSOR, **problems(s404="There is no such organisation.")},
)
def list_of_organisation(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """What an organisation gets of each distribution, and what it has claimed."""

    def read(reading: Reading, before: int, most: int) -> Sequence[ListedDistribution]:
        require_organisation(reading.connection, reading.moment, OrgId(org_id))
        return list_distributions(
            reading.connection, reading.moment, before=DistributionId(before), limit=most
        )

    def show(reading: Reading, rows: Sequence[ListedDistribution]) -> list[ShareOfView]:
        ids = [each.distribution_id for each in rows]
        claims = read_claims_of(reading.connection, reading.moment, ids, [OrgId(org_id)])
        return [
            ShareOfView(
                distribution=DistributionView.of(each),
                amount=_amount_of(request, reading, each, OrgId(org_id)),
                claim=ClaimView.of(claims[each.distribution_id, OrgId(org_id)])
                if (each.distribution_id, OrgId(org_id)) in claims
                else None,
            )
            for each in rows
        ]

    return answer_latest(
        request,
        asked,
        SharesOfOrganisation,
        limit=limit,
        cursor=cursor,
        read=read,
        number_of=lambda row: row.distribution_id,
        show=show,
    )


def _amount_of(
    request: Request, reading: Reading, posted: ListedDistribution, org_id: OrgId
) -> int | None:
    """What an organisation gets, 0 for nothing; None where the file of shares is not here."""
    try:
        shares = _shelf(request).read(reading.connection, posted)
    except (NotFound, EvidenceDamaged):
        return None
    return next((each.amount for each in shares.shared.shares if each.org_id == org_id), 0)


def _show_entitlements(
    reading: Reading, posted: ListedDistribution, shares: Sequence[Share]
) -> list[EntitlementView]:
    org_ids = [each.org_id for each in shares]
    profiles = read_organisation_profiles(reading.connection, reading.moment, org_ids)
    number = posted.distribution_id
    claims = read_claims_of(reading.connection, reading.moment, [number], org_ids)
    return [
        EntitlementView.of(
            each.org_id,
            each.amount,
            profiles.get(each.org_id),
            claims.get((number, each.org_id)),
        )
        for each in shares
    ]


def _shelf(request: Request) -> SharesShelf:
    shelf: SharesShelf = request.app.state.shares
    return shelf
