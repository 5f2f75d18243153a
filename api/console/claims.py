"""The shares of a member's organisation, and of those that were merged into it.

What can be claimed comes first, then what can be claimed later, and last what was claimed; of the
newest distributions alone, since each has a file of its own to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from api.answers import Reading
from api.console.languages import Language
from api.console.names import Name, organisation_name
from api.lists import LARGEST
from ledger.domain.ids import DistributionId, OrgId
from ledger.mirror.queries.organisations import (
    Organisation,
    list_merged_into,
    read_organisation_profiles,
)
from ledger.mirror.queries.shares import (
    Claim,
    DistributionStanding,
    ListedDistribution,
    list_distributions,
    read_claims_of,
)
from ledger.services.sharing.entitlements import SharesShelf
from ledger.services.sharing.previewing import PreviewedClaim, preview_claims

_LOOKED_AT = 8
_CLAIMED_LOOKED_AT = 24
_MOST_MERGED = 8


@dataclass(frozen=True, slots=True)
class OwnShares:
    """What an organisation may claim now and later, and what it claimed; `names` are those of the
    organisations that were merged into it, by their ids."""

    due: Sequence[PreviewedClaim]
    coming: Sequence[PreviewedClaim]
    claimed: Sequence[tuple[ListedDistribution, Claim]]
    names: dict[OrgId, Name]


def own_shares(
    request: Request, reading: Reading, language: Language, own: Organisation
) -> OwnShares:
    """What the organisation, and those that were merged into it, get of what is shared."""
    connection, moment = reading.connection, reading.moment
    shelf: SharesShelf = request.app.state.shares
    merged = list_merged_into(connection, moment, own.org_id, limit=_MOST_MERGED)
    org_ids = [own.org_id, *merged]
    posted = [
        each
        for standing in (DistributionStanding.OPEN, DistributionStanding.UPCOMING)
        for each in _latest(reading, standing, _LOOKED_AT)
    ]
    found = [
        each
        for org_id in org_ids
        for each in preview_claims(connection, moment, shelf, org_id, posted)
    ]
    profiles = read_organisation_profiles(connection, moment, merged)
    return OwnShares(
        [each for each in found if each.is_due],
        [each for each in found if each.is_coming],
        _claimed(reading, org_ids),
        {each: organisation_name(language, profiles.get(each), each) for each in merged},
    )


def _claimed(reading: Reading, org_ids: Sequence[OrgId]) -> list[tuple[ListedDistribution, Claim]]:
    posted = {each.distribution_id: each for each in _latest(reading, None, _CLAIMED_LOOKED_AT)}
    claims = read_claims_of(reading.connection, reading.moment, list(posted), org_ids)
    newest = sorted(claims.values(), key=lambda each: each.block_number, reverse=True)
    return [(posted[each.distribution_id], each) for each in newest]


def _latest(
    reading: Reading, standing: DistributionStanding | None, limit: int
) -> Sequence[ListedDistribution]:
    before = DistributionId(LARGEST)
    return list_distributions(
        reading.connection, reading.moment, standing=standing, before=before, limit=limit
    )
