"""Organisations: who they are, and which account acted for them when."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, flag, log_position, number, text
from ledger.store.mirror_tables.area import define

organisation_versions = define(
    "organisation_versions",
    *log_position(),
    number("org_id"),
    # registered, profile_changed, nominated, rotated, recovery_begun, recovery_stopped, recovered,
    # retired, successor_named
    text("change"),
    text("kind"),
    address("controller", nullable=True),  # null once it is retired
    digest("profile"),
    number("registered_at"),
    address("nominated", nullable=True),  # whom the controller named as its successor
    address("recovery_successor", nullable=True),  # of a recovery under way
    number("recovery_from", nullable=True),  # when it can be finished
    flag("retired"),
    number("successor_id"),  # the organisation that it was merged into, 0 for none
    digest("evidence"),
    address("actor"),
    digest("operation_id"),
    Index("ix_organisation_versions_organisation", "org_id", "block_number", "log_index"),
    Index("ix_organisation_versions_controller", "controller", "block_number", "log_index"),
    Index("ix_organisation_versions_profile", "profile"),
)
