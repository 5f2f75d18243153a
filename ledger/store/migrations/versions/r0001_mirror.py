"""The mirror: raw facts, decoded history, derived tables."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint

from ledger.store.columns import address, blob, digest, flag, number, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "mirror_state",
        number("id", primary_key=True),
        number("schema_version"),
        number("chain_id"),
        digest("genesis_hash"),
        digest("deployment"),
        number("first_block"),
        number("cursor_number"),
        digest("cursor_hash"),
        number("cursor_timestamp"),
        number("final_number"),
        number("generation"),
        number("head_number"),
        number("looked_at"),
        text("halted_code", nullable=True),
        text("halted_reason", nullable=True),
        number("halted_block", nullable=True),
        number("halted_at", nullable=True),
        CheckConstraint("id = 1", name="single_row"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contracts",
        number("contract_id", primary_key=True),
        text("name"),
        address("address"),
        digest("code_hash"),
        number("first_block"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        number("number", primary_key=True),
        digest("hash", unique=True),
        number("timestamp"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_blocks_timestamp", "blocks", ["timestamp", "number"])
    op.create_table(
        "transactions",
        number("block_number", primary_key=True),
        number("transaction_index", primary_key=True),
        digest("hash", unique=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "logs",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("transaction_index"),
        number("contract_id"),
        blob("topics"),
        blob("data"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_logs_contract", "logs", ["contract_id", "block_number", "log_index"])
    op.create_table(
        "role_changes",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("sequence"),
        text("role"),
        number("programme_id"),
        address("account"),
        flag("held"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_role_changes_account",
        "role_changes",
        ["account", "role", "programme_id", "block_number", "log_index"],
    )
    op.create_table(
        "admin_changes",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        text("change"),
        address("successor", nullable=True),
        number("delay", nullable=True),
        number("effective_from", nullable=True),
        address("actor"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pauses",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        flag("paused"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "programme_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        text("key"),
        digest("profile"),
        number("supply_cap"),
        number("approvals_needed"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_programme_versions_programme",
        "programme_versions",
        ["programme_id", "block_number", "log_index"],
    )
    op.create_table(
        "tier_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        number("tier"),
        text("key"),
        flag("open"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_tier_versions_tier",
        "tier_versions",
        ["programme_id", "tier", "block_number", "log_index"],
    )
    op.create_table(
        "category_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        text("category"),
        flag("open"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_category_versions_category",
        "category_versions",
        ["programme_id", "category", "block_number", "log_index"],
    )
    op.create_table(
        "epoch_boundaries",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        number("number"),
        number("boundary"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_epoch_boundaries_number", "epoch_boundaries", ["programme_id", "number"], unique=True
    )
    op.create_table(
        "budget_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        address("issuer"),
        number("per_award"),
        number("per_epoch"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_budget_versions_issuer",
        "budget_versions",
        ["programme_id", "issuer", "block_number", "log_index"],
    )
    op.create_table(
        "category_budget_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        address("issuer"),
        text("category"),
        flag("limited"),
        number("per_epoch"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_category_budget_versions_issuer",
        "category_budget_versions",
        ["programme_id", "issuer", "category", "block_number", "log_index"],
    )
    op.create_table(
        "organisation_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("org_id"),
        text("change"),
        text("kind"),
        address("controller", nullable=True),
        digest("profile"),
        number("registered_at"),
        address("nominated", nullable=True),
        address("recovery_successor", nullable=True),
        number("recovery_from", nullable=True),
        flag("retired"),
        number("successor_id"),
        digest("evidence"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_organisation_versions_controller",
        "organisation_versions",
        ["controller", "block_number", "log_index"],
    )
    op.create_index(
        "ix_organisation_versions_organisation",
        "organisation_versions",
        ["org_id", "block_number", "log_index"],
    )
    op.create_index("ix_organisation_versions_profile", "organisation_versions", ["profile"])
    op.create_table(
        "membership_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        number("org_id"),
        text("change"),
        number("status"),
        number("tier"),
        number("admitted_at"),
        number("expires_at"),
        text("reason"),
        digest("evidence"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_membership_versions_membership",
        "membership_versions",
        ["org_id", "programme_id", "block_number", "log_index"],
    )
    op.create_index(
        "ix_membership_versions_programme",
        "membership_versions",
        ["programme_id", "org_id", "block_number", "log_index"],
    )
    op.create_table(
        "application_declines",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        number("org_id"),
        text("reason"),
        digest("evidence"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_application_declines_organisation", "application_declines", ["org_id", "programme_id"]
    )
    op.create_table(
        "application_consents",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("programme_id"),
        number("org_id"),
        address("account"),
        digest("application_id"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_application_consents_organisation", "application_consents", ["org_id", "programme_id"]
    )
    op.create_table(
        "metadata_bases",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        digest("base"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        number("entry_id", primary_key=True),
        number("block_number"),
        number("log_index"),
        number("programme_id"),
        number("org_id"),
        number("kind"),
        text("category"),
        number("amount"),
        number("balance_after"),
        digest("evidence"),
        number("refers_to"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entries_block", "entries", ["block_number"])
    op.create_index("ix_entries_programme", "entries", ["programme_id", "entry_id"])
    op.create_index("ix_entries_refers_to", "entries", ["refers_to"])
    op.create_index("ix_entries_statement", "entries", ["org_id", "programme_id", "entry_id"])
    op.create_table(
        "balances",
        number("programme_id", primary_key=True),
        number("org_id", primary_key=True),
        number("balance"),
        number("entry_count"),
        number("last_entry_id"),
        number("contributed"),
        number("contribution_count"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_balances_ranking", "balances", ["programme_id", "contributed", "org_id"])
    op.create_table(
        "message_cancellations",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("contract_id"),
        address("account"),
        digest("message_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_message_cancellations_message",
        "message_cancellations",
        ["contract_id", "account", "message_id"],
        unique=True,
    )
