"""What credits buy: the benefits that are listed, and one of them with what was redeemed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_choice, asked_key
from api.console.languages import Language
from api.console.latest import latest
from api.console.names import Name, name_in
from api.console.pages import page
from api.routes.benefits import ListingPath
from api.routes.named import programme_named
from ledger.domain.ids import ListingId, RedemptionId
from ledger.mirror.queries.benefits import (
    ListedBenefit,
    ListingStanding,
    list_listings,
    read_listing,
)
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.mirror.queries.redemptions import RedemptionFilter, list_redemptions
from ledger.services.benefits import MAX_REDEMPTION_ID

router = APIRouter(include_in_schema=False)

_REDEMPTIONS_SHOWN = 20


def benefit_name(language: Language, listing: ListedBenefit) -> Name:
    """What a benefit is called; its number where the office has no profile of it."""
    profile = listing.profile
    zh, en = (profile.name_zh, profile.name_en) if profile else ("", "")
    return name_in(language, zh, en, f"№ {listing.listing_id}")


@router.get("/benefits")
def benefits(request: Request) -> Response:
    """All benefits, the latest first."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        programme = asked_key(request, "programme")
        named = programme_named(reading, programme) if programme else None
        standing = asked_choice(request, "standing", ListingStanding)
        listed = latest(
            request,
            lambda before, most: list_listings(
                reading.connection,
                reading.moment,
                programme_id=named.programme_id if named else None,
                standing=standing,
                before=ListingId(before),
                limit=most,
            ),
            lambda row: row.listing_id,
        )
        return {
            **listed,
            "name_of": lambda listing: benefit_name(language, listing),
            "wanted_programme": named.key if named else "",
            "wanted_standing": standing.value if standing else "",
            "standings": tuple(ListingStanding),
        }

    return page(request, "benefits.html", build)


@router.get("/benefits/{listing_id}")
def benefit(request: Request, listing_id: ListingPath) -> Response:
    """One benefit."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        found = read_listing(connection, moment, ListingId(listing_id))
        redeemed = list_redemptions(
            connection,
            moment,
            RedemptionFilter(listing_id=found.listing_id),
            before=RedemptionId(MAX_REDEMPTION_ID),
            limit=_REDEMPTIONS_SHOWN,
        )
        return {
            "benefit": found,
            "name": benefit_name(language, found),
            "redeemed": redeemed,
            "profiles": read_organisation_profiles(
                connection, moment, [each.org_id for each in redeemed]
            ),
        }

    return page(request, "benefit.html", build)
