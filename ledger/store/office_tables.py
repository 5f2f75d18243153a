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

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    text("endpoint_id", primary_key=True),
    text("url"),
    text("description"),
    text("types"),  # of messages, separated by blanks; empty for all
    number("created_at"),
    number("disabled_at", nullable=True),  # seconds since 1970 UTC; null while it is in use
    text("disabled_because"),
    number("failing_since", nullable=True),  # milliseconds; null while the last attempt went well
)

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    text("endpoint_id", primary_key=True),
    number("number", primary_key=True),  # from 1, one more with each rotation
    blob("secret"),
    number("created_at"),
    number("ends_at", nullable=True),  # seconds; the newest has no end
)

webhook_messages = Table(
    "webhook_messages",
    metadata,
    text("message_id", primary_key=True),  # follows from what it tells: never told as two
    text("type"),
    number("happened_at"),
    blob("body"),  # what is signed and sent; ids and amounts, and never a name
    number("made_at"),  # milliseconds
    Index("ix_webhook_messages_made", "made_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    text("endpoint_id", primary_key=True),
    text("message_id", primary_key=True),
    text("state"),  # waiting, delivered, dead
    number("tries"),  # since it was asked for last
    number("due_at"),  # milliseconds; an attempt under way has moved it on
    number("updated_at"),
    Index("ix_webhook_deliveries_due", "state", "due_at"),
    Index("ix_webhook_deliveries_message", "message_id"),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    text("endpoint_id", primary_key=True),
    text("message_id", primary_key=True),
    number("number", primary_key=True),
    number("at"),  # milliseconds
    number("took_ms"),
    number("status", nullable=True),  # of the answer; null where there was none
    text("problem"),
)

webhook_cursor = Table(
    "webhook_cursor",
    metadata,
    number("id", primary_key=True),
    digest("genesis_hash"),  # the chain that the block is of
    number("block_number"),  # what is final up to here has been made messages of
    number("operations_at"),  # milliseconds: as far as operations were looked through
    CheckConstraint("id = 1", name="single_row"),
)

private_evidence = Table(
    "private_evidence",
    metadata,
    digest("commitment", primary_key=True),  # of evidence_files; not shown to everybody
)

contacts = Table(
    "contacts",
    metadata,
    text("subject", primary_key=True),  # of the profile whose contact it is, as its key
    text("key", primary_key=True),
    number("number", primary_key=True),
    text("role"),  # what the person is asked about
    text("person"),
    text("email"),
    text("phone"),
    text("address"),
)

office_log = Table(
    "office_log",
    metadata,
    text("subject", primary_key=True),  # organisation or application, with its id
    number("number", primary_key=True),  # from 1 for each subject
    number("at"),  # seconds since 1970 UTC
    text("actor"),  # an account, a key's name, or the applicant
    text("action"),
    text("detail"),  # what was said; emptied where its subject is erased
)

application_cases = Table(
    "application_cases",
    metadata,
    digest("application_id", primary_key=True),  # what the applicant signs on the chain, too
    text("programme"),  # the programme's key
    text("state"),  # ledger.office.casework.CaseState
    number("org_id", nullable=True),  # null until it is registered
    address("controller", nullable=True),  # null until the applicant has a wallet
    digest("link", nullable=True, unique=True),  # SHA-256 of the secret in the applicant's link
    blob("form"),  # JSON; empty until it is filed, and after it is erased
    digest("evidence", nullable=True),  # of the filed form, a private document
    number("tier", nullable=True),  # what was recommended
    number("expires_at", nullable=True),
    text("reason"),  # a key such as fee.unpaid, where it is to be declined
    text("recommended_by"),
    text("confirmed_by"),
    number("consent_until", nullable=True),  # the deadline that the applicant signed
    blob("consent", nullable=True),  # its signature
    number("opened_at"),
    number("updated_at"),
    Index("ix_application_cases_state", "state", "opened_at"),
    Index("ix_application_cases_organisation", "org_id"),
)

application_documents = Table(
    "application_documents",
    metadata,
    digest("application_id", primary_key=True),
    digest("commitment", primary_key=True),  # of a private document
)
