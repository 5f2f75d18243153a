"""The outbox's rows as values: what an operation is, how far it is, and how they are read.

It knows SQL and no chain. An operation goes from accepted by sent to included and final, or ends as
failed or cancelled; a reorganisation can take it back to sent. What it asks for never changes.
`ledger.outbox.writes` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from ledger.errors import NotFound
from ledger.store.outbox_tables import attempts, operations


class State(StrEnum):
    """How far an operation is."""

    ACCEPTED = "accepted"
    """Checked and kept; it may be signed, and no node has taken it yet."""
    SENT = "sent"
    """A node took the transaction."""
    INCLUDED = "included"
    """It is in a block and did what was asked; a reorganisation may still take it back."""
    FINAL = "final"
    """It did what was asked, in a block that no reorganisation can replace any more."""
    FAILED = "failed"
    """Nothing was done: its transaction reverted, or can never get into a block."""
    CANCELLED = "cancelled"
    """Nothing was done, and nothing will be: whoever asked for it took it back."""


OPEN = (State.ACCEPTED.value, State.SENT.value)
DONE = (State.INCLUDED.value, State.FINAL.value)


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked of one contract.

    `command` is the command's name (`award`), `summary` a sentence for people. `operation_id` is
    the 32 bytes that the calldata carry, too. `request_id` is that of the HTTP request which asked
    for it first, empty where none did.
    """

    operation_id: bytes
    command: str
    summary: str
    contract: str
    calldata: bytes
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction that was signed for an operation; `number` counts from 1.

    It is over at `ended_at` (milliseconds): it reverted, or another has its nonce.
    """

    number: int
    sender: bytes
    nonce: int
    transaction_hash: bytes
    raw: bytes
    signed_at: int
    block_number: int | None
    ended_at: int | None = None


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
    gas_limit: int | None = None
    cancel_asked_at: int | None = None

    @property
    def last_attempt(self) -> Attempt | None:
        """The attempt that counts: the one in a block, else the newest; None for none."""
        in_block = [each for each in self.attempts if each.block_number is not None]
        return (in_block or self.attempts or (None,))[-1]

    @property
    def live_attempts(self) -> tuple[Attempt, ...]:
        """Those that may be in a block or get into one; they share a nonce."""
        return tuple(each for each in self.attempts if each.ended_at is None)

    @property
    def is_open(self) -> bool:
        """Whether it is still on its way."""
        return self.state.value in OPEN

    @property
    def is_done(self) -> bool:
        """Whether it did what was asked."""
        return self.state.value in DONE

    def included(self, number: int, block: int, lines: tuple[int, int], *, at: int) -> Operation:
        """The operation once its attempt of this number is in a block, with its journal lines."""
        return replace(
            self,
            state=State.INCLUDED,
            updated_at=at,
            first_sequence=lines[0] or None,
            last_sequence=lines[1] or None,
            failure=None,
            attempts=tuple(
                replace(each, block_number=block) if each.number == number else each
                for each in self.attempts
            ),
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """Where an operation's transaction was when it was last seen in a block."""

    operation_id: bytes
    transaction_hash: bytes
    block_number: int
    state: State


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
    connection: Connection,
    *,
    state: State | None = None,
    among: Select[Any] | None = None,
    before: tuple[int, bytes] | None = None,
    limit: int = 50,
) -> tuple[Operation, ...]:
    """The latest operations, newest first.

    `among` selects the ids that are asked for, and `before` is the time (`created_at`) and id of
    the operation that they come after in the list.
    """
    query = select(operations).order_by(
        operations.c.created_at.desc(), operations.c.operation_id.desc()
    )
    if state is not None:
        query = query.where(operations.c.state == state.value)
    if among is not None:
        query = query.where(operations.c.operation_id.in_(among))
    if before is not None:
        place = tuple_(operations.c.created_at, operations.c.operation_id)
        query = query.where(place < tuple_(*before))
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


def list_open(
    connection: Connection,
    genesis_hash: bytes,
    sender: bytes,
    *,
    limit: int,
    known: Mapping[bytes, Operation] | None = None,
) -> tuple[Operation, ...]:
    """What is on its way for an account: those that are signed by nonce, then the oldest others.

    `known` are operations as they were read or written before; one that nobody changed since is not
    read again. Only who holds the account's lease knows its attempts without looking.
    """
    nonce = (
        select(func.min(attempts.c.nonce))
        .where(attempts.c.operation_id == operations.c.operation_id, attempts.c.ended_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(*_MARKS)
        .where(
            operations.c.genesis_hash == genesis_hash,
            operations.c.sender == sender,
            operations.c.state.in_(OPEN),
        )
        .order_by(
            nonce.is_(None),
            nonce,
            operations.c.created_at,
            operations.c.operation_id,
        )
        .limit(limit)
    )
    before = known or {}
    marks = {bytes(row[0]): tuple(row[1:]) for row in connection.execute(query)}
    changed = [id_ for id_, mark in marks.items() if _mark_of(before.get(id_)) != mark]
    found = list_of(connection, changed)
    return tuple(found.get(id_) or before[id_] for id_ in marks)


_MARKS = (
    operations.c.operation_id,
    operations.c.state,
    operations.c.updated_at,
    operations.c.cancel_asked_at,
)
"""What changes in the row of an operation that is on its way."""


def _mark_of(operation: Operation | None) -> tuple[str, int, int | None] | None:
    if operation is None:
        return None
    return (operation.state.value, operation.updated_at, operation.cancel_asked_at)


def list_signed_senders(connection: Connection, genesis_hash: bytes) -> tuple[bytes, ...]:
    """Every account that has something signed and on its way on this chain."""
    query = (
        select(attempts.c.sender)
        .join(operations, operations.c.operation_id == attempts.c.operation_id)
        .where(
            operations.c.genesis_hash == genesis_hash,
            operations.c.state.in_(OPEN),
            attempts.c.ended_at.is_(None),
        )
        .distinct()
        .order_by(attempts.c.sender)
    )
    return tuple(bytes(row.sender) for row in connection.execute(query))


def list_of(connection: Connection, operation_ids: Sequence[bytes]) -> dict[bytes, Operation]:
    """Operations by their ids; those that are not recorded are left out."""
    found: dict[bytes, Operation] = {}
    for start in range(0, len(operation_ids), _IDS_AT_ONCE):
        some = operation_ids[start : start + _IDS_AT_ONCE]
        rows = connection.execute(
            select(operations).where(operations.c.operation_id.in_(some))
        ).all()
        found |= {each.request.operation_id: each for each in _operations(connection, rows)}
    return found


def list_settled_since(
    connection: Connection, genesis_hash: bytes, block_number: int
) -> tuple[Settled, ...]:
    """What is in a block and may be taken back: included whenever, else since this block."""
    query = (
        select(
            operations.c.operation_id,
            operations.c.state,
            attempts.c.transaction_hash,
            attempts.c.block_number,
        )
        .join(attempts, attempts.c.operation_id == operations.c.operation_id)
        .where(
            operations.c.genesis_hash == genesis_hash,
            attempts.c.block_number.is_not(None),
            (operations.c.state == State.INCLUDED.value)
            | (
                operations.c.state.in_((State.FAILED.value, State.CANCELLED.value))
                & (attempts.c.block_number >= block_number)
            ),
        )
        .order_by(attempts.c.sender, attempts.c.nonce)
    )
    return tuple(
        Settled(
            bytes(row.operation_id),
            bytes(row.transaction_hash),
            int(row.block_number),
            State(row.state),
        )
        for row in connection.execute(query)
    )


def next_own_nonce(connection: Connection, genesis_hash: bytes, sender: bytes) -> int:
    """One above the highest nonce that was signed with this key and not in vain; 0 for none."""
    query = (
        select(attempts.c.nonce)
        .join(operations, operations.c.operation_id == attempts.c.operation_id)
        .where(
            attempts.c.sender == sender,
            operations.c.genesis_hash == genesis_hash,
            attempts.c.ended_at.is_(None),
        )
        .order_by(attempts.c.nonce.desc())
        .limit(1)
    )
    highest = connection.execute(query).scalar_one_or_none()
    return int(highest) + 1 if highest is not None else 0


_IDS_AT_ONCE = 500


def _operations(connection: Connection, rows: Sequence[Row[Any]]) -> list[Operation]:
    found = _attempts_of(connection, [bytes(row.operation_id) for row in rows])
    return [_operation(row, found.get(bytes(row.operation_id), ())) for row in rows]


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
            bytes(row.operation_id),
            row.command,
            row.summary,
            row.contract,
            bytes(row.calldata),
            row.request_id or "",
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
        gas_limit=row.gas_limit,
        cancel_asked_at=row.cancel_asked_at,
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
        ended_at=row.ended_at,
    )
