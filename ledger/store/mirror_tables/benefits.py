"""What credits buy: listings, and what was redeemed of them."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, flag, log_position, number, text
from ledger.store.mirror_tables.area import define

listing_versions = define(
    "listing_versions",
    *log_position(),
    number("listing_id"),
    text("change"),  # listed, closed
    number("programme_id"),
    number("price"),
    number("capacity"),
    number("per_organisation"),
    number("opens_at"),
    number("closes_at"),
    digest("profile"),
    flag("closed"),
    address("actor"),
    digest("operation_id"),
    Index("ix_listing_versions_listing", "listing_id", "block_number", "log_index"),
    Index("ix_listing_versions_programme", "programme_id", "listing_id"),
)

redemption_versions = define(
    "redemption_versions",
    *log_position(),
    number("redemption_id"),
    number("listing_id"),
    number("programme_id"),
    number("org_id"),
    number("quantity"),
    number("amount"),
    number("status"),  # ledger.domain.events.RedemptionStatus
    number("entry_id"),  # the redemption's entry
    number("refund_id"),  # the refund's entry, 0 for none
    number("taken"),  # units of the listing redeemed and not given back, after this
    number("taken_by_organisation"),  # of those the organisation's
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index("ix_redemption_versions_redemption", "redemption_id", "block_number", "log_index"),
    Index("ix_redemption_versions_listing", "listing_id", "block_number", "log_index"),
    Index("ix_redemption_versions_taken", "listing_id", "org_id", "block_number", "log_index"),
    Index("ix_redemption_versions_organisation", "org_id", "redemption_id"),
    Index("ix_redemption_versions_programme", "programme_id", "redemption_id"),
)
