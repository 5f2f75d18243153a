"""Applications as they are worked on."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import address, blob, digest, number, text

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "application_cases",
        digest("application_id", primary_key=True),
        text("programme"),
        text("state"),
        number("org_id", nullable=True),
        address("controller", nullable=True),
        digest("link", nullable=True, unique=True),
        blob("form"),
        digest("evidence", nullable=True),
        number("tier", nullable=True),
        number("expires_at", nullable=True),
        text("reason"),
        text("recommended_by"),
        text("confirmed_by"),
        number("consent_until", nullable=True),
        blob("consent", nullable=True),
        number("opened_at"),
        number("updated_at"),
    )
    op.create_index("ix_application_cases_state", "application_cases", ["state", "opened_at"])
    op.create_index("ix_application_cases_organisation", "application_cases", ["org_id"])
    op.create_table(
        "application_documents",
        digest("application_id", primary_key=True),
        digest("commitment", primary_key=True),
    )
