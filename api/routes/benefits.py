"""What credits buy: benefits, redemptions, and what a redemption would change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.lists import answer_latest
from api.parameters import (
    LIMIT,
    CursorQuery,
    LimitQuery,
    Number,
    OrganisationPath,
    OrganisationQuery,
    ProgrammeQuery,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.benefits import (
    BenefitAnswer,
    BenefitsPage,
    BenefitView,
    ObstacleView,
    RedemptionAnswer,
    RedemptionPreview,
    RedemptionsPage,
    RedemptionStatusName,
    RedemptionView,
)
from ledger.domain.events import RedemptionStatus
from ledger.domain.ids import ListingId, OrgId, RedemptionId
from ledger.domain.sharing import Redemption
from ledger.mirror.queries.benefits import (
    ListingStanding,
    list_listings,
    read_listing,
    read_listing_profiles,
)
from ledger.mirror.queries.organisations import require_organisation
from ledger.mirror.queries.redemptions import (
    Redeemed,
    RedemptionFilter,
    list_redemptions,
    read_redemption,
)
from ledger.services.benefits import MAX_LISTING_ID, MAX_REDEMPTION_ID, MAX_UNITS
from ledger.services.previews import preview_redemption

router = APIRouter(tags=["benefits"])

BAD_CURSOR = problems(s400="The cursor was not given for this question.")
NO_LISTING = problems(s404="There is no such benefit.")

ListingPath = Annotated[
    Number, Path(ge=1, le=MAX_LISTING_ID, description="The benefit's number.", examples=[1])
]
RedemptionPath = Annotated[
    Number,
    Path(ge=1, le=MAX_REDEMPTION_ID, description="The redemption's number.", examples=[1]),
]
StandingQuery = Annotated[
    ListingStanding | None,
    Query(
        description="Those of this standing by the time of the answer's block.", examples=["open"]
    ),
]
StatusQuery = Annotated[
    RedemptionStatusName | None, Query(description="Those of this status.", examples=["open"])
]
ListingQuery = Annotated[
    Number | None,
    Query(ge=1, le=MAX_LISTING_ID, description="Those of this benefit.", examples=[1]),
]
WhoQuery = Annotated[
    Number, Query(ge=1, le=2**32 - 1, description="An organisation's id.", examples=[4])
]
QuantityQuery = Annotated[
    Number, Query(ge=1, le=MAX_UNITS, description="How many units.", examples=[1])
]


@router.get(
    "/benefits",
    operation_id="listBenefits",
    response_model=BenefitsPage,
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
    """Benefits with what is left of each, the latest first."""
    return answer_latest(
        request,
        asked,
        BenefitsPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading, before, most: list_listings(
            reading.connection,
            reading.moment,
            programme_id=programme_named(reading, programme).programme_id if programme else None,
            standing=standing,
            before=ListingId(before),
            limit=most,
        ),
        number_of=lambda row: row.listing_id,
        show=lambda _reading, rows: [BenefitView.of(each) for each in rows],
    )


@router.get(
    "/benefits/{listing_id}",
    operation_id="getBenefit",
    response_model=BenefitAnswer,
    responses={**ALWAYS, **NO_LISTING},
)
def get_one(
    request: Request,
    listing_id: ListingPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """One benefit: its price, its window, and what is left of it."""

    def build(reading: Reading) -> BenefitAnswer:
        found = read_listing(reading.connection, reading.moment, ListingId(listing_id))
        return BenefitAnswer.stating(reading.about, BenefitView.of(found))

    return answers_of(request).json(request, build, asked)


@router.get(
    "/benefits/{listing_id}/redemptions",
    operation_id="listRedemptionsOfBenefit",
    response_model=RedemptionsPage,
    responses={**ALWAYS, **BAD_CURSOR, **NO_LISTING},
)
def list_of_benefit(
    request: Request,
    listing_id: ListingPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    status: StatusQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """What was redeemed of a benefit, the latest first."""

    def wanted(reading: Reading) -> RedemptionFilter:
        read_listing(reading.connection, reading.moment, ListingId(listing_id))
        return RedemptionFilter(listing_id=ListingId(listing_id), status=_status(status))

    return _list(request, asked, wanted, limit=limit, cursor=cursor)


@router.get(
    "/benefits/{listing_id}/preview",
    operation_id="getRedemptionPreview",
    response_model=RedemptionPreview,
    responses={**ALWAYS, **problems(s404="There is no such benefit, or no such organisation.")},
)
def get_preview(
    request: Request,
    listing_id: ListingPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    organisation: WhoQuery,
    quantity: QuantityQuery = 1,
) -> Response:
    """What redeeming would change: the balance before and after, what is left of the benefit and
    of the organisation's limit, and what stands in the way, in both languages."""
    redemption = Redemption(ListingId(listing_id), OrgId(organisation), quantity)

    def build(reading: Reading) -> RedemptionPreview:
        found = preview_redemption(reading.connection, reading.moment, redemption)
        listing, about = found.listing, reading.about
        return RedemptionPreview(
            as_of=about.as_of,
            mirror=about.mirror,
            listing_id=listing_id,
            org_id=organisation,
            quantity=quantity,
            credits=found.credits,
            balance_before=found.balance,
            balance_after=found.balance - found.credits,
            left_before=listing.left,
            left_after=listing.left - quantity,
            limit_before=found.limit,
            limit_after=found.limit - quantity,
            possible=not found.obstacles,
            obstacles=[
                ObstacleView(code=each.code, sentence_zh=each.zh, sentence_en=each.en)
                for each in found.obstacles
            ],
        )

    return answers_of(request).json(request, build, asked)


@router.get(
    "/redemptions",
    operation_id="listRedemptions",
    response_model=RedemptionsPage,
    responses={**ALWAYS, **BAD_CURSOR},
)
def list_redeemed(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    listing: ListingQuery = None,
    organisation: OrganisationQuery = None,
    status: StatusQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Redemptions of all benefits, the latest first."""

    def wanted(reading: Reading) -> RedemptionFilter:
        return RedemptionFilter(
            ListingId(listing) if listing is not None else None,
            programme_named(reading, programme).programme_id if programme else None,
            OrgId(organisation) if organisation is not None else None,
            _status(status),
        )

    return _list(request, asked, wanted, limit=limit, cursor=cursor)


@router.get(
    "/organisations/{org_id}/redemptions",
    operation_id="listRedemptionsOfOrganisation",
    response_model=RedemptionsPage,
    responses={**ALWAYS, **BAD_CURSOR, **problems(s404="There is no such organisation.")},
)
def list_of_organisation(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    status: StatusQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """What an organisation redeemed, the latest first."""

    def wanted(reading: Reading) -> RedemptionFilter:
        require_organisation(reading.connection, reading.moment, OrgId(org_id))
        return RedemptionFilter(org_id=OrgId(org_id), status=_status(status))

    return _list(request, asked, wanted, limit=limit, cursor=cursor)


@router.get(
    "/redemptions/{redemption_id}",
    operation_id="getRedemption",
    response_model=RedemptionAnswer,
    responses={**ALWAYS, **problems(s404="There is no such redemption.")},
)
def get_redemption(
    request: Request,
    redemption_id: RedemptionPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """One redemption, and what became of it."""

    def build(reading: Reading) -> RedemptionAnswer:
        found = read_redemption(reading.connection, reading.moment, RedemptionId(redemption_id))
        (view,) = _show(reading, [found])
        return RedemptionAnswer.stating(reading.about, view)

    return answers_of(request).json(request, build, asked)


def _list(
    request: Request,
    asked: MomentAsked,
    wanted: Callable[[Reading], RedemptionFilter],
    *,
    limit: int,
    cursor: str | None,
) -> Response:
    return answer_latest(
        request,
        asked,
        RedemptionsPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading, before, most: list_redemptions(
            reading.connection,
            reading.moment,
            wanted(reading),
            before=RedemptionId(before),
            limit=most,
        ),
        number_of=lambda row: row.redemption_id,
        show=_show,
    )


def _show(reading: Reading, rows: Sequence[Redeemed]) -> list[RedemptionView]:
    listings = [each.listing_id for each in rows]
    names = read_listing_profiles(reading.connection, reading.moment, listings)
    return [RedemptionView.of(each, names.get(each.listing_id)) for each in rows]


def _status(status: RedemptionStatusName | None) -> RedemptionStatus | None:
    return None if status is None else status.status()
