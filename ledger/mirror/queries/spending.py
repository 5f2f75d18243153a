"""What is left of issuers' budgets in the epoch in force, counted from mirrored awards.

As `Credits` counts it: an award by somebody who was of the council when it was made is on nobody's
budget, and a category's budget takes what was awarded while there was one. A test compares it with
the chain's own figures.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger.domain.events import EntryKind
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.rules import Epoch, read_rules
from ledger.mirror.queries.spans import span_of
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import (
    budget_versions,
    category_budget_versions,
    entries,
    role_changes,
)

Place = tuple[int, int]
"""A log's block and number."""


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """An issuer's budget, and what is left of it; `category` is empty where it is of all.

    `epoch` is the one in force, None where there is none: then nothing can be awarded. `may_award`
    says whether the account holds an office that awards now. `by_council`: it is of the council,
    whose awards no budget binds.
    """

    programme_id: ProgrammeId
    programme: str
    issuer: bytes
    category: str
    per_award: int
    per_epoch: int
    epoch: Epoch | None
    spent: int
    may_award: bool
    by_council: bool

    @property
    def left(self) -> int:
        """Credits that may still be awarded of it in the epoch."""
        return max(self.per_epoch - self.spent, 0) if self.epoch is not None else 0


@dataclass(frozen=True, slots=True)
class _Switch:
    """When something was on: its changes in the order of the chain."""

    places: Sequence[Place]
    states: Sequence[bool]

    def is_on(self, place: Place) -> bool:
        at = bisect_right(self.places, place)
        return at > 0 and self.states[at - 1]

    @property
    def is_on_now(self) -> bool:
        return bool(self.states) and self.states[-1]


_OFF = _Switch((), ())
_B, _C, _R = budget_versions, category_budget_versions, role_changes
_BUDGETS = (
    select(_B)
    .where(is_last_version(_B, "programme_id", "issuer"), _B.c.per_epoch > 0)
    .order_by(_B.c.programme_id, _B.c.issuer)
)


def read_budget_standings(
    connection: Connection,
    moment: Moment,
    programmes: Mapping[ProgrammeId, str],
    *,
    issuer: bytes | None = None,
) -> tuple[BudgetStanding, ...]:
    """Every budget in these programmes (their keys by id), or an issuer's: by programme and issuer,
    that of all categories first, then each category's."""
    query = _BUDGETS if issuer is None else _BUDGETS.where(_B.c.issuer == issuer)
    keys = read_programme_keys(connection, moment)
    rules = read_rules(connection, moment, {int(each): key for each, key in keys.items()})
    found: list[BudgetStanding] = []
    for row in connection.execute(query, true_at(moment)).all():
        if row.programme_id in programmes:
            epochs = rules[row.programme_id].epochs
            in_force = next((each for each in epochs if each.contains(moment.timestamp)), None)
            found += _of_issuer(connection, moment, row, programmes[row.programme_id], in_force)
    return tuple(found)


def _of_issuer(
    connection: Connection, moment: Moment, row: Row[Any], key: str, epoch: Epoch | None
) -> list[BudgetStanding]:
    issuer = bytes(row.issuer)
    roles = _read_roles(connection, moment, row.programme_id, issuer)
    councils = [roles[each, "council"] for each in (ALLIANCE_WIDE, row.programme_id)]
    offices = [roles[each, "issuer"] for each in (ALLIANCE_WIDE, row.programme_id)]
    limits = _read_limits(connection, moment, row.programme_id, issuer)
    by_category = {name: switch for name, (switch, _) in limits.items()}
    spent, spent_in = 0, dict.fromkeys(limits, 0)
    if epoch is not None:
        for award in _awards(connection, moment, row.programme_id, issuer, epoch):
            place = (award.block_number, award.log_index)
            if any(each.is_on(place) for each in councils):
                continue
            spent += award.amount
            if by_category.get(award.category, _OFF).is_on(place):
                spent_in[award.category] += award.amount
    by_council = any(each.is_on_now for each in councils)
    may_award = by_council or any(each.is_on_now for each in offices)

    def standing(category: str, per_epoch: int, spent: int) -> BudgetStanding:
        return BudgetStanding(
            row.programme_id,
            key,
            issuer,
            category,
            row.per_award,
            per_epoch,
            epoch,
            spent,
            may_award,
            by_council,
        )

    return [
        standing("", row.per_epoch, spent),
        *(
            standing(category, per_epoch, spent_in[category])
            for category, (switch, per_epoch) in sorted(limits.items())
            if switch.is_on_now
        ),
    ]


def _awards(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    issuer: bytes,
    epoch: Epoch,
) -> Sequence[Any]:
    span = span_of(connection, moment, since=epoch.begins_at, until=epoch.ends_at)
    query = select(
        entries.c.block_number, entries.c.log_index, entries.c.category, entries.c.amount
    ).where(
        entries.c.programme_id == programme_id,
        entries.c.actor == issuer,
        entries.c.kind == int(EntryKind.AWARD),
        span.condition(),
    )
    return connection.execute(query).all()


def _read_roles(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, account: bytes
) -> defaultdict[tuple[int, str], _Switch]:
    query = (
        select(_R)
        .where(
            _R.c.account == account,
            _R.c.role.in_(("issuer", "council")),
            _R.c.programme_id.in_((ALLIANCE_WIDE, programme_id)),
            _R.c.block_number <= AT,
        )
        .order_by(_R.c.block_number, _R.c.log_index)
    )
    rows: dict[tuple[int, str], list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query, true_at(moment)):
        rows[row.programme_id, row.role].append(row)
    found: defaultdict[tuple[int, str], _Switch] = defaultdict(lambda: _OFF)
    for subject, changes in rows.items():
        found[subject] = _switch(changes, "held")
    return found


def _read_limits(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, issuer: bytes
) -> dict[str, tuple[_Switch, int]]:
    """Of each category that ever had a budget: when it had one, and the last one."""
    query = (
        select(_C)
        .where(_C.c.programme_id == programme_id, _C.c.issuer == issuer, _C.c.block_number <= AT)
        .order_by(_C.c.block_number, _C.c.log_index)
    )
    rows: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query, true_at(moment)):
        rows[row.category].append(row)
    return {
        category: (_switch(changes, "limited"), changes[-1].per_epoch)
        for category, changes in rows.items()
    }


def _switch(changes: Sequence[Row[Any]], column: str) -> _Switch:
    return _Switch(
        [(each.block_number, each.log_index) for each in changes],
        [bool(getattr(each, column)) for each in changes],
    )
