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
    sequence: int
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


class CategoryBudgetVersion(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    issuer: bytes
    category: str
    limited: int
    per_epoch: int
    actor: bytes
    operation_id: bytes


class OrganisationVersion(NamedTuple):
    block_number: int
    log_index: int
    org_id: int
    change: str
    kind: str
    controller: bytes | None
    profile: bytes
    registered_at: int
    nominated: bytes | None
    recovery_successor: bytes | None
    recovery_from: int | None
    retired: int
    successor_id: int
    evidence: bytes
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


class ApplicationConsent(NamedTuple):
    block_number: int
    log_index: int
    programme_id: int
    org_id: int
    account: bytes
    application_id: bytes
    actor: bytes
    operation_id: bytes


class MetadataBase(NamedTuple):
    block_number: int
    log_index: int
    base: bytes
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
    contributed: int
    contribution_count: int


class ListingVersion(NamedTuple):
    block_number: int
    log_index: int
    listing_id: int
    change: str
    programme_id: int
    price: int
    capacity: int
    per_organisation: int
    opens_at: int
    closes_at: int
    profile: bytes
    closed: int
    actor: bytes
    operation_id: bytes


class RedemptionVersion(NamedTuple):
    block_number: int
    log_index: int
    redemption_id: int
    listing_id: int
    programme_id: int
    org_id: int
    quantity: int
    amount: int
    status: int
    entry_id: int
    refund_id: int
    taken: int
    taken_by_organisation: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


class DistributionVersion(NamedTuple):
    block_number: int
    log_index: int
    distribution_id: int
    change: str
    programme_id: int
    epoch: int
    pool: int
    unit: str
    rule: bytes
    root: bytes
    claimable_from: int
    claimable_until: int
    withdrawn: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


class ShareClaim(NamedTuple):
    block_number: int
    log_index: int
    distribution_id: int
    org_id: int
    amount: int
    claimed_after: int
    actor: bytes
    operation_id: bytes


class ProposalVersion(NamedTuple):
    block_number: int
    log_index: int
    proposal_id: int
    change: str
    programme_id: int
    status: int
    maker: bytes
    calls_hash: bytes
    evidence: bytes
    approvals_needed: int
    approvals: int
    expires_at: int
    authority_sequence: int
    made_at: int
    actor: bytes
    operation_id: bytes


class ProposalCall(NamedTuple):
    block_number: int
    log_index: int
    position: int
    proposal_id: int
    target: bytes
    data: bytes


class ProposalApproval(NamedTuple):
    block_number: int
    log_index: int
    proposal_id: int
    councillor: bytes
    number: int
    operation_id: bytes


class AllianceApprovals(NamedTuple):
    block_number: int
    log_index: int
    approvals_needed: int
    actor: bytes
    operation_id: bytes


class MessageCancellation(NamedTuple):
    block_number: int
    log_index: int
    contract_id: int
    account: bytes
    message_id: bytes


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
    CategoryBudgetVersion: mirror_tables.category_budget_versions,
    OrganisationVersion: mirror_tables.organisation_versions,
    MembershipVersion: mirror_tables.membership_versions,
    ApplicationDecline: mirror_tables.application_declines,
    ApplicationConsent: mirror_tables.application_consents,
    MetadataBase: mirror_tables.metadata_bases,
    EntryRow: mirror_tables.entries,
    BalanceRow: mirror_tables.balances,
    ListingVersion: mirror_tables.listing_versions,
    RedemptionVersion: mirror_tables.redemption_versions,
    DistributionVersion: mirror_tables.distribution_versions,
    ShareClaim: mirror_tables.share_claims,
    ProposalVersion: mirror_tables.proposal_versions,
    ProposalCall: mirror_tables.proposal_calls,
    ProposalApproval: mirror_tables.proposal_approvals,
    AllianceApprovals: mirror_tables.alliance_approvals,
    MessageCancellation: mirror_tables.message_cancellations,
}
