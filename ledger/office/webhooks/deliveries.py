"""What is due, who takes it on, what became of it, and what is tried again when.

A delivery is taken on by moving its due time past the longest attempt: whoever dies meanwhile
leaves it due again, so that each is delivered at least once, and a receiver knows a second one by
its id. Between tries it waits as Standard Webhooks advises, spread so that many do not come
together; after the last it is dead, and stays to be replayed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from ledger.errors import InvalidValue, NotFound
from ledger.office.webhooks.endpoints import disable_endpoint, read_endpoint, secrets_of
from ledger.office.webhooks.messages import Message, announce
from ledger.office.webhooks.posting import Outcome
from ledger.store.office_tables import (
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
    webhook_messages,
)

PAUSES = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Seconds after each failed try, as the standard advises: 5 s, 5 min, 30 min, 2 h … 24 h."""

JITTER = 0.2
"""By how much a pause may be longer or shorter."""

FAILING_TOO_LONG = 5 * 86400
"""Seconds without one success after which an endpoint is disabled."""

TAKEN_ON_MS = 60_000
"""How long an attempt keeps others away; longer than any can take."""

LONGEST_WISH = 86400
"""The most of a Retry-After that is heeded, in seconds."""

KEPT_SECONDS = 30 * 86400
"""How long messages are kept once nothing of them waits."""

_D = webhook_deliveries
_E = webhook_endpoints


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that was taken on, with all that an attempt needs."""

    endpoint_id: str
    message_id: str
    url: str
    body: bytes
    tries: int
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as people look at it, with its last attempt. Times are milliseconds."""

    endpoint_id: str
    message_id: str
    kind: str
    state: str
    attempts: int
    due_at: int
    updated_at: int
    last_status: int | None
    last_problem: str


def is_anything_due(connection: Connection, *, now: int) -> bool:
    """Whether there is something to take on; a look that hinders no writer."""
    query = (
        select(_D.c.message_id)
        .join(_E, _E.c.endpoint_id == _D.c.endpoint_id)
        .where(_D.c.state == "waiting", _D.c.due_at <= now, _E.c.disabled_at.is_(None))
    )
    return connection.execute(query.limit(1)).first() is not None


def take_on(
    connection: Connection, *, now: int, limit: int, each: int, busy: Sequence[str] = ()
) -> list[Due]:
    """Take at most `limit` due deliveries on, and of one endpoint at most `each`.

    `busy` names an endpoint once for each attempt that is under way; those count. Of two processes
    that ask at once, each delivery goes to one.
    """
    place = func.row_number().over(
        partition_by=_D.c.endpoint_id, order_by=(_D.c.due_at, _D.c.message_id)
    )
    due = (
        select(_D.c.endpoint_id, _D.c.message_id, _D.c.due_at, place.label("place"))
        .join(_E, _E.c.endpoint_id == _D.c.endpoint_id)
        .where(_D.c.state == "waiting", _D.c.due_at <= now, _E.c.disabled_at.is_(None))
        .subquery()
    )
    rows = connection.execute(
        select(due.c.endpoint_id, due.c.message_id)
        .where(due.c.place <= each)
        .order_by(due.c.due_at)
        .limit(limit * 4)
    ).all()
    room = {name: each - busy.count(name) for name in {row.endpoint_id for row in rows}}
    wanted: list[tuple[str, str]] = []
    for row in rows:
        if room[row.endpoint_id] > 0 and len(wanted) < limit:
            room[row.endpoint_id] -= 1
            wanted.append((row.endpoint_id, row.message_id))
    if not wanted:
        return []
    taken = connection.execute(
        update(_D)
        .where(
            tuple_(_D.c.endpoint_id, _D.c.message_id).in_(wanted),
            _D.c.state == "waiting",
            _D.c.due_at <= now,
        )
        .values(due_at=now + TAKEN_ON_MS, updated_at=now)
        .returning(_D.c.endpoint_id, _D.c.message_id, _D.c.tries)
    ).all()
    return [_due(connection, row, now) for row in taken]


def put_in_hand(connection: Connection, endpoint_id: str, message: Message, *, now: int) -> Due:
    """Write a message down for one endpoint and take its delivery on at once. Raises NotFound."""
    endpoint = read_endpoint(connection, endpoint_id)
    announce(connection, [message], now=now, endpoints=[replace(endpoint, types=())])
    taken = connection.execute(
        update(_D)
        .where(_D.c.endpoint_id == endpoint_id, _D.c.message_id == message.message_id)
        # No second try: whoever sent it looks at the answer.
        .values(state="waiting", due_at=now + TAKEN_ON_MS, tries=len(PAUSES))
        .returning(_D.c.endpoint_id, _D.c.message_id, _D.c.tries)
    ).one()
    return _due(connection, taken, now)


def record_outcome(
    connection: Connection, due: Due, outcome: Outcome, *, now: int, chance: random.Random
) -> None:
    """Write an attempt down, and when the next one is due if one is. `now` is in milliseconds."""
    _log_attempt(connection, due, outcome, now)
    if outcome.is_delivered:
        _settle(connection, due, now, state="delivered")
        connection.execute(
            update(_E).where(_E.c.endpoint_id == due.endpoint_id).values(failing_since=None)
        )
        return
    if due.tries >= len(PAUSES):
        _settle(connection, due, now, state="dead")
    else:
        pause = PAUSES[due.tries] * chance.uniform(1 - JITTER, 1 + JITTER)
        pause = max(pause, min(outcome.retry_after, LONGEST_WISH))
        _settle(connection, due, now, state="waiting", due_at=now + int(pause * 1000))
    failing_since = connection.execute(
        update(_E)
        .where(_E.c.endpoint_id == due.endpoint_id)
        .values(failing_since=func.coalesce(_E.c.failing_since, now))
        .returning(_E.c.failing_since)
    ).scalar_one_or_none()
    if failing_since is None:
        return  # it was removed meanwhile
    if outcome.is_gone:
        _disable(connection, due.endpoint_id, "it answered 410 (gone)", now)
    elif now - failing_since > FAILING_TOO_LONG * 1000:
        _disable(connection, due.endpoint_id, "every attempt of five days failed", now)


def _log_attempt(connection: Connection, due: Due, outcome: Outcome, now: int) -> None:
    table = webhook_attempts
    mine = and_(table.c.endpoint_id == due.endpoint_id, table.c.message_id == due.message_id)
    last = connection.execute(select(func.max(table.c.number)).where(mine)).scalar_one()
    connection.execute(
        insert(table).values(
            endpoint_id=due.endpoint_id,
            message_id=due.message_id,
            number=(last or 0) + 1,
            at=now,
            took_ms=outcome.took_ms,
            status=outcome.status,
            problem=outcome.problem,
        )
    )


def replay(
    connection: Connection,
    endpoint_id: str,
    *,
    now: int,
    message_id: str = "",
    dead: bool = False,
    since: int | None = None,
) -> int:
    """Send again: one message, the dead ones, or all made since a second; how many.

    Raises NotFound, and InvalidValue for an endpoint that is disabled.
    """
    if read_endpoint(connection, endpoint_id).disabled_at is not None:
        raise InvalidValue(field="webhook", value=endpoint_id, expected="in use: enable it first")
    chosen = [_D.c.endpoint_id == endpoint_id]
    if message_id:
        chosen.append(_D.c.message_id == message_id)
    if dead:
        chosen.append(_D.c.state == "dead")
    if since is not None:
        made = webhook_messages
        recent = select(made.c.message_id).where(made.c.made_at >= since * 1000)
        chosen.append(_D.c.message_id.in_(recent))
    again = connection.execute(
        update(_D)
        .where(*chosen)
        .values(state="waiting", tries=0, due_at=now, updated_at=now)
        .returning(_D.c.message_id)
    ).all()
    if message_id and not again:
        raise NotFound(what="delivery", key=message_id)
    return len(again)


def list_deliveries(
    connection: Connection,
    *,
    endpoint_id: str = "",
    state: str = "",
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[Delivery]:
    """The latest deliveries, those that changed last first.

    `before` is the time (`updated_at`) and message of the one that they come after in the list.
    """
    log = webhook_attempts
    counted = (
        select(log.c.endpoint_id, log.c.message_id, func.max(log.c.number).label("number"))
        .group_by(log.c.endpoint_id, log.c.message_id)
        .subquery()
    )
    query = (
        select(_D, webhook_messages.c.type, counted.c.number, log.c.status, log.c.problem)
        .join(webhook_messages, webhook_messages.c.message_id == _D.c.message_id)
        .outerjoin(
            counted,
            and_(
                counted.c.endpoint_id == _D.c.endpoint_id, counted.c.message_id == _D.c.message_id
            ),
        )
        .outerjoin(
            log,
            and_(
                log.c.endpoint_id == _D.c.endpoint_id,
                log.c.message_id == _D.c.message_id,
                log.c.number == counted.c.number,
            ),
        )
        .order_by(_D.c.updated_at.desc(), _D.c.message_id)
        .limit(limit)
    )
    if endpoint_id:
        query = query.where(_D.c.endpoint_id == endpoint_id)
    if state:
        query = query.where(_D.c.state == state)
    if before is not None:
        updated_at, message_id = before
        same = and_(_D.c.updated_at == updated_at, _D.c.message_id > message_id)
        query = query.where(or_(_D.c.updated_at < updated_at, same))
    return [_delivery(row) for row in connection.execute(query)]


def forget_old(connection: Connection, *, now: int) -> int:
    """Delete messages that are old and of which nothing waits, with their log; how many."""
    old = now - KEPT_SECONDS * 1000
    table = webhook_messages
    waits = exists().where(_D.c.message_id == table.c.message_id, _D.c.state == "waiting")
    ids = select(table.c.message_id).where(table.c.made_at < old, ~waits).limit(5000)
    found = list(connection.execute(ids).scalars())
    for start in range(0, len(found), 500):
        some = found[start : start + 500]
        for each in (webhook_attempts, webhook_deliveries, webhook_messages):
            connection.execute(delete(each).where(each.c.message_id.in_(some)))
    return len(found)


def _due(connection: Connection, row: Row[Any], now: int) -> Due:
    body = connection.execute(
        select(webhook_messages.c.body).where(webhook_messages.c.message_id == row.message_id)
    ).scalar_one()
    endpoint = read_endpoint(connection, row.endpoint_id)
    keys = secrets_of(connection, row.endpoint_id, now=now // 1000)
    return Due(row.endpoint_id, row.message_id, endpoint.url, bytes(body), row.tries, tuple(keys))


def _settle(
    connection: Connection, due: Due, now: int, *, state: str, due_at: int | None = None
) -> None:
    mine = [_D.c.endpoint_id == due.endpoint_id, _D.c.message_id == due.message_id]
    if state != "delivered":
        mine.append(_D.c.state == "waiting")  # delivered by another process meanwhile, it stays so
    connection.execute(
        update(_D)
        .where(*mine)
        .values(
            state=state,
            tries=due.tries + 1,
            due_at=now if due_at is None else due_at,
            updated_at=now,
        )
    )


def _disable(connection: Connection, endpoint_id: str, because: str, now: int) -> None:
    disable_endpoint(connection, endpoint_id, because=because, now=now // 1000)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.endpoint_id,
        row.message_id,
        row.type,
        row.state,
        row.number or 0,
        row.due_at,
        row.updated_at,
        row.status,
        row.problem or "",
    )
