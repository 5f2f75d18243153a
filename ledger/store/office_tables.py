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
    text("nonce", primary_key=True),  # SHA-256 of that of a message that somebody signed in with
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
    digest("sealed", nullable=True),  # commits to what was said, where something was
    text("said", nullable=True),  # emptied where its subject is erased, as is its salt
    blob("salt", nullable=True),
    Index("ix_access_log_subject", "subject", "number"),
)

access_log_end = Table(
    "access_log_end",
    metadata,
    number("id", primary_key=True),
    number("number"),  # of the last line; whoever adds one takes this row first
    digest("hash"),
    CheckConstraint("id = 1", name="single_row"),
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

asked_writes = Table(
    "asked_writes",
    metadata,
    text("actor", primary_key=True),  # an account, or an application whose link was used
    text("idempotency_key", primary_key=True),
    digest("body_hash"),  # keyed: what was asked for may name a person
    text("subject"),  # what it made or changed, so that a repetition gets to the same
    number("asked_at"),  # seconds since 1970 UTC
    Index("ix_asked_writes_asked_at", "asked_at"),
)

decisions = Table(
    "decisions",
    metadata,
    digest("decision_id", primary_key=True),
    address("account"),  # the officer who asked for it
    address("signer"),  # whose key signs what the chain needs
    number("asked_at"),  # seconds since 1970 UTC
    text("state"),  # waiting, done, failed
    number("due_at"),  # milliseconds; whoever carries it out has moved it on
    number("ended_at", nullable=True),
    text("problem"),  # an error's code
    Index("ix_decisions_state", "state", "due_at"),
)

decided_applications = Table(
    "decided_applications",
    metadata,
    digest("decision_id", primary_key=True),
    digest("application_id", primary_key=True),
    text("waits_for"),  # what the application still needs; empty for nothing
)

notices = Table(
    "notices",
    metadata,
    text("notice_id", primary_key=True),  # follows from what it tells and to whom: never told twice
    text("kind"),  # membership.expiring, entry.posted, application.admitted, application.declined
    number("org_id", nullable=True),
    digest("application_id", nullable=True),
    text("recipient"),  # an e-mail address; the text is written when it is sent
    blob("facts"),  # JSON: ids, amounts and times
    text("state"),  # waiting, sent, dead
    number("tries"),
    number("due_at"),  # milliseconds; an attempt under way has moved it on
    number("made_at"),
    number("updated_at"),
    text("problem"),  # a code of the mail server, or what was in the way
    Index("ix_notices_due", "state", "due_at"),
    Index("ix_notices_organisation", "org_id"),
)

notice_choices = Table(
    "notice_choices",
    metadata,
    text("recipient", primary_key=True),
    text("muted"),  # kinds that it does not want, separated by blanks; * for all
    text("language"),  # zh-CN or en; empty for both
    number("changed_at"),
)

notice_cursor = Table(
    "notice_cursor",
    metadata,
    number("id", primary_key=True),
    digest("genesis_hash"),
    number("block_number"),  # entries up to here were told of
    number("cases_at"),  # seconds: decided applications were looked through up to here
    CheckConstraint("id = 1", name="single_row"),
)
