"""Writes down what is to be told, and to whom, in the transaction that it became true in.

A message's id follows from what it tells, so that telling it twice writes one row. Its body holds
ids, keys and amounts, and says nothing of a person or an organisation by name: what has left the
house cannot be erased.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from ledger.office.webhooks.endpoints import Endpoint, list_endpoints
from ledger.store.office_tables import webhook_deliveries, webhook_messages

MAX_BODY = 20 * 1024
"""What the standard advises a body to stay below."""

_ROWS = 200  # of nine values at most; SQLite takes 32,766 values a statement


@dataclass(frozen=True, slots=True)
class Message:
    """Something that happened at a second since 1970 UTC; `subject` makes its id."""

    kind: str
    happened_at: int
    subject: tuple[bytes | int | str, ...]
    data: dict[str, Any]

    @property
    def message_id(self) -> str:
        """`msg_` and 32 hex digits, the same whenever the same thing is told."""
        hasher = hashlib.sha256()
        for part in (self.kind, *self.subject):
            raw = part if isinstance(part, bytes) else str(part).encode("utf-8")
            hasher.update(len(raw).to_bytes(4, "big") + raw)
        return "msg_" + hasher.hexdigest()[:32]

    def body(self) -> bytes:
        """The JSON that is signed and sent."""
        when = datetime.fromtimestamp(self.happened_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return msgspec.json.encode({"type": self.kind, "timestamp": when, "data": self.data})


def announce(
    connection: Connection,
    messages: Iterable[Message],
    *,
    now: int,
    endpoints: Sequence[Endpoint] | None = None,
) -> int:
    """Have messages sent to every endpoint that wants them; how many deliveries that makes.

    `now` is in milliseconds. For an endpoint that is disabled they are kept as dead, to be sent by
    a replay. Without endpoints, nothing is kept.
    """
    found = list_endpoints(connection) if endpoints is None else endpoints
    bodies: dict[str, dict[str, Any]] = {}
    deliveries: list[dict[str, Any]] = []
    for message in messages:
        wanting = [each for each in found if each.wants(message.kind)]
        if not wanting:
            continue
        message_id = message.message_id
        bodies[message_id] = {
            "message_id": message_id,
            "type": message.kind,
            "happened_at": message.happened_at,
            "body": message.body(),
            "made_at": now,
        }
        deliveries += [
            {
                "endpoint_id": each.endpoint_id,
                "message_id": message_id,
                "state": "waiting" if each.disabled_at is None else "dead",
                "tries": 0,
                "due_at": now,
                "updated_at": now,
            }
            for each in wanting
        ]
    _insert_new(connection, webhook_messages, list(bodies.values()))
    _insert_new(connection, webhook_deliveries, deliveries)
    return len(deliveries)


def _insert_new(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for start in range(0, len(rows), _ROWS):
        batch = list(rows[start : start + _ROWS])
        connection.execute(make(table).values(batch).on_conflict_do_nothing())
