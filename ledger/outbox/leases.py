"""One sender a key: a lease in the database, fenced by a token.

Whoever takes the lease gets a token higher than all before it. Each write of a sender first renews
its lease under that token, in the same transaction: a process that was paused, and whose lease went
to another, writes nothing and, since bytes are sent only after such a write, sends nothing new.
What it may still send is bytes that are recorded already, which can do no harm twice.

The time is the database's where it has a clock (PostgreSQL), and the machine's for SQLite, whose
file is on one machine. A lease that is not renewed ends by itself. A clock that was set back keeps
nobody waiting: a lease that reaches further than any is given for can be taken.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from ledger.errors import LedgerError
from ledger.outbox.records import Failure
from ledger.outbox.writes import describe_error
from ledger.store.engine import POSTGRESQL, reading, writing
from ledger.store.outbox_tables import key_leases

LEASE_SECONDS = 3.0
"""How long the others wait for a sender that ended without giving its lease back."""

_LONGEST_SECONDS = 60.0
"""Longer than any lease that a sender takes."""


class LeaseLost(Exception):
    """Another process sends for this key now. It never leaves the outbox."""


@dataclass(frozen=True, slots=True)
class Key:
    """An account on a chain."""

    genesis_hash: bytes
    sender: bytes


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send for a key, as long as no higher token is given out."""

    key: Key
    token: int
    seconds: float


def new_holder() -> str:
    """A name for a holder that nobody else has: machine, process, and a few random letters."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_free(engine: Engine, key: Key) -> bool:
    """Whether the lease can be taken now."""
    with reading(engine) as connection:
        expires_at = connection.execute(
            select(key_leases.c.expires_at).where(*_is(key))
        ).scalar_one_or_none()
        now = _now(connection)
        return expires_at is None or not now < expires_at <= _latest_end(now)


def take(engine: Engine, key: Key, holder: str, seconds: float = LEASE_SECONDS) -> Lease | None:
    """The lease, or None while another process has it."""
    if not is_free(engine, key):
        return None
    with writing(engine) as connection:
        insert = postgresql.insert if connection.dialect.name == POSTGRESQL else sqlite.insert
        connection.execute(
            insert(key_leases)
            .values(
                genesis_hash=key.genesis_hash, sender=key.sender, token=0, holder="", expires_at=0
            )
            .on_conflict_do_nothing()
        )
        now = _now(connection)
        row = connection.execute(
            update(key_leases)
            .where(
                *_is(key),
                or_(key_leases.c.expires_at <= now, key_leases.c.expires_at > _latest_end(now)),
            )
            .values(
                token=key_leases.c.token + 1,
                holder=holder,
                expires_at=now + round(seconds * 1000),
            )
            .returning(key_leases.c.token)
        ).one_or_none()
    return Lease(key, int(row.token), seconds) if row is not None else None


def hold(connection: Connection, lease: Lease) -> None:
    """Renew the lease in the transaction of a write. Raises LeaseLost, and the write is undone."""
    expires_at = _now(connection) + round(lease.seconds * 1000)
    renewed = connection.execute(
        update(key_leases)
        .where(*_is(lease.key), key_leases.c.token == lease.token)
        .values(expires_at=expires_at)
    )
    if renewed.rowcount != 1:
        raise LeaseLost


@contextmanager
def kept(engine: Engine, lease: Lease) -> Iterator[None]:
    """Renew the lease from time to time, while something else takes long.

    A signer in another room can take longer for a few signatures than a lease lasts; two senders
    would take it from each other for ever, and neither would get to its write. Whoever loses it in
    spite of this is told by `hold`.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(lease.seconds / 3):
            try:
                with writing(engine) as connection:
                    hold(connection, lease)
            except (LeaseLost, LedgerError, SQLAlchemyError):
                return

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def give_back(engine: Engine, lease: Lease) -> None:
    """Let others send for the key at once."""
    with writing(engine) as connection:
        connection.execute(
            update(key_leases)
            .where(*_is(lease.key), key_leases.c.token == lease.token)
            .values(expires_at=0)
        )


def halt(connection: Connection, lease: Lease, error: LedgerError) -> None:
    """Let nothing be signed with the key until somebody resumes it."""
    connection.execute(
        update(key_leases).where(*_is(lease.key)).values(halted=describe_error(error))
    )


def resume(engine: Engine, key: Key) -> bool:
    """Let the key sign again; False where it was not halted."""
    with writing(engine) as connection:
        return (
            connection.execute(
                update(key_leases)
                .where(*_is(key), key_leases.c.halted.is_not(None))
                .values(halted=None)
            ).rowcount
            == 1
        )


def find_halt(connection: Connection, key: Key) -> Failure | None:
    """Why the key is halted, if it is."""
    halted = connection.execute(select(key_leases.c.halted).where(*_is(key))).scalar_one_or_none()
    return Failure(**json.loads(halted)) if halted is not None else None


def _is(key: Key) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (key_leases.c.genesis_hash == key.genesis_hash, key_leases.c.sender == key.sender)


def _latest_end(now: int) -> int:
    """When a lease that is taken now ends at the latest."""
    return now + round(_LONGEST_SECONDS * 1000)


def _now(connection: Connection) -> int:
    if connection.dialect.name == POSTGRESQL:
        clock = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        return int(connection.execute(clock).scalar_one())
    return time.time_ns() // 1_000_000
