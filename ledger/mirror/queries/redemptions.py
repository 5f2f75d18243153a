"""What was redeemed of benefits, and what became of it, at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from ledger.domain.events import RedemptionStatus
from ledger.domain.ids import (
    BlockNumber,
    EntryId,
    ListingId,
    OrgId,
    ProgrammeId,
    RedemptionId,
)
from ledger.errors import NotFound
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import is_last_version, true_at
from ledger.store.mirror_tables import blocks, programme_versions, redemption_versions, transactions
from ledger.store.mirror_tables import logs as log_rows
from ledger.store.office_tables import evidence_files


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A redemption; `amount` is what it cost, in credits.

    `evidence`, `document`, `actor`, the operation, block and transaction are those of its last
    change. `refund_id` is the entry that gave its credits back, 0 for none.
    """

    redemption_id: RedemptionId
    listing_id: ListingId
    programme_id: ProgrammeId
    programme: str
    org_id: OrgId
    quantity: int
    amount: int
    status: RedemptionStatus
    entry_id: EntryId
    refund_id: EntryId
    redeemed_at: int
    evidence: bytes
    document: Document | None
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    timestamp: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class RedemptionFilter:
    """Which redemptions; what is None is not asked about."""

    listing_id: ListingId | None = None
    programme_id: ProgrammeId | None = None
    org_id: OrgId | None = None
    status: RedemptionStatus | None = None


_R, _P = redemption_versions, programme_versions
_FIRST = _R.alias()
_BEGUN = blocks.alias()
_REDEEMED_AT = (
    select(_BEGUN.c.timestamp)
    .select_from(_FIRST)
    .join(_BEGUN, _BEGUN.c.number == _FIRST.c.block_number)
    .where(_FIRST.c.redemption_id == _R.c.redemption_id)
    .order_by(_FIRST.c.block_number, _FIRST.c.log_index)
    .limit(1)
    .scalar_subquery()
)
_REDEMPTIONS = (
    select(
        _R,
        _P.c.key.label("programme"),
        blocks.c.timestamp,
        transactions.c.hash.label("transaction_hash"),
        _REDEEMED_AT.label("redeemed_at"),
        *DOCUMENT_COLUMNS,
    )
    .select_from(_R)
    .join(blocks, blocks.c.number == _R.c.block_number)
    .join(
        log_rows,
        and_(
            log_rows.c.block_number == _R.c.block_number,
            log_rows.c.log_index == _R.c.log_index,
        ),
    )
    .join(
        transactions,
        and_(
            transactions.c.block_number == log_rows.c.block_number,
            transactions.c.transaction_index == log_rows.c.transaction_index,
        ),
    )
    .join(
        _P,
        and_(_P.c.programme_id == _R.c.programme_id, is_last_version(_P, "programme_id")),
    )
    .outerjoin(evidence_files, evidence_files.c.commitment == _R.c.evidence)
    .where(is_last_version(_R, "redemption_id"))
)


def list_redemptions(
    connection: Connection,
    moment: Moment,
    wanted: RedemptionFilter,
    *,
    before: RedemptionId,
    limit: int,
) -> tuple[Redeemed, ...]:
    """At most `limit` redemptions, the latest first, those before `before`."""
    query = _REDEMPTIONS.where(_R.c.redemption_id < before)
    for column, value in (
        (_R.c.listing_id, wanted.listing_id),
        (_R.c.programme_id, wanted.programme_id),
        (_R.c.org_id, wanted.org_id),
        (_R.c.status, None if wanted.status is None else int(wanted.status)),
    ):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(_R.c.redemption_id.desc()).limit(limit)
    return tuple(_redeemed(row) for row in connection.execute(query, true_at(moment)))


def read_redemption(
    connection: Connection, moment: Moment, redemption_id: RedemptionId
) -> Redeemed:
    """One redemption. Raises NotFound."""
    query = _REDEMPTIONS.where(_R.c.redemption_id == redemption_id)
    row = connection.execute(query, true_at(moment)).one_or_none()
    if row is None:
        raise NotFound(what="redemption", key=redemption_id)
    return _redeemed(row)


def _redeemed(row: Row[Any]) -> Redeemed:
    return Redeemed(
        redemption_id=row.redemption_id,
        listing_id=row.listing_id,
        programme_id=row.programme_id,
        programme=row.programme,
        org_id=row.org_id,
        quantity=row.quantity,
        amount=row.amount,
        status=RedemptionStatus(row.status),
        entry_id=row.entry_id,
        refund_id=row.refund_id,
        redeemed_at=row.redeemed_at,
        evidence=bytes(row.evidence),
        document=document_of(row),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        timestamp=row.timestamp,
        transaction_hash=bytes(row.transaction_hash),
    )
