"""Entries of a journal, made up with what a test is about."""

from __future__ import annotations

from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.keys import encode_key


def posted(
    entry_id: int,
    org_id: int,
    kind: EntryKind,
    amount: int,
    *,
    category: str = "data.acquire",
    refers_to: int = 0,
    balance_after: int = 0,
    programme_id: int = 1,
) -> EntryPosted:
    """An entry; what a computation does not look at is zero."""
    return EntryPosted(
        entry_id=entry_id,
        programme_id=programme_id,
        org_id=org_id,
        kind=kind,
        category=encode_key(category) if category else bytes(32),
        amount=amount,
        balance_after=balance_after,
        evidence=bytes(32),
        refers_to=refers_to,
        actor=bytes(20),
        operation_id=bytes(32),
    )
