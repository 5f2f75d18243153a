"""The state of the whole ledger: whether it is stopped."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, true_at
from ledger.store.mirror_tables import pauses

_LAST = (
    select(pauses.c.paused)
    .where(pauses.c.block_number <= AT)
    .order_by(pauses.c.block_number.desc(), pauses.c.log_index.desc())
    .limit(1)
)


def is_paused(connection: Connection, moment: Moment) -> bool:
    """Whether nothing can change until the ledger goes on."""
    return bool(connection.execute(_LAST, true_at(moment)).scalar_one_or_none())
