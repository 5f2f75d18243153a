"""The mirror's tables: raw facts, decoded history, and a table of balances derived from it.

Every fact is keyed by its log `(block_number, log_index)` and never changed: a `..._versions`
row holds the whole state of its subject after the event, so that the state as of any block is one
index seek and a rollback deletes rows. `balances` is derived from `entries`, and is the one place
where a rollback recomputes. The three areas share no foreign key: the mirror can be thrown away and
rebuilt from the chain. One module a contract; all tables are found here.
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
from ledger.store.mirror_tables.facts import blocks, contracts, logs, mirror_state, transactions
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

SCHEMA_VERSION = 2
"""Raised when mirrored rows would differ; a database of another version is rebuilt."""

__all__ = [
    "SCHEMA_VERSION",
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
    "mirror_state",
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
]
