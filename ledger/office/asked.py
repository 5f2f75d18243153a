"""What was asked over HTTP, by the caller's own key for it: the same is done once.

A row is written before anything is asked of the outbox, and its operation's id follows from the
account and the key, so that a process that died in between is repeated under the same id. A request
that was refused leaves no row: nothing was done, and the same key may be tried again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, select, update

from ledger.domain.operations import derive_operation_id
from ledger.errors import IdempotencyConflict, IdempotencyInFlight
from ledger.office.rows import insert_ignoring
from ledger.store.office_tables import asked_operations

_AT_ONCE = 500
"""Operations that one statement asks for."""

PURPOSE = "moonlake operation asked over HTTP"
ERASED = bytes(32)
"""Stands for the hash of a body whose organisation was erased: a hash over names can be found again
by trying names. A repetition is then known by its key alone."""

ABANDONED_MILLISECONDS = 120_000
"""After which a request that was never finished is taken to be of a process that died."""


class Stage(StrEnum):
    """How far a request is."""

    WORKING = "working"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: who asked for what, and under which operation id it is done."""

    account: bytes
    idempotency_key: str
    body_hash: bytes
    operation_id: bytes
    command: str
    programme_id: int
    credits: int
    asked_at: int
    stage: Stage


def operation_id_of(genesis_hash: bytes, account: bytes, idempotency_key: str) -> bytes:
    """The operation id of what an account asks for under its key.

    It stands on the chain, so whoever knows account and key can show that the account asked.
    """
    return derive_operation_id(PURPOSE, genesis_hash, account, idempotency_key.encode("utf-8"))


def claim(connection: Connection, asked: Asked) -> bool:
    """Write down that a request is worked on; False where the same was accepted before.

    Raises IdempotencyConflict where the key was used for something else, and IdempotencyInFlight
    where the same request is worked on now.
    """
    if insert_ignoring(connection, asked_operations, _row(asked)):
        return True
    found = find_asked(connection, asked.account, asked.idempotency_key)
    if found is None:  # it was refused between the two statements
        raise IdempotencyInFlight(key=asked.idempotency_key)
    if found.body_hash not in (asked.body_hash, ERASED):
        raise IdempotencyConflict(key=asked.idempotency_key)
    if found.stage is Stage.ACCEPTED:
        return False
    taken = connection.execute(
        update(asked_operations)
        .where(
            *_is(asked),
            asked_operations.c.asked_at == found.asked_at,
            asked_operations.c.asked_at <= asked.asked_at - ABANDONED_MILLISECONDS,
        )
        .values(asked_at=asked.asked_at)
    )
    if taken.rowcount != 1:
        raise IdempotencyInFlight(key=asked.idempotency_key)
    return True


def mark_accepted(connection: Connection, asked: Asked) -> None:
    """Say that the outbox has it."""
    connection.execute(
        update(asked_operations).where(*_is(asked)).values(state=Stage.ACCEPTED.value)
    )


def forget(connection: Connection, asked: Asked) -> None:
    """Take back what was refused."""
    connection.execute(
        delete(asked_operations).where(*_is(asked), asked_operations.c.state == Stage.WORKING.value)
    )


def forget_abandoned(connection: Connection, operation_id: bytes, *, now: int) -> bool:
    """Take back a request for an operation whose process died over it; whether there was one.

    `now` is in milliseconds since 1970 UTC.
    """
    done = connection.execute(
        delete(asked_operations).where(
            asked_operations.c.operation_id == operation_id,
            asked_operations.c.state == Stage.WORKING.value,
            asked_operations.c.asked_at <= now - ABANDONED_MILLISECONDS,
        )
    )
    return done.rowcount == 1


def note_written(connection: Connection, asked: Asked) -> None:
    """Write down who asks for an operation that is written down in the same transaction.

    Whoever asked for it before, and had it taken back unsent, asks for it no more.
    """
    connection.execute(
        delete(asked_operations).where(asked_operations.c.operation_id == asked.operation_id)
    )
    connection.execute(asked_operations.insert().values(**_row(asked)))


def note_replaced(connection: Connection, operation_id: bytes, by: bytes, *, now: int) -> None:
    """Have whoever asked for an operation have asked for the one in its place, whose credits were
    counted with the first. `now` is in milliseconds since 1970 UTC."""
    query = select(asked_operations).where(asked_operations.c.operation_id == operation_id)
    row = connection.execute(query).one_or_none()
    if row is not None:
        key = f"import {by.hex()}"
        asked = replace(_asked(row), operation_id=by, credits=0, asked_at=now)
        note_written(connection, replace(asked, idempotency_key=key))


def find_asked(connection: Connection, account: bytes, idempotency_key: str) -> Asked | None:
    """What an account asked for under a key, if it did."""
    query = select(asked_operations).where(
        asked_operations.c.account == account,
        asked_operations.c.idempotency_key == idempotency_key,
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _asked(row)


def find_who_asked(connection: Connection, operation_id: bytes) -> bytes | None:
    """The account that asked for an operation over HTTP; None where nobody did."""
    query = select(asked_operations.c.account).where(
        asked_operations.c.operation_id == operation_id
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def programmes_asked_for(connection: Connection, operation_ids: Collection[bytes]) -> set[int]:
    """The programmes that some operations were asked for; 0 stands for the whole alliance."""
    found: set[int] = set()
    wanted = list(operation_ids)
    for begin in range(0, len(wanted), _AT_ONCE):
        some = wanted[begin : begin + _AT_ONCE]
        query = select(asked_operations.c.programme_id).where(
            asked_operations.c.operation_id.in_(some)
        )
        found.update(connection.execute(query.distinct()).scalars())
    return found


def select_asked_by(account: bytes) -> Select[tuple[bytes]]:
    """The query for the ids of the operations that an account asked for."""
    return select(asked_operations.c.operation_id).where(asked_operations.c.account == account)


def list_asked_by(connection: Connection, account: bytes, *, limit: int) -> tuple[bytes, ...]:
    """The operations that an account asked for, the newest first."""
    query = (
        select(asked_operations.c.operation_id)
        .where(asked_operations.c.account == account)
        .order_by(asked_operations.c.asked_at.desc(), asked_operations.c.operation_id)
        .limit(limit)
    )
    return tuple(bytes(row.operation_id) for row in connection.execute(query))


def forget_bodies(connection: Connection, operation_ids: Collection[bytes]) -> None:
    """Take away by what the bodies of these operations' requests would be known again."""
    for operation_id in operation_ids:
        connection.execute(
            update(asked_operations)
            .where(asked_operations.c.operation_id == operation_id)
            .values(body_hash=ERASED)
        )


def credits_asked_for(
    connection: Connection, account: bytes, programme_id: int, *, since: int
) -> int:
    """The credits that an account's awards in a programme come to, asked for from a time on.

    `since` is in milliseconds since 1970 UTC. Those that failed later count: nobody gets more than
    his budget by asking for what fails.
    """
    query = select(func.coalesce(func.sum(asked_operations.c.credits), 0)).where(
        asked_operations.c.account == account,
        asked_operations.c.programme_id == programme_id,
        asked_operations.c.asked_at >= since,
    )
    return int(connection.execute(query).scalar_one())


def _is(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    return (
        asked_operations.c.account == asked.account,
        asked_operations.c.idempotency_key == asked.idempotency_key,
    )


def _row(asked: Asked) -> dict[str, object]:
    return {
        "account": asked.account,
        "idempotency_key": asked.idempotency_key,
        "body_hash": asked.body_hash,
        "operation_id": asked.operation_id,
        "command": asked.command,
        "programme_id": asked.programme_id,
        "credits": asked.credits,
        "asked_at": asked.asked_at,
        "state": asked.stage.value,
    }


def _asked(row: Row[Any]) -> Asked:
    return Asked(
        account=bytes(row.account),
        idempotency_key=row.idempotency_key,
        body_hash=bytes(row.body_hash),
        operation_id=bytes(row.operation_id),
        command=row.command,
        programme_id=row.programme_id,
        credits=row.credits,
        asked_at=row.asked_at,
        stage=Stage(row.state),
    )
