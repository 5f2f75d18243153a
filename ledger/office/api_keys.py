"""API keys: what a program sends instead of signing in.

A key is `mlk_`, a prefix by which it is known, and a random secret; it is shown once, and only its
hash is kept. It has the rights of one account, as far as its scopes go, until it expires or is
revoked. A plain hash is enough: nobody guesses 256 random bits, so nothing needs to be slow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from ledger.domain.access import Scope
from ledger.errors import ApiKeyRefused, InvalidValue, NotFound, TooManyKeys
from ledger.office.profiles import check_text
from ledger.store.office_tables import api_keys

MARK = "mlk_"
MAX_DAYS = 730
MOST_GOOD = 50
"""Keys of one account that are good at once: each has a row, and a bucket of its own."""
NOTED_SECONDS = 60
"""The last use is noted once a minute: a write for each request would cost more than it is."""

_LETTERS = string.ascii_letters + string.digits
_PREFIX, _SECRET = 8, 43
_KEY = re.compile(rf"{MARK}([A-Za-z0-9]{{{_PREFIX}}})_[A-Za-z0-9]{{{_SECRET}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be shown of a key; times are in seconds since 1970 UTC, None for never."""

    prefix: str
    account: bytes
    name: str
    scopes: frozenset[Scope]
    created_at: int
    expires_at: int
    last_used_at: int | None
    revoked_at: int | None

    def is_good(self, now: float) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and now < self.expires_at


def create_api_key(
    connection: Connection,
    account: bytes,
    name: str,
    scopes: Iterable[Scope],
    *,
    days: int,
    now: float,
) -> tuple[ApiKey, str]:
    """Make a key for an account; the key itself is told this once. Raises InvalidValue."""
    check_text("name", name)
    if not name:
        raise InvalidValue(field="name", value=name, expected="a name that tells who uses it")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidValue(field="days", value=days, expected=f"1 to {MAX_DAYS}")
    chosen = frozenset(scopes)
    if not chosen:
        raise InvalidValue(field="scopes", value="nothing", expected="one or more scopes")
    prefix = _letters(_PREFIX)
    text = f"{MARK}{prefix}_{_letters(_SECRET)}"
    key = ApiKey(prefix, account, name, chosen, int(now), int(now) + days * 86_400, None, None)
    connection.execute(
        insert(api_keys),
        {
            "prefix": prefix,
            "secret_hash": _hash(text),
            "account": account,
            "name": name,
            "scopes": " ".join(sorted(chosen)),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "last_used_at": None,
            "revoked_at": None,
        },
    )
    return key, text


def require_room(connection: Connection, account: bytes, *, now: float) -> None:
    """Raise TooManyKeys where an account has as many good keys as it may make for itself."""
    query = select(func.count()).where(
        api_keys.c.account == account,
        api_keys.c.revoked_at.is_(None),
        api_keys.c.expires_at > now,
    )
    if connection.execute(query).scalar_one() >= MOST_GOOD:
        raise TooManyKeys(most=MOST_GOOD)


def find_api_key(connection: Connection, text: str, *, now: float) -> ApiKey:
    """The key that somebody sent. Raises ApiKeyRefused."""
    found = _KEY.fullmatch(text)
    query = select(api_keys).where(api_keys.c.prefix == (found[1] if found else ""))
    row = connection.execute(query).one_or_none()
    if row is None or not hmac.compare_digest(bytes(row.secret_hash), _hash(text)):
        raise ApiKeyRefused(problem="there is no such key")
    key = _api_key(row)
    if key.revoked_at is not None:
        raise ApiKeyRefused(problem=f"the key {key.prefix} was revoked")
    if now >= key.expires_at:
        raise ApiKeyRefused(problem=f"the key {key.prefix} has expired")
    return key


def note_use(connection: Connection, key: ApiKey, *, now: float) -> None:
    """Note that the key was used."""
    connection.execute(
        update(api_keys).where(api_keys.c.prefix == key.prefix).values(last_used_at=int(now))
    )


def needs_note(key: ApiKey, *, now: float) -> bool:
    """Whether its last use is older than what is noted."""
    return key.last_used_at is None or now - key.last_used_at >= NOTED_SECONDS


def list_api_keys(connection: Connection, account: bytes | None = None) -> tuple[ApiKey, ...]:
    """All keys, or an account's, the newest first."""
    query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.prefix)
    if account is not None:
        query = query.where(api_keys.c.account == account)
    return tuple(_api_key(row) for row in connection.execute(query))


def revoke_api_key(
    connection: Connection, prefix: str, *, now: float, account: bytes | None = None
) -> ApiKey:
    """Revoke a key, an account's own where one is given; once more changes nothing.

    Raises NotFound.
    """
    query = select(api_keys).where(api_keys.c.prefix == prefix)
    if account is not None:
        query = query.where(api_keys.c.account == account)
    if connection.execute(query).one_or_none() is None:
        raise NotFound(what="API key", key=prefix)
    connection.execute(
        update(api_keys)
        .where(api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=int(now))
    )
    return _api_key(connection.execute(query).one())


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        prefix=row.prefix,
        account=bytes(row.account),
        name=row.name,
        scopes=frozenset(Scope(each) for each in row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
