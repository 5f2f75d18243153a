"""Imports: which batch brings which row of a spreadsheet."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import address, blob, digest, flag, number, text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "imports",
        digest("import_id", primary_key=True),
        digest("genesis_hash"),
        text("kind"),
        text("file_name"),
        digest("content_hash"),
        text("label"),
        address("sender"),
        number("line_count"),
        number("created_at"),
    )
    op.create_index("ix_imports_created", "imports", ["created_at"])
    op.create_table(
        "import_lines",
        digest("import_id", primary_key=True),
        number("line", primary_key=True),
        text("reference"),
        digest("row_key", nullable=True),
        text("state"),
        text("problem", nullable=True),
    )
    op.create_table(
        "import_rows",
        digest("row_key", primary_key=True),
        digest("content"),
        flag("has_reference"),
        digest("import_id"),
        number("line"),
        digest("operation_id"),
        number("position"),
    )
    op.create_index("ix_import_rows_operation", "import_rows", ["operation_id"])
    op.create_index("ix_import_rows_import", "import_rows", ["import_id"])
    op.create_index("ix_import_rows_content", "import_rows", ["content"])
    op.create_table(
        "import_batches",
        digest("operation_id", primary_key=True),
        digest("import_id"),
        number("number"),
        text("command"),
        text("summary"),
        text("contract"),
        blob("calldata"),
        number("row_count"),
        text("state"),
        number("first_subject", nullable=True),
    )
    op.create_index("ix_import_batches_import", "import_batches", ["import_id", "number"])
