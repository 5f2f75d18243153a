"""Who held which role when, the default admin's succession, pauses."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, flag, log_position, number, text
from ledger.store.mirror_tables.area import define

role_changes = define(
    "role_changes",
    *log_position(),
    number("sequence"),  # the Authority's journal line
    text("role"),  # registrar, issuer …; admin for the default admin
    number("programme_id"),  # 0 for the whole alliance
    address("account"),
    flag("held"),
    address("actor"),
    digest("operation_id"),
    Index(
        "ix_role_changes_account", "account", "role", "programme_id", "block_number", "log_index"
    ),
)

admin_changes = define(
    "admin_changes",
    *log_position(),
    text(
        "change"
    ),  # transfer_begun, transfer_cancelled, delay_change_begun, delay_change_cancelled
    address("successor", nullable=True),
    number("delay", nullable=True),
    number("effective_from", nullable=True),
    address("actor"),
)

pauses = define(
    "pauses",
    *log_position(),
    flag("paused"),
    address("actor"),
    digest("operation_id"),
)
