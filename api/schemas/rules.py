"""What is asked of programmes: founding one, and changing its rules."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.commands import (
    Account,
    Command,
    KeyText,
    Moment,
    ProgrammeRef,
    Tier,
    Words,
)
from ledger.services.checks import MAX_AMOUNT, MAX_APPROVALS

MAX_KEYS = 100

NewKey = Annotated[KeyText, Field(examples=["community"])]
Approvals = Annotated[
    int,
    Field(ge=1, le=MAX_APPROVALS, description="Beside the maker's.", examples=[2]),
]
Cap = Annotated[
    int,
    Field(ge=0, le=MAX_AMOUNT, description="Outstanding credits at most.", examples=[1_000_000]),
]
NamedZh = Annotated[Words, Field(description="What it is called in Chinese.", examples=["会员"])]
NamedEn = Annotated[Words, Field(description="What it is called in English.", examples=["Member"])]


class FoundingCommand(Command):
    """A programme to be founded. Its names are kept by the office; the chain gets a commitment."""

    key: NewKey
    name_zh: NamedZh = ""
    name_en: NamedEn = ""
    role_zh: Words = ""
    role_en: Words = ""
    note: Words = ""
    supply_cap: Cap = MAX_AMOUNT
    approvals_needed: Approvals = 1


class ProgrammeProfileCommand(Command):
    """Other names or words for a programme; what is left out stays as it is."""

    programme: ProgrammeRef
    name_zh: NamedZh | None = None
    name_en: NamedEn | None = None
    role_zh: Words | None = None
    role_en: Words | None = None
    note: Words | None = None


class SupplyCapCommand(Command):
    """The most credits of a programme that may be outstanding at once."""

    programme: ProgrammeRef
    supply_cap: Cap


class ApprovalsCommand(Command):
    """How many approvals proposals of a programme's council need from now on."""

    programme: ProgrammeRef
    approvals_needed: Approvals


class NamedKeyItem(Command):
    """A key, and what people call it; the names are the office's and can change."""

    key: Annotated[KeyText, Field(examples=["founder"])]
    name_zh: NamedZh = ""
    name_en: NamedEn = ""


class TiersCommand(Command):
    """Tiers to be added, numbered on from the last one."""

    programme: ProgrammeRef
    tiers: Annotated[list[NamedKeyItem], Field(min_length=1, max_length=MAX_KEYS)]


class TierCommand(Command):
    """A tier to be closed to new admissions, or opened again."""

    programme: ProgrammeRef
    tier: Tier


class CategoryItem(NamedKeyItem):
    """A category, what people call it, and the side of the industry that it belongs to."""

    key: Annotated[KeyText, Field(examples=["data.acquire"])]
    side: Annotated[Words, Field(examples=["construction"])] = ""


class CategoryOpeningsCommand(Command):
    """Categories to be opened to awards."""

    programme: ProgrammeRef
    categories: Annotated[list[CategoryItem], Field(min_length=1, max_length=MAX_KEYS)]


class CategoryClosingsCommand(Command):
    """Categories to be closed to awards; what was awarded in them stays."""

    programme: ProgrammeRef
    categories: Annotated[
        list[KeyText], Field(min_length=1, max_length=MAX_KEYS, examples=[["data.acquire"]])
    ]


class BoundariesCommand(Command):
    """Boundaries between epochs to be appended, in growing order. They are never moved."""

    programme: ProgrammeRef
    boundaries: Annotated[
        list[Moment],
        Field(min_length=1, max_length=MAX_KEYS, examples=[["2031-01-01T00:00:00Z"]]),
    ]


class CategoryBudgetCommand(Command):
    """The most credits that an issuer may award in one category in an epoch; null takes the limit
    away."""

    programme: ProgrammeRef
    issuer: Account
    category: Annotated[KeyText, Field(examples=["data.acquire"])]
    per_epoch: Annotated[int, Field(ge=0, le=MAX_AMOUNT, examples=[5_000])] | None
