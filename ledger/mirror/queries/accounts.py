"""Accounts: what an address may do in the ledger, and whom it acts for.

An account is any address: one that never did anything simply holds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, and_, bindparam, select

from ledger.domain.ids import BlockNumber, ProgrammeId
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import is_last_version, true_at
from ledger.store.mirror_tables import (
    blocks,
    budget_versions,
    category_budget_versions,
    programme_versions,
    role_changes,
)


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role that an account holds; `programme_id` 0 and an empty `programme` are the alliance.

    `since` is the time of the block that it was given in, seconds since 1970 UTC.
    """

    role: str
    programme_id: ProgrammeId
    programme: str
    since_block: BlockNumber
    since: int


@dataclass(frozen=True, slots=True)
class Officer:
    """An account and a role that it holds; the fields as in RoleHeld."""

    account: bytes
    role: str
    programme_id: ProgrammeId
    programme: str
    since_block: BlockNumber
    since: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The most credits that an issuer may award at once, and in an epoch."""

    programme_id: ProgrammeId
    programme: str
    per_award: int
    per_epoch: int


_R = role_changes
_B = budget_versions
_P = programme_versions
_PROGRAMME_IS_CURRENT = is_last_version(_P, "programme_id")
_OFFICERS = (
    select(_R, _P.c.key, blocks.c.timestamp)
    .select_from(_R)
    .outerjoin(_P, and_(_P.c.programme_id == _R.c.programme_id, _PROGRAMME_IS_CURRENT))
    .join(blocks, blocks.c.number == _R.c.block_number)
    .where(is_last_version(_R, "account", "role", "programme_id"), _R.c.held == 1)
    .order_by(_R.c.programme_id, _R.c.role, _R.c.account)
)
_ROLES = _OFFICERS.where(_R.c.account == bindparam("account"))
_BUDGETS = (
    select(_B, _P.c.key)
    .select_from(_B)
    .join(_P, and_(_P.c.programme_id == _B.c.programme_id, _PROGRAMME_IS_CURRENT))
    .where(
        _B.c.issuer == bindparam("account"),
        is_last_version(_B, "programme_id", "issuer"),
        _B.c.per_epoch > 0,
    )
    .order_by(_B.c.programme_id)
)


@dataclass(frozen=True, slots=True)
class Budgeted:
    """An issuer's budget of each epoch in a programme; `category` is empty where it is of all."""

    issuer: bytes
    category: str
    per_epoch: int


_C = category_budget_versions
_OF_PROGRAMME: BindParameter[int] = bindparam("programme_id")
_ALL_BUDGETS = (
    select(_B.c.issuer, _B.c.per_epoch)
    .where(
        _B.c.programme_id == _OF_PROGRAMME,
        is_last_version(_B, "programme_id", "issuer"),
        _B.c.per_epoch > 0,
    )
    .order_by(_B.c.issuer)
)
_CATEGORY_BUDGETS = (
    select(_C.c.issuer, _C.c.category, _C.c.per_epoch)
    .where(
        _C.c.programme_id == _OF_PROGRAMME,
        is_last_version(_C, "programme_id", "issuer", "category"),
        _C.c.limited == 1,
    )
    .order_by(_C.c.issuer, _C.c.category)
)


def list_budgeted(
    connection: Connection, moment: Moment, programme_id: ProgrammeId
) -> tuple[Budgeted, ...]:
    """Every budget of a programme, by issuer: that of all categories first, then each category's.

    An issuer without a budget of all can award nothing; its categories' are left out.
    """
    parameters = {**true_at(moment), "programme_id": programme_id}
    limits: dict[bytes, list[Budgeted]] = {}
    for limit in connection.execute(_CATEGORY_BUDGETS, parameters):
        given = Budgeted(bytes(limit.issuer), limit.category, limit.per_epoch)
        limits.setdefault(given.issuer, []).append(given)
    found: list[Budgeted] = []
    for row in connection.execute(_ALL_BUDGETS, parameters):
        issuer = bytes(row.issuer)
        found += [Budgeted(issuer, "", row.per_epoch), *limits.get(issuer, [])]
    return tuple(found)


def read_roles(connection: Connection, moment: Moment, account: bytes) -> tuple[RoleHeld, ...]:
    """The roles that an account holds, by programme."""
    parameters = {**true_at(moment), "account": account}
    return tuple(
        RoleHeld(row.role, row.programme_id, row.key or "", row.block_number, row.timestamp)
        for row in connection.execute(_ROLES, parameters)
    )


def list_officers(connection: Connection, moment: Moment) -> tuple[Officer, ...]:
    """Every role that is held, by programme (the alliance first), role and account."""
    return tuple(
        Officer(
            bytes(row.account),
            row.role,
            row.programme_id,
            row.key or "",
            row.block_number,
            row.timestamp,
        )
        for row in connection.execute(_OFFICERS, true_at(moment))
    )


def read_budgets(connection: Connection, moment: Moment, account: bytes) -> tuple[Budget, ...]:
    """The budgets that an account may award from, by programme."""
    parameters = {**true_at(moment), "account": account}
    return tuple(
        Budget(row.programme_id, row.key, row.per_award, row.per_epoch)
        for row in connection.execute(_BUDGETS, parameters)
    )
