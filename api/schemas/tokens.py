"""Metadata of the membership tokens, in the words that wallets know (ERC-721, ERC-7572).

A wallet asks one address and names no language, so every text says it in both. What is missing in
one language is said in the other, and by its number or key where the office has no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.cards import Line, draw_card
from api.schemas.base import MAX_EXACT, Answer, Schema, at_most
from ledger.domain.ids import TokenId
from ledger.mirror.queries.memberships import Membership, Standing
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.rules import Label
from ledger.mirror.queries.tokens import NamedProgramme, Token
from ledger.services.proposals.words import plain

NAME = "Moonlake membership"
SYMBOL = "MOONLAKE"
"""As the contract has them."""

_QUIET = "#b9c4ea"
_STANDINGS = {
    Standing.ACTIVE: ("有效", "#86d9ab"),
    Standing.LAPSED: ("已过期", "#f3c078"),
    Standing.SUSPENDED: ("已暂停", "#f3c078"),
}


@dataclass(frozen=True, slots=True)
class Bilingual:
    """What something is called in Chinese and in English; both are there."""

    zh: str
    en: str

    @classmethod
    def of(cls, zh: str, en: str, otherwise: str) -> Self:
        """The names, one for the other where one is missing, `otherwise` where both are."""
        zh, en = plain(zh), plain(en)
        return cls(zh or en or otherwise, en or zh or otherwise)

    def both(self, separator: str) -> str:
        """Both names, or the one where they are the same."""
        return self.zh if self.zh == self.en else f"{self.zh}{separator}{self.en}"

    def traits(self, zh: str, en: str) -> list[TextTraitView]:
        """The names as traits of these two types."""
        return [
            TextTraitView(trait_type=en, value=self.en),
            TextTraitView(trait_type=zh, value=self.zh),
        ]


Image = Annotated[
    str,
    Field(
        pattern="^data:image/svg\\+xml;base64,[0-9A-Za-z+/]+=*$",
        description="A picture (SVG) as a `data:` URI.",
    ),
]


ExternalUrl = Annotated[
    str,
    Field(
        description="The page for people.",
        examples=["https://ledger.example.org/organisations/4"],
    ),
]


class TextTraitView(Schema):
    """A trait in words."""

    trait_type: Annotated[str, Field(examples=["Programme"])]
    value: Annotated[str, Field(examples=["Industry community"])]


class NumberTraitView(Schema):
    """A trait as a number; of a `date`, seconds since 1970 UTC."""

    display_type: Literal["number", "date"]
    trait_type: Annotated[str, Field(examples=["Expires"])]
    value: Annotated[int, Field(ge=0, le=MAX_EXACT)]


@dataclass(frozen=True, slots=True)
class Said:
    """A membership in the words that its metadata and its card share."""

    held: Membership
    organisation: Bilingual
    programme: Bilingual
    tier: Bilingual
    standing: Bilingual
    begins: str
    ends: str

    @classmethod
    def of(cls, token: Token) -> Self:
        """The words of a token."""
        held = token.membership
        return cls(
            held=held,
            organisation=_called(token.organisation, f"№ {held.org_id}"),
            programme=_called(token.programme.profile, token.programme.key),
            tier=_called(token.tier, held.tier_key),
            standing=Bilingual(_STANDINGS[held.standing][0], held.standing.value),
            begins=_show_day(held.admitted_at),
            ends=_show_day(held.expires_at),
        )

    def card(self) -> tuple[Line, ...]:
        """What the card says."""
        other = self.organisation.en if self.organisation.en != self.organisation.zh else ""
        colour = _STANDINGS[self.held.standing][1]
        return (
            Line(self.programme.both(" · "), 60, 22, 13, _QUIET),
            Line(self.organisation.zh, 316, 46, 22, bold=True),
            Line(other, 354, 26, 15, _QUIET),
            Line(self.tier.both(" · "), 416, 24, 14),
            Line(self.standing.both(" · "), 454, 24, 14, colour),
            Line(f"№ {self.held.org_id}    {self.begins} – {self.ends}", 494, 20, 12, _QUIET),
            Line("明月湖 Moonlake", 560, 18, 12, _QUIET),
        )


class TokenAnswer(Answer):
    """A membership token's metadata (ERC-721). Its status is that of the answer's block."""

    name: str
    description: str
    image: Image
    external_url: ExternalUrl
    attributes: Annotated[list[TextTraitView | NumberTraitView], at_most(16)]

    @classmethod
    def of(cls, about: Answer, token: Token, origin: str) -> Self:
        said = Said.of(token)
        held, organisation, programme = token.membership, said.organisation, said.programme
        tier, standing, begins, ends = said.tier, said.standing, said.begins, said.ends
        return cls(
            as_of=about.as_of,
            mirror=about.mirror,
            name=f"{organisation.both(' ')} · {programme.both(' ')}",
            description=(
                f"{organisation.zh}在{programme.zh}的会员资格（{tier.zh}，{standing.zh}），"
                f"自{begins}至{ends}。不可转让。\n"
                f"The membership of {organisation.en} in {programme.en} ({tier.en}, "
                f"{standing.en}), from {begins} to {ends}. It cannot be transferred."
            ),
            image=draw_card(held.token_id, said.card()),
            external_url=f"{origin}/organisations/{held.org_id}",
            attributes=[
                *organisation.traits("组织", "Organisation"),
                NumberTraitView(
                    display_type="number", trait_type="Organisation number", value=held.org_id
                ),
                *programme.traits("计划", "Programme"),
                *tier.traits("级别", "Tier"),
                *standing.traits("状态", "Status"),
                NumberTraitView(display_type="date", trait_type="Admitted", value=held.admitted_at),
                NumberTraitView(display_type="date", trait_type="Expires", value=held.expires_at),
            ],
        )


class CollectionAnswer(Answer):
    """The metadata of all membership tokens together (ERC-7572)."""

    name: Annotated[str, Field(examples=[NAME])]
    symbol: Annotated[str, Field(examples=[SYMBOL])]
    description: str
    image: Image
    external_link: ExternalUrl

    @classmethod
    def of(cls, about: Answer, programmes: tuple[NamedProgramme, ...], origin: str) -> Self:
        names = [_called(each.profile, each.key) for each in programmes]
        chinese = "、".join(each.zh for each in names)
        english = ", ".join(each.en for each in names)
        card = (
            Line("明月湖会员资格", 316, 46, 22, bold=True),
            Line(NAME, 354, 26, 15, _QUIET),
            Line(chinese, 416, 22, 13),
            Line(english, 454, 20, 12, _QUIET),
        )
        return cls(
            as_of=about.as_of,
            mirror=about.mirror,
            name=NAME,
            symbol=SYMBOL,
            description=(
                f"组织在各计划中的会员资格，不可转让：{chinese}。\n"
                f"Memberships of organisations, which cannot be transferred, in {english}."
            ),
            image=draw_card(TokenId(0), card),
            external_link=f"{origin}/",
        )


def _called(named: Profile | Label | None, otherwise: str) -> Bilingual:
    if named is None:
        return Bilingual(otherwise, otherwise)
    return Bilingual.of(named.name_zh, named.name_en, otherwise)


def _show_day(seconds: int) -> str:
    """The day in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
