"""The event that all contracts share that take signed messages."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.events.journal import Event


@dataclass(frozen=True, slots=True)
class MessageCancelled(Event):
    account: bytes
    operation_id: bytes
