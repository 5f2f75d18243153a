"""Programmes: their rules, their members counted, and what is outstanding in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select

from ledger.domain.events import MembershipStatus
from ledger.domain.ids import ProgrammeId
from ledger.errors import NotFound
from ledger.mirror.queries.aggregates import how_many, is_contribution, total
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.profiles import PROFILE_COLUMNS, Profile, profile_of
from ledger.mirror.queries.rules import Rules, read_rules
from ledger.mirror.queries.versions import AT, NOW, is_last_version, true_at
from ledger.store.mirror_tables import balances, entries, membership_versions, programme_versions
from ledger.store.office_tables import profiles


@dataclass(frozen=True, slots=True)
class MemberCount:
    """Memberships of a programme by their standing; they do not overlap."""

    active: int = 0
    lapsed: int = 0
    suspended: int = 0
    revoked: int = 0

    @property
    def held(self) -> int:
        """How many organisations hold a membership, in good standing or not."""
        return self.active + self.lapsed + self.suspended


@dataclass(frozen=True, slots=True)
class Outstanding:
    """The sum of a programme's balances in credits, and how many entries led to it."""

    credits: int = 0
    entry_count: int = 0


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme at a moment; `current_epoch` is 0 where none is in force."""

    programme_id: ProgrammeId
    key: str
    profile_commitment: bytes
    profile: Profile | None
    supply_cap: int
    approvals_needed: int
    rules: Rules
    current_epoch: int
    members: MemberCount
    outstanding: Outstanding


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """What was contributed in a category: awards less reversals, and how many both are."""

    category: str
    amount: int
    entry_count: int


_PROGRAMMES = (
    select(programme_versions, *PROFILE_COLUMNS)
    .select_from(programme_versions)
    .outerjoin(profiles, profiles.c.commitment == programme_versions.c.profile)
    .where(is_last_version(programme_versions, "programme_id"))
    .order_by(programme_versions.c.programme_id)
)
_KEYS = (
    select(programme_versions.c.programme_id, programme_versions.c.key)
    .where(is_last_version(programme_versions, "programme_id"))
    .order_by(programme_versions.c.programme_id)
)

_STATUS = membership_versions.c.status
_EXPIRES = membership_versions.c.expires_at
_MEMBERS = (
    select(
        membership_versions.c.programme_id,
        how_many(and_(_STATUS == MembershipStatus.ACTIVE, _EXPIRES > NOW)),
        how_many(and_(_STATUS == MembershipStatus.ACTIVE, _EXPIRES <= NOW)),
        how_many(_STATUS == MembershipStatus.SUSPENDED),
        how_many(_STATUS == MembershipStatus.REVOKED),
    )
    .where(is_last_version(membership_versions, "programme_id", "org_id"))
    .group_by(membership_versions.c.programme_id)
)
_OUTSTANDING = select(
    balances.c.programme_id, total(balances.c.balance), total(balances.c.entry_count)
).group_by(balances.c.programme_id)
_OUTSTANDING_THEN = (
    select(entries.c.programme_id, total(entries.c.amount), func.count())
    .where(entries.c.block_number <= AT)
    .group_by(entries.c.programme_id)
)
_CATEGORY_TOTALS = (
    select(entries.c.category, total(entries.c.amount).label("amount"), func.count())
    .where(
        entries.c.programme_id == bindparam("programme_id"),
        entries.c.block_number <= AT,
        is_contribution(),
    )
    .group_by(entries.c.category)
    .order_by(total(entries.c.amount).desc(), entries.c.category)
)


def read_programmes(connection: Connection, moment: Moment) -> tuple[Programme, ...]:
    """All programmes in the order of their ids."""
    at = true_at(moment)
    rows = connection.execute(_PROGRAMMES, at).all()
    rules = read_rules(connection, moment, {row.programme_id: row.key for row in rows})
    members = {row[0]: MemberCount(*row[1:]) for row in connection.execute(_MEMBERS, at)}
    outstanding = _read_outstanding(connection, moment, at)
    return tuple(
        _programme(
            row,
            rules[row.programme_id],
            moment,
            members.get(row.programme_id, MemberCount()),
            outstanding.get(row.programme_id, Outstanding()),
        )
        for row in rows
    )


def read_programme(connection: Connection, moment: Moment, reference: str) -> Programme:
    """The programme with this id (in digits) or key. Raises NotFound."""
    programme_id = find_programme(connection, moment, reference)
    return next(
        each for each in read_programmes(connection, moment) if each.programme_id == programme_id
    )


def read_programme_keys(connection: Connection, moment: Moment) -> dict[ProgrammeId, str]:
    """The key of each programme."""
    return {row.programme_id: row.key for row in connection.execute(_KEYS, true_at(moment))}


def find_programme(connection: Connection, moment: Moment, reference: str) -> ProgrammeId:
    """The id of the programme with this id (in digits) or key. Raises NotFound."""
    keys = read_programme_keys(connection, moment)
    by_reference = {key: programme_id for programme_id, key in keys.items()}
    by_reference |= {str(programme_id): programme_id for programme_id in keys}
    if reference not in by_reference:
        raise NotFound(what="programme", key=reference)
    return by_reference[reference]


def read_category_totals(
    connection: Connection, moment: Moment, programme_id: ProgrammeId
) -> tuple[CategoryTotal, ...]:
    """What was contributed to a programme by category, the largest first."""
    parameters = {**true_at(moment), "programme_id": programme_id}
    return tuple(CategoryTotal(*row) for row in connection.execute(_CATEGORY_TOTALS, parameters))


def _read_outstanding(
    connection: Connection, moment: Moment, at: Mapping[str, Any]
) -> dict[int, Outstanding]:
    rows = (
        connection.execute(_OUTSTANDING)
        if moment.is_latest
        else connection.execute(_OUTSTANDING_THEN, at)
    )
    return {row[0]: Outstanding(row[1], row[2]) for row in rows}


def _programme(
    row: Row[Any], rules: Rules, moment: Moment, members: MemberCount, outstanding: Outstanding
) -> Programme:
    in_force = (epoch.number for epoch in rules.epochs if epoch.contains(moment.timestamp))
    return Programme(
        programme_id=row.programme_id,
        key=row.key,
        profile_commitment=bytes(row.profile),
        profile=profile_of(row),
        supply_cap=row.supply_cap,
        approvals_needed=row.approvals_needed,
        rules=rules,
        current_epoch=next(in_force, 0),
        members=members,
        outstanding=outstanding,
    )
