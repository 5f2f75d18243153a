"""The outbox's tables: what was asked for, and every transaction that was signed for it.

A row of `attempts` is written before its transaction is broadcast; the same bytes are sent again
after a crash. A row of `key_leases` says which process may choose nonces of a key: each of its
writes names the `token` that it was given, and one that was given out later refuses all before it.
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, Table

from ledger.store.columns import address, blob, digest, new_metadata, number, text

metadata = new_metadata()

operations = Table(
    "operations",
    metadata,
    digest("operation_id", primary_key=True),
    digest("genesis_hash"),  # the chain that it was asked of; another chain never sees it
    text("command"),  # the command's name: award, admit …
    text("summary"),  # one sentence for people
    text("contract"),
    blob("calldata"),
    address("sender"),  # whose operation it is: the contract counts ids by it, nobody else signs it
    text("state"),  # accepted, sent, included, final, failed, cancelled
    number("created_at"),  # milliseconds since 1970 UTC
    number("updated_at"),
    number("first_sequence", nullable=True),  # the contract's journal lines that it caused
    number("last_sequence", nullable=True),
    text("error", nullable=True),  # JSON: code, sentence, values
    number("gas_limit", nullable=True),  # as simulated when it was accepted
    number("cancel_asked_at", nullable=True),  # milliseconds since 1970 UTC
    text("request_id", nullable=True),  # of the HTTP request that asked for it, if one did
    Index("ix_operations_state", "state", "created_at"),
    Index("ix_operations_sender", "sender", "state"),
    Index("ix_operations_updated", "updated_at"),
)

attempts = Table(
    "attempts",
    metadata,
    digest("operation_id", primary_key=True),
    number("number", primary_key=True),  # from 1; more than one when replaced by fee
    address("sender"),
    number("nonce"),
    digest("transaction_hash", unique=True),
    blob("raw"),  # the signed transaction, as it is broadcast
    number("signed_at"),
    number("block_number", nullable=True),
    number("ended_at", nullable=True),  # it reverted, or can get into no block: milliseconds
    ForeignKeyConstraint(["operation_id"], ["operations.operation_id"]),
    Index("ix_attempts_nonce", "sender", "nonce"),
)

key_leases = Table(
    "key_leases",
    metadata,
    digest("genesis_hash", primary_key=True),
    address("sender", primary_key=True),
    number("token"),  # rises by one whenever another process takes the lease
    text("holder"),  # for people: machine and process
    number("expires_at"),  # milliseconds since 1970 UTC by the database's clock; 0 when given back
    text("halted", nullable=True),  # JSON, as operations.error: nothing is signed until it is gone
)
