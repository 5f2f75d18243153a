"""E-mails to members: kept, taken on, tried again, given up; and who wants none.

A row holds whom it is for and ids; the text is written when it is sent, so that nothing is kept of
it. A row is taken on by moving its due time past the longest attempt, as with webhooks. Of what a
mail server says only its code is kept: its words repeat the address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, or_, select, update

from ledger.errors import InvalidValue, NotFound
from ledger.office.rows import insert_ignoring, insert_or_replace
from ledger.store.office_tables import notice_choices, notices

KINDS = (
    "membership.expiring",
    "entry.posted",
    "application.admitted",
    "application.declined",
)
EVERYTHING = "*"
LANGUAGES = ("", "zh-CN", "en")

PAUSES = (60, 300, 1800, 7200, 21600, 86400)
"""Seconds after each failed try; after the last it is dead."""

TAKEN_ON_MS = 120_000
KEPT_SECONDS = 30 * 86400

_N = notices


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell somebody; times are milliseconds since 1970 UTC."""

    notice_id: str
    kind: str
    org_id: int | None
    application_id: bytes | None
    recipient: str
    facts: dict[str, Any]
    state: str = "waiting"
    tries: int = 0
    due_at: int = 0
    updated_at: int = 0
    problem: str = ""


def notice_id_of(kind: str, recipient: str, *subject: bytes | int | str) -> str:
    """`ntc_` and 32 hex digits, the same whenever the same is told to the same."""
    hasher = hashlib.sha256()
    for part in (kind, recipient, *subject):
        raw = part if isinstance(part, bytes) else str(part).encode("utf-8")
        hasher.update(len(raw).to_bytes(4, "big") + raw)
    return "ntc_" + hasher.hexdigest()[:32]


def queue_notice(connection: Connection, notice: Notice, *, now: int) -> bool:
    """Have it sent, unless it was before or its recipient wants none; whether it is new."""
    muted, _ = read_choice(connection, notice.recipient)
    if EVERYTHING in muted or notice.kind in muted:
        return False
    row = {
        "notice_id": notice.notice_id,
        "kind": notice.kind,
        "org_id": notice.org_id,
        "application_id": notice.application_id,
        "recipient": notice.recipient,
        "facts": msgspec.json.encode(notice.facts),
        "state": "waiting",
        "tries": 0,
        "due_at": now,
        "made_at": now,
        "updated_at": now,
        "problem": "",
    }
    return insert_ignoring(connection, notices, row)


def take_due(connection: Connection, *, now: int, limit: int) -> list[Notice]:
    """Take the due notices on, the oldest first."""
    wanted = (
        select(_N.c.notice_id)
        .where(_N.c.state == "waiting", _N.c.due_at <= now)
        .order_by(_N.c.due_at, _N.c.notice_id)
        .limit(limit)
    )
    ids = list(connection.execute(wanted).scalars())
    rows = connection.execute(
        update(_N)
        .where(_N.c.notice_id.in_(ids), _N.c.state == "waiting", _N.c.due_at <= now)
        .values(due_at=now + TAKEN_ON_MS)
        .returning(*_N.columns)
    )
    return [_notice(row) for row in rows]


def is_any_due(connection: Connection, *, now: int) -> bool:
    """Whether there is one; a look that hinders no writer."""
    query = select(_N.c.notice_id).where(_N.c.state == "waiting", _N.c.due_at <= now)
    return connection.execute(query.limit(1)).first() is not None


def note_sent(connection: Connection, notice: Notice, *, now: int) -> None:
    """The mail server took it."""
    _settle(connection, notice, state="sent", updated_at=now, problem="")


def note_failed(
    connection: Connection, notice: Notice, problem: str, *, for_good: bool, now: int
) -> None:
    """It did not go: tried again later, or given up."""
    if for_good or notice.tries >= len(PAUSES):
        _settle(connection, notice, state="dead", updated_at=now, problem=problem)
        return
    due = now + PAUSES[notice.tries] * 1000
    tries = notice.tries + 1
    _settle(connection, notice, tries=tries, due_at=due, updated_at=now, problem=problem)


def retry_dead(connection: Connection, *, now: int) -> int:
    """Send again what was given up; how many."""
    rows = connection.execute(
        update(_N)
        .where(_N.c.state == "dead")
        .values(state="waiting", tries=0, due_at=now, updated_at=now)
        .returning(_N.c.notice_id)
    )
    return len(rows.all())


def list_notices(connection: Connection, *, state: str = "", limit: int) -> list[Notice]:
    """The latest ones, newest first."""
    query = select(_N).order_by(_N.c.updated_at.desc(), _N.c.notice_id).limit(limit)
    if state:
        query = query.where(_N.c.state == state)
    return [_notice(row) for row in connection.execute(query)]


def choose(
    connection: Connection, recipient: str, *, muted: Sequence[str], language: str, now: int
) -> None:
    """Say what an address wants not to be told, and in which language the rest. Raises
    InvalidValue."""
    for each in muted:
        if each not in (*KINDS, EVERYTHING):
            expected = "one of " + ", ".join((*KINDS, EVERYTHING))
            raise InvalidValue(field="mute", value=each, expected=expected)
    if language not in LANGUAGES:
        raise InvalidValue(field="language", value=language, expected="zh-CN, en, or neither")
    row = {
        "recipient": recipient,
        "muted": " ".join(muted),
        "language": language,
        "changed_at": now,
    }
    insert_or_replace(connection, notice_choices, row)
    chosen = [_N.c.kind.in_(list(muted))] if EVERYTHING not in muted else []
    waiting = (_N.c.recipient == recipient, _N.c.state == "waiting", *chosen)
    connection.execute(delete(_N).where(*waiting))


def read_choice(connection: Connection, recipient: str) -> tuple[tuple[str, ...], str]:
    """What an address wants not to be told, and its language."""
    query = select(notice_choices).where(notice_choices.c.recipient == recipient)
    row = connection.execute(query).one_or_none()
    return ((), "") if row is None else (tuple(row.muted.split()), row.language)


def unsubscribe_token(secret: bytes, notice_id: str) -> str:
    """What the link of a notice holds; it names nobody."""
    check = hmac.new(secret, b"unsubscribe\0" + notice_id.encode(), hashlib.sha256).hexdigest()[:32]
    return f"{notice_id}.{check}"


def unsubscribe(connection: Connection, secret: bytes, token: str, *, now: int) -> None:
    """Tell the recipient of a notice nothing any more. Raises NotFound."""
    notice_id = token.partition(".")[0]
    row = connection.execute(select(_N).where(_N.c.notice_id == notice_id)).one_or_none()
    right = unsubscribe_token(secret, notice_id)
    if row is None or not hmac.compare_digest(right.encode(), token.encode()):
        raise NotFound(what="notice", key="of this link")
    _, language = read_choice(connection, row.recipient)
    choose(connection, row.recipient, muted=(EVERYTHING,), language=language, now=now)


def forget_sent(connection: Connection, *, now: int) -> None:
    """Forget what was settled a month ago."""
    old = now - KEPT_SECONDS * 1000
    connection.execute(delete(_N).where(_N.c.state != "waiting", _N.c.updated_at < old))


def erase_notices(
    connection: Connection,
    org_id: int,
    application_ids: Collection[bytes],
    recipients: Collection[str],
) -> None:
    """Take away what an organisation and its people were told, and what they chose."""
    about = [_N.c.org_id == org_id, _N.c.application_id.in_(list(application_ids))]
    connection.execute(delete(_N).where(or_(*about, _N.c.recipient.in_(list(recipients)))))
    chosen = notice_choices.c.recipient.in_(list(recipients))
    connection.execute(delete(notice_choices).where(chosen))


def _settle(connection: Connection, notice: Notice, **values: Any) -> None:
    mine = (_N.c.notice_id == notice.notice_id, _N.c.state == "waiting")
    connection.execute(update(_N).where(*mine).values(**values))


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        row.notice_id,
        row.kind,
        row.org_id,
        None if row.application_id is None else bytes(row.application_id),
        row.recipient,
        msgspec.json.decode(bytes(row.facts)),
        row.state,
        row.tries,
        row.due_at,
        row.updated_at,
        row.problem,
    )
