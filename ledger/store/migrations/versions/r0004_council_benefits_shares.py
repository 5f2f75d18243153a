"""The mirror: councils' proposals, benefits, shares."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import address, blob, digest, flag, number, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _create_council()
    _create_benefits()
    _create_shares()


def _create_council() -> None:
    op.create_table(
        "proposal_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("proposal_id"),
        text("change"),
        number("programme_id"),
        number("status"),
        address("maker"),
        digest("calls_hash"),
        digest("evidence"),
        number("approvals_needed"),
        number("approvals"),
        number("expires_at"),
        number("authority_sequence"),
        number("made_at"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_proposal_versions_programme", "proposal_versions", ["programme_id", "proposal_id"]
    )
    op.create_index(
        "ix_proposal_versions_proposal",
        "proposal_versions",
        ["proposal_id", "block_number", "log_index"],
    )
    op.create_table(
        "proposal_calls",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("position", primary_key=True),
        number("proposal_id"),
        address("target"),
        blob("data"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_proposal_calls_call", "proposal_calls", ["proposal_id", "position"], unique=True
    )
    op.create_table(
        "proposal_approvals",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("proposal_id"),
        address("councillor"),
        number("number"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_proposal_approvals_councillor",
        "proposal_approvals",
        ["proposal_id", "councillor"],
        unique=True,
    )
    op.create_index(
        "ix_proposal_approvals_number", "proposal_approvals", ["proposal_id", "number"], unique=True
    )
    op.create_table(
        "alliance_approvals",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("approvals_needed"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )


def _create_benefits() -> None:
    op.create_table(
        "listing_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("listing_id"),
        text("change"),
        number("programme_id"),
        number("price"),
        number("capacity"),
        number("per_organisation"),
        number("opens_at"),
        number("closes_at"),
        digest("profile"),
        flag("closed"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_listing_versions_listing",
        "listing_versions",
        ["listing_id", "block_number", "log_index"],
    )
    op.create_index(
        "ix_listing_versions_programme", "listing_versions", ["programme_id", "listing_id"]
    )
    op.create_table(
        "redemption_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("redemption_id"),
        number("listing_id"),
        number("programme_id"),
        number("org_id"),
        number("quantity"),
        number("amount"),
        number("status"),
        number("entry_id"),
        number("refund_id"),
        number("taken"),
        number("taken_by_organisation"),
        digest("evidence"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_redemption_versions_listing",
        "redemption_versions",
        ["listing_id", "block_number", "log_index"],
    )
    op.create_index(
        "ix_redemption_versions_organisation", "redemption_versions", ["org_id", "redemption_id"]
    )
    op.create_index(
        "ix_redemption_versions_programme", "redemption_versions", ["programme_id", "redemption_id"]
    )
    op.create_index(
        "ix_redemption_versions_redemption",
        "redemption_versions",
        ["redemption_id", "block_number", "log_index"],
    )
    op.create_index(
        "ix_redemption_versions_taken",
        "redemption_versions",
        ["listing_id", "org_id", "block_number", "log_index"],
    )


def _create_shares() -> None:
    op.create_table(
        "distribution_versions",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("distribution_id"),
        text("change"),
        number("programme_id"),
        number("epoch"),
        number("pool"),
        text("unit"),
        digest("rule"),
        digest("root"),
        number("claimable_from"),
        number("claimable_until"),
        flag("withdrawn"),
        digest("evidence"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_distribution_versions_distribution",
        "distribution_versions",
        ["distribution_id", "block_number", "log_index"],
    )
    op.create_index(
        "ix_distribution_versions_programme",
        "distribution_versions",
        ["programme_id", "distribution_id"],
    )
    op.create_table(
        "share_claims",
        number("block_number", primary_key=True),
        number("log_index", primary_key=True),
        number("distribution_id"),
        number("org_id"),
        number("amount"),
        number("claimed_after"),
        address("actor"),
        digest("operation_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_share_claims_distribution",
        "share_claims",
        ["distribution_id", "block_number", "log_index"],
    )
    op.create_index("ix_share_claims_of", "share_claims", ["org_id", "distribution_id"])
    op.create_index(
        "ix_share_claims_organisation", "share_claims", ["distribution_id", "org_id"], unique=True
    )
