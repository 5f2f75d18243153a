"""Lines of the credit journal, each with what a reader needs to check it.

A line names its block, its transaction, the commitment to its evidence and what the office knows
of that document, the entry it refers to, and the reversal that refers to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from ledger.domain.events import EntryKind
from ledger.domain.ids import BlockNumber, EntryId, LogIndex, OrgId, ProgrammeId
from ledger.errors import NotFound
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.spans import MAX_ENTRY_ID, span_of
from ledger.mirror.queries.versions import AT, true_at
from ledger.store.mirror_tables import blocks, entries, logs, transactions
from ledger.store.office_tables import evidence_files


class Entry(NamedTuple):
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
_REVERSALS = (
    select(_E.c.refers_to, func.min(_E.c.entry_id).label("reversed_by"))
    .where(
        _E.c.refers_to.in_(bindparam("entry_ids", expanding=True)),
        _E.c.refers_to != literal_column("0"),  # as the index has it
        _E.c.kind == EntryKind.REVERSAL,
        _E.c.block_number <= AT,
    )
    .group_by(_E.c.refers_to)
)
_BY_ID = select(_E).where(_E.c.entry_id == bindparam("entry_id", type_=BigInteger))


def read_entry(connection: Connection, moment: Moment, entry_id: EntryId) -> Entry:
    """The entry. Raises NotFound."""
    found = _BY_ID.where(_E.c.block_number <= AT)
    rows = _read_with_details(connection, moment, found, {"entry_id": entry_id})
    if not rows:
        raise NotFound(what="entry", key=entry_id)
    return rows[0]


def list_entries(
    connection: Connection,
    moment: Moment,
    wanted: EntryFilter,
    *,
    before: EntryId = MAX_ENTRY_ID,
    limit: int,
) -> tuple[Entry, ...]:
    """At most `limit` entries, the newest first, those with an id below `before`."""
    span = span_of(connection, moment, since=wanted.since, until=wanted.until)
    page = (
        select(_E)
        .where(_E.c.entry_id < before, span.condition(), *_conditions(wanted))
        .order_by(_E.c.entry_id.desc())
        .limit(limit)
    )
    return _read_with_details(connection, moment, page, {})


def list_entries_after(
    connection: Connection,
    moment: Moment,
    wanted: EntryFilter,
    *,
    after: EntryId,
    limit: int,
) -> tuple[Entry, ...]:
    """At most `limit` entries up to the moment, the oldest first, those with an id above `after`.

    The times of `wanted` are not looked at.
    """
    last = span_of(connection, moment).last
    page = (
        select(_E)
        .where(_E.c.entry_id > after, _E.c.entry_id <= last, *_conditions(wanted))
        .order_by(_E.c.entry_id)
        .limit(limit)
    )
    return _read_with_details(connection, moment, page, {})[::-1]


def last_entry_at(connection: Connection, block: int, log_index: int | None = None) -> EntryId:
    """The newest entry up to a place in the chain; 0 where there is none."""
    is_before = _E.c.block_number <= block
    if log_index is not None:
        is_before = or_(
            _E.c.block_number < block,
            and_(_E.c.block_number == block, _E.c.log_index <= log_index),
        )
    query = (
        select(_E.c.entry_id)
        .where(is_before, _E.c.block_number <= block)
        .order_by(_E.c.block_number.desc(), _E.c.entry_id.desc())
        .limit(1)
    )
    return EntryId(connection.execute(query).scalar_one_or_none() or 0)


def _conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.org_id is not None:
        conditions.append(_E.c.org_id == wanted.org_id)
    if wanted.programme_id is not None:
        conditions.append(_E.c.programme_id == wanted.programme_id)
    if wanted.kind is not None:
        conditions.append(_E.c.kind == int(wanted.kind))
    if wanted.category:
        conditions.append(_E.c.category == wanted.category)
    return conditions


def _read_with_details(
    connection: Connection, moment: Moment, page: Select[Any], parameters: dict[str, Any]
) -> tuple[Entry, ...]:
    """The entries of a query, the newest first, with all that they are joined with.

    The page is cut before the joins, so that no planner begins with the larger tables. Reversals
    are asked for by the page's own ids: almost every entry refers to nothing, and PostgreSQL would
    plan a join on that column as a scan of the journal.
    """
    at = true_at(moment)
    keys = read_programme_keys(connection, moment)
    rows = connection.execute(_detailed(page), {**at, **parameters}).all()
    entry_ids = [row.entry_id for row in rows]
    found = connection.execute(_REVERSALS, {**at, "entry_ids": entry_ids}) if rows else ()
    reversals = {row.refers_to: row.reversed_by for row in found}
    return tuple(
        _entry(row, keys[row.programme_id], reversals.get(row.entry_id, EntryId(0))) for row in rows
    )


def _detailed(page: Select[Any]) -> Select[Any]:
    cut = page.subquery("cut")
    return (
        select(
            cut,
            blocks.c.hash.label("block_hash"),
            blocks.c.timestamp,
            transactions.c.hash.label("transaction_hash"),
            *DOCUMENT_COLUMNS,
        )
        .select_from(cut)
        .join(blocks, blocks.c.number == cut.c.block_number)
        .join(
            logs,
            and_(logs.c.block_number == cut.c.block_number, logs.c.log_index == cut.c.log_index),
        )
        .join(
            transactions,
            and_(
                transactions.c.block_number == cut.c.block_number,
                transactions.c.transaction_index == logs.c.transaction_index,
            ),
        )
        .outerjoin(evidence_files, evidence_files.c.commitment == cut.c.evidence)
        .order_by(cut.c.entry_id.desc())
    )


def _entry(row: Row[Any], programme: str, reversed_by: EntryId) -> Entry:
    return Entry(
        entry_id=row.entry_id,
        programme_id=row.programme_id,
        programme=programme,
        org_id=row.org_id,
        kind=EntryKind(row.kind),
        category=row.category,
        amount=row.amount,
        balance_after=row.balance_after,
        evidence=bytes(row.evidence),
        document=document_of(row),
        refers_to=row.refers_to,
        reversed_by=reversed_by,
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        block_hash=bytes(row.block_hash),
        timestamp=row.timestamp,
        log_index=row.log_index,
        transaction_hash=bytes(row.transaction_hash),
    )
