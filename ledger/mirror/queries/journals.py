"""A programme's journal as the rules of sharing and of expiry take it: entries, dated, in order.

For whoever computes something of a whole journal or epoch, and for whoever computes it again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, bindparam, select

from ledger.domain.events import EntryPosted
from ledger.domain.expiry import DatedEntry
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.domain.keys import recode_key
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.spans import span_of
from ledger.mirror.queries.versions import AT, true_at
from ledger.store.mirror_tables import blocks, entries, epoch_boundaries

_OF_PROGRAMME = entries.c.programme_id == bindparam("programme_id", type_=BigInteger)
_BOUNDARIES = (
    select(epoch_boundaries.c.boundary)
    .where(
        epoch_boundaries.c.programme_id == bindparam("programme_id", type_=BigInteger),
        epoch_boundaries.c.block_number <= AT,
    )
    .order_by(epoch_boundaries.c.number)
)


def read_journal(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    *,
    since: int | None = None,
    until: int | None = None,
    org_id: OrgId | None = None,
) -> tuple[DatedEntry, ...]:
    """The entries of a programme, the oldest first; from `since` to before `until`, in seconds.

    With `org_id`, those of one organisation.
    """
    span = span_of(connection, moment, since=since, until=until)
    query = (
        select(entries, blocks.c.timestamp)
        .join(blocks, blocks.c.number == entries.c.block_number)
        .where(_OF_PROGRAMME, span.condition())
        .order_by(entries.c.entry_id)
    )
    if org_id is not None:
        query = query.where(entries.c.org_id == org_id)
    return tuple(
        DatedEntry(
            EntryPosted(
                entry_id=row.entry_id,
                programme_id=row.programme_id,
                org_id=row.org_id,
                kind=row.kind,
                category=recode_key(row.category),
                amount=row.amount,
                balance_after=row.balance_after,
                evidence=bytes(row.evidence),
                refers_to=row.refers_to,
                actor=bytes(row.actor),
                operation_id=bytes(row.operation_id),
            ),
            row.timestamp,
        )
        for row in connection.execute(query, {"programme_id": programme_id})
    )


def read_boundaries(
    connection: Connection, moment: Moment, programme_id: ProgrammeId
) -> tuple[int, ...]:
    """A programme's epoch boundaries, seconds since 1970 UTC."""
    parameters = {**true_at(moment), "programme_id": programme_id}
    return tuple(row.boundary for row in connection.execute(_BOUNDARIES, parameters))
