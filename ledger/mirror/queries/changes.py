"""What happened to memberships, change after change, in the order of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from ledger.domain.events import MembershipStatus
from ledger.domain.ids import BlockNumber, LogIndex, OrgId, ProgrammeId, TierId
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.store.mirror_tables import blocks, logs, membership_versions, transactions
from ledger.store.office_tables import evidence_files


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """A change of a membership, and how it stood after it; times in seconds since 1970 UTC."""

    programme_id: ProgrammeId
    programme: str
    org_id: OrgId
    change: str
    status: MembershipStatus
    tier: TierId
    admitted_at: int
    expires_at: int
    reason: str
    evidence: bytes
    document: Document | None
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    log_index: LogIndex
    timestamp: int
    transaction_hash: bytes


_M = membership_versions
_CHANGES = (
    select(
        _M,
        blocks.c.timestamp,
        transactions.c.hash.label("transaction_hash"),
        *DOCUMENT_COLUMNS,
    )
    .select_from(_M)
    .join(blocks, blocks.c.number == _M.c.block_number)
    .join(logs, and_(logs.c.block_number == _M.c.block_number, logs.c.log_index == _M.c.log_index))
    .join(
        transactions,
        and_(
            transactions.c.block_number == _M.c.block_number,
            transactions.c.transaction_index == logs.c.transaction_index,
        ),
    )
    .outerjoin(evidence_files, evidence_files.c.commitment == _M.c.evidence)
)


def list_changes_of(
    connection: Connection,
    moment: Moment,
    org_id: OrgId,
    programme_id: ProgrammeId,
    *,
    before: tuple[int, int],
    limit: int,
) -> tuple[MembershipChange, ...]:
    """At most `limit` changes of a membership before a block and log, the newest first."""
    block, log_index = before
    query = (
        _CHANGES.where(
            _M.c.org_id == org_id,
            _M.c.programme_id == programme_id,
            _M.c.block_number <= min(block, moment.block_number),
            or_(_M.c.block_number < block, _M.c.log_index < log_index),
        )
        .order_by(_M.c.block_number.desc(), _M.c.log_index.desc())
        .limit(limit)
    )
    keys = read_programme_keys(connection, moment)
    return tuple(_change(row, keys) for row in connection.execute(query))


def list_changes_after(
    connection: Connection,
    moment: Moment,
    block: int,
    log_index: int,
    *,
    org_id: OrgId | None = None,
    programme_id: ProgrammeId | None = None,
    limit: int,
) -> tuple[MembershipChange, ...]:
    """At most `limit` changes after a place in the chain and up to the moment, oldest first."""
    query = _CHANGES.where(
        _M.c.block_number >= block,
        _M.c.block_number <= moment.block_number,
        or_(_M.c.block_number > block, _M.c.log_index > log_index),
    )
    if org_id is not None:
        query = query.where(_M.c.org_id == org_id)
    if programme_id is not None:
        query = query.where(_M.c.programme_id == programme_id)
    query = query.order_by(_M.c.block_number, _M.c.log_index).limit(limit)
    keys = read_programme_keys(connection, moment)
    return tuple(_change(row, keys) for row in connection.execute(query))


def _change(row: Row[Any], keys: dict[ProgrammeId, str]) -> MembershipChange:
    return MembershipChange(
        programme_id=row.programme_id,
        programme=keys[row.programme_id],
        org_id=row.org_id,
        change=row.change,
        status=MembershipStatus(row.status),
        tier=row.tier,
        admitted_at=row.admitted_at,
        expires_at=row.expires_at,
        reason=row.reason,
        evidence=bytes(row.evidence),
        document=document_of(row),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        log_index=row.log_index,
        timestamp=row.timestamp,
        transaction_hash=bytes(row.transaction_hash),
    )
