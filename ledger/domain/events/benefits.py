"""Events of `Benefits`: listings, and what was redeemed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.domain.events.journal import Event


class RedemptionStatus(IntEnum):
    """A redemption's state, as in `IBenefits.RedemptionStatus`."""

    NONE = 0
    OPEN = 1
    FULFILLED = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True)
class BenefitListed(Event):
    programme_id: int
    listing_id: int
    price: int
    capacity: int
    per_organisation: int
    opens_at: int
    closes_at: int
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class BenefitClosed(Event):
    programme_id: int
    listing_id: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class BenefitRedeemed(Event):
    listing_id: int
    org_id: int
    redemption_id: int
    quantity: int
    amount: int
    entry_id: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class RedemptionFulfilled(Event):
    listing_id: int
    org_id: int
    redemption_id: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class RedemptionCancelled(Event):
    listing_id: int
    org_id: int
    redemption_id: int
    entry_id: int
    evidence: bytes
    actor: bytes
    operation_id: bytes
