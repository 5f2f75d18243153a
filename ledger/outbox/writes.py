"""Writes the outbox's rows, many at once. Each function works in its caller's transaction.

Who writes what: anybody accepts an operation, asks for its cancelling, and takes back what is in no
block any more; all else that happens to an open operation is written by the holder of its sender's
lease, in a transaction that `leases.hold` began.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from ledger.errors import LedgerError
from ledger.outbox.records import OPEN, Attempt, Operation, State
from ledger.store.bulk import insert_rows
from ledger.store.outbox_tables import attempts, operations


def insert_operation(connection: Connection, operation: Operation) -> None:
    """Write a new operation with its attempts."""
    insert_operations(connection, [operation])
    insert_attempts(
        connection, [(operation.request.operation_id, each) for each in operation.attempts]
    )


def insert_operations(connection: Connection, new: Sequence[Operation]) -> None:
    """Write new operations without attempts. Raises IntegrityError where an id is taken."""
    insert_rows(
        connection,
        operations,
        [
            (
                each.request.operation_id,
                each.genesis_hash,
                each.request.command,
                each.request.summary,
                each.request.contract,
                each.request.calldata,
                each.sender,
                each.state.value,
                each.created_at,
                each.updated_at,
                each.first_sequence,
                each.last_sequence,
                None,
                each.gas_limit,
                each.cancel_asked_at,
                each.request.request_id or None,
            )
            for each in new
        ],
    )


def find_taken(connection: Connection, operation_ids: Sequence[bytes]) -> set[bytes]:
    """Those of some ids that are recorded."""
    query = select(operations.c.operation_id).where(operations.c.operation_id.in_(operation_ids))
    return {bytes(row.operation_id) for row in connection.execute(query)}


def insert_attempts(connection: Connection, signed: Sequence[tuple[bytes, Attempt]]) -> None:
    """Write signed transactions, each with its operation's id.

    Nothing of them may be broadcast before this is committed.
    """
    insert_rows(
        connection,
        attempts,
        [
            (
                operation_id,
                attempt.number,
                attempt.sender,
                attempt.nonce,
                attempt.transaction_hash,
                attempt.raw,
                attempt.signed_at,
                attempt.block_number,
                attempt.ended_at,
            )
            for operation_id, attempt in signed
        ],
    )


def reopen(
    connection: Connection, operation: Operation, sender: bytes, *, gas_limit: int | None, at: int
) -> bool:
    """Accept a failed operation once more, as this sender's; False where another was faster."""
    return (
        connection.execute(
            update(operations)
            .where(
                operations.c.operation_id == operation.request.operation_id,
                operations.c.state == operation.state.value,
                operations.c.updated_at == operation.updated_at,
            )
            .values(
                sender=sender,
                state=State.ACCEPTED.value,
                updated_at=at,
                error=None,
                gas_limit=gas_limit,
                cancel_asked_at=None,
            )
        ).rowcount
        == 1
    )


def take_back(connection: Connection, operation_id: bytes, block_number: int, *, at: int) -> bool:
    """Say that the block it was in is gone; False where somebody else said so before.

    Its transaction is live again: the same bytes can get into another block.
    """
    found = connection.execute(
        update(attempts)
        .where(attempts.c.operation_id == operation_id, attempts.c.block_number == block_number)
        .values(block_number=None, ended_at=None)
    )
    if found.rowcount == 0:
        return False
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(
            state=State.SENT.value,
            updated_at=at,
            error=None,
            first_sequence=None,
            last_sequence=None,
        )
    )
    return True


def ask_to_cancel(connection: Connection, operation_id: bytes, *, at: int) -> bool:
    """Note that an operation is to be cancelled; False where it is not open any more."""
    return (
        connection.execute(
            update(operations)
            .where(operations.c.operation_id == operation_id, operations.c.state.in_(OPEN))
            .values(cancel_asked_at=at, updated_at=at)
        ).rowcount
        == 1
    )


def mark_sent(connection: Connection, operation_ids: Sequence[bytes], *, at: int) -> None:
    """Record that a node took them."""
    _many(
        connection,
        update(operations)
        .where(
            operations.c.operation_id == bindparam("id"),
            operations.c.state == State.ACCEPTED.value,
        )
        .values(state=State.SENT.value, updated_at=at),
        [{"id": each} for each in operation_ids],
    )


def mark_included(connection: Connection, included: Sequence[Operation]) -> None:
    """Record operations as they are now that an attempt of theirs is in a block."""
    in_blocks = ((each.request.operation_id, each.last_attempt) for each in included)
    _mark_blocks(
        connection,
        [
            (id_, attempt.number, attempt.block_number)
            for id_, attempt in in_blocks
            if attempt is not None and attempt.block_number is not None
        ],
    )
    _many(
        connection,
        update(operations)
        .where(operations.c.operation_id == bindparam("id"))
        .values(
            state=bindparam("now"),
            updated_at=bindparam("at"),
            error=None,
            first_sequence=bindparam("first"),
            last_sequence=bindparam("last"),
        ),
        [
            {
                "id": each.request.operation_id,
                "now": each.state.value,
                "at": each.updated_at,
                "first": each.first_sequence,
                "last": each.last_sequence,
            }
            for each in included
        ],
    )


def mark_cancelled(
    connection: Connection,
    operation_id: bytes,
    *,
    in_block: tuple[int, int] | None = None,
    at: int,
) -> None:
    """Record that it was cancelled, by the attempt of this number in this block if by any."""
    if in_block is not None:
        _mark_blocks(connection, [(operation_id, *in_block)])
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(state=State.CANCELLED.value, updated_at=at, error=None)
    )


def mark_failed(
    connection: Connection,
    operation_id: bytes,
    error: LedgerError,
    *,
    in_block: tuple[int, int] | None = None,
    at: int,
) -> None:
    """Record that nothing was done, and why; `in_block` as for `mark_cancelled`."""
    if in_block is not None:
        _mark_blocks(connection, [(operation_id, *in_block)])
    end_attempts(connection, operation_id, at=at)
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(state=State.FAILED.value, updated_at=at, error=describe_error(error))
    )


def mark_unsigned(connection: Connection, operation_id: bytes, *, at: int) -> None:
    """Take an operation back to where nothing is signed for it: another has its nonce."""
    end_attempts(connection, operation_id, at=at)
    connection.execute(
        update(operations)
        .where(operations.c.operation_id == operation_id)
        .values(state=State.ACCEPTED.value, updated_at=at)
    )


def mark_final(connection: Connection, operation_ids: Sequence[bytes], *, at: int) -> None:
    """Record that no reorganisation can take them back any more."""
    _many(
        connection,
        update(operations)
        .where(
            operations.c.operation_id == bindparam("id"),
            operations.c.state == State.INCLUDED.value,
        )
        .values(state=State.FINAL.value, updated_at=at),
        [{"id": each} for each in operation_ids],
    )


def end_attempts(connection: Connection, operation_id: bytes, *, at: int) -> None:
    """Give up what was signed for an operation."""
    connection.execute(
        update(attempts)
        .where(attempts.c.operation_id == operation_id, attempts.c.ended_at.is_(None))
        .values(ended_at=at)
    )


def describe_error(error: LedgerError) -> str:
    """An error as it is kept: JSON."""
    described = {
        "code": error.code,
        "sentence": str(error),
        "advice": error.advice,
        "values": dict(error.facts),
    }
    return json.dumps(described, ensure_ascii=False, sort_keys=True, default=str)


def _mark_blocks(connection: Connection, found: Sequence[tuple[bytes, int, int]]) -> None:
    _many(
        connection,
        update(attempts)
        .where(attempts.c.operation_id == bindparam("id"), attempts.c.number == bindparam("which"))
        .values(block_number=bindparam("block")),
        [{"id": id_, "which": number, "block": block} for id_, number, block in found],
    )


def _many(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
