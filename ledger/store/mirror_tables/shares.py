"""Benefits shared by contribution: distributions and claims."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, flag, log_position, number, text
from ledger.store.mirror_tables.area import define

distribution_versions = define(
    "distribution_versions",
    *log_position(),
    number("distribution_id"),
    text("change"),  # posted, withdrawn
    number("programme_id"),
    number("epoch"),
    number("pool"),
    text("unit"),
    digest("rule"),
    digest("root"),
    number("claimable_from"),
    number("claimable_until"),
    flag("withdrawn"),
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index("ix_distribution_versions_distribution", "distribution_id", "block_number", "log_index"),
    Index("ix_distribution_versions_programme", "programme_id", "distribution_id"),
)

share_claims = define(
    "share_claims",
    *log_position(),
    number("distribution_id"),
    number("org_id"),
    number("amount"),
    number("claimed_after"),  # the sum of the distribution's claims, this one included
    address("actor"),
    digest("operation_id"),
    Index("ix_share_claims_organisation", "distribution_id", "org_id", unique=True),
    Index("ix_share_claims_distribution", "distribution_id", "block_number", "log_index"),
    Index("ix_share_claims_of", "org_id", "distribution_id"),
)
