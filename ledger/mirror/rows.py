"""A mirrored row of each table, by name: the same fields as the table's columns, in their order.

Handlers make these and nothing else; a test compares them with the tables.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Table

from ledger.store import mirror_tables


class BlockRow(NamedTuple):
    number: int
    hash: bytes
    timestamp: int


class TransactionRow(NamedTuple):
    block_number: int
    transaction_index: int
    hash: bytes


class LogRow(NamedTuple):
    block_number: int
    log_index: int
    transaction_index: int
    contract_id: int
    topics: bytes
    data: bytes


class RoleChange(NamedTuple):
    block_number: int
    log_index: int
    role: str
    programme_id: int
    account: bytes
    held: int
    actor: bytes
    operation_id: bytes


class AdminChange(NamedTuple):
    block_number: int
    log_index: int
    change: str
    successor: bytes | None
    delay: int | None
    effective_from: int | None
    actor: bytes


class Pause(NamedTuple):
    block_number: int
    log_index: int
    paused: int
    actor: bytes
    operation_id: bytes


class ProgrammeVersion(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    key: str
    profile: bytes
    supply_cap: int
    approvals_needed: int
    actor: bytes
    operation_id: bytes


class TierVersion(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    tier: int
    key: str
    open: int
    actor: bytes
    operation_id: bytes


class CategoryVersion(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    category: str
    open: int
    actor: bytes
    operation_id: bytes


class EpochBoundary(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    number: int
    boundary: int
    actor: bytes
    operation_id: bytes


class BudgetVersion(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    issuer: bytes
    per_award: int
    per_epoch: int
    actor: bytes
    operation_id: bytes


class OrganisationVersion(NamedTuple):
    block_number: int
    log_index: int
    org_id: int
    change: str
    kind: str
    controller: bytes
    profile: bytes
    registered_at: int
    actor: bytes
    operation_id: bytes


class MembershipVersion(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    org_id: int
    change: str
    status: int
    tier: int
    admitted_at: int
    expires_at: int
    reason: str
    evidence: bytes
    actor: bytes
    operation_id: bytes


class ApplicationDecline(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    org_id: int
    reason: str
    evidence: bytes
    actor: bytes
    operation_id: bytes


class EntryRow(NamedTuple):
    entry_id: int
    block_number: int
    log_index: int
    programme_id: int
    org_id: int
    kind: int
    category: str
    amount: int
    balance_after: int
    evidence: bytes
    refers_to: int
    actor: bytes
    operation_id: bytes


class BalanceRow(NamedTuple):
    programme_id: int
    org_id: int
    balance: int
    entry_count: int
    last_entry_id: int


TABLES: dict[type[tuple[object, ...]], Table] = {
    BlockRow: mirror_tables.blocks,
    TransactionRow: mirror_tables.transactions,
    LogRow: mirror_tables.logs,
    RoleChange: mirror_tables.role_changes,
    AdminChange: mirror_tables.admin_changes,
    Pause: mirror_tables.pauses,
    ProgrammeVersion: mirror_tables.programme_versions,
    TierVersion: mirror_tables.tier_versions,
    CategoryVersion: mirror_tables.category_versions,
    EpochBoundary: mirror_tables.epoch_boundaries,
    BudgetVersion: mirror_tables.budget_versions,
    OrganisationVersion: mirror_tables.organisation_versions,
    MembershipVersion: mirror_tables.membership_versions,
    ApplicationDecline: mirror_tables.application_declines,
    EntryRow: mirror_tables.entries,
    BalanceRow: mirror_tables.balances,
}
