"""The office's tables: what is never on a chain, and cannot be rebuilt from one.

The chain holds commitments; the documents that they commit to are here, joined by the commitment
itself, so that neither area refers to the other's rows.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table

from ledger.store.columns import blob, digest, flag, new_metadata, number, text

metadata = new_metadata()

office_state = Table(
    "office_state",
    metadata,
    number("id", primary_key=True),
    number("revision"),  # raised by every write here, so that an answer's ETag follows the office
    CheckConstraint("id = 1", name="single_row"),
)

profiles = Table(
    "profiles",
    metadata,
    digest("commitment", primary_key=True),  # SHA-256 of salt and document
    text("subject"),  # organisation or programme
    text("key"),  # its key in the file it was imported from
    digest("salt"),
    blob("document"),  # canonical JSON, what the commitment is of
    text("name_zh"),
    text("name_en"),
    text("segment"),
    text("note"),
    Index("ix_profiles_key", "subject", "key"),
)

labels = Table(
    "labels",
    metadata,
    text("programme", primary_key=True),  # the programme's key
    text("subject", primary_key=True),  # category or tier
    text("key", primary_key=True),
    text("name_zh"),
    text("name_en"),
    text("side"),  # construction, operation, ecosystem, capital; empty for none
)

evidence_files = Table(
    "evidence_files",
    metadata,
    digest("commitment", primary_key=True),  # SHA-256 of salt and content hash
    digest("salt"),
    digest("content_hash"),  # SHA-256 of the file, and its name in the store
    text("media_type"),
    number("size"),
    text("title_zh"),
    text("title_en"),
    flag("made_up"),  # shown beside everything that rests on it
    number("added_at"),
    Index("ix_evidence_files_content", "content_hash"),
)

applications = Table(
    "applications",
    metadata,
    number("org_id", primary_key=True),
    text("programme", primary_key=True),  # the programme's key
    number("filed_at"),
    text("note"),
)
