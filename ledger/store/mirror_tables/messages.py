"""Signed messages that their signers made worthless."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, digest, log_position, number
from ledger.store.mirror_tables.area import define

message_cancellations = define(
    "message_cancellations",
    *log_position(),
    number("contract_id"),
    address("account"),
    digest("message_id"),  # the operation id of the message that is worthless now
    Index("ix_message_cancellations_message", "contract_id", "account", "message_id", unique=True),
)
