"""Webhooks: endpoints with their secrets, messages, deliveries and each attempt."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint

from ledger.store.columns import blob, digest, number, text

revision = "0021"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        text("endpoint_id", primary_key=True),
        text("url"),
        text("description"),
        text("types"),
        number("created_at"),
        number("disabled_at", nullable=True),
        text("disabled_because"),
        number("failing_since", nullable=True),
    )
    op.create_table(
        "webhook_secrets",
        text("endpoint_id", primary_key=True),
        number("number", primary_key=True),
        blob("secret"),
        number("created_at"),
        number("ends_at", nullable=True),
    )
    op.create_table(
        "webhook_messages",
        text("message_id", primary_key=True),
        text("type"),
        number("happened_at"),
        blob("body"),
        number("made_at"),
    )
    op.create_index("ix_webhook_messages_made", "webhook_messages", ["made_at"])
    op.create_table(
        "webhook_deliveries",
        text("endpoint_id", primary_key=True),
        text("message_id", primary_key=True),
        text("state"),
        number("tries"),
        number("due_at"),
        number("updated_at"),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["state", "due_at"])
    op.create_index("ix_webhook_deliveries_message", "webhook_deliveries", ["message_id"])
    op.create_table(
        "webhook_attempts",
        text("endpoint_id", primary_key=True),
        text("message_id", primary_key=True),
        number("number", primary_key=True),
        number("at"),
        number("took_ms"),
        number("status", nullable=True),
        text("problem"),
    )
    op.create_table(
        "webhook_cursor",
        number("id", primary_key=True),
        digest("genesis_hash"),
        number("block_number"),
        number("operations_at"),
        CheckConstraint("id = 1", name="single_row"),
    )
    op.create_index("ix_operations_updated", "operations", ["updated_at"])
