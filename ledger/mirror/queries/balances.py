"""Balances: what an organisation has in each programme and category.

Each entry carries the balance after it, so a balance at any block is that of the last entry up to
it, as the chain itself stated it. Sums by category are taken over the organisation's own entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.mirror.queries.aggregates import how_many, total
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.versions import AT, true_at
from ledger.store.mirror_tables import entries, membership_versions
from ledger.store.office_tables import evidence_files


@dataclass(frozen=True, slots=True)
class CategorySum:
    """The sum of an organisation's entries in a category, or of those in none (empty).

    `made_up_count` of its entries rest on documents that were made up for a demonstration.
    """

    category: str
    amount: int
    entry_count: int
    made_up_count: int


@dataclass(frozen=True, slots=True)
class Balance:
    """An organisation's credits in a programme, and the entries that they are of.

    `categories` add up to `credits`, the largest first; `last_entry` is 0 where there is none.
    """

    programme_id: ProgrammeId
    programme: str
    credits: int
    entry_count: int
    last_entry: EntryId
    categories: tuple[CategorySum, ...]


_BY_CATEGORY = (
    select(
        entries.c.programme_id,
        entries.c.category,
        total(entries.c.amount).label("amount"),
        func.count().label("entry_count"),
        how_many(evidence_files.c.made_up == 1).label("made_up_count"),
        func.max(entries.c.entry_id).label("last_entry"),
    )
    .select_from(entries)
    .outerjoin(evidence_files, evidence_files.c.commitment == entries.c.evidence)
    .where(entries.c.org_id == bindparam("org_id"), entries.c.block_number <= AT)
    .group_by(entries.c.programme_id, entries.c.category)
    .order_by(entries.c.programme_id, total(entries.c.amount).desc(), entries.c.category)
)
_BALANCES_AFTER = select(entries.c.entry_id, entries.c.balance_after).where(
    entries.c.entry_id.in_(bindparam("entry_ids", expanding=True))
)
_JOINED = (
    select(membership_versions.c.programme_id)
    .where(
        membership_versions.c.org_id == bindparam("org_id"),
        membership_versions.c.block_number <= AT,
    )
    .distinct()
)


def read_balances(connection: Connection, moment: Moment, org_id: OrgId) -> tuple[Balance, ...]:
    """The organisation's balance in each programme that it ever was in, or has entries in."""
    parameters = {**true_at(moment), "org_id": org_id}
    sums: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_BY_CATEGORY, parameters):
        sums[row.programme_id].append(row)
    joined = set(connection.execute(_JOINED, parameters).scalars())
    last = {
        programme_id: max(row.last_entry for row in rows) for programme_id, rows in sums.items()
    }
    after = _read_balances_after(connection, list(last.values()))
    return tuple(
        _balance(programme_id, key, sums[programme_id], last.get(programme_id, 0), after)
        for programme_id, key in read_programme_keys(connection, moment).items()
        if programme_id in joined or programme_id in last
    )


def _read_balances_after(connection: Connection, entry_ids: Sequence[int]) -> dict[int, int]:
    if not entry_ids:
        return {}
    rows = connection.execute(_BALANCES_AFTER, {"entry_ids": entry_ids})
    return {row.entry_id: row.balance_after for row in rows}


def _balance(
    programme_id: ProgrammeId,
    key: str,
    sums: Sequence[Row[Any]],
    last_entry: int,
    after: Mapping[int, int],
) -> Balance:
    return Balance(
        programme_id=programme_id,
        programme=key,
        credits=after.get(last_entry, 0),
        entry_count=sum(row.entry_count for row in sums),
        last_entry=EntryId(last_entry),
        categories=tuple(
            CategorySum(row.category, row.amount, row.entry_count, row.made_up_count)
            for row in sums
        ),
    )
