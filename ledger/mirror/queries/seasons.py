"""What an organisation's balance is made of, by category and by the epoch it was posted in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, literal, select

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.mirror.queries.aggregates import total
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.rules import Epoch
from ledger.mirror.queries.spans import span_of
from ledger.store.mirror_tables import entries


@dataclass(frozen=True, slots=True)
class EpochSum:
    """The sum of an organisation's entries of one category, or of none (empty), in one epoch.

    Epoch 0 is all time outside the epochs that were asked for.
    """

    epoch: int
    category: str
    amount: int


def read_epoch_sums(
    connection: Connection,
    moment: Moment,
    org_id: OrgId,
    programme_id: ProgrammeId,
    epochs: Sequence[Epoch],
) -> tuple[EpochSum, ...]:
    """The organisation's sums in a programme at the moment, by epoch and category."""
    spans = [
        (each.number, span_of(connection, moment, since=each.begins_at, until=each.ends_at))
        for each in epochs
    ]
    inside = [(span.condition(), literal(epoch)) for epoch, span in spans]
    number = case(*inside, else_=0) if inside else literal(0)
    rows = (
        select(
            number.label("epoch"),
            entries.c.category,
            entries.c.amount,
        )
        .where(
            entries.c.org_id == org_id,
            entries.c.programme_id == programme_id,
            span_of(connection, moment).condition(),
        )
        .subquery()
    )
    query = (
        select(rows.c.epoch, rows.c.category, total(rows.c.amount))
        .group_by(rows.c.epoch, rows.c.category)
        .order_by(rows.c.epoch, rows.c.category)
    )
    return tuple(EpochSum(*row) for row in connection.execute(query))
