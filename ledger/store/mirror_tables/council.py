"""Proposals of councils: what they would call, who approved them, how they ended."""

from __future__ import annotations

from sqlalchemy import Index

from ledger.store.columns import address, blob, digest, log_position, number, text
from ledger.store.mirror_tables.area import define

proposal_versions = define(
    "proposal_versions",
    *log_position(),
    number("proposal_id"),
    text("change"),  # made, approved, executed, cancelled
    number("programme_id"),  # 0 for the whole alliance
    number("status"),  # ledger.domain.events.ProposalStatus
    address("maker"),
    digest("calls_hash"),
    digest("evidence"),
    number("approvals_needed"),
    number("approvals"),  # how many were given; some may count no longer
    number("expires_at"),
    number("authority_sequence"),  # councillors appointed in later lines do not count
    number("made_at"),
    address("actor"),
    digest("operation_id"),
    Index("ix_proposal_versions_proposal", "proposal_id", "block_number", "log_index"),
    Index("ix_proposal_versions_programme", "programme_id", "proposal_id"),
)

proposal_calls = define(
    "proposal_calls",
    *log_position(),
    number("position", primary_key=True),  # from 0, in the order in which they are made
    number("proposal_id"),
    address("target"),
    blob("data"),
    Index("ix_proposal_calls_call", "proposal_id", "position", unique=True),
)

proposal_approvals = define(
    "proposal_approvals",
    *log_position(),
    number("proposal_id"),
    address("councillor"),
    number("number"),  # the first approval of the proposal is 1
    digest("operation_id"),
    Index("ix_proposal_approvals_councillor", "proposal_id", "councillor", unique=True),
    Index("ix_proposal_approvals_number", "proposal_id", "number", unique=True),
)

alliance_approvals = define(
    "alliance_approvals",
    *log_position(),
    number("approvals_needed"),
    address("actor"),
    digest("operation_id"),
)
