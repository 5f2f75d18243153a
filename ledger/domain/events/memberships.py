"""Events of `Memberships`: standings, consents, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.domain.events.journal import Event


class MembershipStatus(IntEnum):
    """A stored status, as in `IMemberships.Status`; lapsed is derived, never stored."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3


HELD_STATUSES = frozenset({MembershipStatus.ACTIVE, MembershipStatus.SUSPENDED})
"""The stored statuses of a membership that is held, in good standing or not."""


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
class ApplicationConsented(Event):
    programme_id: int
    org_id: int
    account: bytes
    application_id: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class MetadataBaseChanged(Event):
    base: bytes
    actor: bytes
    operation_id: bytes
