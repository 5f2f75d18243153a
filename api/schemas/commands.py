"""What officers ask for: the bodies of the requests that change something.

Each is checked for its form here, to the letter: a number is a number and not a text that looks
like one, and what is not known is refused. Whether it can be done is for the contracts to say.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.formats import parse_time
from ledger.chain.addresses import parse_address
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.keys import KEY_PATTERN
from ledger.errors import InvalidValue
from ledger.office.profiles import MAX_TEXT, check_text

MAX_ITEMS = 500
_KEY = f"^{KEY_PATTERN.pattern}$"
_MAX_AMOUNT = 2**53 - 1


def _time(text: str) -> str:
    try:
        parse_time("time", text)
    except InvalidValue as error:
        raise ValueError(f"It is not {error.values['expected']}") from error
    return text


def _account(text: str) -> str:
    try:
        parse_address(text)
    except InvalidValue as error:
        raise ValueError(f"It is not {error.values['expected']}") from error
    return text


def _words(text: str) -> str:
    try:
        check_text("text", text)
    except InvalidValue as error:
        raise ValueError(f"It is not {error.values['expected']}") from error
    return text


ProgrammeRef = Annotated[
    str,
    Field(
        pattern=_KEY,
        max_length=31,
        description="A programme, by its id or its key.",
        examples=["community"],
    ),
]
Organisation = Annotated[
    int, Field(ge=1, le=2**32 - 1, description="An organisation's id.", examples=[4])
]
Organisations = Annotated[
    list[Organisation], Field(min_length=1, max_length=MAX_ITEMS, examples=[[4]])
]
Commitment = Annotated[
    str,
    Field(
        pattern="^0x[0-9a-fA-F]{64}$",
        description="The commitment to a document that is kept (/v1/evidence).",
        examples=["0x" + "5b" * 32],
    ),
]
Moment = Annotated[
    str,
    Field(max_length=40, description="RFC 3339.", examples=["2027-12-31T00:00:00Z"]),
    AfterValidator(_time),
]
Account = Annotated[
    str,
    Field(
        pattern="^0x[0-9a-fA-F]{40}$",
        description="An account, all of one case or with the checksum of EIP-55.",
        examples=["0x90F79bf6EB2c4f870365E785982E1f101E93b906"],
    ),
    AfterValidator(_account),
]
KeyText = Annotated[str, Field(pattern=_KEY, max_length=31)]
Tier = Annotated[int, Field(ge=1, le=255, description="A tier's number.", examples=[1])]
Words = Annotated[
    str, Field(max_length=MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f]*$"), AfterValidator(_words)
]


class Command(BaseModel):
    """A request's body."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AwardItem(Command):
    """Credits for one contribution."""

    organisation: Organisation
    amount: Annotated[int, Field(ge=1, le=_MAX_AMOUNT, description="Credits.", examples=[120])]
    category: Annotated[KeyText, Field(examples=["data.acquire"])]
    evidence: Commitment | None = None


class AwardsCommand(Command):
    """Awards of one programme, done all or none. An award without evidence has none for ever, so
    `no_evidence` must say that this is meant."""

    programme: ProgrammeRef
    awards: Annotated[list[AwardItem], Field(min_length=1, max_length=MAX_ITEMS)]
    no_evidence: bool = False


class ReversalsCommand(Command):
    """Awards of one programme to be taken back, all or none."""

    entries: Annotated[
        list[Annotated[int, Field(ge=1, le=2**63 - 1)]],
        Field(min_length=1, max_length=100, examples=[[17]]),
    ]
    evidence: Commitment | None = None
    no_evidence: bool = False


class GroundedCommand(Command):
    """What changes memberships, and why: a reason (a key such as `fee.unpaid`) and evidence."""

    programme: ProgrammeRef
    reason: Annotated[KeyText | None, Field(examples=["fee.unpaid"])] = None
    evidence: Commitment | None = None


class AdmissionsCommand(GroundedCommand):
    """Organisations to be admitted into a tier."""

    organisations: Organisations
    tier: Tier = 1
    expires_at: Moment


class RenewalsCommand(GroundedCommand):
    """Memberships to be prolonged."""

    organisations: Organisations
    expires_at: Moment


class TierChangesCommand(GroundedCommand):
    """Memberships to be moved into another tier."""

    organisations: Organisations
    tier: Tier


class StandingCommand(GroundedCommand):
    """Memberships to be suspended, resumed or revoked, or applications to be declined."""

    organisations: Organisations


class RegistrationItem(Command):
    """An organisation to be registered. Its names are kept by the office; the chain gets a
    commitment to them."""

    controller: Account
    kind: Annotated[KeyText, Field(examples=["company"])]
    key: Annotated[KeyText, Field(examples=["galaxyspace"])]
    name_zh: Annotated[Words, Field(examples=["银河航天"])] = ""
    name_en: Annotated[Words, Field(examples=["GalaxySpace"])] = ""
    segment: Words = ""
    note: Words = ""


class RegistrationsCommand(Command):
    """Organisations to be registered, all or none."""

    organisations: Annotated[list[RegistrationItem], Field(min_length=1, max_length=100)]


class BudgetCommand(Command):
    """The most credits that an issuer may award at once and in an epoch; zeros take it away."""

    programme: ProgrammeRef
    issuer: Account
    per_award: Annotated[int, Field(ge=0, le=_MAX_AMOUNT, examples=[500])]
    per_epoch: Annotated[int, Field(ge=0, le=_MAX_AMOUNT, examples=[10_000])]


class OfficeCommand(Command):
    """An account to be given an office, or to be dismissed from it."""

    account: Account
    role: Annotated[
        str,
        Field(
            pattern="^(registrar|issuer|treasurer|council|councillor|guardian)$",
            examples=["issuer"],
        ),
    ]
    programme: Annotated[
        ProgrammeRef | None, Field(description="The whole alliance where there is none.")
    ] = None


class PauseCommand(Command):
    """That the ledger be stopped, or go on: all that is to be said."""

    confirm: Annotated[Literal[True], Field(description="That it is meant.")]


def commitment_of(text: str | None) -> bytes:
    """The bytes of a commitment, zeros for none."""
    return bytes.fromhex(text[2:]) if text is not None else NO_COMMITMENT
