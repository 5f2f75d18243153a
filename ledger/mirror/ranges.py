"""What the rows of each block rest on, kept with the rows.

A mirror may have been filled at another level than it goes on at; this tells which blocks are of
which. What a release wrote that kept no such record was proved by receipts.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from ledger.domain.ids import BlockNumber
from ledger.domain.verification import Level
from ledger.mirror.state import MirrorState
from ledger.store.bulk import insert_rows
from ledger.store.mirror_tables import verified_ranges


@dataclass(frozen=True, slots=True)
class VerifiedRange:
    """Blocks `first` to `last`, both included, proved at one level."""

    first: BlockNumber
    last: BlockNumber
    level: Level


def note_range(connection: Connection, first: int, last: int, level: Level) -> None:
    """Write down that blocks were proved at a level, in the transaction that writes their rows."""
    ranges = verified_ranges.c
    grown = connection.execute(
        update(verified_ranges)
        .where(ranges.last_block == first - 1, ranges.level == level)
        .values(last_block=last)
    )
    if grown.rowcount == 0:
        insert_rows(connection, verified_ranges, [(first, last, str(level))])


def read_ranges(connection: Connection, state: MirrorState) -> tuple[VerifiedRange, ...]:
    """What each mirrored block rests on, without a gap, in the blocks' order."""
    rows = connection.execute(select(verified_ranges).order_by(verified_ranges.c.first_block))
    found = [VerifiedRange(row.first_block, row.last_block, Level(row.level)) for row in rows]
    begins = found[0].first if found else BlockNumber(state.cursor.number + 1)
    if begins > state.first_block:
        earlier = BlockNumber(begins - 1)
        found.insert(0, VerifiedRange(state.first_block, earlier, Level.RECEIPTS))
    return tuple(found)


def weakest_level(ranges: tuple[VerifiedRange, ...]) -> Level:
    """The level that every mirrored block reaches."""
    return Level.HEADS if any(each.level is Level.HEADS for each in ranges) else Level.RECEIPTS
