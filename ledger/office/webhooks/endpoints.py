"""Where messages go: adding an endpoint, changing its secret, taking it out of use and back.

An endpoint's URL is judged when it is added and again at each attempt, since what a name means may
change. A secret leaves this module once, as the answer to its making; it is kept as it is, because
an HMAC cannot be made from less, so the database and its backups are to be guarded like keys.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from ledger.errors import InvalidValue, NotFound
from ledger.office.profiles import check_text
from ledger.office.webhooks.addresses import Gate, parse_target
from ledger.office.webhooks.signatures import new_secret, show_secret
from ledger.store.office_tables import (
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
    webhook_secrets,
)

MAX_ENDPOINTS = 100
LONGEST_OVERLAP = 30 * 86400
USUAL_OVERLAP = 86400

_TYPE = re.compile(r"[a-z]+(?:\.[a-z_]+|\.\*)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver. Times are seconds since 1970 UTC; `failing_since` is in milliseconds.

    `types` are those of messages that it gets (`entry.posted`, `membership.*`); none means all.
    """

    endpoint_id: str
    url: str
    description: str
    types: tuple[str, ...]
    created_at: int
    disabled_at: int | None
    disabled_because: str
    failing_since: int | None

    def wants(self, kind: str) -> bool:
        """Whether it gets messages of this type."""
        family = kind.partition(".")[0] + ".*"
        return not self.types or kind in self.types or family in self.types


def add_endpoint(
    connection: Connection,
    gate: Gate,
    url: str,
    *,
    types: Sequence[str] = (),
    description: str = "",
    now: int,
) -> tuple[Endpoint, str]:
    """Add an endpoint; it, and its secret, which is not shown again.

    Raises InvalidValue, and AddressRefused where its host is not let through. A host that has no
    address yet is taken.
    """
    target = parse_target(url)
    with contextlib.suppress(OSError):  # its name may come later; each attempt asks again
        gate.addresses_of(target)
    check_text("description", description)
    for each in types:
        if not _TYPE.fullmatch(each):
            raise InvalidValue(field="types", value=each, expected="a type such as entry.posted")
    count = connection.execute(select(func.count()).select_from(webhook_endpoints)).scalar_one()
    if count >= MAX_ENDPOINTS:
        raise InvalidValue(field="url", value=url, expected=f"one of {MAX_ENDPOINTS} at most")
    made = Endpoint(
        "ep_" + secrets.token_hex(8), url, description, tuple(types), now, None, "", None
    )
    connection.execute(
        insert(webhook_endpoints).values(
            endpoint_id=made.endpoint_id,
            url=url,
            description=description,
            types=" ".join(types),
            created_at=now,
            disabled_at=None,
            disabled_because="",
            failing_since=None,
        )
    )
    return made, _add_secret(connection, made.endpoint_id, now)


def rotate_secret(connection: Connection, endpoint_id: str, *, overlap: int, now: int) -> str:
    """Give an endpoint a new secret, and show it; the present one signs beside it for `overlap`.

    `overlap` is in seconds, 0 where the old secret is known to somebody else. Raises NotFound and
    InvalidValue.
    """
    read_endpoint(connection, endpoint_id)
    if not 0 <= overlap <= LONGEST_OVERLAP:
        raise InvalidValue(field="overlap", value=overlap, expected="0 to 30 days")
    ends = now + overlap
    connection.execute(
        update(webhook_secrets)
        .where(
            webhook_secrets.c.endpoint_id == endpoint_id,
            or_(webhook_secrets.c.ends_at.is_(None), webhook_secrets.c.ends_at > ends),
        )
        .values(ends_at=ends)
    )
    return _add_secret(connection, endpoint_id, now)


def secrets_of(connection: Connection, endpoint_id: str, *, now: int) -> list[bytes]:
    """The secrets in force, the newest first."""
    table = webhook_secrets
    rows = connection.execute(
        select(table.c.secret)
        .where(
            table.c.endpoint_id == endpoint_id,
            or_(table.c.ends_at.is_(None), table.c.ends_at > now),
        )
        .order_by(table.c.number.desc())
    )
    return [bytes(row.secret) for row in rows]


def disable_endpoint(connection: Connection, endpoint_id: str, *, because: str, now: int) -> None:
    """Send nothing to it any more; what waits is kept as dead. Raises NotFound."""
    read_endpoint(connection, endpoint_id)
    connection.execute(
        update(webhook_endpoints)
        .where(
            webhook_endpoints.c.endpoint_id == endpoint_id,
            webhook_endpoints.c.disabled_at.is_(None),
        )
        .values(disabled_at=now, disabled_because=because)
    )
    connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.endpoint_id == endpoint_id,
            webhook_deliveries.c.state == "waiting",
        )
        .values(state="dead", updated_at=now * 1000)
    )


def enable_endpoint(connection: Connection, endpoint_id: str) -> None:
    """Use it again, for what comes from now on; `replay` sends what it missed. Raises NotFound."""
    read_endpoint(connection, endpoint_id)
    connection.execute(
        update(webhook_endpoints)
        .where(webhook_endpoints.c.endpoint_id == endpoint_id)
        .values(disabled_at=None, disabled_because="", failing_since=None)
    )


def remove_endpoint(connection: Connection, endpoint_id: str) -> None:
    """Forget an endpoint, its secrets and what was sent to it. Raises NotFound."""
    read_endpoint(connection, endpoint_id)
    for table in (webhook_attempts, webhook_deliveries, webhook_secrets, webhook_endpoints):
        connection.execute(delete(table).where(table.c.endpoint_id == endpoint_id))


def read_endpoint(connection: Connection, endpoint_id: str) -> Endpoint:
    """One endpoint. Raises NotFound."""
    table = webhook_endpoints
    row = connection.execute(select(table).where(table.c.endpoint_id == endpoint_id)).one_or_none()
    if row is None:
        raise NotFound(what="webhook", key=endpoint_id)
    return _endpoint(row)


def list_endpoints(connection: Connection) -> list[Endpoint]:
    """All endpoints, oldest first, disabled ones too."""
    table = webhook_endpoints
    rows = connection.execute(select(table).order_by(table.c.created_at, table.c.endpoint_id))
    return [_endpoint(row) for row in rows]


def _add_secret(connection: Connection, endpoint_id: str, now: int) -> str:
    table = webhook_secrets
    newest = connection.execute(
        select(func.max(table.c.number)).where(table.c.endpoint_id == endpoint_id)
    ).scalar_one()
    secret = new_secret()
    connection.execute(
        insert(table).values(
            endpoint_id=endpoint_id,
            number=(newest or 0) + 1,
            secret=secret,
            created_at=now,
            ends_at=None,
        )
    )
    return show_secret(secret)


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        row.endpoint_id,
        row.url,
        row.description,
        tuple(row.types.split()),
        row.created_at,
        row.disabled_at,
        row.disabled_because,
        row.failing_since,
    )
