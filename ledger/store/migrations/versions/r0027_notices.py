"""Notices to members by e-mail: what is to be sent, and who wants none."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint

from ledger.store.columns import blob, digest, number, text

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "notices",
        text("notice_id", primary_key=True),
        text("kind"),
        number("org_id", nullable=True),
        digest("application_id", nullable=True),
        text("recipient"),
        blob("facts"),
        text("state"),
        number("tries"),
        number("due_at"),
        number("made_at"),
        number("updated_at"),
        text("problem"),
    )
    op.create_index("ix_notices_due", "notices", ["state", "due_at"])
    op.create_index("ix_notices_organisation", "notices", ["org_id"])
    op.create_table(
        "notice_choices",
        text("recipient", primary_key=True),
        text("muted"),
        text("language"),
        number("changed_at"),
    )
    op.create_table(
        "notice_cursor",
        number("id", primary_key=True),
        digest("genesis_hash"),
        number("block_number"),
        number("cases_at"),
        CheckConstraint("id = 1", name="single_row"),
    )
