"""The page of whoever reads it: signing in, and then what the account is and asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.callers import Caller, find_caller
from api.console.asked import asked_key, asked_number
from api.console.benefits import benefit_name
from api.console.claims import own_shares
from api.console.desk.following import Followed, followed
from api.console.languages import Language
from api.console.menu import menu_of
from api.console.names import organisation_name
from api.console.pages import own_page
from api.lists import LARGEST
from api.routes.named import programme_named
from ledger.domain.access import Scope
from ledger.domain.expiry import ExpiryPolicy
from ledger.domain.ids import ListingId, OrgId, RedemptionId
from ledger.errors import NotSignedIn, ScopeMissing
from ledger.mirror.queries.accounts import read_budgets, read_roles
from ledger.mirror.queries.balances import read_balances
from ledger.mirror.queries.benefits import (
    ListedBenefit,
    ListingStanding,
    list_listings,
    read_listing_profiles,
)
from ledger.mirror.queries.control import read_nominations
from ledger.mirror.queries.memberships import Standing
from ledger.mirror.queries.organisations import Organisation, read_controlled_by
from ledger.mirror.queries.organisations import read_organisation_profiles as profiles_of
from ledger.mirror.queries.redemptions import RedemptionFilter, list_redemptions
from ledger.office.asked import list_asked_by
from ledger.outbox.records import list_of
from ledger.services.expiries import read_expiring

router = APIRouter(include_in_schema=False)

_REQUESTS_SHOWN = 20
_REDEMPTIONS_SHOWN = 10
_BENEFITS_SHOWN = 6
_MOST_EPOCHS = 1000
SOON = 60 * 86_400
"""Seconds before its end from which a membership is said to end soon."""


@router.get("/me")
def me(request: Request) -> Response:
    """Whoever is signed in; for others, how to sign in."""
    caller = visitor(request)

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        if caller is None:
            return {"caller": None, **nothing(request, language)}
        return {"caller": caller, **_about(request, reading, language, caller)}

    return own_page(request, "me.html", build)


def visitor(request: Request) -> Caller | None:
    """Who is signed in; None for others, and where a session has ended.

    Raises ScopeMissing for a key that may not read.
    """
    try:
        caller = find_caller(request)
    except NotSignedIn:
        return None
    if caller is not None and Scope.READ not in caller.scopes:
        raise ScopeMissing(scope=Scope.READ.value)
    return caller


def nothing(request: Request, language: Language) -> dict[str, Any]:
    """What those see of the ledger who are not signed in and may not read it."""
    if request.app.state.settings.read_policy == "open":
        return {}
    return {"reading": None, "programmes": (), "named": {}, "menu": menu_of(language)}


def _about(
    request: Request, reading: Reading, language: Language, caller: Caller
) -> dict[str, Any]:
    connection, moment = reading.connection, reading.moment
    own = read_controlled_by(connection, moment, caller.account)
    budgets = read_budgets(connection, moment, caller.account)
    nominations = read_nominations(connection, moment, caller.account)
    profiles = profiles_of(connection, moment, list(nominations))
    return {
        "own": own,
        "soon": SOON,
        "roles": read_roles(connection, moment, caller.account),
        "budgets": {budget.programme_id: budget for budget in budgets},
        "requests": _requests(reading, language, caller.account),
        "nominations": [
            (each, organisation_name(language, profiles.get(each), each)) for each in nominations
        ],
        **(_about_own(request, reading, language, own) if own else {"followed": {}}),
    }


def _about_own(
    request: Request, reading: Reading, language: Language, own: Organisation
) -> dict[str, Any]:
    connection, moment = reading.connection, reading.moment
    redeemed = list_redemptions(
        connection,
        moment,
        RedemptionFilter(org_id=own.org_id),
        before=RedemptionId(LARGEST),
        limit=_REDEMPTIONS_SHOWN,
    )
    names = read_listing_profiles(connection, moment, [each.listing_id for each in redeemed])
    return {
        "name": organisation_name(language, own.profile, own.org_id),
        "balances": read_balances(connection, moment, own.org_id),
        "redeemed": redeemed,
        "redeemed_names": names,
        "benefits": [(each, benefit_name(language, each)) for each in _open_benefits(reading, own)],
        "shares": own_shares(request, reading, language, own),
        "followed": {"organisation": own.org_id},
        **_expiring(request, reading, own.org_id),
    }


def _open_benefits(reading: Reading, own: Organisation) -> list[ListedBenefit]:
    """Benefits that are open in the programmes that the organisation is in good standing in."""
    good = [each for each in own.memberships if each.standing is Standing.ACTIVE]
    found = [
        listing
        for each in good
        for listing in list_listings(
            reading.connection,
            reading.moment,
            programme_id=each.programme_id,
            standing=ListingStanding.OPEN,
            before=ListingId(LARGEST),
            limit=_BENEFITS_SHOWN,
        )
    ]
    return found[:_BENEFITS_SHOWN]


def _expiring(request: Request, reading: Reading, org_id: OrgId) -> dict[str, Any]:
    """When credits expire by the policy that the reader names: no chain holds one."""
    programme = asked_key(request, "programme")
    is_none = request.query_params.get("epochs") == "0"
    epochs = 0 if is_none else asked_number(request, "epochs")
    if not programme or epochs is None:
        return {"expiring": None, "wanted_programme": programme, "wanted_epochs": ""}
    named = programme_named(reading, programme)
    policy = ExpiryPolicy(min(epochs, _MOST_EPOCHS))
    found = read_expiring(reading.connection, reading.moment, named.programme_id, org_id, policy)
    return {"expiring": found, "wanted_programme": named.key, "wanted_epochs": policy.epochs}


def _requests(reading: Reading, language: Language, account: bytes) -> Sequence[Followed]:
    asked = list_asked_by(reading.connection, account, limit=_REQUESTS_SHOWN)
    kept = list_of(reading.connection, asked)
    return followed(reading, language, [kept[each] for each in asked if each in kept])
