"""The mirror's tables: raw facts, decoded history, and two derived tables.

Every fact is keyed by its log `(block_number, log_index)` and never changed: a `..._versions`
row holds the whole state of its subject after the event, so that the state as of any block is one
index seek and a rollback deletes rows. `balances` is derived from `entries`, and is the one place
where a rollback recomputes. The three areas share no foreign key: the mirror can be thrown away and
rebuilt from the chain.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table
from sqlalchemy.schema import SchemaItem

from ledger.store.columns import (
    address,
    blob,
    digest,
    flag,
    log_position,
    new_metadata,
    number,
    text,
)

SCHEMA_VERSION = 1
"""Raised when mirrored rows would differ; a database of another version is rebuilt."""

metadata = new_metadata()


def _table(name: str, *parts: SchemaItem) -> Table:
    """A table kept in the order of its key: SQLite would else keep the key a second time."""
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


mirror_state = _table(
    "mirror_state",
    number("id", primary_key=True),
    number("schema_version"),
    number("chain_id"),
    digest("genesis_hash"),
    digest("deployment"),  # SHA-256 over the contracts' names, addresses and code hashes
    number("first_block"),
    number("cursor_number"),  # last block applied
    digest("cursor_hash"),
    number("cursor_timestamp"),
    number("final_number"),  # the highest block that may no longer be reorganised
    number("generation"),  # one more with each rebuild, so that a follower sees that it happened
    number("head_number"),  # the chain's head at the last look
    number("looked_at"),  # when that was, milliseconds since 1970 UTC
    text("halted_code", nullable=True),  # an error's code; null while the mirror runs
    text("halted_reason", nullable=True),
    number("halted_block", nullable=True),
    number("halted_at", nullable=True),
    CheckConstraint("id = 1", name="single_row"),
)

contracts = _table(
    "contracts",
    number("contract_id", primary_key=True),
    text("name"),
    address("address"),
    digest("code_hash"),
    number("first_block"),
)

blocks = _table(
    "blocks",
    number("number", primary_key=True),
    digest("hash", unique=True),
    number("timestamp"),
    Index("ix_blocks_timestamp", "timestamp", "number"),
)

transactions = _table(
    "transactions",
    number("block_number", primary_key=True),
    number("transaction_index", primary_key=True),
    digest("hash", unique=True),
)

logs = _table(
    "logs",
    *log_position(),
    number("transaction_index"),
    number("contract_id"),
    blob("topics"),  # joined, 32 bytes each
    blob("data"),
    Index("ix_logs_contract", "contract_id", "block_number", "log_index"),
)

role_changes = _table(
    "role_changes",
    *log_position(),
    text("role"),  # registrar, issuer …; admin for the default admin
    number("programme_id"),  # 0 for the whole alliance
    address("account"),
    flag("held"),
    address("actor"),
    digest("operation_id"),
    Index(
        "ix_role_changes_account", "account", "role", "programme_id", "block_number", "log_index"
    ),
)

admin_changes = _table(
    "admin_changes",
    *log_position(),
    text(
        "change"
    ),  # transfer_begun, transfer_cancelled, delay_change_begun, delay_change_cancelled
    address("successor", nullable=True),
    number("delay", nullable=True),
    number("effective_from", nullable=True),
    address("actor"),
)

pauses = _table(
    "pauses",
    *log_position(),
    flag("paused"),
    address("actor"),
    digest("operation_id"),
)

programme_versions = _table(
    "programme_versions",
    *log_position(),
    number("programme_id"),
    text("key"),
    digest("profile"),
    number("supply_cap"),
    number("approvals_needed"),
    address("actor"),
    digest("operation_id"),
    Index("ix_programme_versions_programme", "programme_id", "block_number", "log_index"),
)

tier_versions = _table(
    "tier_versions",
    *log_position(),
    number("programme_id"),
    number("tier"),
    text("key"),
    flag("open"),
    address("actor"),
    digest("operation_id"),
    Index("ix_tier_versions_tier", "programme_id", "tier", "block_number", "log_index"),
)

category_versions = _table(
    "category_versions",
    *log_position(),
    number("programme_id"),
    text("category"),
    flag("open"),
    address("actor"),
    digest("operation_id"),
    Index("ix_category_versions_category", "programme_id", "category", "block_number", "log_index"),
)

epoch_boundaries = _table(
    "epoch_boundaries",
    *log_position(),
    number("programme_id"),
    number("number"),
    number("boundary"),
    address("actor"),
    digest("operation_id"),
    Index("ix_epoch_boundaries_number", "programme_id", "number", unique=True),
)

budget_versions = _table(
    "budget_versions",
    *log_position(),
    number("programme_id"),
    address("issuer"),
    number("per_award"),
    number("per_epoch"),
    address("actor"),
    digest("operation_id"),
    Index("ix_budget_versions_issuer", "programme_id", "issuer", "block_number", "log_index"),
)

organisation_versions = _table(
    "organisation_versions",
    *log_position(),
    number("org_id"),
    text("change"),  # registered, profile_changed
    text("kind"),
    address("controller"),
    digest("profile"),
    number("registered_at"),
    address("actor"),
    digest("operation_id"),
    Index("ix_organisation_versions_organisation", "org_id", "block_number", "log_index"),
    Index("ix_organisation_versions_controller", "controller", "block_number", "log_index"),
    Index("ix_organisation_versions_profile", "profile"),
)

membership_versions = _table(
    "membership_versions",
    *log_position(),
    number("programme_id"),
    number("org_id"),
    text("change"),  # admitted, renewed, tier_changed, suspended, resumed, revoked
    number("status"),  # ledger.domain.events.MembershipStatus
    number("tier"),
    number("admitted_at"),
    number("expires_at"),
    text("reason"),  # empty for none
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index(
        "ix_membership_versions_membership", "org_id", "programme_id", "block_number", "log_index"
    ),
    Index(
        "ix_membership_versions_programme", "programme_id", "org_id", "block_number", "log_index"
    ),
)

application_declines = _table(
    "application_declines",
    *log_position(),
    number("programme_id"),
    number("org_id"),
    text("reason"),
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index("ix_application_declines_organisation", "org_id", "programme_id"),
)

entries = _table(
    "entries",
    number("entry_id", primary_key=True),
    number("block_number"),
    number("log_index"),
    number("programme_id"),
    number("org_id"),
    number("kind"),  # ledger.domain.events.EntryKind
    text("category"),
    number("amount"),
    number("balance_after"),
    digest("evidence"),
    number("refers_to"),  # 0 for none
    address("actor"),
    digest("operation_id"),
    Index("ix_entries_statement", "org_id", "programme_id", "entry_id"),
    Index("ix_entries_block", "block_number"),
    Index("ix_entries_programme", "programme_id", "entry_id"),
    Index("ix_entries_refers_to", "refers_to"),
)

balances = _table(
    "balances",
    number("programme_id", primary_key=True),
    number("org_id", primary_key=True),
    number("balance"),
    number("entry_count"),
    number("last_entry_id"),
    Index("ix_balances_ranking", "programme_id", "balance", "org_id"),
)
