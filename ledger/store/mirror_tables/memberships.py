"""Memberships: standings, consents, refusals, where tokens' metadata is found."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, log_position, number, text
from ledger.store.mirror_tables.area import define

membership_versions = define(
    "membership_versions",
    *log_position(),
    number("programme_id"),
    number("org_id"),
    text("change"),  # admitted, renewed, tier_changed, suspended, resumed, revoked
    number("status"),  # ledger.domain.events.MembershipStatus
    number("tier"),
    number("admitted_at"),
    number("expires_at"),
    text("reason"),  # empty for none
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index(
        "ix_membership_versions_membership", "org_id", "programme_id", "block_number", "log_index"
    ),
    Index(
        "ix_membership_versions_programme", "programme_id", "org_id", "block_number", "log_index"
    ),
)

application_declines = define(
    "application_declines",
    *log_position(),
    number("programme_id"),
    number("org_id"),
    text("reason"),
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index("ix_application_declines_organisation", "org_id", "programme_id"),
)

application_consents = define(
    "application_consents",
    *log_position(),
    number("programme_id"),
    number("org_id"),
    address("account"),  # the controller that agreed to the admission in the next line
    digest("application_id"),
    address("actor"),
    digest("operation_id"),
    Index("ix_application_consents_organisation", "org_id", "programme_id"),
)

metadata_bases = define(
    "metadata_bases",
    *log_position(),
    digest("base"),  # keccak256 of the base URI
    address("actor"),
    digest("operation_id"),
)
