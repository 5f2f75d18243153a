"""What was shared at the end of epochs: the pools, by which rule, and what is still unclaimed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_choice, asked_key
from api.console.languages import Language
from api.console.latest import latest
from api.console.pages import page
from api.routes.named import programme_named
from api.routes.shares import DistributionPath
from ledger.domain.events import EntryKind
from ledger.domain.ids import DistributionId
from ledger.errors import EvidenceDamaged, NotFound
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.mirror.queries.shares import (
    DistributionStanding,
    ListedDistribution,
    list_distributions,
    read_claims_of,
    read_listed,
)
from ledger.services.sharing.distributing import Shares
from ledger.services.sharing.entitlements import SharesShelf

router = APIRouter(include_in_schema=False)

_SHOWN = 200


@router.get("/shares")
def distributions(request: Request) -> Response:
    """All distributions, the latest first."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        programme = asked_key(request, "programme")
        named = programme_named(reading, programme) if programme else None
        standing = asked_choice(request, "standing", DistributionStanding)
        listed = latest(
            request,
            lambda before, most: list_distributions(
                reading.connection,
                reading.moment,
                programme_id=named.programme_id if named else None,
                standing=standing,
                before=DistributionId(before),
                limit=most,
            ),
            lambda row: row.distribution_id,
        )
        return {
            **listed,
            "wanted_programme": named.key if named else "",
            "wanted_standing": standing.value if standing else "",
            "standings": tuple(DistributionStanding),
        }

    return page(request, "distributions.html", build)


@router.get("/shares/{distribution_id}")
def distribution(request: Request, distribution_id: DistributionPath) -> Response:
    """One distribution, with what each organisation gets where the office has the file."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        posted = read_listed(connection, moment, DistributionId(distribution_id))
        shares = _shares(request, reading, posted)
        rows = shares.shared.shares if shares else ()
        shown = sorted(rows, key=lambda each: (-each.amount, each.org_id))[:_SHOWN]
        org_ids = [each.org_id for each in shown]
        return {
            "posted": posted,
            "rule": shares.rule if shares else None,
            "reversals_count": shares is not None and EntryKind.REVERSAL in shares.rule.kinds,
            "shown": shown,
            "share_count": len(rows),
            "undistributed": shares.shared.undistributed if shares else 0,
            "claims": {
                org_id: claim
                for (_, org_id), claim in read_claims_of(
                    connection, moment, [posted.distribution_id], org_ids
                ).items()
            },
            "profiles": read_organisation_profiles(connection, moment, org_ids),
        }

    return page(request, "distribution.html", build)


def _shares(request: Request, reading: Reading, posted: ListedDistribution) -> Shares | None:
    """The file of shares; None where the office does not have it whole."""
    shelf: SharesShelf = request.app.state.shares
    try:
        return shelf.read(reading.connection, posted)
    except (NotFound, EvidenceDamaged):
        return None
