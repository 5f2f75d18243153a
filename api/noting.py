"""From a request to a change of the office: once, in one commit with the line of the log.

What officers ask of the chain goes through `api.asking`; here is what stays in the office. The
caller's key, the change and the line of the log of privileged calls are one transaction: whoever
got no answer sends the same again and gets to the same, and nothing is done without a line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.callers import Caller, clock_of
from api.edge import REQUEST_ID
from api.formats import show_bytes
from api.keeping import NOT_KEPT
from api.office import writing_office
from api.schemas.base import Schema
from ledger.office.access_log import add_line
from ledger.office.repeats import claim_write, hash_asked, note_subject
from ledger.office.sessions import nonce_secret


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something, as the logs name him: `name` in the office's, the rest in the other.

    `actor` is whose idempotency keys are told apart from others'.
    """

    name: str
    actor: str
    account: str
    via: str

    @classmethod
    def of(cls, caller: Caller) -> Author:
        """Somebody who is signed in, or a program with a key."""
        return cls(caller.address, caller.address, show_bytes(caller.account), caller.via)


@dataclass(frozen=True, slots=True)
class Change:
    """What a request comes to. `do` makes it and names its subject (an id)."""

    action: str
    do: Callable[[Connection, int], str]


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of it: its subject, and whether it had been done before."""

    subject: str
    is_replayed: bool

    @property
    def headers(self) -> dict[str, str]:
        """Those that an answer to it has."""
        return {**NOT_KEPT, **({"Idempotent-Replayed": "true"} if self.is_replayed else {})}


def note(
    request: Request,
    author: Author,
    key: str,
    body: BaseModel | bytes | None,
    change: Change,
) -> Noted:
    """Do it once. Raises what `change.do` raises, and IdempotencyConflict."""
    now = int(clock_of(request)())
    with writing_office(request) as connection:
        asked = hash_asked(nonce_secret(connection), _asked(request, body))
        known = claim_write(connection, author.actor, key, asked, now=now)
        if known is not None:
            return Noted(known, is_replayed=True)
        subject = change.do(connection, now)
        note_subject(connection, author.actor, key, subject)
        add_line(
            connection,
            at=time.time_ns() // 1_000_000,
            account=author.account,
            via=author.via,
            action=change.action,
            subject=subject,
            detail={"idempotency_key": key, "request_id": REQUEST_ID.get()},
        )
    return Noted(subject, is_replayed=False)


def answer(schema: Schema, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer that nobody keeps: it is for the caller alone."""
    return Response(
        schema.model_dump_json(),
        status,
        media_type="application/json",
        headers={**NOT_KEPT, **(headers or {})},
    )


def _asked(request: Request, body: BaseModel | bytes | None) -> bytes:
    """Method, path, query and the body's values, however it was written."""
    if isinstance(body, BaseModel):
        values: dict[str, Any] = body.model_dump(mode="json")
        text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        raw = text.encode("utf-8", "surrogatepass")
    else:
        raw = body or b""
    place = f"{request.method} {request.scope['path']}?".encode("utf-8", "surrogatepass")
    query: bytes = request.scope["query_string"]
    return place + query + b"\n" + raw
