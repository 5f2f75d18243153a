"""Distributions at a moment: what was posted, and what was claimed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, select

from ledger.domain.ids import BlockNumber, DistributionId, OrgId, ProgrammeId
from ledger.domain.sharing import Distribution
from ledger.errors import NotFound
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, NOW, is_last_version, true_at
from ledger.store.mirror_tables import (
    blocks,
    distribution_versions,
    programme_versions,
    share_claims,
)
from ledger.store.office_tables import evidence_files


class DistributionStanding(StrEnum):
    """Whether shares can be claimed at a moment."""

    UPCOMING = "upcoming"
    OPEN = "open"
    OVER = "over"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ListedDistribution:
    """A distribution at a moment; `claimed` is the sum of the `claim_count` claims.

    `evidence`, actor, operation and block are those of its last change; `shares` is the commitment
    that it was posted with, to the file of all shares. Times are seconds since 1970 UTC.
    """

    distribution_id: DistributionId
    programme: str
    terms: Distribution
    standing: DistributionStanding
    claimed: int
    claim_count: int
    shares: bytes
    evidence: bytes
    document: Document | None
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    timestamp: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A share that was claimed."""

    distribution_id: DistributionId
    org_id: OrgId
    amount: int
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    timestamp: int


_D, _P, _S = distribution_versions, programme_versions, share_claims
_FIRST = _D.alias()
_POSTED_WITH = (
    select(_FIRST.c.evidence)
    .where(_FIRST.c.distribution_id == _D.c.distribution_id)
    .order_by(_FIRST.c.block_number, _FIRST.c.log_index)
    .limit(1)
    .scalar_subquery()
)
_OF_IT = and_(_S.c.distribution_id == _D.c.distribution_id, _S.c.block_number <= AT)
_CLAIMED = select(func.coalesce(func.max(_S.c.claimed_after), literal(0))).where(_OF_IT)
_COUNT = select(func.count()).select_from(_S).where(_OF_IT)
_DISTRIBUTIONS = (
    select(
        _D,
        _P.c.key.label("programme"),
        blocks.c.timestamp,
        _POSTED_WITH.label("shares"),
        _CLAIMED.scalar_subquery().label("claimed"),
        _COUNT.scalar_subquery().label("claim_count"),
        *DOCUMENT_COLUMNS,
    )
    .select_from(_D)
    .join(blocks, blocks.c.number == _D.c.block_number)
    .join(
        _P,
        and_(_P.c.programme_id == _D.c.programme_id, is_last_version(_P, "programme_id")),
    )
    .outerjoin(evidence_files, evidence_files.c.commitment == _D.c.evidence)
    .where(is_last_version(_D, "distribution_id"))
)
_IN_FORCE = _D.c.withdrawn == 0
_STANDING: dict[DistributionStanding, ColumnElement[bool]] = {
    DistributionStanding.WITHDRAWN: _D.c.withdrawn == 1,
    DistributionStanding.UPCOMING: and_(_IN_FORCE, _D.c.claimable_from > NOW),
    DistributionStanding.OPEN: and_(
        _IN_FORCE, _D.c.claimable_from <= NOW, _D.c.claimable_until > NOW
    ),
    DistributionStanding.OVER: and_(_IN_FORCE, _D.c.claimable_until <= NOW),
}
_CLAIMS = (
    select(_S, blocks.c.timestamp)
    .join(blocks, blocks.c.number == _S.c.block_number)
    .where(_S.c.block_number <= AT)
)


def list_distributions(
    connection: Connection,
    moment: Moment,
    *,
    programme_id: ProgrammeId | None = None,
    standing: DistributionStanding | None = None,
    before: DistributionId,
    limit: int,
) -> tuple[ListedDistribution, ...]:
    """At most `limit` distributions, the latest first, those before `before`."""
    query = _DISTRIBUTIONS.where(_D.c.distribution_id < before)
    if programme_id is not None:
        query = query.where(_D.c.programme_id == programme_id)
    if standing is not None:
        query = query.where(_STANDING[standing])
    rows = connection.execute(
        query.order_by(_D.c.distribution_id.desc()).limit(limit), true_at(moment)
    )
    return tuple(_distribution(row, moment) for row in rows)


def read_listed(
    connection: Connection, moment: Moment, distribution_id: DistributionId
) -> ListedDistribution:
    """One distribution. Raises NotFound."""
    query = _DISTRIBUTIONS.where(_D.c.distribution_id == distribution_id)
    row = connection.execute(query, true_at(moment)).one_or_none()
    if row is None:
        raise NotFound(what="distribution", key=distribution_id)
    return _distribution(row, moment)


def read_claims_of(
    connection: Connection,
    moment: Moment,
    distribution_ids: Sequence[DistributionId],
    org_ids: Sequence[OrgId],
) -> dict[tuple[DistributionId, OrgId], Claim]:
    """Which of these organisations claimed which of these distributions."""
    query = _CLAIMS.where(
        _S.c.distribution_id.in_(list(distribution_ids)), _S.c.org_id.in_(list(org_ids))
    )
    found = (_claim(row) for row in connection.execute(query, true_at(moment)))
    return {(each.distribution_id, each.org_id): each for each in found}


def _distribution(row: Row[Any], moment: Moment) -> ListedDistribution:
    return ListedDistribution(
        distribution_id=row.distribution_id,
        programme=row.programme,
        terms=Distribution(
            programme_id=row.programme_id,
            epoch=row.epoch,
            pool=row.pool,
            unit=row.unit,
            rule=bytes(row.rule),
            root=bytes(row.root),
            claimable_from=row.claimable_from,
            claimable_until=row.claimable_until,
        ),
        standing=_standing(row, moment),
        claimed=row.claimed,
        claim_count=row.claim_count,
        shares=bytes(row.shares),
        evidence=bytes(row.evidence),
        document=document_of(row),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        timestamp=row.timestamp,
    )


def _standing(row: Row[Any], moment: Moment) -> DistributionStanding:
    if row.withdrawn:
        return DistributionStanding.WITHDRAWN
    if row.claimable_from > moment.timestamp:
        return DistributionStanding.UPCOMING
    is_over = row.claimable_until <= moment.timestamp
    return DistributionStanding.OVER if is_over else DistributionStanding.OPEN


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        distribution_id=row.distribution_id,
        org_id=row.org_id,
        amount=row.amount,
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        timestamp=row.timestamp,
    )
