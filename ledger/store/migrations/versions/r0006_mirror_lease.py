"""The mirror: who writes it, how far its journals are, its nodes, and what each block rests on.

From here on the tables that are derived from raw facts are no affair of revisions: a mirror without
rows gets them as this release has them (`ledger.store.schema`), and one with rows builds them anew.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint

from ledger.store.columns import blob, number, text

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "mirror_tallies",
        number("id", primary_key=True),
        blob("journals"),
        number("commits"),
        number("applied_logs"),
        number("reorganisations"),
        CheckConstraint("id = 1", name="single_row"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mirror_lease",
        number("id", primary_key=True),
        number("epoch"),
        number("beat"),
        number("locked"),
        text("holder"),
        CheckConstraint("id = 1", name="single_row"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mirror_nodes",
        number("position", primary_key=True),
        text("name"),
        text("condition"),
        text("code"),
        number("at"),
        number("head_number", nullable=True),
        text("problem"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verified_ranges",
        number("first_block", primary_key=True),
        number("last_block"),
        text("level"),
        sqlite_with_rowid=False,
    )
