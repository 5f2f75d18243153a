"""The outbox: operations and the transactions signed for them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import ForeignKeyConstraint

from ledger.store.columns import address, blob, digest, number, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "operations",
        digest("operation_id", primary_key=True),
        digest("genesis_hash"),
        text("command"),
        text("summary"),
        text("contract"),
        blob("calldata"),
        address("sender"),
        text("state"),
        number("created_at"),
        number("updated_at"),
        number("first_sequence", nullable=True),
        number("last_sequence", nullable=True),
        text("error", nullable=True),
    )
    op.create_index("ix_operations_state", "operations", ["state", "created_at"])
    op.create_table(
        "attempts",
        digest("operation_id", primary_key=True),
        number("number", primary_key=True),
        address("sender"),
        number("nonce"),
        digest("transaction_hash", unique=True),
        blob("raw"),
        number("signed_at"),
        number("block_number", nullable=True),
        ForeignKeyConstraint(["operation_id"], ["operations.operation_id"]),
    )
    op.create_index("ix_attempts_nonce", "attempts", ["sender", "nonce"])
