"""Rankings: who contributed most to a programme, in all, in an epoch, or in a category.

What counts is what was awarded, less what was reversed: who redeems credits, or lets them expire,
loses no rank. Organisations with equal credits share a rank, and the next rank counts all before it
(1, 1, 3). An entry belongs to the epoch that it was posted in, so a reversal lowers the epoch of
the reversal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.mirror.queries.aggregates import is_contribution, total
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.rules import Epoch
from ledger.mirror.queries.spans import Span, span_of
from ledger.store.mirror_tables import balances, entries


@dataclass(frozen=True, slots=True)
class Rank:
    """An organisation's place; `credits` is what it is ranked by."""

    rank: int
    org_id: OrgId
    credits: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class RankingPlace:
    """Where a page of a ranking ended: the last organisation and its credits."""

    credits: int
    org_id: OrgId


def read_ranking(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    *,
    epoch: Epoch | None = None,
    category: str = "",
    after: RankingPlace | None = None,
    limit: int,
) -> tuple[Rank, ...]:
    """At most `limit` places of a programme's ranking, the highest first, those after `after`.

    Organisations that were awarded nothing are in no ranking; equal ones are in the order of their
    ids. `entry_count` counts awards and reversals.
    """
    whole = moment.is_latest and epoch is None and not category
    scored = (
        _balances_of(programme_id)
        if whole
        else _sums_of(programme_id, _span(connection, moment, epoch), category)
    ).subquery("scored")
    ranked = select(
        func.rank().over(order_by=scored.c.credits.desc()).label("rank"),
        scored.c.org_id,
        scored.c.credits,
        scored.c.entry_count,
    ).subquery("ranked")
    query = select(ranked).order_by(ranked.c.credits.desc(), ranked.c.org_id).limit(limit)
    if after is not None:
        query = query.where(
            or_(
                ranked.c.credits < after.credits,
                and_(ranked.c.credits == after.credits, ranked.c.org_id > after.org_id),
            )
        )
    return tuple(Rank(*row) for row in connection.execute(query))


def _balances_of(programme_id: ProgrammeId) -> Select[Any]:
    return select(
        balances.c.org_id,
        balances.c.contributed.label("credits"),
        balances.c.contribution_count.label("entry_count"),
    ).where(balances.c.programme_id == programme_id, balances.c.contribution_count > 0)


def _span(connection: Connection, moment: Moment, epoch: Epoch | None) -> Span:
    if epoch is None:
        return span_of(connection, moment)
    return span_of(connection, moment, since=epoch.begins_at, until=epoch.ends_at)


def _sums_of(programme_id: ProgrammeId, span: Span, category: str) -> Select[Any]:
    conditions = [entries.c.programme_id == programme_id, span.condition(), is_contribution()]
    if category:
        conditions.append(entries.c.category == category)
    return (
        select(
            entries.c.org_id,
            total(entries.c.amount).label("credits"),
            func.count().label("entry_count"),
        )
        .where(*conditions)
        .group_by(entries.c.org_id)
    )
