"""Programmes: rules, tiers, categories, epoch boundaries, budgets."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, flag, log_position, number, text
from ledger.store.mirror_tables.area import define

programme_versions = define(
    "programme_versions",
    *log_position(),
    number("programme_id"),
    text("key"),
    digest("profile"),
    number("supply_cap"),
    number("approvals_needed"),
    address("actor"),
    digest("operation_id"),
    Index("ix_programme_versions_programme", "programme_id", "block_number", "log_index"),
)

tier_versions = define(
    "tier_versions",
    *log_position(),
    number("programme_id"),
    number("tier"),
    text("key"),
    flag("open"),
    address("actor"),
    digest("operation_id"),
    Index("ix_tier_versions_tier", "programme_id", "tier", "block_number", "log_index"),
)

category_versions = define(
    "category_versions",
    *log_position(),
    number("programme_id"),
    text("category"),
    flag("open"),
    address("actor"),
    digest("operation_id"),
    Index("ix_category_versions_category", "programme_id", "category", "block_number", "log_index"),
)

epoch_boundaries = define(
    "epoch_boundaries",
    *log_position(),
    number("programme_id"),
    number("number"),
    number("boundary"),
    address("actor"),
    digest("operation_id"),
    Index("ix_epoch_boundaries_number", "programme_id", "number", unique=True),
)

budget_versions = define(
    "budget_versions",
    *log_position(),
    number("programme_id"),
    address("issuer"),
    number("per_award"),
    number("per_epoch"),
    address("actor"),
    digest("operation_id"),
    Index("ix_budget_versions_issuer", "programme_id", "issuer", "block_number", "log_index"),
)

category_budget_versions = define(
    "category_budget_versions",
    *log_position(),
    number("programme_id"),
    address("issuer"),
    text("category"),
    flag("limited"),  # 0 where only the budget over all categories counts
    number("per_epoch"),
    address("actor"),
    digest("operation_id"),
    Index(
        "ix_category_budget_versions_issuer",
        "programme_id",
        "issuer",
        "category",
        "block_number",
        "log_index",
    ),
)
