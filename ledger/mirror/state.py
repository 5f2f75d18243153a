"""The mirror's one row about itself: which chain, how far, and whether it halted.

Whoever writes it says what the row held when the work began. Where another process has changed it
since, nothing is written and `Overtaken` is raised: so two mirrors on one database, or a rebuild
beside a follower, cannot mix what they do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Update, select, update

from ledger.chain.logs import JournalCursor
from ledger.domain.ids import BlockNumber, Sequence
from ledger.errors import LedgerError, MirrorEmpty
from ledger.mirror.marks import BlockMark
from ledger.store.bulk import insert_rows
from ledger.store.mirror_tables import SCHEMA_VERSION, mirror_state, mirror_tallies

ROW = 1

Fence = Callable[[Connection], None]
"""What a transaction that writes begins with: it raises where another mirror leads by now."""


def unfenced(_connection: Connection) -> None:
    """The fence of a database that nobody else can know of."""


class Overtaken(Exception):
    """Another process has moved the mirror since this one looked; look again."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the mirror stopped: an error's code and sentence, the block, and when in milliseconds."""

    code: str
    reason: str
    block: BlockNumber
    at: int


@dataclass(frozen=True, slots=True)
class MirrorState:
    """What the mirror knows of itself. `looked_at` is in milliseconds since 1970 UTC.

    `cursor` is the last block applied, `final_number` the highest that may no longer be
    reorganised, `head_number` the chain's head at the last look. `generation` counts rebuilds.
    """

    schema_version: int
    chain_id: int
    genesis_hash: bytes
    deployment: bytes
    first_block: BlockNumber
    cursor: BlockMark
    final_number: BlockNumber
    generation: int
    head_number: BlockNumber
    looked_at: int
    halt: Halt | None

    @property
    def lag(self) -> int:
        """How many blocks the cursor is behind the head of the last look."""
        return max(0, self.head_number - self.cursor.number)


def read_state(connection: Connection) -> MirrorState:
    """The mirror's state. Raises MirrorEmpty where the database holds none."""
    row = connection.execute(select(mirror_state)).one_or_none()
    if row is None:
        raise MirrorEmpty()
    return MirrorState(
        schema_version=row.schema_version,
        chain_id=row.chain_id,
        genesis_hash=bytes(row.genesis_hash),
        deployment=bytes(row.deployment),
        first_block=row.first_block,
        cursor=BlockMark(row.cursor_number, bytes(row.cursor_hash), row.cursor_timestamp),
        final_number=row.final_number,
        generation=row.generation,
        head_number=row.head_number,
        looked_at=row.looked_at,
        halt=_halt(row),
    )


def write_first_state(connection: Connection, state: MirrorState) -> None:
    """Write the state of a mirror that begins. Its table must be empty."""
    mark = state.cursor
    row = (
        ROW,
        state.schema_version,
        state.chain_id,
        state.genesis_hash,
        state.deployment,
        state.first_block,
        mark.number,
        mark.hash,
        mark.timestamp,
        state.final_number,
        state.generation,
        state.head_number,
        state.looked_at,
        None,
        None,
        None,
        None,
    )
    insert_rows(connection, mirror_state, [row])


def advance(
    connection: Connection,
    before: MirrorState,
    *,
    cursor: BlockMark,
    final_number: int,
    head_number: int,
) -> None:
    """Move the cursor, in the transaction that writes the rows up to it.

    `before` is the state that the work began with. Raises Overtaken where it no longer holds.
    """
    changed = connection.execute(
        _unchanged(before).values(
            cursor_number=cursor.number,
            cursor_hash=cursor.hash,
            cursor_timestamp=cursor.timestamp,
            final_number=final_number,
            head_number=head_number,
            looked_at=now_in_milliseconds(),
            halted_code=None,
            halted_reason=None,
            halted_block=None,
            halted_at=None,
        )
    )
    if changed.rowcount != 1:
        raise Overtaken


def record_look(connection: Connection, before: MirrorState, *, head_number: int) -> None:
    """Write down that the chain was looked at just now, all being well.

    Raises Overtaken where `before` no longer holds.
    """
    changed = connection.execute(
        _unchanged(before).values(
            head_number=head_number,
            looked_at=now_in_milliseconds(),
            halted_code=None,
            halted_reason=None,
            halted_block=None,
            halted_at=None,
        )
    )
    if changed.rowcount != 1:
        raise Overtaken


def record_halt(connection: Connection, error: LedgerError) -> None:
    """Write down why the mirror stops. The cursor stays where it is.

    The tables of another release are not this one's to judge.
    """
    block = error.values.get("block")
    connection.execute(
        update(mirror_state)
        .where(mirror_state.c.schema_version == SCHEMA_VERSION)
        .values(
            halted_code=error.code,
            halted_reason=str(error),
            halted_block=block if isinstance(block, int) else mirror_state.c.cursor_number,
            halted_at=now_in_milliseconds(),
        )
    )


@dataclass(frozen=True, slots=True)
class Tallies:
    """What was done to this database since its mirror began, and how far that led each journal."""

    journals: Mapping[bytes, JournalCursor]
    commits: int
    applied_logs: int
    reorganisations: int


NO_TALLIES = Tallies({}, 0, 0, 0)
"""Those of a mirror that was begun by a release which kept none."""


def count_commit(
    connection: Connection,
    journals: Mapping[bytes, JournalCursor],
    logs: int,
    *,
    reorganised: bool,
) -> None:
    """Count a commit of so many logs, and write down how far each contract's journal then is."""
    tallies = mirror_tallies.c
    values = {
        tallies.journals: _encode_journals(journals),
        tallies.commits: tallies.commits + 1,
        tallies.applied_logs: tallies.applied_logs + logs,
        tallies.reorganisations: tallies.reorganisations + int(reorganised),
    }
    changed = connection.execute(update(mirror_tallies).values(values))
    if changed.rowcount == 0:
        row = (ROW, _encode_journals(journals), 1, logs, int(reorganised))
        insert_rows(connection, mirror_tallies, [row])


def read_tallies(connection: Connection) -> Tallies:
    """What was counted so far; NO_TALLIES before the first commit."""
    row = connection.execute(select(mirror_tallies)).one_or_none()
    if row is None:
        return NO_TALLIES
    journals = _decode_journals(bytes(row.journals))
    return Tallies(journals, row.commits, row.applied_logs, row.reorganisations)


_JOURNAL_BYTES = 60


def _encode_journals(journals: Mapping[bytes, JournalCursor]) -> bytes:
    return b"".join(
        address + cursor.sequence.to_bytes(8, "big") + cursor.head
        for address, cursor in sorted(journals.items())
    )


def _decode_journals(raw: bytes) -> dict[bytes, JournalCursor]:
    parts = (raw[start : start + _JOURNAL_BYTES] for start in range(0, len(raw), _JOURNAL_BYTES))
    return {
        part[:20]: JournalCursor(Sequence(int.from_bytes(part[20:28], "big")), part[28:])
        for part in parts
    }


def now_in_milliseconds() -> int:
    """The time now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _unchanged(before: MirrorState) -> Update:
    """An update of the row, if it still holds what `before` says."""
    return update(mirror_state).where(
        mirror_state.c.cursor_hash == before.cursor.hash,
        mirror_state.c.generation == before.generation,
        # A newer release may have put tables there that this one does not know.
        mirror_state.c.schema_version == before.schema_version,
    )


def _halt(row: Row[tuple[object, ...]]) -> Halt | None:
    if row.halted_code is None:
        return None
    return Halt(row.halted_code, row.halted_reason, row.halted_block, row.halted_at)
