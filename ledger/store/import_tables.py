"""The outbox's tables of imports: what each row of a spreadsheet became, or why it did not.

A row of a file is known by its key, whichever file it comes in; `import_rows` says which batch
brings it, so that it is brought once. A batch holds the whole call and is written before anything
of it is sent: whoever finds it later sends the same. `import_lines` are the files' lines as they
were judged, for the results.
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from ledger.store.columns import address, blob, digest, flag, number, text
from ledger.store.outbox_tables import metadata

imports = Table(
    "imports",
    metadata,
    digest(
        "import_id", primary_key=True
    ),  # of chain, kind, signer, and the file with how it is read
    digest("genesis_hash"),
    text("kind"),  # organisations, memberships, awards
    text("file_name"),
    digest("content_hash"),  # SHA-256 of the file
    text("label"),
    address("sender"),  # whose key signs
    number("line_count"),
    number("created_at"),  # milliseconds since 1970 UTC
    Index("ix_imports_created", "created_at"),
)

import_lines = Table(
    "import_lines",
    metadata,
    digest("import_id", primary_key=True),
    number("line", primary_key=True),  # of the file
    text("reference"),
    digest("row_key", nullable=True),
    text("state"),  # taken, wrong, there, failed, cancelled
    text("problem", nullable=True),  # JSON: code, sentence
)

import_rows = Table(
    "import_rows",
    metadata,
    digest("row_key", primary_key=True),
    digest("content"),  # of what is asked for
    flag("has_reference"),  # whether the key is of a reference, or of the content itself
    digest("import_id"),  # the file that brought it first
    number("line"),
    digest("operation_id"),  # the batch
    number("position"),  # in the batch, from 0
    Index("ix_import_rows_operation", "operation_id"),
    Index("ix_import_rows_import", "import_id"),
    Index("ix_import_rows_content", "content"),
)

import_batches = Table(
    "import_batches",
    metadata,
    digest("operation_id", primary_key=True),
    digest("import_id"),
    number("number"),  # in the order of the file
    text("command"),
    text("summary"),
    text("contract"),
    blob("calldata"),  # empty once it is done
    number("row_count"),
    text("state"),  # planned, asked, done
    number("first_subject", nullable=True),  # the id of the first thing that it made
    Index("ix_import_batches_import", "import_id", "number"),
)

import_orders = Table(
    "import_orders",
    metadata,
    digest("import_id", primary_key=True),
    address("account"),  # who asked a server for it
    number("asked_at"),  # milliseconds since 1970 UTC
    text("state"),  # running, halted, over
    text("problem", nullable=True),  # JSON: code, sentence
    text("held_by"),  # the server process that brings it, empty for none
    number("held_until"),  # milliseconds since 1970 UTC
    Index("ix_import_orders_state", "state", "held_until"),
)
