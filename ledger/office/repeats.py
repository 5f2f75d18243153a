"""A change of the office that is asked for twice under one key of the caller's is done once.

The claim is a row of the very transaction that does it, so nothing is claimed that was not done,
and two who ask at once are done one after the other. What was answered is not kept: it may hold
names and secrets. A repetition is answered from what there is now, without the secret. The hash of
what was asked is keyed, so that nobody guesses a name from it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, delete, select, update

from ledger.errors import IdempotencyConflict
from ledger.office.rows import insert_ignoring
from ledger.store.office_tables import asked_writes

ERASED = bytes(32)
"""Stands for what was asked of a subject that was erased; its repetition is known by its key."""

KEPT_SECONDS = 30 * 86400
"""How long a repetition is known."""


def hash_asked(secret: bytes, asked: bytes) -> bytes:
    """What is kept of a request's method, path and body."""
    return hmac.new(secret, b"asked\0" + asked, hashlib.sha256).digest()


def claim_write(
    connection: Connection, actor: str, idempotency_key: str, body_hash: bytes, *, now: int
) -> str | None:
    """Claim a change in its own transaction; the subject of the first one where it is a repetition.

    Raises IdempotencyConflict where the key was used for something else.
    """
    forgotten = delete(asked_writes).where(asked_writes.c.asked_at < now - KEPT_SECONDS)
    connection.execute(forgotten)
    row = {
        "actor": actor,
        "idempotency_key": idempotency_key,
        "body_hash": body_hash,
        "subject": "",
        "asked_at": now,
    }
    if insert_ignoring(connection, asked_writes, row):
        return None
    found = connection.execute(select(asked_writes).where(*_is(actor, idempotency_key))).one()
    kept = bytes(found.body_hash)
    if kept != ERASED and not hmac.compare_digest(kept, body_hash):
        raise IdempotencyConflict(key=idempotency_key)
    return str(found.subject)


def note_subject(connection: Connection, actor: str, idempotency_key: str, subject: str) -> None:
    """Say what the claimed change made."""
    connection.execute(
        update(asked_writes).where(*_is(actor, idempotency_key)).values(subject=subject)
    )


def forget_asked(connection: Connection, subjects: Collection[str]) -> None:
    """Take away by what these subjects' requests would be known again."""
    table = asked_writes
    chosen = table.c.subject.in_(list(subjects))
    connection.execute(update(table).where(chosen).values(body_hash=ERASED))


def _is(actor: str, idempotency_key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        asked_writes.c.actor == actor,
        asked_writes.c.idempotency_key == idempotency_key,
    )
