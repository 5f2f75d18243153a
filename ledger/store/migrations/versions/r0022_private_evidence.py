"""Documents that are not for everybody, and contacts."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import digest, number, text

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table("private_evidence", digest("commitment", primary_key=True))
    op.create_table(
        "contacts",
        text("subject", primary_key=True),
        text("key", primary_key=True),
        number("number", primary_key=True),
        text("role"),
        text("person"),
        text("email"),
        text("phone"),
        text("address"),
    )
