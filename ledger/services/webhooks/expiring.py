"""Tells webhooks of memberships that end soon, as members are told by e-mail: once for each of the
days before its end (60, 30, 7), and anew for the end that a renewal gives it.

A message's id follows from membership, end and days. One that was told is not told again to an
endpoint that came later: its row is there for as long as the days last.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select

from ledger.mirror.state import MirrorState, read_state
from ledger.office.webhooks.endpoints import list_endpoints
from ledger.office.webhooks.messages import Message, announce
from ledger.services.notices.expiring import list_expiring
from ledger.store.engine import reading, writing
from ledger.store.mirror_tables import mirror_state
from ledger.store.office_tables import webhook_messages

KIND = "membership.expiring"


def tell_expiring(engine: Engine, *, now: int) -> int:
    """Make messages of what comes near its end; how many deliveries. `now` is in milliseconds.

    Where nothing is new it writes nothing.
    """
    with reading(engine) as connection:
        if not _news(connection, now):
            return 0
    with writing(engine) as connection:
        return announce(connection, _news(connection, now), now=now)


def _news(connection: Connection, now: int) -> list[Message]:
    if not any(each.wants(KIND) for each in list_endpoints(connection)):
        return []
    if connection.execute(select(mirror_state.c.id)).one_or_none() is None:
        return []
    state = read_state(connection)
    messages = {each.message_id: each for each in _messages(connection, state, now)}
    told = connection.execute(
        select(webhook_messages.c.message_id).where(webhook_messages.c.type == KIND)
    ).scalars()
    for message_id in told:
        messages.pop(message_id, None)
    return list(messages.values())


def _messages(connection: Connection, state: MirrorState, now: int) -> list[Message]:
    genesis = state.genesis_hash
    return [
        Message(
            KIND,
            now // 1000,
            (genesis, each.programme_id, each.org_id, each.expires_at, each.days),
            {
                "programme_id": each.programme_id,
                "org_id": each.org_id,
                "expires_at": each.expires_at,
                "days": each.days,
                "chain_genesis": "0x" + genesis.hex(),
            },
        )
        for each in list_expiring(connection, state, now=now // 1000)
    ]
