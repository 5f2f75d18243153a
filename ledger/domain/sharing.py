"""What councils and members ask of `Benefits`, `Shares` and `Council`, and what these answer.

Plain values, as those of `ledger.domain.commands`. Times are seconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import ProposalStatus, RedemptionStatus
from ledger.domain.ids import EntryId, ListingId, OrgId, ProgrammeId


@dataclass(frozen=True, slots=True)
class Listing:
    """A benefit: `price` credits a unit, `capacity` units in all, so many for one organisation.

    It can be redeemed from `opens_at` to before `closes_at`; `profile` commits to its description.
    """

    programme_id: ProgrammeId
    price: int
    capacity: int
    per_organisation: int
    opens_at: int
    closes_at: int
    profile: bytes = NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class ListingState:
    """A listing now; `redeemed` counts the units that were not given back."""

    listing: Listing
    redeemed: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Redemption:
    """Units of a benefit that an organisation wants."""

    listing_id: ListingId
    org_id: OrgId
    quantity: int


@dataclass(frozen=True, slots=True)
class RedemptionState:
    """A redemption now; `entry_id` is its line in Credits."""

    redemption: Redemption
    status: RedemptionStatus
    entry_id: EntryId


@dataclass(frozen=True, slots=True)
class Distribution:
    """A pool that is shared by an epoch's contributions.

    `unit` is what it is of, `rule` the SHA-256 of the rule's canonical JSON, `root` that of the
    tree of shares; they can be claimed from `claimable_from`, a day after the posting at least, to
    before `claimable_until`.
    """

    programme_id: ProgrammeId
    epoch: int
    pool: int
    unit: str
    rule: bytes
    root: bytes
    claimable_from: int
    claimable_until: int


@dataclass(frozen=True, slots=True)
class DistributionState:
    """A distribution now; `claimed` is the sum of the shares claimed so far.

    One that is withdrawn can have claims: they stand, and no more are taken.
    """

    distribution: Distribution
    claimed: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class ProposalState:
    """A proposal now. `authority_sequence` is the Authority's line when it was made.

    `authority_only`: all its calls go to the Authority, so it works while the ledger is paused.
    """

    programme_id: ProgrammeId
    status: ProposalStatus
    approvals_needed: int
    expires_at: int
    authority_only: bool
    authority_sequence: int
    maker: bytes
    calls_hash: bytes
