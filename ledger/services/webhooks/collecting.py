"""Makes messages of what the chain has said for good, and of what became of operations.

Only what is final is told: a block that no reorganisation can replace, by the settings that the
mirror goes by. So nothing that was told is ever withdrawn. Messages and cursor are written in one
commit, and a message's id follows from the fact, so that a crash tells nothing twice and leaves
nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, insert, select, update

from ledger.domain.events import EntryKind, MembershipStatus
from ledger.mirror.state import MirrorState, read_state
from ledger.office.webhooks.endpoints import list_endpoints
from ledger.office.webhooks.messages import Message, announce
from ledger.store.engine import reading, writing
from ledger.store.mirror_tables import (
    application_declines,
    blocks,
    entries,
    membership_versions,
    mirror_state,
    organisation_versions,
)
from ledger.store.office_tables import webhook_cursor, webhook_endpoints
from ledger.store.outbox_tables import operations

BLOCKS_AT_ONCE = 100
"""Blocks of one commit: of 450 entries each at most."""

_BEFORE_ALL = -1
_SETTLED = ("final", "failed", "cancelled")
_SETTLING_MS = 3_000
_LOOK_BACK_MS = 60_000
"""An operation is looked for from 3 seconds after its own time until a minute later: its commit
takes a while, and clocks of two machines differ. What is seen twice is told once."""


def begin(connection: Connection, *, now: int) -> None:
    """Tell from now on what becomes final, where nothing was told before. `now`: milliseconds."""
    state = _state_or_none(connection)
    genesis = bytes(32) if state is None else state.genesis_hash
    block = _BEFORE_ALL if state is None else _final_block(state)
    _keep(connection, genesis, block, now)


def collect(engine: Engine, *, now: int) -> int:
    """Make messages of all that became final since the last time; how many deliveries.

    `now` is in milliseconds. Where nothing is new it writes nothing.
    """
    made = 0
    while True:
        with reading(engine) as connection:
            if not _has_news(connection, now):
                return made
        with writing(engine) as connection:
            # Two senders at once: the second waits here, and then finds nothing.
            connection.execute(update(webhook_cursor).values(id=1))
            made += _collect_some(connection, now)


def _has_news(connection: Connection, now: int) -> bool:
    if connection.execute(select(webhook_endpoints.c.endpoint_id).limit(1)).first() is None:
        return False
    cursor = connection.execute(select(webhook_cursor)).one_or_none()
    if cursor is None:
        return False
    state = _state_or_none(connection)
    if state is not None and (
        bytes(cursor.genesis_hash) != state.genesis_hash
        or cursor.block_number < _final_block(state)
    ):
        return True
    newer = select(operations.c.operation_id).where(
        operations.c.updated_at > cursor.operations_at,
        operations.c.updated_at <= now - _SETTLING_MS,
        operations.c.state.in_(_SETTLED),
    )
    return connection.execute(newer.limit(1)).first() is not None


def _collect_some(connection: Connection, now: int) -> int:
    cursor = connection.execute(select(webhook_cursor)).one()
    endpoints = list_endpoints(connection)
    state = _state_or_none(connection)
    genesis, block = bytes(cursor.genesis_hash), cursor.block_number
    made = 0
    if state is not None:
        if genesis != state.genesis_hash:
            # Another chain began after the endpoints were there: all of it is news.
            genesis, block = state.genesis_hash, _BEFORE_ALL
        last = _final_block(state)
        if endpoints:
            block = max(block, state.first_block - 1)
            last = min(last, block + BLOCKS_AT_ONCE)
            told = _told_by_blocks(connection, genesis, block + 1, last)
            made += announce(connection, told, now=now, endpoints=endpoints)
        block = max(block, last)
    until = now - _SETTLING_MS
    told_now = _told_by_operations(connection, cursor.operations_at - _LOOK_BACK_MS, until)
    made += announce(connection, told_now, now=now, endpoints=endpoints)
    _keep(connection, genesis, block, max(cursor.operations_at, until))
    return made


def _told_by_blocks(
    connection: Connection, genesis: bytes, first: int, last: int
) -> Iterator[Message]:
    for table, make in (
        (organisation_versions, _organisation),
        (membership_versions, _membership),
        (application_declines, _decline),
        (entries, _entry),
    ):
        for row in _rows_of(connection, table, first, last):
            kind, data = make(row)
            place = {
                "chain_genesis": _hex(genesis),
                "block_number": row.block_number,
                "block_hash": _hex(row.block_hash),
                "log_index": row.log_index,
                "actor": _hex(row.actor),
                "operation_id": _hex(row.operation_id),
            }
            subject = (genesis, row.block_number, row.log_index)
            yield Message(kind, row.block_time, subject, {**data, **place})


def _rows_of(connection: Connection, table: Table, first: int, last: int) -> Iterator[Row[Any]]:
    query = (
        select(table, blocks.c.hash.label("block_hash"), blocks.c.timestamp.label("block_time"))
        .join(blocks, blocks.c.number == table.c.block_number)
        .where(table.c.block_number.between(first, last))
        .order_by(table.c.block_number, table.c.log_index)
    )
    yield from connection.execute(query)


def _entry(row: Row[Any]) -> tuple[str, dict[str, Any]]:
    return "entry.posted", {
        "entry_id": row.entry_id,
        "programme_id": row.programme_id,
        "org_id": row.org_id,
        "kind": EntryKind(row.kind).name.lower(),
        "category": row.category,
        "amount": row.amount,
        "balance_after": row.balance_after,
        "evidence": _hex(row.evidence),
        "refers_to": row.refers_to,
    }


def _membership(row: Row[Any]) -> tuple[str, dict[str, Any]]:
    return f"membership.{row.change}", {
        "programme_id": row.programme_id,
        "org_id": row.org_id,
        "status": MembershipStatus(row.status).name.lower(),
        "tier": row.tier,
        "expires_at": row.expires_at,
        "reason": row.reason,
        "evidence": _hex(row.evidence),
    }


def _decline(row: Row[Any]) -> tuple[str, dict[str, Any]]:
    return "application.declined", {
        "programme_id": row.programme_id,
        "org_id": row.org_id,
        "reason": row.reason,
        "evidence": _hex(row.evidence),
    }


def _organisation(row: Row[Any]) -> tuple[str, dict[str, Any]]:
    return f"organisation.{row.change}", {"org_id": row.org_id, "kind": row.kind}


def _told_by_operations(connection: Connection, since: int, until: int) -> Iterator[Message]:
    table = operations
    query = (
        select(
            table.c.operation_id,
            table.c.genesis_hash,
            table.c.command,
            table.c.contract,
            table.c.state,
            table.c.updated_at,
        )
        .where(
            table.c.updated_at > since,
            table.c.updated_at <= until,
            table.c.state.in_(_SETTLED),
        )
        .order_by(table.c.updated_at)
    )
    for row in connection.execute(query):
        operation_id, genesis = bytes(row.operation_id), bytes(row.genesis_hash)
        data = {
            "operation_id": _hex(operation_id),
            "chain_genesis": _hex(genesis),
            "command": row.command,
            "contract": row.contract,
            "state": row.state,
        }
        kind = f"operation.{row.state}"
        yield Message(kind, row.updated_at // 1000, (genesis, operation_id), data)


def _state_or_none(connection: Connection) -> MirrorState | None:
    if connection.execute(select(mirror_state.c.id)).one_or_none() is None:
        return None
    return read_state(connection)


def _final_block(state: MirrorState) -> int:
    return min(state.final_number, state.cursor.number)


def _keep(connection: Connection, genesis: bytes, block: int, operations_at: int) -> None:
    row = {"genesis_hash": genesis, "block_number": block, "operations_at": operations_at}
    # Not by the office's own way of writing: readers' answers do not depend on it.
    changed = connection.execute(
        update(webhook_cursor).values(**row).returning(webhook_cursor.c.id)
    )
    if changed.one_or_none() is None:
        connection.execute(insert(webhook_cursor).values(id=1, **row))


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()
