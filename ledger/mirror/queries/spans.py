"""Spans of the journal: which entries a moment or a span of time covers, as a range of ids.

Ids grow with blocks, and blocks' times never fall, so every such span is one range of the primary
key. Asked for as a range, a page is a walk along an index; asked for by blocks or times in a join,
a planner may start from the wrong end (19 s instead of 10 ms, on 200,000 entries in SQLite).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, select

from ledger.domain.ids import EntryId
from ledger.mirror.queries.moments import Moment
from ledger.store.mirror_tables import blocks, entries

MAX_ENTRY_ID = EntryId(2**63 - 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The entries from `first` to `last`, both included; empty where `first` is the larger."""

    first: EntryId
    last: EntryId

    def condition(self) -> ColumnElement[bool]:
        """That an entry is in the span."""
        return entries.c.entry_id.between(self.first, self.last)


_LAST_UP_TO_BLOCK = (
    select(entries.c.entry_id)
    .where(entries.c.block_number <= bindparam("block", type_=BigInteger))
    .order_by(entries.c.block_number.desc(), entries.c.entry_id.desc())
    .limit(1)
)
_FIRST_FROM_BLOCK = (
    select(entries.c.entry_id)
    .where(entries.c.block_number >= bindparam("block", type_=BigInteger))
    .order_by(entries.c.block_number, entries.c.entry_id)
    .limit(1)
)
_FIRST_BLOCK_FROM_TIME = (
    select(blocks.c.number)
    .where(blocks.c.timestamp >= bindparam("time", type_=BigInteger))
    .order_by(blocks.c.timestamp, blocks.c.number)
    .limit(1)
)


def span_of(
    connection: Connection, moment: Moment, *, since: int | None = None, until: int | None = None
) -> Span:
    """The entries up to the moment, posted from `since` (included) to `until` (not) in seconds."""
    first, last = EntryId(1), _last_up_to(connection, moment)
    if since is not None:
        first = _first_from(connection, since)
    if until is not None:
        last = min(last, EntryId(_first_from(connection, until) - 1))
    return Span(first, last)


def _last_up_to(connection: Connection, moment: Moment) -> EntryId:
    if moment.is_latest:
        return MAX_ENTRY_ID
    found = connection.execute(_LAST_UP_TO_BLOCK, {"block": moment.block_number})
    return EntryId(found.scalar_one_or_none() or 0)


def _first_from(connection: Connection, time: int) -> EntryId:
    """The first entry at or after a time; beyond all of them where there is none."""
    block = connection.execute(_FIRST_BLOCK_FROM_TIME, {"time": time}).scalar_one_or_none()
    if block is None:
        return MAX_ENTRY_ID
    found = connection.execute(_FIRST_FROM_BLOCK, {"block": block}).scalar_one_or_none()
    return MAX_ENTRY_ID if found is None else EntryId(found)
