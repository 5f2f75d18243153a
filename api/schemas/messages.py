"""Messages to be signed (EIP-712), and messages that somebody signed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Address, Answer, Digest, Schema, Time
from api.schemas.benefits import ListingNumber
from api.schemas.commands import (
    MAX_ITEMS,
    Account,
    AwardItem,
    Command,
    Commitment,
    KeyText,
    Moment,
    Organisation,
    ProgrammeRef,
    Tier,
)
from api.schemas.proposals import ProposalNumber
from api.schemas.shares import DistributionNumber
from ledger.services.benefits import MAX_UNITS

MOST_SIGNATURE = 4096
"""Bytes: a contract wallet's can be long."""

MOST_PROOF = 64

OperationId = Annotated[
    str,
    Field(
        pattern="^0x[0-9a-fA-F]{64}$",
        description="By what the message counts once; a random one unless given.",
        examples=["0x" + "5b" * 32],
    ),
]


class DraftCommand(Command):
    """What every message has: who signs it, by what it counts once, and until when it is good (a
    week unless given, 180 days at most)."""

    account: Annotated[Account, Field(description="Who signs: whose right it is.")]
    operation_id: OperationId | None = None
    deadline: Moment | None = None


class AwardBatchDraft(DraftCommand):
    """An issuer awards credits."""

    kind: Literal["award-batch"]
    programme: ProgrammeRef
    awards: Annotated[list[AwardItem], Field(min_length=1, max_length=MAX_ITEMS)]
    no_evidence: bool = False


class ConsentDraft(DraftCommand):
    """An applicant agrees to be admitted into a tier."""

    kind: Literal["consent"]
    programme: ProgrammeRef
    organisation: Organisation
    tier: Tier = 1
    evidence: Commitment | None = None


class RedemptionDraft(DraftCommand):
    """An organisation redeems credits for units of a benefit, at its price."""

    kind: Literal["redemption"]
    listing: ListingNumber
    organisation: Organisation
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS, examples=[1])] = 1


class ClaimDraft(DraftCommand):
    """An organisation claims its share of a distribution."""

    kind: Literal["claim"]
    distribution: DistributionNumber
    organisation: Organisation


class ApprovalDraft(DraftCommand):
    """A councillor approves a proposal's calls."""

    kind: Literal["approval"]
    proposal: ProposalNumber


class RotationDraft(DraftCommand):
    """An organisation's controller names who shall act for it next."""

    kind: Literal["rotation"]
    organisation: Organisation
    successor: Account


class AcceptanceDraft(DraftCommand):
    """Who was named takes over."""

    kind: Literal["acceptance"]
    organisation: Organisation


class ObjectionDraft(DraftCommand):
    """An organisation's controller objects to its recovery."""

    kind: Literal["objection"]
    organisation: Organisation


class CancellationDraft(DraftCommand):
    """A message that was signed before is to be worth nothing: its contract and operation."""

    kind: Literal["cancellation"]
    contract: Literal["Organisations", "Memberships", "Credits", "Benefits", "Shares", "Council"]
    operation_id: OperationId


AnyDraft = (
    AwardBatchDraft
    | ConsentDraft
    | RedemptionDraft
    | ClaimDraft
    | ApprovalDraft
    | RotationDraft
    | AcceptanceDraft
    | ObjectionDraft
    | CancellationDraft
)


class DraftBody(Command):
    """What shall be signed."""

    message: Annotated[AnyDraft, Field(discriminator="kind")]


class TypedFieldView(Schema):
    """A field of a type."""

    name: str
    type: str


class TypedDomainView(Schema):
    """Where a message counts."""

    name: Annotated[str, Field(examples=["Moonlake Credits"])]
    version: str
    chainId: int  # noqa: N815  EIP-712's own name
    verifyingContract: Address  # noqa: N815


class TypedDataView(Schema):
    """What a wallet's `eth_signTypedData_v4` takes (EIP-712)."""

    types: dict[str, list[TypedFieldView]]
    primaryType: Annotated[str, Field(examples=["Redemption"])]  # noqa: N815
    domain: TypedDomainView
    message: dict[str, Any]


class TypedDataAnswer(Answer):
    """A message to be signed, and what it says in both languages, from its own values: a sentence,
    and a line for each row of a batch. The names that this ledger has stand beside the numbers,
    which are what is signed. Nothing is kept of it. With the signature it goes to
    `/v1/signed-messages`, and `proof` with it where there is one."""

    contract: Annotated[str, Field(examples=["Benefits"])]
    account: Address
    operation_id: Digest
    deadline: Time
    says_zh: list[str]
    says_en: list[str]
    typed_data: TypedDataView
    digest: Annotated[Digest, Field(description="The 32 bytes that are signed.")]
    proof: list[Digest]


class TypedFieldItem(Command):
    """A field of a type."""

    name: Annotated[str, Field(max_length=100)]
    type: Annotated[str, Field(max_length=100)]


class TypedDomainItem(Command):
    """Where a message counts."""

    name: Annotated[str, Field(max_length=100)]
    version: Annotated[str, Field(max_length=10)]
    chainId: Annotated[int, Field(ge=1, le=2**53 - 1)]  # noqa: N815  EIP-712's own name
    verifyingContract: Account  # noqa: N815


class TypedDataItem(Command):
    """A message as a wallet showed it (EIP-712)."""

    types: Annotated[
        dict[str, Annotated[list[TypedFieldItem], Field(max_length=20)]], Field(max_length=10)
    ]
    primaryType: Annotated[str, Field(max_length=100)]  # noqa: N815
    domain: TypedDomainItem
    message: dict[str, Any]


class SignedMessageCommand(Command):
    """A message that somebody signed, to be brought to the chain, once, whoever brings it.

    `signer` is the message's account unless it is a key that no account has (ERC-7913: a verifier
    and a key). A claim brings its `proof`. A consent also needs to be told when the membership
    ends (`expires_at`), and is for registrars and the council of the programme."""

    typed_data: TypedDataItem
    signature: Annotated[
        str, Field(pattern="^0x(?:[0-9a-fA-F]{2})+$", max_length=2 + 2 * MOST_SIGNATURE)
    ]
    signer: (
        Annotated[str, Field(pattern="^0x(?:[0-9a-fA-F]{2})+$", max_length=2 + 2 * MOST_SIGNATURE)]
        | None
    ) = None
    proof: Annotated[
        tuple[Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")], ...],
        Field(max_length=MOST_PROOF, strict=False),
    ] = ()
    expires_at: Moment | None = None
    reason: Annotated[KeyText | None, Field(examples=["founding"])] = None
