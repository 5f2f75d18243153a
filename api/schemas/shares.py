"""Pools shared by contribution: distributions, what each organisation gets, and expiries."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from api.formats import show_address_once, show_bytes, show_time
from api.pagination import MAX_LIMIT
from api.schemas.base import (
    Address,
    Answer,
    Credits,
    Digest,
    EntryNumber,
    Key,
    NameEn,
    NameZh,
    OrganisationNumber,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
    at_most,
)
from api.schemas.commands import (
    Command,
    Commitment,
    KeyText,
    Moment,
    Organisation,
    ProgrammeRef,
)
from api.schemas.evidence import EvidenceRef
from ledger.domain.commands import Expiry
from ledger.domain.events import EntryKind
from ledger.domain.shares import MAX_POOL, ShareRule
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.shares import Claim, DistributionStanding, ListedDistribution
from ledger.services.expiries import MAX_EXPIRIES, Expiring
from ledger.services.sharing.distributing import MAX_DISTRIBUTION_ID

MAX_EPOCHS = 1000

DistributionNumber = Annotated[int, Field(ge=1, le=MAX_DISTRIBUTION_ID, examples=[1])]
Amount = Annotated[int, Field(ge=0, le=MAX_POOL, description="Units of the pool.", examples=[100])]
Unit = Annotated[Key, Field(description="What the pool is of.", examples=["scenario-slot"])]


def _fraction(text: str) -> str:
    try:
        Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError("It is not a fraction such as 3/2 or 1.5") from error
    return text


Part = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,15}(?:/[0-9]{1,15}|\.[0-9]{1,15})?$",
        description="A fraction, such as 3/2 or 1.5.",
        examples=["3/2"],
    ),
    AfterValidator(_fraction),
]


class DistributionView(Schema):
    """A pool shared by an epoch's contributions. `rule` is the SHA-256 of the rule's canonical JSON
    and `root` that of the tree of shares: whoever has the epoch's entries and the rule computes
    both again. `shares` is the document with the rule and all shares. They can be claimed from
    `claimable_from` (included) to `claimable_until` (not). Account, evidence, operation and block
    are those of its last change."""

    distribution_id: DistributionNumber
    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    epoch: Annotated[int, Field(ge=1)]
    pool: Amount
    unit: Unit
    rule: Digest
    root: Digest
    claimable_from: Time
    claimable_until: Time
    standing: DistributionStanding
    claimed: Amount
    claim_count: Whole
    shares: Digest | None
    evidence: EvidenceRef | None
    actor: Address
    operation_id: Digest
    block_number: Whole
    timestamp: Time

    @classmethod
    def of(cls, found: ListedDistribution) -> Self:
        terms = found.terms
        return cls(
            distribution_id=found.distribution_id,
            programme_id=terms.programme_id,
            programme=found.programme,
            epoch=terms.epoch,
            pool=terms.pool,
            unit=terms.unit,
            rule=show_bytes(terms.rule),
            root=show_bytes(terms.root),
            claimable_from=show_time(terms.claimable_from),
            claimable_until=show_time(terms.claimable_until),
            standing=found.standing,
            claimed=found.claimed,
            claim_count=found.claim_count,
            shares=show_bytes(found.shares) if any(found.shares) else None,
            evidence=EvidenceRef.of(found.evidence, found.document),
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            timestamp=show_time(found.timestamp),
        )


class DistributionAnswer(DistributionView, Answer):
    """One distribution."""


class DistributionsPage(Page[DistributionView]):
    """Distributions, the latest first."""


class ClaimView(Schema):
    """That a share was claimed: by whom, when, in which block."""

    amount: Amount
    actor: Address
    operation_id: Digest
    block_number: Whole
    timestamp: Time

    @classmethod
    def of(cls, found: Claim) -> Self:
        return cls(
            amount=found.amount,
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            timestamp=show_time(found.timestamp),
        )


class EntitlementView(Schema):
    """What an organisation gets of a distribution; `claim` is null until it is claimed."""

    org_id: OrganisationNumber
    name_zh: NameZh
    name_en: NameEn
    amount: Amount
    claim: ClaimView | None

    @classmethod
    def of(cls, org_id: int, amount: int, profile: Profile | None, claim: Claim | None) -> Self:
        return cls(
            org_id=org_id,
            name_zh=profile.name_zh if profile else None,
            name_en=profile.name_en if profile else None,
            amount=amount,
            claim=ClaimView.of(claim) if claim else None,
        )


class EntitlementsPage(Page[EntitlementView]):
    """What the organisations get, in the order of their ids."""


class EntitlementAnswer(EntitlementView, Answer):
    """What one organisation gets, with what proves it: hashed pairwise with the `leaf`, in the
    order of their values as OpenZeppelin's MerkleProof has it, `proof` leads to the `root`."""

    distribution_id: DistributionNumber
    unit: Unit
    standing: DistributionStanding
    claimable_from: Time
    claimable_until: Time
    leaf: Digest
    proof: Annotated[list[Digest], at_most(64)]
    root: Digest


class ShareOfView(Schema):
    """What an organisation gets of one distribution. `amount` is null where the office has not the
    file of shares that it was posted with."""

    distribution: DistributionView
    amount: Annotated[int | None, Field(ge=0, le=MAX_POOL, examples=[12])]
    claim: ClaimView | None


class SharesOfOrganisation(Page[ShareOfView]):
    """What an organisation gets of each distribution, the latest first."""


class ExpiringView(Schema):
    """What is unspent of an award, and when it expires. `expires_at` is null where the boundary
    that decides it is not appended yet; once it is over, the credits are `due`: they can be spent
    until the council lets them expire."""

    entry_id: EntryNumber
    category: Key
    credits: Credits
    posted_at: Time
    expires_at: Time | None
    due: bool

    @classmethod
    def of(cls, found: Expiring, now: int) -> Self:
        ends = found.expires_at
        return cls(
            entry_id=found.entry_id,
            category=found.category,
            credits=found.left,
            posted_at=show_time(found.posted_at),
            expires_at=show_time(ends) if ends is not None else None,
            due=ends is not None and ends <= now,
        )


class ExpiringAnswer(Answer):
    """When an organisation's unspent credits of a programme expire by a policy: those of an epoch
    once `epochs` more of them are over. The oldest award first, which is also spent first;
    `due` is of all of them, on whichever page they are."""

    org_id: OrganisationNumber
    programme_id: ProgrammeNumber
    programme: Key
    epochs: Annotated[int, Field(ge=0, le=MAX_EPOCHS)]
    due: Credits
    items: Annotated[list[ExpiringView], at_most(MAX_LIMIT)]
    next: Annotated[str | None, Field(examples=[None])]


class DueView(Schema):
    """An expiry that is due: of which award, how much, and what it leaves the organisation."""

    entry_id: EntryNumber
    org_id: OrganisationNumber
    category: Key
    credits: Credits
    leaves: Credits

    @classmethod
    def of(cls, found: Expiry) -> Self:
        return cls(
            entry_id=found.entry_id,
            org_id=found.org_id,
            category=found.category,
            credits=found.amount,
            leaves=found.leaves,
        )


class DueAnswer(Answer):
    """What is due to expire, the oldest award first: as many as one transaction takes, of
    `due_count` in all. `description` is the canonical JSON of how it was computed, and `policy` its
    SHA-256, which the expiries are posted with."""

    programme_id: ProgrammeNumber
    programme: Key
    due_count: Whole
    due_credits: Credits
    policy: Digest
    description: str
    items: Annotated[list[DueView], at_most(MAX_EXPIRIES)]


class RuleItem(Command):
    """What a credit scores by its category, and how much one organisation gets at most (`cap`, a
    part of the pool) and must score at least."""

    weights: Annotated[
        dict[KeyText, Part],
        Field(max_length=200, default_factory=dict, examples=[{"data.acquire": "3/2"}]),
    ]
    default_weight: Part = "1"
    cap: Part = "1"
    minimum: Part = "0"
    reversals_count: bool = True

    def rule(self) -> ShareRule:
        """The rule that it says. Raises InvalidValue for one that means nothing."""
        kinds = (EntryKind.AWARD, EntryKind.REVERSAL)
        return ShareRule(
            weights={name: Fraction(text) for name, text in self.weights.items()},
            default_weight=Fraction(self.default_weight),
            cap=Fraction(self.cap),
            minimum=Fraction(self.minimum),
            kinds=kinds if self.reversals_count else kinds[:1],
        )


class DistributionCommand(Command):
    """A pool to be shared by the contributions of an epoch that is over. The shares are computed
    here, kept as a document that everybody can read, and posted by their root."""

    programme: ProgrammeRef
    epoch: Annotated[int, Field(ge=1, le=2**32 - 1, examples=[3])]
    pool: Annotated[int, Field(ge=1, le=MAX_POOL, examples=[1000])]
    unit: Annotated[KeyText, Field(examples=["scenario-slot"])]
    rule: Annotated[RuleItem, Field(default_factory=RuleItem)]
    claimable_from: Moment
    claimable_until: Moment


class WithdrawalCommand(Command):
    """A distribution to be taken back, as far as it is not claimed."""

    distribution: DistributionNumber
    evidence: Commitment | None = None


class ClaimCommand(Command):
    """An organisation's share of a distribution to be claimed."""

    distribution: DistributionNumber
    organisation: Organisation


class ExpiriesCommand(Command):
    """That what is due in a programme shall expire: as many awards as one transaction takes, the
    oldest first. Credits of an epoch expire once `epochs` more of them are over."""

    programme: ProgrammeRef
    epochs: Annotated[int, Field(ge=0, le=MAX_EPOCHS, examples=[4])]
