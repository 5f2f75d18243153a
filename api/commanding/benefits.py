"""Benefits: listing them, redeeming credits for them, settling redemptions."""

from __future__ import annotations

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import TREASURERS
from api.formats import parse_time
from api.kinds import Kind
from api.office import writing_office
from api.rights import stand_for
from api.routes.named import programme_named
from api.schemas.benefits import (
    FulfilmentsCommand,
    ListingClosingCommand,
    ListingCommand,
    RedemptionCommand,
    RefundCommand,
)
from api.schemas.commands import commitment_of
from ledger.domain.access import Scope
from ledger.domain.ids import ListingId, OrgId, RedemptionId
from ledger.domain.sharing import Listing, Redemption
from ledger.errors import InvalidValue
from ledger.mirror.queries.benefits import read_listing
from ledger.mirror.queries.redemptions import read_redemption
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.outbox.records import Operation
from ledger.services import benefits
from ledger.services.orders import Order


def _open(request: Request, reading: Reading, body: ListingCommand) -> Asking:
    opens_at, closes_at = (
        parse_time("opens_at", body.opens_at),
        parse_time("closes_at", body.closes_at),
    )
    if opens_at >= closes_at:
        raise InvalidValue(field="closes_at", value=body.closes_at, expected="after opens_at")
    programme_id = programme_named(reading, body.programme).programme_id
    name = body.name_zh or body.name_en or body.key
    profile = Profile(Subject.BENEFIT, body.key, name, body.name_en, note=body.note)
    profile.document()
    most = body.capacity if body.per_organisation is None else body.per_organisation
    if most > body.capacity:
        expected = "at most the capacity"
        raise InvalidValue(field="per_organisation", value=most, expected=expected)

    def place(order: Order) -> Operation:
        with writing_office(request) as connection:
            commitment = keep_profile(connection, profile)
        listing = Listing(
            programme_id, body.price, body.capacity, most, opens_at, closes_at, commitment
        )
        return benefits.ask_for_listing(order, listing)

    return Asking("list-benefit", TREASURERS, place, programme_id)


def _close(_request: Request, reading: Reading, body: ListingClosingCommand) -> Asking:
    listing_id = ListingId(body.listing)
    found = read_listing(reading.connection, reading.moment, listing_id)
    return Asking(
        "close-benefit",
        TREASURERS,
        lambda order: benefits.close(order, listing_id),
        found.programme_id,
    )


def _redeem(_request: Request, reading: Reading, body: RedemptionCommand) -> Asking:
    redemption = Redemption(ListingId(body.listing), OrgId(body.organisation), body.quantity)
    found = read_listing(reading.connection, reading.moment, redemption.listing_id)
    return Asking(
        "redeem",
        (),
        lambda order: benefits.ask_for_redemption(order, redemption),
        found.programme_id,
        stand=lambda now, caller, signers: stand_for(now, caller, redemption.org_id, signers),
    )


def _fulfil(_request: Request, reading: Reading, body: FulfilmentsCommand) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    ids = [RedemptionId(each) for each in body.redemptions]
    evidence = commitment_of(body.evidence)
    return Asking(
        "fulfil",
        TREASURERS,
        lambda order: benefits.fulfil(order, programme_id, ids, evidence),
        programme_id,
    )


def _refund(_request: Request, reading: Reading, body: RefundCommand) -> Asking:
    redemption_id = RedemptionId(body.redemption)
    found = read_redemption(reading.connection, reading.moment, redemption_id)
    evidence = commitment_of(body.evidence)
    return Asking(
        "cancel-redemption",
        TREASURERS,
        lambda order: benefits.cancel(order, redemption_id, evidence),
        found.programme_id,
    )


KINDS = (
    Kind(
        "benefits",
        "createBenefits",
        ListingCommand,
        Scope.BENEFITS,
        "Open a benefit to be redeemed. For treasurers and the council.",
        _open,
    ),
    Kind(
        "benefit-closings",
        "createBenefitClosings",
        ListingClosingCommand,
        Scope.BENEFITS,
        "Close a benefit for good. For treasurers and the council.",
        _close,
    ),
    Kind(
        "redemptions",
        "createRedemptions",
        RedemptionCommand,
        Scope.BENEFITS,
        "Redeem credits for units of a benefit, where the server has the organisation's own key. "
        "For the organisation's controller; who has a wallet signs a message (/v1/typed-data).",
        _redeem,
    ),
    Kind(
        "fulfilments",
        "createFulfilments",
        FulfilmentsCommand,
        Scope.BENEFITS,
        "Record redemptions as fulfilled; they are not refunded any more. For treasurers and the "
        "council.",
        _fulfil,
    ),
    Kind(
        "refunds",
        "createRefunds",
        RefundCommand,
        Scope.BENEFITS,
        "Cancel a redemption and give its credits back. For treasurers and the council.",
        _refund,
    ),
)
