"""Imports that somebody asked a server for: who did, who brings it now, and why it stands still."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import address, digest, number, text

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "import_orders",
        digest("import_id", primary_key=True),
        address("account"),
        number("asked_at"),
        text("state"),
        text("problem", nullable=True),
        text("held_by"),
        number("held_until"),
    )
    op.create_index("ix_import_orders_state", "import_orders", ["state", "held_until"])
