"""The office: what is never on a chain."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint

from ledger.store.columns import blob, digest, flag, number, text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "office_state",
        number("id", primary_key=True),
        number("revision"),
        CheckConstraint("id = 1", name="single_row"),
    )
    op.create_table(
        "profiles",
        digest("commitment", primary_key=True),
        text("subject"),
        text("key"),
        digest("salt"),
        blob("document"),
        text("name_zh"),
        text("name_en"),
        text("segment"),
        text("note"),
    )
    op.create_index("ix_profiles_key", "profiles", ["subject", "key"])
    op.create_table(
        "labels",
        text("programme", primary_key=True),
        text("subject", primary_key=True),
        text("key", primary_key=True),
        text("name_zh"),
        text("name_en"),
        text("side"),
    )
    op.create_table(
        "evidence_files",
        digest("commitment", primary_key=True),
        digest("salt"),
        digest("content_hash"),
        text("media_type"),
        number("size"),
        text("title_zh"),
        text("title_en"),
        flag("made_up"),
        number("added_at"),
    )
    op.create_index("ix_evidence_files_content", "evidence_files", ["content_hash"])
    op.create_table(
        "applications",
        number("org_id", primary_key=True),
        text("programme", primary_key=True),
        number("filed_at"),
        text("note"),
    )
