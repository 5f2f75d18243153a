"""Who acts for organisations: who does now and may next, how that changed, which were merged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, and_, exists, or_, select, tuple_

from ledger.domain.ids import BlockNumber, LogIndex, OrgId
from ledger.errors import NotFound
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import blocks, logs, organisation_versions, transactions
from ledger.store.office_tables import evidence_files

ChainPlace = tuple[int, int]
"""A log's block and number."""


class RecoveryStanding(StrEnum):
    """How a recovery stands, or how it ended: see `Recovery`."""

    UNDER_WAY = "under_way"
    OBJECTED = "objected"
    WITHDRAWN = "withdrawn"
    FINISHED = "finished"
    ROTATED = "rotated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Control:
    """Who acts for an organisation, and who may take over; None where nobody does or may.

    `recovery_from` is when a recovery can be finished, seconds since 1970 UTC.
    """

    controller: bytes | None
    nominated: bytes | None
    recovery_successor: bytes | None
    recovery_from: int | None


@dataclass(frozen=True, slots=True)
class OrganisationChange:
    """A change of an organisation, and how it stood after it; times in seconds since 1970 UTC.

    `successor_id` is the organisation that it was merged into, 0 for none.
    """

    org_id: OrgId
    change: str
    kind: str
    controller: bytes | None
    nominated: bytes | None
    recovery_successor: bytes | None
    recovery_from: int | None
    profile: bytes
    retired: bool
    successor_id: OrgId
    evidence: bytes
    document: Document | None
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    log_index: LogIndex
    timestamp: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class RecoveryEnd:
    """Who ended a recovery, when (seconds since 1970 UTC), and by which operation."""

    actor: bytes
    timestamp: int
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery: the council is to give an organisation whose key is lost to `successor`.

    `controller` acted for it when it began, and can have objected. It can be finished from
    `finishable_from` (seconds since 1970 UTC) on; `finishable`: it is under way and that is past.
    """

    org_id: OrgId
    controller: bytes
    successor: bytes
    standing: RecoveryStanding
    finishable_from: int
    finishable: bool
    evidence: bytes
    document: Document | None
    actor: bytes
    timestamp: int
    operation_id: bytes
    block_number: BlockNumber
    log_index: LogIndex
    transaction_hash: bytes
    end: RecoveryEnd | None


_V = organisation_versions
_CONTROL = select(_V).where(is_last_version(_V, "org_id"))
_IN_ITS_TRANSACTION = and_(
    transactions.c.block_number == _V.c.block_number,
    transactions.c.transaction_index == logs.c.transaction_index,
)
_PLACED = (
    _V.join(blocks, blocks.c.number == _V.c.block_number)
    .join(logs, and_(logs.c.block_number == _V.c.block_number, logs.c.log_index == _V.c.log_index))
    .join(transactions, _IN_ITS_TRANSACTION)
    .outerjoin(evidence_files, evidence_files.c.commitment == _V.c.evidence)
)
_WHERE_AND_WHEN = (
    blocks.c.timestamp,
    transactions.c.hash.label("transaction_hash"),
    *DOCUMENT_COLUMNS,
)
_CHANGES = select(_V, *_WHERE_AND_WHEN).select_from(_PLACED).where(_V.c.block_number <= AT)
_IS_MERGER = or_(
    and_(_V.c.change == "retired", _V.c.successor_id != 0), _V.c.change == "successor_named"
)

_E, _END_BLOCKS = _V.alias("ends"), blocks.alias("end_blocks")


def _ends(end: FromClause) -> ColumnElement[bool]:
    """That a version is later than the recovery's beginning, and knows of no recovery."""
    return and_(
        end.c.org_id == _V.c.org_id,
        end.c.block_number <= AT,
        end.c.recovery_successor.is_(None),
        tuple_(end.c.block_number, end.c.log_index) > tuple_(_V.c.block_number, _V.c.log_index),
    )


_EARLIER = _V.alias("earlier")
_IS_FIRST_END = ~exists().where(
    _ends(_EARLIER),
    tuple_(_EARLIER.c.block_number, _EARLIER.c.log_index)
    < tuple_(_E.c.block_number, _E.c.log_index),
).correlate(_V, _E)
_RECOVERIES = (
    select(
        _V,
        *_WHERE_AND_WHEN,
        _E.c.change.label("end_change"),
        _E.c.actor.label("end_actor"),
        _E.c.operation_id.label("end_operation"),
        _END_BLOCKS.c.timestamp.label("ended_at"),
    )
    .select_from(
        _PLACED.outerjoin(_E, and_(_ends(_E), _IS_FIRST_END)).outerjoin(
            _END_BLOCKS, _END_BLOCKS.c.number == _E.c.block_number
        )
    )
    .where(_V.c.change == "recovery_begun", _V.c.block_number <= AT)
)
_NEWEST_FIRST = (_V.c.block_number.desc(), _V.c.log_index.desc())

_ENDS = {
    "recovered": RecoveryStanding.FINISHED,
    "rotated": RecoveryStanding.ROTATED,
    "retired": RecoveryStanding.RETIRED,
}


def read_control(connection: Connection, moment: Moment, org_id: OrgId) -> Control:
    """Who acts for an organisation, and who may next. Raises NotFound."""
    query = _CONTROL.where(_V.c.org_id == org_id)
    row = connection.execute(query, true_at(moment)).one_or_none()
    if row is None:
        raise NotFound(what="organisation", key=org_id)
    return Control(
        _account(row.controller),
        _account(row.nominated),
        _account(row.recovery_successor),
        row.recovery_from,
    )


def read_nominations(connection: Connection, moment: Moment, account: bytes) -> tuple[OrgId, ...]:
    """The organisations whose controllers named this account to take over."""
    query = select(_V.c.org_id).where(is_last_version(_V, "org_id"), _V.c.nominated == account)
    found = connection.execute(query.order_by(_V.c.org_id), true_at(moment)).scalars()
    return tuple(OrgId(each) for each in found)


def list_organisation_changes(
    connection: Connection,
    moment: Moment,
    org_id: OrgId,
    *,
    before: ChainPlace,
    limit: int,
) -> tuple[OrganisationChange, ...]:
    """At most `limit` changes of an organisation before a place in the chain, newest first."""
    query = _CHANGES.where(_V.c.org_id == org_id, _is_before(before))
    rows = connection.execute(query.order_by(*_NEWEST_FIRST).limit(limit), true_at(moment))
    return tuple(_change(row) for row in rows)


def list_mergers(
    connection: Connection,
    moment: Moment,
    *,
    org_id: OrgId | None = None,
    before: ChainPlace,
    limit: int,
) -> tuple[OrganisationChange, ...]:
    """At most `limit` mergers before a place in the chain, newest first.

    With an `org_id`: of it into another, or of others into it.
    """
    query = _CHANGES.where(_IS_MERGER, _is_before(before))
    if org_id is not None:
        query = query.where(or_(_V.c.org_id == org_id, _V.c.successor_id == org_id))
    rows = connection.execute(query.order_by(*_NEWEST_FIRST).limit(limit), true_at(moment))
    return tuple(_change(row) for row in rows)


def list_recoveries(
    connection: Connection,
    moment: Moment,
    *,
    org_id: OrgId | None = None,
    under_way: bool | None = None,
    before: ChainPlace,
    limit: int,
) -> tuple[Recovery, ...]:
    """At most `limit` recoveries begun before a place in the chain, newest first."""
    query = _RECOVERIES.where(_is_before(before))
    if org_id is not None:
        query = query.where(_V.c.org_id == org_id)
    if under_way is not None:
        query = query.where(_E.c.change.is_(None) if under_way else _E.c.change.is_not(None))
    rows = connection.execute(query.order_by(*_NEWEST_FIRST).limit(limit), true_at(moment))
    return tuple(_recovery(row, moment) for row in rows)


def _is_before(place: ChainPlace) -> ColumnElement[bool]:
    block, log_index = place
    return or_(
        _V.c.block_number < block, and_(_V.c.block_number == block, _V.c.log_index < log_index)
    )


def _change(row: Row[Any]) -> OrganisationChange:
    return OrganisationChange(
        org_id=row.org_id,
        change=row.change,
        kind=row.kind,
        controller=_account(row.controller),
        nominated=_account(row.nominated),
        recovery_successor=_account(row.recovery_successor),
        recovery_from=row.recovery_from,
        profile=bytes(row.profile),
        retired=bool(row.retired),
        successor_id=row.successor_id,
        evidence=bytes(row.evidence),
        document=document_of(row),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        log_index=row.log_index,
        timestamp=row.timestamp,
        transaction_hash=bytes(row.transaction_hash),
    )


def _recovery(row: Row[Any], moment: Moment) -> Recovery:
    end = None
    if row.end_change is not None:
        end = RecoveryEnd(bytes(row.end_actor), row.ended_at, bytes(row.end_operation))
    return Recovery(
        org_id=row.org_id,
        controller=bytes(row.controller),
        successor=bytes(row.recovery_successor),
        standing=_standing(row),
        finishable_from=row.recovery_from,
        finishable=end is None and moment.timestamp >= row.recovery_from,
        evidence=bytes(row.evidence),
        document=document_of(row),
        actor=bytes(row.actor),
        timestamp=row.timestamp,
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        log_index=row.log_index,
        transaction_hash=bytes(row.transaction_hash),
        end=end,
    )


def _standing(row: Row[Any]) -> RecoveryStanding:
    if row.end_change is None:
        return RecoveryStanding.UNDER_WAY
    if row.end_change in _ENDS:
        return _ENDS[row.end_change]
    # Nobody else came to act for it meanwhile: that would have ended the recovery.
    objected = bytes(row.end_actor) == bytes(row.controller)
    return RecoveryStanding.OBJECTED if objected else RecoveryStanding.WITHDRAWN


def _account(raw: bytes | None) -> bytes | None:
    return None if raw is None else bytes(raw)
