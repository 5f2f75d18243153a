"""What officers ask of the contracts, and what the contracts answer about their own state.

Plain values: one class for each struct that a contract function takes or gives, with the same
fields. Keys are text here and 32 bytes on the chain; the wrappers in `ledger.chain.contracts`
translate. Whether a contract would accept a value is the contract's to say, not checked here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.events import EntryPosted, MembershipStatus
from ledger.domain.ids import EntryId, OrgId, TierId

NO_COMMITMENT = bytes(32)
"""Stands where there is no evidence and no profile."""

NO_REASON = ""
"""Stands where a change gives no reason."""


@dataclass(frozen=True, slots=True)
class Registration:
    """An organisation to be registered, or as it is registered now.

    `controller` is the account that acts for it (20 bytes), `kind` what body it is, `profile` the
    commitment to its names and contacts (32 bytes).
    """

    controller: bytes
    kind: str
    profile: bytes = NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class Admission:
    """An organisation to be admitted into a tier until `expires_at` (seconds since 1970 UTC)."""

    org_id: OrgId
    tier: TierId
    expires_at: int
    evidence: bytes = NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class Renewal:
    """A membership to be prolonged until `expires_at` (seconds since 1970 UTC)."""

    org_id: OrgId
    expires_at: int


@dataclass(frozen=True, slots=True)
class TierChange:
    """A membership to be moved into another tier."""

    org_id: OrgId
    tier: TierId


@dataclass(frozen=True, slots=True)
class Award:
    """Credits for one contribution. `amount` is above zero; `evidence` commits to a document."""

    org_id: OrgId
    amount: int
    category: str
    evidence: bytes = NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class Reversal:
    """An award to be taken back.

    `entry` is the award as it was posted and `head_before` the journal's head before it;
    `hashes_after` are the event hashes of the entries after it, in order, up to one whose head the
    contract keeps. `evidence` commits to a document that shows why.
    """

    entry: EntryPosted
    head_before: bytes
    hashes_after: tuple[bytes, ...] = ()
    evidence: bytes = NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class Expiry:
    """Credits to be taken back, since their award `entry_id` is too old; `amount` is above zero.

    The contract takes no more than what the balance has above `leaves`, so that what was spent
    since the computation is not taken a second time. Expiries are posted oldest award first.
    """

    entry_id: EntryId
    org_id: OrgId
    amount: int
    leaves: int
    category: str


@dataclass(frozen=True, slots=True)
class ProgrammeRules:
    """A programme as the contract keeps it. `supply_cap` bounds the credits outstanding at once."""

    key: str
    profile: bytes
    supply_cap: int
    approvals_needed: int
    tier_count: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The most credits that an issuer may give in one award, and in one epoch."""

    per_award: int
    per_epoch: int


@dataclass(frozen=True, slots=True)
class AwardTerms:
    """What an award by an issuer must keep to now. `epoch` is 0 where none is in force.

    `by_category`: whether some of the issuer's categories have budgets of their own.
    """

    epoch: int
    per_award: int
    per_epoch: int
    supply_cap: int
    by_category: bool = False


@dataclass(frozen=True, slots=True)
class IssuerTerms:
    """What an issuer's budgets leave it to award now, in one category.

    `epoch` is 0 where none is in force; `left_under_cap` is what the programme leaves to everybody.
    `left_to_reverse` is what it can take back of its own awards in this epoch, whenever given.
    """

    epoch: int
    epoch_ends_at: int
    per_award: int
    left_in_epoch: int
    left_in_category: int
    left_to_reverse: int
    left_under_cap: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery under way: who is to take over, and from when on it can be finished."""

    successor: bytes
    finishable_from: int


@dataclass(frozen=True, slots=True)
class MembershipState:
    """A membership as the contract keeps it; times in seconds since 1970 UTC.

    All zero, with the status NONE, where the organisation was never admitted.
    """

    status: MembershipStatus
    tier: TierId
    admitted_at: int
    expires_at: int
