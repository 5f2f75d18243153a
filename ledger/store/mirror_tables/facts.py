"""How far the mirror is, and the raw facts of the chain.

These tables are stable: every other table of the mirror is built from them again when its shape
changes, while they are only ever changed by a revision that an older release can live with.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index

from ledger.store.columns import address, blob, digest, log_position, number, text
from ledger.store.mirror_tables.area import define

mirror_state = define(
    "mirror_state",
    number("id", primary_key=True),
    number("schema_version"),
    number("chain_id"),
    digest("genesis_hash"),
    digest("deployment"),  # SHA-256 over the contracts' names, addresses and code hashes
    number("first_block"),
    number("cursor_number"),  # last block applied
    digest("cursor_hash"),
    number("cursor_timestamp"),
    number("final_number"),  # the highest block that may no longer be reorganised
    number("generation"),  # one more with each rebuild, so that a follower sees that it happened
    number("head_number"),  # the chain's head at the last look
    number("looked_at"),  # when that was, milliseconds since 1970 UTC
    text("halted_code", nullable=True),  # an error's code; null while the mirror runs
    text("halted_reason", nullable=True),
    number("halted_block", nullable=True),
    number("halted_at", nullable=True),
    CheckConstraint("id = 1", name="single_row"),
)

mirror_tallies = define(
    "mirror_tallies",
    number("id", primary_key=True),
    blob("journals"),  # how far each is at the cursor: address, sequence (8 bytes), head; joined
    number("commits"),
    number("applied_logs"),
    number("reorganisations"),
    CheckConstraint("id = 1", name="single_row"),
)

mirror_lease = define(
    "mirror_lease",
    number("id", primary_key=True),
    number("epoch"),  # one more each time that a mirror begins to lead; a commit names its own
    number("beat"),  # changes while the leader lives; a paused one's stands still
    number("locked"),  # 1 where the leader also holds the lock that goes with its process
    text("holder"),
    CheckConstraint("id = 1", name="single_row"),
)

mirror_nodes = define(
    "mirror_nodes",
    number("position", primary_key=True),
    text("name"),  # host and port: a URL may carry a secret
    text("condition"),  # ledger.mirror.nodes.Condition
    text("code"),  # why it was passed over, an error's code; empty for none
    number("at"),  # milliseconds since 1970 UTC
    number("head_number", nullable=True),  # its latest block as it told it; null if it told none
    text("problem"),  # that error's sentence, with the evidence; empty for none
)

verified_ranges = define(
    "verified_ranges",
    number("first_block", primary_key=True),
    number("last_block"),
    text("level"),  # what the rows of these blocks rest on
)

contracts = define(
    "contracts",
    number("contract_id", primary_key=True),
    text("name"),
    address("address"),
    digest("code_hash"),
    number("first_block"),
)

blocks = define(
    "blocks",
    number("number", primary_key=True),
    digest("hash", unique=True),
    number("timestamp"),
    Index("ix_blocks_timestamp", "timestamp", "number"),
)

transactions = define(
    "transactions",
    number("block_number", primary_key=True),
    number("transaction_index", primary_key=True),
    digest("hash", unique=True),
)

logs = define(
    "logs",
    *log_position(),
    number("transaction_index"),
    number("contract_id"),
    blob("topics"),  # joined, 32 bytes each
    blob("data"),
    Index("ix_logs_contract", "contract_id", "block_number", "log_index"),
)
