"""The office's tables: what is never on a chain, and cannot be rebuilt from one.

The chain holds commitments; the documents that they commit to are here, joined by the commitment
itself, so that neither area refers to the other's rows.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table

from ledger.store.columns import address, blob, digest, flag, new_metadata, number, text

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

secrets = Table(
    "secrets",
    metadata,
    text("name", primary_key=True),
    blob("value"),  # random; what several server processes must share to know their own nonces
)

used_nonces = Table(
    "used_nonces",
    metadata,
    text("nonce", primary_key=True),  # of a message that somebody signed in with
    number("expires_at"),  # seconds; forgotten when the nonce could not be used any more anyway
    Index("ix_used_nonces_expires_at", "expires_at"),
)

sessions = Table(
    "sessions",
    metadata,
    digest("token_hash", primary_key=True),  # SHA-256 of what the cookie holds
    address("account"),
    number("created_at"),  # seconds since 1970 UTC, as the two below
    number("expires_at"),
    number("ended_at", nullable=True),  # signed out
    Index("ix_sessions_expires_at", "expires_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    text("prefix", primary_key=True),  # how it is known; the rest of a key is shown once
    digest("secret_hash"),  # SHA-256 of the whole key, which is random
    address("account"),  # whose rights it has
    text("name"),
    text("scopes"),  # separated by spaces
    number("created_at"),  # seconds since 1970 UTC, as the others
    number("expires_at"),
    number("last_used_at", nullable=True),  # to the minute
    number("revoked_at", nullable=True),
    Index("ix_api_keys_account", "account", "created_at"),
)

asked_operations = Table(
    "asked_operations",
    metadata,
    address("account", primary_key=True),  # who asked over HTTP
    text("idempotency_key", primary_key=True),
    digest("body_hash"),  # SHA-256 over method, path and body
    digest("operation_id", unique=True),
    text("command"),
    number("programme_id"),  # 0 where it is about none
    number("credits"),  # what awards come to, so that an issuer keeps to his own budget
    number("asked_at"),  # milliseconds since 1970 UTC
    text("state"),  # working, accepted
    Index("ix_asked_operations_asked_at", "asked_at"),
)

access_log = Table(
    "access_log",
    metadata,
    number("number", primary_key=True),
    number("at"),
    text("account"),
    text("via"),
    text("action"),
    text("subject"),
    text("detail"),
    digest("previous"),
    digest("hash"),
)

access_log_end = Table(
    "access_log_end",
    metadata,
    number("id", primary_key=True),
    number("number"),  # of the last line; whoever adds one takes this row first
    digest("hash"),
    CheckConstraint("id = 1", name="single_row"),
)
