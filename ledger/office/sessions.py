"""Who is signed in: nonces for messages that are good once, and the sessions that they begin.

A nonce is made from a secret of this database and not written down, so that whoever asks for
thousands costs nothing; only one that was used is kept, until it could not be used any more. Of a
session's token only the hash is kept: who reads the database can sign in as nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as randomness
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from ledger.errors import NotSignedIn, SignInRefused
from ledger.office.rows import insert_ignoring
from ledger.store.office_tables import secrets, sessions, used_nonces

NONCE_SECONDS = 600
SESSION_SECONDS = 12 * 3600

_NONCE_SECRET = "nonces"  # noqa: S105  the secret's name
_RANDOM, _TIME, _CHECK = 16, 8, 32  # hex digits of a nonce's parts


@dataclass(frozen=True, slots=True)
class Session:
    """A session; times are in seconds since 1970 UTC. `name` is how logs call it."""

    name: str
    account: bytes
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session with its token, which is told once, and what a page must send beside it."""

    session: Session
    token: str
    csrf_token: str


def nonce_secret(connection: Connection) -> bytes:
    """The secret that nonces of this database are made with; made when it is first asked for.

    The connection may write.
    """
    insert_ignoring(
        connection, secrets, {"name": _NONCE_SECRET, "value": randomness.token_bytes(32)}
    )
    query = select(secrets.c.value).where(secrets.c.name == _NONCE_SECRET)
    return bytes(connection.execute(query).scalar_one())


def new_nonce(secret: bytes, *, now: float) -> tuple[str, int]:
    """A nonce for one message, and until when it is good, in seconds since 1970 UTC."""
    expires_at = int(now) + NONCE_SECONDS
    body = randomness.token_hex(_RANDOM // 2) + f"{expires_at:0{_TIME}x}"
    return body + _check(secret, body), expires_at


def check_nonce(secret: bytes, nonce: str, *, now: float) -> int:
    """Until when a nonce of ours is good, used or not. Raises SignInRefused for any other."""
    body, check = nonce[:-_CHECK], nonce[-_CHECK:]
    if len(nonce) != _RANDOM + _TIME + _CHECK or not hmac.compare_digest(
        check, _check(secret, body)
    ):
        raise SignInRefused(problem="the nonce was not given here")
    expires_at = int(body[_RANDOM:], 16)
    if expires_at <= now:
        raise SignInRefused(problem="the nonce is too old")
    return expires_at


def use_nonce(connection: Connection, secret: bytes, nonce: str, *, now: float) -> None:
    """Use a nonce up. Raises SignInRefused for one that is not ours, too old, or used."""
    expires_at = check_nonce(secret, nonce, now=now)
    connection.execute(delete(used_nonces).where(used_nonces.c.expires_at < int(now)))
    # A signed message is a credential as long as its nonce is fresh: none of it is written down.
    used = {"nonce": hashlib.sha256(nonce.encode()).hexdigest(), "expires_at": expires_at}
    if not insert_ignoring(connection, used_nonces, used):
        raise SignInRefused(problem="the nonce was used before")


def begin_session(
    connection: Connection, account: bytes, *, now: float, until: float | None = None
) -> NewSession:
    """Begin a session, which ends after SESSION_SECONDS or at `until`."""
    token = randomness.token_urlsafe(32)
    latest = int(now) + SESSION_SECONDS
    session = Session(
        _name(token), account, int(now), min(latest, int(until)) if until is not None else latest
    )
    connection.execute(delete(sessions).where(sessions.c.expires_at < int(now)))
    connection.execute(
        insert(sessions),
        {
            "token_hash": _hash(token),
            "account": account,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "ended_at": None,
        },
    )
    return NewSession(session, token, csrf_token_of(token))


def find_session(connection: Connection, token: str, *, now: float) -> Session:
    """The session of a token. Raises NotSignedIn for one that is none, or that is over."""
    query = select(sessions).where(sessions.c.token_hash == _hash(token))
    row = connection.execute(query).one_or_none()
    if row is None or row.ended_at is not None or row.expires_at <= now:
        raise NotSignedIn(problem="the session is over")
    return Session(_name(token), bytes(row.account), row.created_at, row.expires_at)


def end_session(connection: Connection, token: str, *, now: float) -> None:
    """End a session; its token is good for nothing from now on."""
    connection.execute(
        update(sessions).where(sessions.c.token_hash == _hash(token)).values(ended_at=int(now))
    )


def csrf_token_of(token: str) -> str:
    """What a page of ours must send beside the cookie, and another page cannot know."""
    return hmac.digest(token.encode(), b"moonlake csrf", "sha256").hex()


def _check(secret: bytes, body: str) -> str:
    return hmac.digest(secret, body.encode("ascii", "replace"), "sha256").hex()[:_CHECK]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _name(token: str) -> str:
    return _hash(token).hex()[:16]
