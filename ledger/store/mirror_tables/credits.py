"""The credit journal, and the balances summed from it."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy import text as sql

from ledger.store.columns import address, digest, number, text
from ledger.store.mirror_tables.area import define

entries = define(
    "entries",
    number("entry_id", primary_key=True),
    number("block_number"),
    number("log_index"),
    number("programme_id"),
    number("org_id"),
    number("kind"),  # ledger.domain.events.EntryKind
    text("category"),  # empty for none
    number("amount"),
    number("balance_after"),
    digest("evidence"),
    number("refers_to"),  # 0 for none
    address("actor"),
    digest("operation_id"),
    Index("ix_entries_statement", "org_id", "programme_id", "entry_id"),
    Index("ix_entries_block", "block_number"),
    Index("ix_entries_programme", "programme_id", "entry_id"),
    # Most entries refer to none. Who asks must say `refers_to != 0` too.
    Index(
        "ix_entries_refers_to",
        "refers_to",
        sqlite_where=sql("refers_to != 0"),
        postgresql_where=sql("refers_to != 0"),
    ),
)

balances = define(
    "balances",
    number("programme_id", primary_key=True),
    number("org_id", primary_key=True),
    number("balance"),
    number("entry_count"),
    number("last_entry_id"),
    number("contributed"),  # the sum of awards and reversals
    number("contribution_count"),
    Index("ix_balances_ranking", "programme_id", "contributed", "org_id"),
)
