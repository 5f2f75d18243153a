"""Balances: what an organisation has in each programme and category.

Each entry carries the balance after it, so a balance at any block is that of the last entry up to
it, as the chain itself stated it. Sums by category are taken over the organisation's own entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

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


class CategoryRow(NamedTuple):
    """A category's sum as it is read; `balance_after` is what its last entry left."""

    programme_id: int
    category: str
    amount: int
    entry_count: int
    made_up_count: int
    last_entry: int
    balance_after: int


_SUMS = (
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
    .subquery("sums")
)
_BY_CATEGORY = select(
    _SUMS,
    select(entries.c.balance_after)
    .where(entries.c.entry_id == _SUMS.c.last_entry)
    .scalar_subquery()
    .label("balance_after"),
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
    rows = [CategoryRow(*row) for row in connection.execute(_BY_CATEGORY, parameters)]
    joined = set(connection.execute(_JOINED, parameters).scalars())
    return balances_of(rows, joined, read_programme_keys(connection, moment))


def balances_of(
    rows: Iterable[CategoryRow], joined: Collection[int], keys: Mapping[ProgrammeId, str]
) -> tuple[Balance, ...]:
    """The balances that categories' sums come to, in the order of programmes."""
    sums: defaultdict[int, list[CategoryRow]] = defaultdict(list)
    for row in rows:
        sums[row.programme_id].append(row)
    return tuple(
        _balance(ProgrammeId(programme_id), keys[ProgrammeId(programme_id)], sums[programme_id])
        for programme_id in sorted({*joined, *sums})
    )


def _balance(programme_id: ProgrammeId, key: str, sums: Sequence[CategoryRow]) -> Balance:
    last = max(sums, key=lambda row: row.last_entry, default=None)
    return Balance(
        programme_id=programme_id,
        programme=key,
        credits=last.balance_after if last else 0,
        entry_count=sum(row.entry_count for row in sums),
        last_entry=EntryId(last.last_entry if last else 0),
        categories=tuple(
            CategorySum(row.category, row.amount, row.entry_count, row.made_up_count)
            for row in sorted(sums, key=lambda row: (-row.amount, row.category))
        ),
    )
