"""What a stream of events has told, and what is next: read from the mirror, correct after a
reorganisation.

Each event's id says up to which place of which chain everything was told: block and log, the
block's hash, the block that was final then, and the time of the last operation told. Whoever comes
back with it is told what came since; where the block is gone, first that all above the common
ancestor is withdrawn, and then what stands there now. A stream keeps nothing but this place and the
blocks that it lately passed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from api.answers import Reading
from api.formats import show_bytes, show_time
from api.schemas.base import Schema
from api.schemas.entries import EntryView
from api.schemas.history import MembershipChangeView
from api.schemas.operations import OperationView
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.errors import CursorInvalid
from ledger.mirror.queries.changes import list_changes_after
from ledger.mirror.queries.entries import EntryFilter, last_entry_at, list_entries_after
from ledger.mirror.state import MirrorState
from ledger.office.asked import find_who_asked
from ledger.outbox.records import list_of
from ledger.store.mirror_tables import blocks
from ledger.store.outbox_tables import operations

AT_ONCE = 200
KINDS = ("entry", "membership", "operation", "head")
WITHDRAWN = "withdrawn"

_LAST_LOG = 2**31 - 1
_TRAIL = 300
_ID = re.compile(r"([0-9]{1,18})-([0-9]{1,10})-([0-9a-f]{64})-([0-9]{1,18})-([0-9]{1,16})")


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where everything was told; `told_at` (milliseconds) is for operations."""

    block: int
    log_index: int
    block_hash: bytes
    final: int
    told_at: int

    @property
    def id(self) -> str:
        """As the id of an event."""
        parts = (self.block, self.log_index, self.block_hash.hex(), self.final, self.told_at)
        return "-".join(str(part) for part in parts)

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position of an id. Raises CursorInvalid."""
        found = _ID.fullmatch(text)
        if found is None:
            raise CursorInvalid
        block, log_index, block_hash, final, told_at = found.groups()
        return cls(int(block), int(log_index), bytes.fromhex(block_hash), int(final), int(told_at))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stream is asked for; empty and None stand for all."""

    kinds: frozenset[str] = frozenset(KINDS)
    org_id: OrgId | None = None
    programme_id: ProgrammeId | None = None


@dataclass(slots=True, eq=False)
class Teller:
    """Tells one stream what happened. `sees` says which operations it may be told of."""

    wanted: Wanted
    sees: Callable[[Connection, bytes], bool]
    position: Position | None = None
    _trail: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=_TRAIL))

    def tell(self, reading: Reading) -> tuple[list[bytes], bool]:
        """The next events, and whether there may be more at once."""
        state = reading.state
        if self.position is None:
            self.position = self._at_cursor(reading, int(reading.now * 1000))
            return [_event("head", self.position.id, _head(state))], False
        told: list[bytes] = []
        if not self._is_on_chain(reading):
            told.append(self._withdraw(reading))
        happened, is_all = self._happened(reading)
        told += happened
        at_end = (self.position.block_hash, self.position.log_index)
        moved = is_all and at_end != (state.cursor.hash, _LAST_LOG)
        if is_all:
            self.position = self._at_cursor(reading, self.position.told_at)
        if moved and "head" in self.wanted.kinds:
            told.append(_event("head", self.position.id, _head(state)))
        if "operation" in self.wanted.kinds:
            told += self._operations(reading.connection)
        return told, not is_all

    def _at_cursor(self, reading: Reading, told_at: int) -> Position:
        cursor = reading.state.cursor
        if not self._trail or self._trail[-1] != (cursor.number, cursor.hash):
            self._trail.append((cursor.number, cursor.hash))
        return position_after(reading.state, told_at)

    def _is_on_chain(self, reading: Reading) -> bool:
        here = self._here
        if here.block > reading.state.cursor.number:
            return False
        return _hash_of(reading.connection, here.block) == here.block_hash

    def _withdraw(self, reading: Reading) -> bytes:
        """Go back to the last block that is still there, and say so."""
        connection, position = reading.connection, self._here
        while self._trail and _hash_of(connection, self._trail[-1][0]) != self._trail[-1][1]:
            self._trail.pop()
        ancestor = min(position.final, reading.state.cursor.number)
        if self._trail:
            ancestor = max(ancestor, self._trail[-1][0])
        block_hash = _hash_of(connection, ancestor)
        self.position = replace(
            position, block=ancestor, log_index=_LAST_LOG, block_hash=block_hash
        )
        gone = {
            "after_block": ancestor,
            "after_entry": last_entry_at(connection, ancestor),
            "reason": "The chain replaced these blocks; what stands there now follows.",
        }
        return _event(WITHDRAWN, self.position.id, gone)

    def _happened(self, reading: Reading) -> tuple[list[bytes], bool]:
        """Entries and memberships' changes in the order of the chain, and whether that is all."""
        found = sorted(self._changes(reading), key=lambda each: each[0])
        is_all = len(found) <= AT_ONCE
        told = []
        for place, kind, view in found[:AT_ONCE]:
            self.position = replace(
                self._here,
                block=place[0],
                log_index=place[1],
                block_hash=_hash_of(reading.connection, place[0]),
                final=reading.state.final_number,
            )
            data = view.__pydantic_serializer__.to_json(view)
            told.append(_raw_event(kind, self.position.id, data))
        return told, is_all

    def _changes(self, reading: Reading) -> Iterator[tuple[tuple[int, int], str, Schema]]:
        connection, moment, here, wanted = (
            reading.connection,
            reading.moment,
            self._here,
            self.wanted,
        )
        if here.block_hash == moment.block_hash and here.log_index == _LAST_LOG:
            return
        if "entry" in wanted.kinds:
            after = last_entry_at(connection, here.block, here.log_index)
            match = EntryFilter(org_id=wanted.org_id, programme_id=wanted.programme_id)
            for entry in list_entries_after(
                connection, moment, match, after=EntryId(after), limit=AT_ONCE + 1
            ):
                yield (entry.block_number, entry.log_index), "entry", EntryView.of(entry)
        if "membership" in wanted.kinds:
            for change in list_changes_after(
                connection,
                moment,
                here.block,
                here.log_index,
                org_id=wanted.org_id,
                programme_id=wanted.programme_id,
                limit=AT_ONCE + 1,
            ):
                place = (change.block_number, change.log_index)
                yield place, "membership", MembershipChangeView.of(change)

    def _operations(self, connection: Connection) -> list[bytes]:
        query = (
            select(operations.c.operation_id, operations.c.updated_at)
            .where(operations.c.updated_at > self._here.told_at)
            .order_by(operations.c.updated_at)
            .limit(AT_ONCE)
        )
        rows = connection.execute(query).all()
        known = list_of(connection, [bytes(row.operation_id) for row in rows])
        told = []
        for row in rows:
            self.position = replace(self._here, told_at=row.updated_at)
            if self.sees(connection, bytes(row.operation_id)):
                view = OperationView.of(known[bytes(row.operation_id)])
                data = view.__pydantic_serializer__.to_json(view)
                told.append(_raw_event("operation", self.position.id, data))
        return told

    @property
    def _here(self) -> Position:
        if self.position is None:
            raise AssertionError("a stream begins somewhere")
        return self.position


def position_after(state: MirrorState, told_at: int) -> Position:
    """Where whoever knows all that is mirrored goes on, and operations up to `told_at`, in
    milliseconds since 1970 UTC."""
    cursor = state.cursor
    return Position(cursor.number, _LAST_LOG, cursor.hash, state.final_number, told_at)


def sees_own(account: bytes) -> Callable[[Connection, bytes], bool]:
    """That an operation was asked for by this account."""
    return lambda connection, operation_id: find_who_asked(connection, operation_id) == account


def _head(state: MirrorState) -> dict[str, Any]:
    return {
        "block_number": state.cursor.number,
        "block_hash": show_bytes(state.cursor.hash),
        "timestamp": show_time(state.cursor.timestamp),
        "final_block": state.final_number,
    }


def _hash_of(connection: Connection, block: int) -> bytes:
    """The hash of a mirrored block; empty for one that is not there."""
    query = select(blocks.c.hash).where(blocks.c.number == block)
    return bytes(connection.execute(query).scalar_one_or_none() or b"")


def _event(kind: str, event_id: str, data: dict[str, Any]) -> bytes:
    return _raw_event(kind, event_id, msgspec.json.encode(data))


def _raw_event(kind: str, event_id: str, data: bytes) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (kind.encode(), event_id.encode(), data)
