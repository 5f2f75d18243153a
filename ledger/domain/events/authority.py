"""Events of `Authority`: officers, the default admin, the pause."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.events.journal import Event


@dataclass(frozen=True, slots=True)
class OfficerAppointed(Event):
    role: bytes
    account: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class OfficerDismissed(Event):
    role: bytes
    account: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class AdminTransferBegun(Event):
    successor: bytes
    acceptable_from: int
    actor: bytes


@dataclass(frozen=True, slots=True)
class AdminTransferCancelled(Event):
    actor: bytes


@dataclass(frozen=True, slots=True)
class AdminDelayChangeBegun(Event):
    delay: int
    effective_from: int
    actor: bytes


@dataclass(frozen=True, slots=True)
class AdminDelayChangeCancelled(Event):
    actor: bytes


@dataclass(frozen=True, slots=True)
class LedgerPaused(Event):
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class LedgerResumed(Event):
    actor: bytes
    operation_id: bytes
