"""Holds a mirror against the contracts themselves, asked one value at a time at the same block.

None of our decoders has a part in it: what a contract answers is compared with what SQL holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from ledger.chain.keccak import keccak256
from ledger.domain.commands import Budget, MembershipState, Recovery, Registration
from ledger.domain.events import HELD_STATUSES, EntryKind
from ledger.domain.ids import EntryId, OrgId, ProgrammeId, TierId, token_id
from ledger.errors import ContractRefused
from ledger.mirror.accounts import CONTRIBUTIONS
from ledger.mirror.state import read_state
from ledger.store import mirror_tables as tables
from ledger.store.engine import reading
from tests.mirror.comparison_dealings import (
    cancellations_in,
    compare_benefits,
    compare_council,
    compare_messages,
    compare_shares,
    latest_rows,
)
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
            compare_benefits,
            compare_shares,
            compare_council,
            compare_messages,
        ):
            compare(connection, ledger, cursor.hash)


def _compare_authority(connection: Connection, ledger: Ledger, at: bytes) -> None:
    authority = ledger.contracts.authority
    roles = latest_rows(connection, tables.role_changes, "role", "programme_id", "account")
    for (role, programme, account), row in roles.items():
        if role == "admin":
            assert (authority.default_admin(at=at) == bytes(account)) == bool(row.held)
        else:
            assert authority.holds(role, programme, bytes(account), at=at) == bool(row.held)
    pauses = connection.execute(select(tables.pauses.c.paused)).scalars().all()
    assert authority.paused(at=at) == (bool(pauses[-1]) if pauses else False)


def _compare_programmes(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.programmes
    found = latest_rows(connection, tables.programme_versions, "programme_id")
    tiers = latest_rows(connection, tables.tier_versions, "programme_id", "tier")
    categories = latest_rows(connection, tables.category_versions, "programme_id", "category")
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
    subject = ("programme_id", "issuer", "category")
    limits = latest_rows(connection, tables.category_budget_versions, *subject)
    for (programme, issuer, category), row in limits.items():
        asked = contract.category_budget(programme, bytes(issuer), category, at=at)
        assert asked == (row.per_epoch if row.limited else None)
    budgets = latest_rows(connection, tables.budget_versions, "programme_id", "issuer")
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
    found = latest_rows(connection, tables.organisation_versions, "org_id")
    assert sorted(found) == list(range(1, contract.organisation_count(at=at) + 1))
    for org_id, row in found.items():
        expected = Registration(_account(row.controller), row.kind, bytes(row.profile))
        assert contract.organisation(org_id, at=at) == expected
        assert contract.is_retired(org_id, at=at) == bool(row.retired)
        assert contract.successor_of(org_id, at=at) == row.successor_id
        assert contract.nominated_by(org_id, at=at) == _account(row.nominated)
        recovery = Recovery(_account(row.recovery_successor), row.recovery_from or 0)
        assert contract.recovery_of(org_id, at=at) == recovery
    ever = connection.execute(select(tables.organisation_versions.c.controller)).scalars()
    acting = {bytes(row.controller): org_id for org_id, row in found.items() if row.controller}
    for account in {bytes(each) for each in ever if each is not None}:
        assert contract.organisation_of(account, at=at) == acting.get(account, 0)


def _account(raw: bytes | None) -> bytes:
    return bytes(raw) if raw is not None else bytes(20)


def _compare_memberships(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.memberships
    found = latest_rows(connection, tables.membership_versions, "programme_id", "org_id")
    organisations = latest_rows(connection, tables.organisation_versions, "org_id")
    for programme, org_id in _pairs(connection):
        held = contract.membership(programme, org_id, at=at)
        row = found.get((programme, org_id))
        if row is None:
            assert held.status == 0
            continue
        assert held == MembershipState(
            row.status, TierId(row.tier), row.admitted_at, row.expires_at
        )
        if row.status in HELD_STATUSES:
            owner = contract.owner_of(token_id(programme, org_id), at=at)
            assert owner == bytes(organisations[org_id].controller)
    for org_id in organisations:
        count = sum(row.status in HELD_STATUSES for (_, of), row in found.items() if of == org_id)
        assert contract.memberships_of(org_id, at=at) == count
    bases = connection.execute(select(tables.metadata_bases.c.base)).scalars().all()
    if bases:
        base = contract.contract_uri(at=at).removesuffix("contract")
        assert keccak256(base.encode()) == bytes(bases[-1])


def _compare_credits(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.credits
    balances = {
        (row.programme_id, row.org_id): row for row in connection.execute(select(tables.balances))
    }
    entries = connection.execute(select(tables.entries).order_by("entry_id")).all()
    ids = [row.entry_id for row in entries]
    assert ids == sorted(set(ids))
    lines = contract.sequence(at=at)
    assert len(ids) + len(cancellations_in(connection, "Credits")) == lines
    assert not ids or ids[-1] <= lines
    for programme, org_id in _pairs(connection):
        own = [row for row in entries if (row.programme_id, row.org_id) == (programme, org_id)]
        row = balances.get((programme, org_id))
        asked = contract.balance_of(programme, org_id, at=at)
        assert asked == sum(each.amount for each in own)
        assert (row is None) == (not own)
        if row is not None:
            expected = (asked, len(own), own[-1].entry_id)
            assert (row.balance, row.entry_count, row.last_entry_id) == expected
            given = [each.amount for each in own if each.kind in CONTRIBUTIONS]
            assert (row.contributed, row.contribution_count) == (sum(given), len(given))
    for programme in {programme for programme, _ in _pairs(connection)}:
        total = sum(row.balance for key, row in balances.items() if key[0] == programme)
        assert contract.outstanding(programme, at=at) == total
    for row in entries:
        answered = (ProgrammeId(row.programme_id), EntryId(row.refers_to))
        if row.kind == EntryKind.REVERSAL:
            assert contract.reversed_by(*answered, at=at) == row.entry_id
        if row.kind == EntryKind.EXPIRY:
            assert contract.expiry_of(*answered, at=at) == (row.entry_id, -row.amount)


def _pairs(connection: Connection) -> Iterable[tuple[ProgrammeId, OrgId]]:
    programmes = latest_rows(connection, tables.programme_versions, "programme_id")
    organisations = latest_rows(connection, tables.organisation_versions, "org_id")
    return [(ProgrammeId(one), OrgId(other)) for one in programmes for other in organisations]
