"""Which HTTP request asked for an operation."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import text

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("operations", text("request_id", nullable=True))
