"""Who did what in the office."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import number, text

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "office_log",
        text("subject", primary_key=True),
        number("number", primary_key=True),
        number("at"),
        text("actor"),
        text("action"),
        text("detail"),
    )
