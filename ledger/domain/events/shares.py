"""Events of `Shares`: distributions and claims."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.events.journal import Event


@dataclass(frozen=True, slots=True)
class SharesPosted(Event):
    programme_id: int
    distribution_id: int
    epoch: int
    pool: int
    unit: bytes
    rule: bytes
    root: bytes
    claimable_from: int
    claimable_until: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class SharesWithdrawn(Event):
    programme_id: int
    distribution_id: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ShareClaimed(Event):
    distribution_id: int
    org_id: int
    amount: int
    actor: bytes
    operation_id: bytes
