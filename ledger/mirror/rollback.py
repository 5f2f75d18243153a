"""Takes back what was mirrored above a block, as if it had never been applied.

Facts above the block are deleted, and the balances that they had moved are moved back. It decides
nothing: which block to go back to is found in `ledger.mirror.reorganise`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Connection,
    Table,
    bindparam,
    case,
    cast,
    delete,
    func,
    select,
    update,
)

from ledger.domain.ids import BlockNumber
from ledger.mirror.accounts import CONTRIBUTIONS
from ledger.store.bulk import upsert_rows
from ledger.store.mirror_tables import (
    DERIVED_TABLES,
    RAW_TABLES,
    balances,
    blocks,
    contracts,
    entries,
    verified_ranges,
)

FACT_TABLES: tuple[Table, ...] = tuple(
    table for table in (*RAW_TABLES, *DERIVED_TABLES) if table not in (contracts, balances)
)
"""The tables each of whose rows belongs to one block."""


def roll_back(connection: Connection, ancestor: BlockNumber) -> None:
    """Delete what came after the block `ancestor`, in the connection's transaction."""
    _move_balances_back(connection, ancestor)
    for table in FACT_TABLES:
        column = table.c.number if table is blocks else table.c.block_number
        connection.execute(delete(table).where(column > ancestor))
    ranges = verified_ranges.c
    connection.execute(delete(verified_ranges).where(ranges.first_block > ancestor))
    connection.execute(
        update(verified_ranges).where(ranges.last_block > ancestor).values(last_block=ancestor)
    )


def _move_balances_back(connection: Connection, ancestor: BlockNumber) -> None:
    """Take the entries above `ancestor`, which still stand there, off the balances."""
    contributes = entries.c.kind.in_(CONTRIBUTIONS)
    gone = (
        select(
            entries.c.programme_id,
            entries.c.org_id,
            func.count().label("number"),
            func.sum(entries.c.amount).label("amount"),
            func.sum(case((contributes, entries.c.amount), else_=0)).label("contributed"),
            func.sum(case((contributes, 1), else_=0)).label("contribution_count"),
        )
        .where(entries.c.block_number > ancestor)
        .group_by(entries.c.programme_id, entries.c.org_id)
        .subquery()
    )
    # Entry ids grow with the blocks, so that the last entry that stays is one index seek.
    first_gone = (
        select(func.min(entries.c.entry_id))
        .where(entries.c.block_number > ancestor)
        .scalar_subquery()
    )
    kept = entries.alias()
    last_kept = (
        select(func.max(kept.c.entry_id))
        .where(
            kept.c.org_id == balances.c.org_id,
            kept.c.programme_id == balances.c.programme_id,
            kept.c.entry_id < first_gone,
        )
        .correlate(balances)
        .scalar_subquery()
    )
    statement = select(
        balances.c.programme_id,
        balances.c.org_id,
        cast(balances.c.balance - gone.c.amount, BigInteger),
        balances.c.entry_count - gone.c.number,
        last_kept,
        cast(balances.c.contributed - gone.c.contributed, BigInteger),
        cast(balances.c.contribution_count - gone.c.contribution_count, BigInteger),
    ).join(
        gone,
        (gone.c.programme_id == balances.c.programme_id) & (gone.c.org_id == balances.c.org_id),
    )
    left = [tuple(row) for row in connection.execute(statement)]
    upsert_rows(connection, balances, [row for row in left if row[3] > 0])
    emptied = [row[:2] for row in left if row[3] == 0]
    if emptied:
        connection.execute(
            delete(balances).where(
                balances.c.programme_id == bindparam("programme"),
                balances.c.org_id == bindparam("organisation"),
            ),
            [{"programme": one, "organisation": other} for one, other in emptied],
        )
