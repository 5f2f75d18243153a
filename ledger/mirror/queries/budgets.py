"""What an issuer may still award, as far as the mirror has it: for whoever awards in his name."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ledger.domain.ids import ProgrammeId
from ledger.mirror.queries.aggregates import total
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.spans import span_of
from ledger.mirror.queries.versions import is_last_version, true_at
from ledger.store.mirror_tables import category_budget_versions, entries


def has_category_budgets(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, issuer: bytes
) -> bool:
    """Whether some of the issuer's categories have budgets of their own."""
    table = category_budget_versions
    query = (
        select(table.c.category)
        .where(
            table.c.programme_id == programme_id,
            table.c.issuer == issuer,
            table.c.limited == 1,
            is_last_version(table, "programme_id", "issuer", "category"),
        )
        .limit(1)
    )
    return connection.execute(query, true_at(moment)).first() is not None


def credits_awarded_by(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, issuer: bytes, *, since: int
) -> int:
    """The credits that an account itself awarded from a time on, in seconds since 1970 UTC."""
    span = span_of(connection, moment, since=since)
    query = select(total(entries.c.amount)).where(
        entries.c.programme_id == programme_id,
        entries.c.actor == issuer,
        entries.c.amount > 0,
        span.condition(),
    )
    return int(connection.execute(query).scalar_one() or 0)
