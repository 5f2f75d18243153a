"""The office: sessions, API keys, what was asked over HTTP, and the log of privileged calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.store.columns import address, blob, digest, number, text

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    op.create_table("secrets", text("name", primary_key=True), blob("value"))
    op.create_table("used_nonces", text("nonce", primary_key=True), number("expires_at"))
    op.create_index("ix_used_nonces_expires_at", "used_nonces", ["expires_at"])
    op.create_table(
        "sessions",
        digest("token_hash", primary_key=True),
        address("account"),
        number("created_at"),
        number("expires_at"),
        number("ended_at", nullable=True),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "api_keys",
        text("prefix", primary_key=True),
        digest("secret_hash"),
        address("account"),
        text("name"),
        text("scopes"),
        number("created_at"),
        number("expires_at"),
        number("last_used_at", nullable=True),
        number("revoked_at", nullable=True),
    )
    op.create_index("ix_api_keys_account", "api_keys", ["account", "created_at"])
    op.create_table(
        "asked_operations",
        address("account", primary_key=True),
        text("idempotency_key", primary_key=True),
        digest("body_hash"),
        digest("operation_id", unique=True),
        text("command"),
        number("programme_id"),
        number("credits"),
        number("asked_at"),
        text("state"),
    )
    op.create_index("ix_asked_operations_asked_at", "asked_operations", ["asked_at"])
    op.create_table(
        "access_log",
        number("number", primary_key=True),
        number("at"),
        text("account"),
        text("via"),
        text("action"),
        text("subject"),
        text("detail"),
        digest("previous"),
        digest("hash"),
    )
    op.create_table(
        "access_log_end",
        number("id", primary_key=True),
        number("number"),
        digest("hash"),
        sa.CheckConstraint("id = 1", name="single_row"),
    )
