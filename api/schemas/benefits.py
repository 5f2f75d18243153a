"""Benefits, redemptions, and what a redemption would change."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_digest, show_time
from api.schemas.base import (
    Address,
    Answer,
    Credits,
    Digest,
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
    Words,
)
from api.schemas.evidence import EvidenceRef
from ledger.domain.events import RedemptionStatus
from ledger.mirror.queries.benefits import ListedBenefit, ListingStanding
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.redemptions import Redeemed
from ledger.services.benefits import MAX_LISTING_ID, MAX_REDEMPTION_ID, MAX_UNITS
from ledger.services.checks import MAX_AMOUNT

ListingNumber = Annotated[int, Field(ge=1, le=MAX_LISTING_ID, examples=[1])]
RedemptionNumber = Annotated[int, Field(ge=1, le=MAX_REDEMPTION_ID, examples=[1])]
Units = Annotated[int, Field(ge=0, le=MAX_UNITS, description="Units.", examples=[20])]


class RedemptionStatusName(StrEnum):
    """What became of a redemption."""

    OPEN = "open"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"

    @classmethod
    def of(cls, status: RedemptionStatus) -> RedemptionStatusName:
        return cls[status.name]

    def status(self) -> RedemptionStatus:
        """The number that the chain has for it."""
        return RedemptionStatus[self.name]


class BenefitView(Schema):
    """A benefit: `price` credits a unit, `capacity` units in all, `per_organisation` of them for
    one organisation. It can be redeemed from `opens_at` (included) to `closes_at` (not) while its
    `standing`, by the time of the answer's block, is `open`. Its terms are never changed: another
    price is another listing."""

    listing_id: ListingNumber
    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    key: Annotated[str | None, Field(examples=["scenario-slot"])]
    name_zh: NameZh
    name_en: NameEn
    note: str | None
    price: Credits
    capacity: Units
    per_organisation: Units
    taken: Units
    left: Units
    opens_at: Time
    closes_at: Time
    standing: ListingStanding
    profile: Digest | None
    actor: Address
    operation_id: Digest
    block_number: Whole
    timestamp: Time

    @classmethod
    def of(cls, found: ListedBenefit) -> Self:
        profile = found.profile
        return cls(
            listing_id=found.listing_id,
            programme_id=found.programme_id,
            programme=found.programme,
            key=profile.key if profile else None,
            name_zh=profile.name_zh if profile else None,
            name_en=profile.name_en if profile else None,
            note=(profile.note or None) if profile else None,
            price=found.price,
            capacity=found.capacity,
            per_organisation=found.per_organisation,
            taken=found.taken,
            left=found.left,
            opens_at=show_time(found.opens_at),
            closes_at=show_time(found.closes_at),
            standing=found.standing,
            profile=show_digest(found.profile_commitment),
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            timestamp=show_time(found.timestamp),
        )


class BenefitAnswer(BenefitView, Answer):
    """One benefit."""


class BenefitsPage(Page[BenefitView]):
    """Benefits, the latest first."""


class RedemptionView(Schema):
    """Units of a benefit that an organisation redeemed, and what became of it. `entry_id` is the
    entry that took the credits, `refund_id` the one that gave them back. Evidence, account,
    operation, block and transaction are those of its last change."""

    redemption_id: RedemptionNumber
    listing_id: ListingNumber
    name_zh: NameZh
    name_en: NameEn
    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    org_id: OrganisationNumber
    quantity: Units
    credits: Credits
    status: RedemptionStatusName
    entry_id: Annotated[int, Field(ge=1)]
    refund_id: Annotated[int | None, Field(ge=1)]
    redeemed_at: Time
    evidence: EvidenceRef | None
    actor: Address
    operation_id: Digest
    block_number: Whole
    timestamp: Time
    transaction_hash: Digest

    @classmethod
    def of(cls, found: Redeemed, profile: Profile | None) -> Self:
        return cls(
            redemption_id=found.redemption_id,
            listing_id=found.listing_id,
            name_zh=profile.name_zh if profile else None,
            name_en=profile.name_en if profile else None,
            programme_id=found.programme_id,
            programme=found.programme,
            org_id=found.org_id,
            quantity=found.quantity,
            credits=found.amount,
            status=RedemptionStatusName.of(found.status),
            entry_id=found.entry_id,
            refund_id=found.refund_id or None,
            redeemed_at=show_time(found.redeemed_at),
            evidence=EvidenceRef.of(found.evidence, found.document),
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            timestamp=show_time(found.timestamp),
            transaction_hash=show_bytes(found.transaction_hash),
        )


class RedemptionAnswer(RedemptionView, Answer):
    """One redemption."""


class RedemptionsPage(Page[RedemptionView]):
    """Redemptions, the latest first."""


class ObstacleView(Schema):
    """Why something would be refused, in both languages; `code` never changes."""

    code: Annotated[str, Field(examples=["balance.too_low"])]
    sentence_zh: str
    sentence_en: str


class RedemptionPreview(Answer):
    """What a redemption would change at the answer's block. Nothing is asked for or kept by it;
    what stands in the way is in `obstacles`, and there is none where it is `possible`."""

    listing_id: ListingNumber
    org_id: OrganisationNumber
    quantity: Units
    credits: Annotated[int, Field(ge=0, description="What it would cost.", examples=[240])]
    balance_before: Credits
    balance_after: Credits
    left_before: Units
    left_after: int
    limit_before: Annotated[
        int, Field(description="Units that the organisation could redeem of it.", examples=[5])
    ]
    limit_after: int
    possible: bool
    obstacles: Annotated[list[ObstacleView], at_most(16)]


class ListingCommand(Command):
    """A benefit to be opened: its price, its units, and when. `per_organisation` is all of them
    unless given. Its name is kept by the office; the chain gets a commitment to it."""

    programme: ProgrammeRef
    key: Annotated[KeyText, Field(examples=["scenario-slot"])]
    name_zh: Annotated[Words, Field(examples=["应用场景名额"])] = ""
    name_en: Annotated[Words, Field(examples=["Scenario slot"])] = ""
    note: Words = ""
    price: Annotated[int, Field(ge=1, le=MAX_AMOUNT, description="Credits a unit.", examples=[120])]
    capacity: Annotated[int, Field(ge=1, le=MAX_UNITS, description="Units.", examples=[20])]
    per_organisation: Annotated[int, Field(ge=1, le=MAX_UNITS, examples=[2])] | None = None
    opens_at: Moment
    closes_at: Moment


class ListingClosingCommand(Command):
    """A benefit to be closed for good; what was redeemed of it is settled as before."""

    listing: ListingNumber


class RedemptionCommand(Command):
    """Units of a benefit to be redeemed for an organisation's credits."""

    listing: ListingNumber
    organisation: Organisation
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS, examples=[1])] = 1


class FulfilmentsCommand(Command):
    """Redemptions of one programme to be recorded as fulfilled, all or none."""

    programme: ProgrammeRef
    redemptions: Annotated[
        list[RedemptionNumber], Field(min_length=1, max_length=100, examples=[[1]])
    ]
    evidence: Commitment | None = None


class RefundCommand(Command):
    """A redemption to be cancelled; its credits are given back."""

    redemption: RedemptionNumber
    evidence: Commitment | None = None
