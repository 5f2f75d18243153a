"""What is recomputed from: a programme's journal with its times, and what was posted of shares.

Councils compute expiries and shares off the chain, and the contracts do not check them. Whoever
checks needs the entries as the chain said them, whole and in order, and nothing that was derived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, select

from ledger.domain.events import EntryPosted
from ledger.domain.expiry import DatedEntry
from ledger.domain.ids import DistributionId, OrgId, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.domain.sharing import Distribution
from ledger.errors import NotFound
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.spans import span_of
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import (
    blocks,
    distribution_versions,
    entries,
    epoch_boundaries,
    share_claims,
)

NO_CATEGORY = bytes(32)


@dataclass(frozen=True, slots=True)
class PostedDistribution:
    """A distribution, and what each organisation has claimed of it."""

    distribution_id: DistributionId
    distribution: Distribution
    withdrawn: bool
    claims: dict[OrgId, int]


_PROGRAMME = bindparam("programme_id", type_=BigInteger)
_JOURNAL = (
    select(entries, blocks.c.timestamp)
    .select_from(entries)
    .join(blocks, blocks.c.number == entries.c.block_number)
    .where(entries.c.programme_id == _PROGRAMME)
    .order_by(entries.c.entry_id)
)
_BOUNDARIES = (
    select(epoch_boundaries.c.boundary)
    .where(epoch_boundaries.c.programme_id == _PROGRAMME, epoch_boundaries.c.block_number <= AT)
    .order_by(epoch_boundaries.c.number)
)
_DISTRIBUTIONS = (
    select(distribution_versions)
    .where(is_last_version(distribution_versions, "distribution_id"))
    .order_by(distribution_versions.c.distribution_id)
)
_CLAIMS = select(share_claims).where(share_claims.c.block_number <= AT)


def read_journal(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    *,
    since: int | None = None,
    until: int | None = None,
) -> Iterator[DatedEntry]:
    """A programme's entries in order, from `since` (included) to `until` (not), in seconds."""
    span = span_of(connection, moment, since=since, until=until)
    found = connection.execute(_JOURNAL.where(span.condition()), {"programme_id": programme_id})
    for row in found:
        yield DatedEntry(_entry(row), row.timestamp)


def read_boundaries(
    connection: Connection, moment: Moment, programme_id: ProgrammeId
) -> tuple[int, ...]:
    """The boundaries of a programme's epochs, seconds since 1970 UTC."""
    asked = {**true_at(moment), "programme_id": programme_id}
    return tuple(connection.execute(_BOUNDARIES, asked).scalars())


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


def _entry(row: Row[Any]) -> EntryPosted:
    return EntryPosted(
        entry_id=row.entry_id,
        programme_id=row.programme_id,
        org_id=row.org_id,
        kind=row.kind,
        category=encode_key(row.category) if row.category else NO_CATEGORY,
        amount=row.amount,
        balance_after=row.balance_after,
        evidence=bytes(row.evidence),
        refers_to=row.refers_to,
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
    )


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
