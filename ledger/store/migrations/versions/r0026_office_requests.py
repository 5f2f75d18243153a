"""What the office is asked for over HTTP, and decisions that are carried out behind a request."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import address, digest, number, text

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "asked_writes",
        text("actor", primary_key=True),
        text("idempotency_key", primary_key=True),
        digest("body_hash"),
        text("subject"),
        number("asked_at"),
    )
    op.create_index("ix_asked_writes_asked_at", "asked_writes", ["asked_at"])
    op.create_table(
        "decisions",
        digest("decision_id", primary_key=True),
        address("account"),
        address("signer"),
        number("asked_at"),
        text("state"),
        number("due_at"),
        number("ended_at", nullable=True),
        text("problem"),
    )
    op.create_index("ix_decisions_state", "decisions", ["state", "due_at"])
    op.create_table(
        "decided_applications",
        digest("decision_id", primary_key=True),
        digest("application_id", primary_key=True),
        text("waits_for"),
    )
