"""What a contract must be shown before it takes back an entry that it does not keep.

The Credits contract keeps heads, not entries: the head after each command's last entry, and after
every 128th. Who names an entry brings it, the head before it, and the hashes of the entries from
there to a head that is kept: all of them of the same command, so that they follow one another. All
of that stands in the mirror's raw logs. The proof is folded here before it is sent, so that a
mirror that is wrong is noticed here and not by the contract.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, tuple_

from ledger.chain.keccak import keccak256
from ledger.domain.events import EntryPosted
from ledger.domain.ids import EntryId
from ledger.errors import JournalBroken, NotFound
from ledger.store.mirror_tables import entries, logs

HEAD_INTERVAL = 128
"""As in Credits.sol."""

_CATEGORY = slice(32, 64)
"""Where an entry's log has its category, which need not be a key."""


@dataclass(frozen=True, slots=True)
class EntryProof:
    """An entry as it was posted, and what leads from it to a head that the contract keeps."""

    entry: EntryPosted
    head_before: bytes
    hashes_after: tuple[bytes, ...]


def prove_entry(connection: Connection, entry_id: EntryId) -> EntryProof:
    """The proof of a mirrored entry. Raises NotFound, and JournalBroken where it does not fold."""
    rows = {row.entry_id: row for row in _around(connection, entry_id)}
    if entry_id not in rows:
        raise NotFound(what="entry", key=entry_id)
    last = _kept_head(rows, entry_id)
    head_before = _head_before(connection, rows[entry_id])
    hashes = tuple(_event_hash(rows[number]) for number in range(entry_id, last + 1))
    head = head_before
    for event_hash in hashes:
        head = keccak256(head + event_hash)
    if head != _head(rows[last]):
        row = rows[last]
        raise JournalBroken(
            block=row.block_number,
            log_index=row.log_index,
            contract="Credits",
            problem=f"the hashes from entry {entry_id} on do not give the head after entry {last}",
        )
    return EntryProof(_entry(rows[entry_id]), head_before, hashes[1:])


def _around(connection: Connection, entry_id: EntryId) -> list[Row[tuple[object, ...]]]:
    """The entry, and those up to the next multiple and one beyond it."""
    query = (
        select(entries, logs.c.contract_id, logs.c.topics, logs.c.data)
        .join(
            logs,
            (logs.c.block_number == entries.c.block_number)
            & (logs.c.log_index == entries.c.log_index),
        )
        .where(entries.c.entry_id.between(entry_id, entry_id + HEAD_INTERVAL))
        .order_by(entries.c.entry_id)
    )
    return list(connection.execute(query).all())


def _head_before(connection: Connection, row: Row[tuple[object, ...]]) -> bytes:
    """The head after the line before an entry's, which may be of a message that was cancelled."""
    query = (
        select(logs.c.data)
        .where(
            logs.c.contract_id == row.contract_id,
            tuple_(logs.c.block_number, logs.c.log_index) < tuple_(row.block_number, row.log_index),
        )
        .order_by(logs.c.block_number.desc(), logs.c.log_index.desc())
        .limit(1)
    )
    before = connection.execute(query).one_or_none()
    return bytes(32) if before is None else _head(before)


def _kept_head(rows: dict[int, Row[tuple[object, ...]]], entry_id: int) -> int:
    """The first entry from `entry_id` on whose head the contract keeps."""
    number = entry_id
    while number % HEAD_INTERVAL:
        after = rows.get(number + 1)
        if after is None or _command(after) != _command(rows[entry_id]):
            break
        number += 1
    return number


def _command(row: Row[tuple[object, ...]]) -> tuple[bytes, bytes]:
    """What an entry was posted by: an operation id is its actor's own."""
    return bytes(row.actor), bytes(row.operation_id)


def _head(row: Row[tuple[object, ...]]) -> bytes:
    return bytes(row.data)[-32:]


def _event_hash(row: Row[tuple[object, ...]]) -> bytes:
    return keccak256(bytes(row.topics) + bytes(row.data)[:-32])


def _entry(row: Row[tuple[object, ...]]) -> EntryPosted:
    return EntryPosted(
        entry_id=row.entry_id,
        programme_id=row.programme_id,
        org_id=row.org_id,
        kind=row.kind,
        category=bytes(row.data)[_CATEGORY],
        amount=row.amount,
        balance_after=row.balance_after,
        evidence=bytes(row.evidence),
        refers_to=row.refers_to,
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
    )
