"""The mirror's tables: raw facts, decoded history, and a table of balances derived from it.

Every fact is keyed by its log `(block_number, log_index)` and never changed: a `..._versions`
row holds the whole state of its subject after the event, so that the state as of any block is one
index seek and a rollback deletes rows. `balances` is derived from `entries`, and is the one place
where a rollback recomputes. The three areas share no foreign key: the mirror can be thrown away and
rebuilt from the chain. One module a contract; all tables are found here.

Three kinds: what the mirror knows of itself (STATE_TABLES), the raw facts (RAW_TABLES), and what is
derived from the raw facts (DERIVED_TABLES). The first two change by a revision only; the last are
built anew from the raw facts by a release that wants them otherwise (`ledger.mirror.upgrade`).
"""

from __future__ import annotations

from ledger.store.mirror_tables.area import metadata
from ledger.store.mirror_tables.authority import admin_changes, pauses, role_changes
from ledger.store.mirror_tables.benefits import listing_versions, redemption_versions
from ledger.store.mirror_tables.council import (
    alliance_approvals,
    proposal_approvals,
    proposal_calls,
    proposal_versions,
)
from ledger.store.mirror_tables.credits import balances, entries
from ledger.store.mirror_tables.facts import (
    blocks,
    contracts,
    logs,
    mirror_lease,
    mirror_nodes,
    mirror_state,
    mirror_tallies,
    transactions,
    verified_ranges,
)
from ledger.store.mirror_tables.memberships import (
    application_consents,
    application_declines,
    membership_versions,
    metadata_bases,
)
from ledger.store.mirror_tables.messages import message_cancellations
from ledger.store.mirror_tables.organisations import organisation_versions
from ledger.store.mirror_tables.programmes import (
    budget_versions,
    category_budget_versions,
    category_versions,
    epoch_boundaries,
    programme_versions,
    tier_versions,
)
from ledger.store.mirror_tables.shares import distribution_versions, share_claims

SCHEMA_VERSION = 3
"""Raised when derived rows or their tables would differ, together with a revision (which may be
empty); a database of a lower version is brought to it from its own raw facts."""

STATE_TABLES = (mirror_state, mirror_tallies, mirror_lease, mirror_nodes, verified_ranges)
"""What this mirror knows of itself. Another mirror of the same chain may differ in it."""

RAW_TABLES = (contracts, blocks, transactions, logs)
"""What the chain said, and which contracts are followed."""

DERIVED_TABLES = tuple(
    table for table in metadata.tables.values() if table not in (*STATE_TABLES, *RAW_TABLES)
)
"""What the raw facts mean; no row here is more than they say."""

__all__ = [
    "DERIVED_TABLES",
    "RAW_TABLES",
    "SCHEMA_VERSION",
    "STATE_TABLES",
    "admin_changes",
    "alliance_approvals",
    "application_consents",
    "application_declines",
    "balances",
    "blocks",
    "budget_versions",
    "category_budget_versions",
    "category_versions",
    "contracts",
    "distribution_versions",
    "entries",
    "epoch_boundaries",
    "listing_versions",
    "logs",
    "membership_versions",
    "message_cancellations",
    "metadata",
    "metadata_bases",
    "mirror_lease",
    "mirror_nodes",
    "mirror_state",
    "mirror_tallies",
    "organisation_versions",
    "pauses",
    "programme_versions",
    "proposal_approvals",
    "proposal_calls",
    "proposal_versions",
    "redemption_versions",
    "role_changes",
    "share_claims",
    "tier_versions",
    "transactions",
    "verified_ranges",
]
