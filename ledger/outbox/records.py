"""The outbox's rows: reading and writing operations and their attempts.

It knows SQL and no chain. A row is written by the caller's transaction, and only moves forward:
accepted, sent, then included or failed. What an operation asks for never changes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select, text, update

from ledger.errors import LedgerError, NotFound
from ledger.store.bulk import insert_rows
from ledger.store.engine import POSTGRESQL
from ledger.store.outbox_tables import attempts, operations


class State(StrEnum):
    """How far an operation is."""

    ACCEPTED = "accepted"
    """Signed and kept, not yet taken by a node."""
    SENT = "sent"
    """A node took the transaction."""
    INCLUDED = "included"
    """It is in a block and did what was asked."""
    FAILED = "failed"
    """Nothing was done: its transaction reverted, or can never get into a block."""


OPEN = (State.ACCEPTED.value, State.SENT.value)


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked of one contract.

    `command` is the command's name (`award`), `summary` a sentence for people. `operation_id` is
    the 32 bytes that the calldata carry, too.
    """

    operation_id: bytes
    command: str
    summary: str
    contract: str
    calldata: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction that was signed for an operation; `number` counts from 1."""

    number: int
    sender: bytes
    nonce: int
    transaction_hash: bytes
    raw: bytes
    signed_at: int
    block_number: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an operation failed: an error's code, sentence, advice and values."""

    code: str
    sentence: str
    advice: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as it is recorded. Times are milliseconds since 1970 UTC.

    `sender` is the account whose operation it is; nobody else's key ever signs it.
    `first_sequence` and `last_sequence` are the contract's journal lines that it caused; of an
    award, its entries.
    """

    request: Request
    genesis_hash: bytes
    sender: bytes
    state: State
    created_at: int
    updated_at: int
    first_sequence: int | None
    last_sequence: int | None
    failure: Failure | None
    attempts: tuple[Attempt, ...]

    @property
    def last_attempt(self) -> Attempt | None:
        """The attempt that counts; None where the operation was found done on the chain."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, slots=True)
class Settled:
    """Where an operation's transaction was when it was last seen in a block."""

    operation_id: bytes
    transaction_hash: bytes
    block_number: int


def read_operation(connection: Connection, operation_id: bytes) -> Operation:
    """An operation with its attempts. Raises NotFound."""
    found = find_operation(connection, operation_id)
    if found is None:
        raise NotFound(what="operation", key="0x" + operation_id.hex())
    return found


def find_operation(connection: Connection, operation_id: bytes) -> Operation | None:
    """An operation with its attempts, if it is recorded."""
    query = select(operations).where(operations.c.operation_id == operation_id)
    row = connection.execute(query).one_or_none()
    return _operations(connection, [row])[0] if row is not None else None


def list_operations(
    connection: Connection, *, state: State | None = None, limit: int = 50
) -> tuple[Operation, ...]:
    """The latest operations, newest first."""
    query = select(operations).order_by(
        operations.c.created_at.desc(), operations.c.operation_id.desc()
    )
    if state is not None:
        query = query.where(operations.c.state == state.value)
    return tuple(_operations(connection, connection.execute(query.limit(limit)).all()))


def list_senders(connection: Connection, genesis_hash: bytes) -> tuple[bytes, ...]:
    """Every account that something was signed for on this chain."""
    query = (
        select(attempts.c.sender)
        .join(operations, operations.c.operation_id == attempts.c.operation_id)
        .where(operations.c.genesis_hash == genesis_hash)
        .distinct()
        .order_by(attempts.c.sender)
    )
    return tuple(bytes(row.sender) for row in connection.execute(query))


def list_unsettled(
    connection: Connection, genesis_hash: bytes, sender: bytes, nonce: int
) -> tuple[Operation, ...]:
    """What the chain may not have done, in the order in which it must be sent.

    `nonce` is how many transactions the chain has of this account. An operation is among them
    where it is open, and where it was included but its nonce is still free: a chain can lose its
    last blocks.
    """
    last = attempts.alias()
    last_number = (
        select(func.max(last.c.number))
        .where(last.c.operation_id == operations.c.operation_id)
        .correlate(operations)
        .scalar_subquery()
    )
    query = (
        select(operations)
        .join(attempts, attempts.c.operation_id == operations.c.operation_id)
        .where(
            operations.c.genesis_hash == genesis_hash,
            attempts.c.sender == sender,
            attempts.c.number == last_number,
            operations.c.state.in_(OPEN)
            | ((operations.c.state == State.INCLUDED.value) & (attempts.c.nonce >= nonce)),
        )
        .order_by(attempts.c.nonce)
    )
    return tuple(_operations(connection, connection.execute(query).all()))


def list_settled_since(
    connection: Connection, genesis_hash: bytes, block_number: int
) -> tuple[Settled, ...]:
    """The operations whose last attempt is in this block or a later one, in order of nonces."""
    newer = attempts.alias()
    query = (
        select(operations.c.operation_id, attempts.c.transaction_hash, attempts.c.block_number)
        .join(attempts, attempts.c.operation_id == operations.c.operation_id)
        .where(
            operations.c.genesis_hash == genesis_hash,
            operations.c.state.not_in(OPEN),
            attempts.c.block_number >= block_number,
            ~exists().where(
                newer.c.operation_id == attempts.c.operation_id,
                newer.c.number > attempts.c.number,
            ),
        )
        .order_by(attempts.c.sender, attempts.c.nonce)
    )
    return tuple(
        Settled(bytes(row.operation_id), bytes(row.transaction_hash), int(row.block_number))
        for row in connection.execute(query)
    )


def lock_sender(connection: Connection, sender: bytes) -> None:
    """Let one transaction at a time choose a nonce of this key.

    On SQLite a writing transaction is alone anyway.
    """
    if connection.dialect.name == POSTGRESQL:
        lock = int.from_bytes(sender[:8], "big", signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def next_own_nonce(connection: Connection, genesis_hash: bytes, sender: bytes) -> int:
    """One above the highest nonce that was signed with this key and not in vain; 0 for none."""
    query = (
        select(func.max(attempts.c.nonce))
        .join(operations, operations.c.operation_id == attempts.c.operation_id)
        .where(
            attempts.c.sender == sender,
            operations.c.genesis_hash == genesis_hash,
            operations.c.state != State.FAILED.value,
        )
    )
    highest = connection.execute(query).scalar_one()
    return int(highest) + 1 if highest is not None else 0


def insert_operation(connection: Connection, operation: Operation) -> None:
    """Write a new operation, with its attempts."""
    request = operation.request
    row = (
        request.operation_id,
        operation.genesis_hash,
        request.command,
        request.summary,
        request.contract,
        request.calldata,
        operation.sender,
        operation.state.value,
        operation.created_at,
        operation.updated_at,
        operation.first_sequence,
        operation.last_sequence,
        None,
    )
    insert_rows(connection, operations, [row])
    for attempt in operation.attempts:
        insert_attempt(connection, request.operation_id, attempt)


def insert_attempt(connection: Connection, operation_id: bytes, attempt: Attempt) -> None:
    """Write a signed transaction; nothing of it may be broadcast before this is committed."""
    row = (
        operation_id,
        attempt.number,
        attempt.sender,
        attempt.nonce,
        attempt.transaction_hash,
        attempt.raw,
        attempt.signed_at,
        attempt.block_number,
    )
    insert_rows(connection, attempts, [row])


def mark_open(connection: Connection, operation_id: bytes, state: State, *, at: int) -> None:
    """Record that the operation is on its way (again): accepted or sent."""
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(
            state=state.value, updated_at=at, error=None, first_sequence=None, last_sequence=None
        )
    )
    connection.execute(
        update(attempts).where(attempts.c.operation_id == operation_id).values(block_number=None)
    )


def mark_included(
    connection: Connection,
    operation_id: bytes,
    *,
    block_number: int,
    lines: tuple[int, int],
    at: int,
) -> None:
    """Record that the operation was done in a block, and the journal lines that it caused."""
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(
            state=State.INCLUDED.value,
            updated_at=at,
            first_sequence=lines[0],
            last_sequence=lines[1],
            error=None,
        )
    )
    _mark_block(connection, operation_id, block_number)


def mark_failed(
    connection: Connection,
    operation_id: bytes,
    error: LedgerError,
    *,
    block_number: int | None,
    at: int,
) -> None:
    """Record that nothing was done, and why."""
    described = {
        "code": error.code,
        "sentence": str(error),
        "advice": error.advice,
        "values": dict(error.facts),
    }
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(
            state=State.FAILED.value,
            updated_at=at,
            error=json.dumps(described, ensure_ascii=False, sort_keys=True, default=str),
        )
    )
    if block_number is not None:
        _mark_block(connection, operation_id, block_number)


def _mark_block(connection: Connection, operation_id: bytes, block_number: int) -> None:
    """The block of the last attempt, which is the one that got in."""
    last = (
        select(func.max(attempts.c.number))
        .where(attempts.c.operation_id == operation_id)
        .scalar_subquery()
    )
    connection.execute(
        update(attempts)
        .where(attempts.c.operation_id == operation_id, attempts.c.number == last)
        .values(block_number=block_number)
    )


def _operations(connection: Connection, rows: Sequence[Row[Any]]) -> list[Operation]:
    found = _attempts_of(connection, [bytes(row.operation_id) for row in rows])
    return [_operation(row, found.get(bytes(row.operation_id), ())) for row in rows]


_IDS_AT_ONCE = 500


def _attempts_of(
    connection: Connection, operation_ids: Sequence[bytes]
) -> dict[bytes, tuple[Attempt, ...]]:
    found: dict[bytes, tuple[Attempt, ...]] = {}
    for start in range(0, len(operation_ids), _IDS_AT_ONCE):
        query = (
            select(attempts)
            .where(attempts.c.operation_id.in_(operation_ids[start : start + _IDS_AT_ONCE]))
            .order_by(attempts.c.operation_id, attempts.c.number)
        )
        for row in connection.execute(query):
            key = bytes(row.operation_id)
            found[key] = (*found.get(key, ()), _attempt(row))
    return found


def _operation(row: Row[Any], signed: tuple[Attempt, ...]) -> Operation:
    return Operation(
        request=Request(
            bytes(row.operation_id), row.command, row.summary, row.contract, bytes(row.calldata)
        ),
        genesis_hash=bytes(row.genesis_hash),
        sender=bytes(row.sender),
        state=State(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        first_sequence=row.first_sequence,
        last_sequence=row.last_sequence,
        failure=Failure(**json.loads(row.error)) if row.error is not None else None,
        attempts=signed,
    )


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        number=row.number,
        sender=bytes(row.sender),
        nonce=row.nonce,
        transaction_hash=bytes(row.transaction_hash),
        raw=bytes(row.raw),
        signed_at=row.signed_at,
        block_number=row.block_number,
    )
