"""What a member does on its own pages: redeem a benefit, claim a share, hand its organisation on.

Nothing is done by these pages. Each shows what would change, and gives the browser the draft of a
message; the member's own wallet signs that, and the API takes it (`/v1/signed-messages`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.callers import Caller
from api.console.asked import asked_number
from api.console.benefits import benefit_name
from api.console.languages import Language
from api.console.me import nothing, visitor
from api.console.names import organisation_name
from api.console.pages import own_page
from api.desk import ServerDesk
from api.formats import show_address_once
from api.parameters import OrganisationPath
from api.routes.benefits import ListingPath
from api.routes.shares import DistributionPath
from ledger.domain.ids import DistributionId, ListingId, OrgId
from ledger.domain.sharing import Redemption
from ledger.errors import LedgerError, NotFound
from ledger.mirror.queries.benefits import read_listing
from ledger.mirror.queries.control import read_control
from ledger.mirror.queries.organisations import (
    Organisation,
    read_controlled_by,
    read_organisation,
)
from ledger.mirror.queries.shares import read_listed
from ledger.services.previews import preview_redemption
from ledger.services.sharing.previewing import preview_claims

router = APIRouter(include_in_schema=False)


@router.get("/me/benefits/{listing_id}")
def redeem(request: Request, listing_id: ListingPath) -> Response:
    """What redeeming a benefit would change, and then the message that redeems it."""

    def build(reading: Reading, language: Language, caller: Caller) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        listing = read_listing(connection, moment, ListingId(listing_id))
        found = {"listing": listing, "name": benefit_name(language, listing)}
        own = read_controlled_by(connection, moment, caller.account)
        if own is None:
            return {**found, "own": None, "preview": None}
        quantity = min(asked_number(request, "quantity") or 1, listing.capacity)
        redemption = Redemption(listing.listing_id, own.org_id, quantity)
        return {
            **found,
            "own": own,
            "followed": {"organisation": own.org_id},
            "own_name": organisation_name(language, own.profile, own.org_id),
            "preview": preview_redemption(connection, moment, redemption),
            "draft": {
                "kind": "redemption",
                "account": caller.address,
                "listing": listing_id,
                "organisation": own.org_id,
                "quantity": quantity,
            },
        }

    return _page(request, "redeem.html", build)


@router.get("/me/shares/{distribution_id}")
def claim(request: Request, distribution_id: DistributionPath) -> Response:
    """What claiming a share would bring, and then the message that claims it."""

    def build(reading: Reading, language: Language, caller: Caller) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        posted = read_listed(connection, moment, DistributionId(distribution_id))
        own = read_controlled_by(connection, moment, caller.account)
        if own is None:
            return {"posted": posted, "own": None, "preview": None}
        wanted = OrgId(asked_number(request, "organisation") or own.org_id)
        claiming = own if wanted == own.org_id else _heir_of(reading, own, wanted)
        (preview,) = preview_claims(connection, moment, request.app.state.shares, wanted, [posted])
        return {
            "posted": posted,
            "own": claiming,
            "followed": {"organisation": wanted},
            "own_name": organisation_name(language, claiming.profile, wanted),
            "preview": preview,
            "draft": {
                "kind": "claim",
                "account": caller.address,
                "distribution": distribution_id,
                "organisation": wanted,
            },
        }

    return _page(request, "claim.html", build)


def _heir_of(reading: Reading, own: Organisation, wanted: OrgId) -> Organisation:
    """An organisation that was merged into the caller's own. Raises NotFound."""
    found = read_organisation(reading.connection, reading.moment, wanted)
    if found.successor_id != own.org_id:
        raise NotFound(what="organisation of yours", key=wanted)
    return found


@router.get("/me/control")
def control(request: Request) -> Response:
    """Who acts for the reader's organisation, and handing that on, or objecting to its recovery."""

    def build(reading: Reading, language: Language, caller: Caller) -> Mapping[str, Any]:
        own = read_controlled_by(reading.connection, reading.moment, caller.account)
        if own is None:
            return {"own": None}
        found = read_control(reading.connection, reading.moment, own.org_id)
        kind = "rotation" if found.recovery_successor is None else "objection"
        return {
            "own": own,
            "own_name": organisation_name(language, own.profile, own.org_id),
            "control": found,
            "draft": {"kind": kind, "account": caller.address, "organisation": own.org_id},
        }

    return _page(request, "control.html", build)


@router.get("/me/control/{org_id}")
def take_over(request: Request, org_id: OrganisationPath) -> Response:
    """Taking over an organisation whose controller named the reader's account."""

    def build(reading: Reading, language: Language, caller: Caller) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        organisation = read_organisation(connection, moment, OrgId(org_id))
        nominated = read_control(connection, moment, OrgId(org_id)).nominated
        return {
            "organisation": organisation,
            "own_name": organisation_name(language, organisation.profile, organisation.org_id),
            "controller": organisation.controller and show_address_once(organisation.controller),
            "is_named": nominated == caller.account,
            "acts_for": read_controlled_by(connection, moment, caller.account),
            "draft": {"kind": "acceptance", "account": caller.address, "organisation": org_id},
        }

    return _page(request, "take_over.html", build)


def _brings(request: Request) -> bool:
    """Whether this server has the key that brings to the chain what members sign."""
    desk: ServerDesk = request.app.state.desk
    try:
        return desk.relayer() is not None
    except LedgerError:  # a key that does not open; who signs is told so before, and not after
        return False


def _page(request: Request, template: str, build: Any) -> Response:
    """A page for whoever is signed in; for others, how to sign in."""
    caller = visitor(request)

    def values(reading: Reading, language: Language) -> Mapping[str, Any]:
        if caller is None:
            return {"caller": None, **nothing(request, language)}
        found = build(reading, language, caller)
        return {"caller": caller, "brings": _brings(request), **found}

    return own_page(request, template, values)
