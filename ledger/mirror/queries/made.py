"""What an operation made that has a number of its own, once its block is mirrored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, select, tuple_

from ledger.domain.ids import BlockNumber
from ledger.store.mirror_tables import (
    distribution_versions,
    entries,
    listing_versions,
    organisation_versions,
    programme_versions,
    proposal_versions,
    redemption_versions,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A thing that began with an operation: what it is (`organisation`), and its number."""

    what: str
    number: int


_MAKERS: tuple[tuple[str, Table, str, str | None], ...] = (
    ("programme", programme_versions, "programme_id", None),
    ("organisation", organisation_versions, "org_id", "registered"),
    ("entry", entries, "entry_id", None),
    ("benefit", listing_versions, "listing_id", "listed"),
    ("redemption", redemption_versions, "redemption_id", None),
    ("distribution", distribution_versions, "distribution_id", "posted"),
    ("proposal", proposal_versions, "proposal_id", "made"),
)
"""What is made, the table and the column of its number, and how its first row is called."""


def list_made(
    connection: Connection, operation_id: bytes, block_number: BlockNumber, *, limit: int
) -> tuple[Made, ...]:
    """What the operation of a block made, at most `limit`; empty where it is not mirrored.

    Where the first row of a thing is not called otherwise than later ones, it is the first.
    """
    found: list[Made] = []
    for what, table, column, first in _MAKERS:
        query = (
            select(table.c[column])
            .where(table.c.block_number == block_number, table.c.operation_id == operation_id)
            .order_by(table.c[column])
            .limit(limit)
        )
        if first is not None:
            query = query.where(table.c.change == first)
        elif table is not entries:
            earlier = table.alias()
            query = query.where(
                ~select(earlier.c[column])
                .where(
                    earlier.c[column] == table.c[column],
                    tuple_(earlier.c.block_number, earlier.c.log_index)
                    < tuple_(table.c.block_number, table.c.log_index),
                )
                .exists()
            )
        found += [Made(what, number) for number in connection.execute(query).scalars()]
    return tuple(found[:limit])
