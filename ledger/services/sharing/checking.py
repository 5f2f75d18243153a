"""Whether a posted distribution is the one that follows from the mirrored entries.

Takes the journal and the published rule, and never what anybody said the result is. Posts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.domain.ids import DistributionId, OrgId, ProgrammeId
from ledger.domain.shares import ShareRule
from ledger.errors import InvalidValue
from ledger.mirror.queries.distributions import (
    PostedDistribution,
    read_distribution,
    read_distributions,
)
from ledger.mirror.queries.moments import Moment
from ledger.services.sharing.distributing import Shares, compute_shares, read_epoch


@dataclass(frozen=True, slots=True)
class CheckedDistribution:
    """A posted distribution beside what follows from the entries."""

    posted: PostedDistribution
    computed: Shares

    @property
    def findings(self) -> tuple[str, ...]:
        """What is not as it should be; empty where everything is."""
        posted, computed = self.posted.distribution, self.computed
        found = []
        if posted.rule != computed.rule.digest():
            found.append("it was posted with another rule")
        if not computed.shared.shares:
            found.append("nobody has a share of it by these entries")
        elif posted.root != computed.root:
            found.append("its root does not follow from the entries by this rule and pool")
        if posted.pool != computed.shared.pool:
            found.append(
                f"its pool is {posted.pool}, and what was shared is {computed.shared.pool}"
            )
        return tuple(found)


def check_distribution(
    connection: Connection,
    moment: Moment,
    distribution_id: DistributionId,
    rule: ShareRule,
    *,
    pool: int | None = None,
) -> CheckedDistribution:
    """Compare a posted distribution with what follows from the mirrored entries.

    Where it takes the place of withdrawn ones of the same epoch and unit, what was claimed of them
    is left out of it, and the pool that is shared is that of the first of them, unless `pool` says
    otherwise. Raises NotFound.
    """
    posted = read_distribution(connection, moment, distribution_id)
    given = posted.distribution
    before = _withdrawn(
        connection, moment, given.programme_id, given.epoch, given.unit, before=distribution_id
    )
    left_out = _claimed(before)
    if pool is None:
        pool = before[0].distribution.pool if left_out else given.pool
    entries = read_epoch(connection, moment, given.programme_id, given.epoch)
    return CheckedDistribution(posted, compute_shares(entries, rule, pool, left_out))


def claimed_of_withdrawn(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, epoch: int, unit: str
) -> dict[OrgId, int]:
    """What a new distribution leaves out: claims of withdrawn ones of the same epoch and unit."""
    return _claimed(_withdrawn(connection, moment, programme_id, epoch, unit))


def require_mirrored(connection: Connection, moment: Moment, given: Shares, unit: str) -> None:
    """Raise InvalidValue where shares do not follow from the entries that are mirrored."""
    entries = read_epoch(connection, moment, given.programme_id, given.epoch)
    left_out = claimed_of_withdrawn(connection, moment, given.programme_id, given.epoch, unit)
    again = compute_shares(entries, given.rule, given.asked_pool, left_out)
    if again.root != given.root:
        raise InvalidValue(
            field="root",
            value="0x" + given.root.hex(),
            expected=f"0x{again.root.hex()}, which follows from the entries",
        )


def _withdrawn(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    epoch: int,
    unit: str,
    *,
    before: DistributionId | None = None,
) -> list[PostedDistribution]:
    """The withdrawn distributions of the same, the oldest first."""
    return [
        other
        for number, other in read_distributions(connection, moment).items()
        if other.withdrawn
        and (before is None or number < before)
        and _shares_the_same(other, programme_id, epoch, unit)
    ]


def _shares_the_same(
    other: PostedDistribution, programme_id: ProgrammeId, epoch: int, unit: str
) -> bool:
    found = other.distribution
    return (found.programme_id, found.epoch, found.unit) == (programme_id, epoch, unit)


def _claimed(distributions: list[PostedDistribution]) -> dict[OrgId, int]:
    claimed: dict[OrgId, int] = {}
    for other in distributions:
        for org_id, amount in other.claims.items():
            claimed[org_id] = claimed.get(org_id, 0) + amount
    return claimed
