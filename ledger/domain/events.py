"""What happened on the chain, decoded: one value class for each journal event of the contracts.

Field names are the ABI's in snake_case and in its order, without `head` (a test compares them with
the artifacts). Bytes stay bytes: keys are read with `ledger.domain.keys`. Amounts are whole
credits, times seconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class EntryKind(IntEnum):
    """What an entry is, as in `ICredits.Kind`."""

    AWARD = 1
    REVERSAL = 2
    REDEMPTION = 3
    REFUND = 4
    EXPIRY = 5


class MembershipStatus(IntEnum):
    """A stored status, as in `IMemberships.Status`; lapsed is derived, never stored."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3


@dataclass(frozen=True, slots=True)
class Event:
    """A journal event; `sequence` counts its contract's events from 1 without gaps."""

    sequence: int


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


@dataclass(frozen=True, slots=True)
class ProgrammeCreated(Event):
    programme_id: int
    key: bytes
    profile: bytes
    supply_cap: int
    approvals_needed: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ProgrammeProfileChanged(Event):
    programme_id: int
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class SupplyCapChanged(Event):
    programme_id: int
    supply_cap: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ApprovalsNeededChanged(Event):
    programme_id: int
    approvals_needed: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class TierAdded(Event):
    programme_id: int
    tier: int
    key: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class TierStatusChanged(Event):
    programme_id: int
    tier: int
    open: bool
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class CategoryStatusChanged(Event):
    programme_id: int
    category: bytes
    open: bool
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class EpochBoundaryAppended(Event):
    programme_id: int
    number: int
    boundary: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class BudgetChanged(Event):
    programme_id: int
    issuer: bytes
    per_award: int
    per_epoch: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class OrganisationRegistered(Event):
    org_id: int
    controller: bytes
    kind: bytes
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class OrganisationProfileChanged(Event):
    org_id: int
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class MembershipAdmitted(Event):
    programme_id: int
    org_id: int
    tier: int
    expires_at: int
    reason: bytes
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class MembershipRenewed(Event):
    programme_id: int
    org_id: int
    expires_at: int
    reason: bytes
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class MembershipTierChanged(Event):
    programme_id: int
    org_id: int
    tier: int
    reason: bytes
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class _StandingEvent(Event):
    programme_id: int
    org_id: int
    reason: bytes
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class MembershipSuspended(_StandingEvent):
    """An active membership was suspended."""


@dataclass(frozen=True, slots=True)
class MembershipResumed(_StandingEvent):
    """A suspension ended."""


@dataclass(frozen=True, slots=True)
class MembershipRevoked(_StandingEvent):
    """A membership ended; its token is burnt."""


@dataclass(frozen=True, slots=True)
class ApplicationDeclined(_StandingEvent):
    """An application was declined; no standing changed."""


@dataclass(frozen=True, slots=True)
class EntryPosted:
    """A line of the credit journal; its id is the sequence."""

    entry_id: int
    programme_id: int
    org_id: int
    kind: int
    category: bytes
    amount: int
    balance_after: int
    evidence: bytes
    refers_to: int
    actor: bytes
    operation_id: bytes
