"""Imports that somebody asked a server for, which brings them when nobody waits for it.

An order is written in the commit that writes the import down, so that a server which dies in the
next moment is followed by one that finds it. Whoever brings one holds it for some seconds at a
time; when he is dead, another takes it. Should two bring the same, each row is done once all the
same: that is what batches and operations are for, not this.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ledger.errors import LedgerError
from ledger.services.imports.journal import problem_of
from ledger.store.import_tables import import_orders, imports

HELD_MILLISECONDS = 10_000
"""How long one is held without being heard of."""


class Stage(StrEnum):
    """How far an order is. HALTED: it stands still until somebody says to go on."""

    RUNNING = "running"
    HALTED = "halted"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """Who asked for an import, and how it is with it. `code` and `sentence` say why it stands
    still, or why it has to be tried again."""

    import_id: bytes
    account: bytes
    asked_at: int
    stage: Stage
    code: str
    sentence: str
    is_held: bool


def order_import(connection: Connection, import_id: bytes, account: bytes, *, now: int) -> None:
    """Have a server bring an import, in the transaction that writes it down.

    Whoever asked for it stays who did until it is over.
    """
    known = find_order(connection, import_id, now=now)
    if known is not None and known.account != account and known.stage is not Stage.OVER:
        return
    connection.execute(delete(import_orders).where(import_orders.c.import_id == import_id))
    connection.execute(
        import_orders.insert().values(
            import_id=import_id,
            account=account,
            asked_at=now,
            state=Stage.RUNNING.value,
            problem=None,
            held_by="",
            held_until=0,
        )
    )


def find_order(connection: Connection, import_id: bytes, *, now: int) -> ImportOrder | None:
    """The order for an import; None where no server was asked for it."""
    query = select(import_orders).where(import_orders.c.import_id == import_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _order(row, now)


def is_any_left(connection: Connection, *, now: int) -> bool:
    """Whether there is one that is running and that nobody holds: looked at often, and without a
    lock."""
    query = select(import_orders.c.import_id).where(
        import_orders.c.state == Stage.RUNNING.value, import_orders.c.held_until <= now
    )
    return connection.execute(query.limit(1)).first() is not None


def take_order(
    connection: Connection,
    holder: str,
    *,
    genesis_hash: bytes,
    senders: Collection[bytes],
    now: int,
) -> bytes | None:
    """Hold one of this chain that is running, that one of these keys signs and nobody holds; the
    import, None where there is none."""
    query = (
        select(import_orders.c.import_id)
        .join(imports, imports.c.import_id == import_orders.c.import_id)
        .where(imports.c.genesis_hash == genesis_hash, imports.c.sender.in_(senders))
        .where(import_orders.c.state == Stage.RUNNING.value, import_orders.c.held_until <= now)
        .order_by(import_orders.c.asked_at)
        .limit(1)
    )
    import_id = connection.execute(query).scalar_one_or_none()
    if import_id is None:
        return None
    taken = connection.execute(
        update(import_orders)
        .where(
            import_orders.c.import_id == import_id,
            import_orders.c.state == Stage.RUNNING.value,
            import_orders.c.held_until <= now,
        )
        .values(held_by=holder, held_until=now + HELD_MILLISECONDS)
    )
    return bytes(import_id) if taken.rowcount == 1 else None


def hold_on(connection: Connection, import_id: bytes, holder: str, *, now: int) -> bool:
    """Hold it for longer; False where somebody else has it, or it runs no more."""
    held = connection.execute(
        update(import_orders)
        .where(
            import_orders.c.import_id == import_id,
            import_orders.c.held_by == holder,
            import_orders.c.state == Stage.RUNNING.value,
        )
        .values(held_until=now + HELD_MILLISECONDS)
    )
    return held.rowcount == 1


def let_go(
    connection: Connection,
    import_id: bytes,
    holder: str,
    stage: Stage,
    error: LedgerError | None = None,
    *,
    until: int = 0,
) -> None:
    """Say how it is with it, and hold it no longer than `until`."""
    connection.execute(
        update(import_orders)
        .where(import_orders.c.import_id == import_id, import_orders.c.held_by == holder)
        .values(
            state=stage.value,
            problem=None if error is None else problem_of(error),
            held_by="",
            held_until=until,
        )
    )


def set_going(connection: Connection, import_id: bytes, account: bytes, *, now: int) -> None:
    """Go on with one that `account` asked for, and that stands still or has more to do."""
    connection.execute(
        update(import_orders)
        .where(import_orders.c.import_id == import_id, import_orders.c.account == account)
        .where(import_orders.c.state != Stage.RUNNING.value)
        .values(state=Stage.RUNNING.value, problem=None, held_by="", held_until=0, asked_at=now)
    )


def _order(row: Row[Any], now: int) -> ImportOrder:
    told = json.loads(row.problem) if row.problem else {"code": "", "sentence": ""}
    return ImportOrder(
        bytes(row.import_id),
        bytes(row.account),
        row.asked_at,
        Stage(row.state),
        told["code"],
        told["sentence"],
        is_held=row.held_until > now and bool(row.held_by),
    )
