"""Holds a mirror against the contracts themselves, asked one value at a time at the same block.

None of our decoders has a part in it: what a contract answers is compared with what SQL holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from ledger.domain.commands import Budget, MembershipState, Registration
from ledger.domain.ids import EntryId, OrgId, ProgrammeId, TierId
from ledger.errors import ContractRefused
from ledger.mirror.state import read_state
from ledger.store import mirror_tables as tables
from ledger.store.engine import reading
from tests.mirror.conftest import Mirrored
from tests.support.happenings import Ledger


def assert_mirrors_chain(mirrored: Mirrored, ledger: Ledger) -> None:
    """Every value that the contracts can be asked for is what the mirror holds."""
    with reading(mirrored.engine) as connection:
        cursor = read_state(connection).cursor
        head = ledger.node.header("latest")
        assert (hex(cursor.number), "0x" + cursor.hash.hex()) == (head.number, head.hash)
        for compare in (
            _compare_authority,
            _compare_programmes,
            _compare_organisations,
            _compare_memberships,
            _compare_credits,
        ):
            compare(connection, ledger, cursor.hash)


def _latest(connection: Connection, table: Table, *subject: str) -> dict[Any, Row[Any]]:
    rows = connection.execute(select(table).order_by(table.c.block_number, table.c.log_index))
    found: dict[Any, Row[Any]] = {}
    for row in rows:
        key = tuple(getattr(row, name) for name in subject)
        found[key[0] if len(key) == 1 else key] = row
    return found


def _compare_authority(connection: Connection, ledger: Ledger, at: bytes) -> None:
    authority = ledger.contracts.authority
    roles = _latest(connection, tables.role_changes, "role", "programme_id", "account")
    for (role, programme, account), row in roles.items():
        if role == "admin":
            assert (authority.default_admin(at=at) == bytes(account)) == bool(row.held)
        else:
            assert authority.holds(role, programme, bytes(account), at=at) == bool(row.held)
    pauses = connection.execute(select(tables.pauses.c.paused)).scalars().all()
    assert authority.paused(at=at) == (bool(pauses[-1]) if pauses else False)


def _compare_programmes(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.programmes
    found = _latest(connection, tables.programme_versions, "programme_id")
    tiers = _latest(connection, tables.tier_versions, "programme_id", "tier")
    categories = _latest(connection, tables.category_versions, "programme_id", "category")
    boundaries = connection.execute(select(tables.epoch_boundaries)).all()
    assert sorted(found) == list(range(1, contract.programme_count(at=at) + 1))
    for programme, row in found.items():
        rules = contract.programme(programme, at=at)
        assert (rules.key, rules.profile) == (row.key, bytes(row.profile))
        assert (rules.supply_cap, rules.approvals_needed) == (row.supply_cap, row.approvals_needed)
        assert rules.tier_count == len([tier for of, tier in tiers if of == programme])
        held = {each.number: each.boundary for each in boundaries if each.programme_id == programme}
        assert sorted(held) == list(range(1, contract.boundary_count(programme, at=at) + 1))
        for number, boundary in held.items():
            assert contract.boundary(programme, number, at=at) == boundary
    for (programme, tier), row in tiers.items():
        asked = _accepts(contract.read, "requireOpenTier", programme, tier, at=at)
        assert asked == bool(row.open)
    for (programme, category), row in categories.items():
        raw = [category.encode().ljust(32, b"\0")]
        asked = _accepts(contract.read, "requireOpenCategories", programme, raw, at=at)
        assert asked == bool(row.open)
    budgets = _latest(connection, tables.budget_versions, "programme_id", "issuer")
    for (programme, issuer), row in budgets.items():
        expected = Budget(row.per_award, row.per_epoch)
        assert contract.budget(programme, bytes(issuer), at=at) == expected


def _accepts(read: Any, function: str, *values: Any, at: bytes) -> bool:
    try:
        read(function, *values, at=at)
    except ContractRefused:
        return False
    except StopIteration:  # a function that answers nothing
        return True
    return True


def _compare_organisations(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.organisations
    found = _latest(connection, tables.organisation_versions, "org_id")
    assert sorted(found) == list(range(1, contract.organisation_count(at=at) + 1))
    for org_id, row in found.items():
        expected = Registration(bytes(row.controller), row.kind, bytes(row.profile))
        assert contract.organisation(org_id, at=at) == expected


def _compare_memberships(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.memberships
    found = _latest(connection, tables.membership_versions, "programme_id", "org_id")
    for programme, org_id in _pairs(connection):
        held = contract.membership(programme, org_id, at=at)
        row = found.get((programme, org_id))
        if row is None:
            assert held.status == 0
        else:
            assert held == MembershipState(
                row.status, TierId(row.tier), row.admitted_at, row.expires_at
            )


def _compare_credits(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.credits
    balances = {
        (row.programme_id, row.org_id): row for row in connection.execute(select(tables.balances))
    }
    entries = connection.execute(select(tables.entries).order_by("entry_id")).all()
    assert [row.entry_id for row in entries] == list(range(1, contract.sequence(at=at) + 1))
    for programme, org_id in _pairs(connection):
        own = [row for row in entries if (row.programme_id, row.org_id) == (programme, org_id)]
        row = balances.get((programme, org_id))
        asked = contract.balance_of(programme, org_id, at=at)
        assert asked == sum(each.amount for each in own)
        assert (row is None) == (not own)
        if row is not None:
            expected = (asked, len(own), own[-1].entry_id)
            assert (row.balance, row.entry_count, row.last_entry_id) == expected
    for programme in {programme for programme, _ in _pairs(connection)}:
        total = sum(row.balance for key, row in balances.items() if key[0] == programme)
        assert contract.outstanding(programme, at=at) == total
    for row in entries:
        if row.refers_to:
            assert contract.reversed_by(EntryId(row.refers_to), at=at) == row.entry_id


def _pairs(connection: Connection) -> Iterable[tuple[ProgrammeId, OrgId]]:
    programmes = _latest(connection, tables.programme_versions, "programme_id")
    organisations = _latest(connection, tables.organisation_versions, "org_id")
    return [(ProgrammeId(one), OrgId(other)) for one in programmes for other in organisations]
