"""Distributions as they were posted, and what was claimed of them, at a moment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger.domain.ids import DistributionId, OrgId, ProgrammeId
from ledger.domain.sharing import Distribution
from ledger.errors import NotFound
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import distribution_versions, share_claims


@dataclass(frozen=True, slots=True)
class PostedDistribution:
    """A distribution, and what each organisation has claimed of it."""

    distribution_id: DistributionId
    distribution: Distribution
    withdrawn: bool
    claims: dict[OrgId, int]


_DISTRIBUTIONS = (
    select(distribution_versions)
    .where(is_last_version(distribution_versions, "distribution_id"))
    .order_by(distribution_versions.c.distribution_id)
)
_CLAIMS = select(share_claims).where(share_claims.c.block_number <= AT)


def read_distributions(
    connection: Connection, moment: Moment
) -> dict[DistributionId, PostedDistribution]:
    """All distributions with their claims, in the order of their posting."""
    claims: dict[int, dict[OrgId, int]] = defaultdict(dict)
    for row in connection.execute(_CLAIMS, true_at(moment)):
        claims[row.distribution_id][OrgId(row.org_id)] = row.amount
    return {
        DistributionId(row.distribution_id): PostedDistribution(
            DistributionId(row.distribution_id),
            _distribution(row),
            bool(row.withdrawn),
            claims[row.distribution_id],
        )
        for row in connection.execute(_DISTRIBUTIONS, true_at(moment))
    }


def read_distribution(
    connection: Connection, moment: Moment, distribution_id: DistributionId
) -> PostedDistribution:
    """One distribution. Raises NotFound."""
    found = read_distributions(connection, moment).get(distribution_id)
    if found is None:
        raise NotFound(what="distribution", key=distribution_id)
    return found


def _distribution(row: Row[Any]) -> Distribution:
    return Distribution(
        programme_id=ProgrammeId(row.programme_id),
        epoch=row.epoch,
        pool=row.pool,
        unit=row.unit,
        rule=bytes(row.rule),
        root=bytes(row.root),
        claimable_from=row.claimable_from,
        claimable_until=row.claimable_until,
    )
