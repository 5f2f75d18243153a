"""Lines of the credit journal, each with what a reader needs to check it.

A line names its block, its transaction, the commitment to its evidence and what the office knows
of that document, the entry it refers to, and the reversal that refers to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    and_,
    bindparam,
    func,
    literal,
    select,
)

from ledger.domain.events import EntryKind
from ledger.domain.ids import BlockNumber, EntryId, LogIndex, OrgId, ProgrammeId
from ledger.errors import NotFound
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import blocks, entries, logs, programme_versions, transactions
from ledger.store.office_tables import evidence_files

MAX_ENTRY_ID = EntryId(2**63 - 1)
_NO_BLOCK = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal. `refers_to` and `reversed_by` are 0 for none, and `evidence` zeros.

    `amount` and `balance_after` are credits; `timestamp` is the block's, in seconds since 1970 UTC.
    """

    entry_id: EntryId
    programme_id: ProgrammeId
    programme: str
    org_id: OrgId
    kind: EntryKind
    category: str
    amount: int
    balance_after: int
    evidence: bytes
    document: Document | None
    refers_to: EntryId
    reversed_by: EntryId
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    block_hash: bytes
    timestamp: int
    log_index: LogIndex
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What the listed entries have in common; empty and None stand for any.

    `since` is included and `until` is not, both in seconds since 1970 UTC of the entries' blocks.
    """

    org_id: OrgId | None = None
    programme_id: ProgrammeId | None = None
    kind: EntryKind | None = None
    category: str = ""
    since: int | None = None
    until: int | None = None


_E = entries
_LATER = entries.alias("later")
_P = programme_versions
_REVERSED_BY = (
    select(func.min(_LATER.c.entry_id))
    .where(
        _LATER.c.refers_to == _E.c.entry_id,
        _LATER.c.kind == EntryKind.REVERSAL,
        _LATER.c.block_number <= AT,
    )
    .scalar_subquery()
)
_ENTRIES = (
    select(
        _E,
        _P.c.key.label("programme"),
        _REVERSED_BY.label("reversed_by"),
        blocks.c.hash.label("block_hash"),
        blocks.c.timestamp,
        transactions.c.hash.label("transaction_hash"),
        *DOCUMENT_COLUMNS,
    )
    .select_from(_E)
    .join(_P, and_(_P.c.programme_id == _E.c.programme_id, is_last_version(_P, "programme_id")))
    .join(blocks, blocks.c.number == _E.c.block_number)
    .join(logs, and_(logs.c.block_number == _E.c.block_number, logs.c.log_index == _E.c.log_index))
    .join(
        transactions,
        and_(
            transactions.c.block_number == logs.c.block_number,
            transactions.c.transaction_index == logs.c.transaction_index,
        ),
    )
    .outerjoin(evidence_files, evidence_files.c.commitment == _E.c.evidence)
    .where(_E.c.block_number <= AT)
)
_ONE = _ENTRIES.where(_E.c.entry_id == bindparam("entry_id", type_=BigInteger))


def read_entry(connection: Connection, moment: Moment, entry_id: EntryId) -> Entry:
    """The entry. Raises NotFound."""
    row = connection.execute(_ONE, {**true_at(moment), "entry_id": entry_id}).one_or_none()
    if row is None:
        raise NotFound(what="entry", key=entry_id)
    return _entry(row)


def list_entries(
    connection: Connection,
    moment: Moment,
    wanted: EntryFilter,
    *,
    before: EntryId = MAX_ENTRY_ID,
    limit: int,
) -> tuple[Entry, ...]:
    """At most `limit` entries, the newest first, those with an id below `before`."""
    query = _ENTRIES.where(_E.c.entry_id < before, *_conditions(wanted))
    query = query.order_by(_E.c.entry_id.desc()).limit(limit)
    return tuple(_entry(row) for row in connection.execute(query, true_at(moment)))


def first_block_from(time: int) -> ScalarSelect[int]:
    """The first block at or after `time`, as a value in SQL; null where there is none.

    Blocks' times never fall, so a span of time is a span of blocks.
    """
    return (
        select(blocks.c.number)
        .where(blocks.c.timestamp >= time)
        .order_by(blocks.c.timestamp, blocks.c.number)
        .limit(1)
        .scalar_subquery()
    )


def in_span(since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    """That an entry was posted from `since` (included) to `until` (not), in seconds."""
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(_E.c.block_number >= first_block_from(since))
    if until is not None:
        bound = func.coalesce(first_block_from(until), literal(_NO_BLOCK, BigInteger))
        conditions.append(_E.c.block_number < bound)
    return conditions


def _conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    conditions = in_span(wanted.since, wanted.until)
    if wanted.org_id is not None:
        conditions.append(_E.c.org_id == wanted.org_id)
    if wanted.programme_id is not None:
        conditions.append(_E.c.programme_id == wanted.programme_id)
    if wanted.kind is not None:
        conditions.append(_E.c.kind == int(wanted.kind))
    if wanted.category:
        conditions.append(_E.c.category == wanted.category)
    return conditions


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        entry_id=row.entry_id,
        programme_id=row.programme_id,
        programme=row.programme,
        org_id=row.org_id,
        kind=EntryKind(row.kind),
        category=row.category,
        amount=row.amount,
        balance_after=row.balance_after,
        evidence=bytes(row.evidence),
        document=document_of(row),
        refers_to=row.refers_to,
        reversed_by=row.reversed_by or EntryId(0),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        block_hash=bytes(row.block_hash),
        timestamp=row.timestamp,
        log_index=row.log_index,
        transaction_hash=bytes(row.transaction_hash),
    )
