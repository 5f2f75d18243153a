"""Programmes: their rules, their members counted, and what is outstanding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from api.formats import show_digest, show_time
from api.schemas.base import (
    MOST_PARTS,
    Answer,
    Credits,
    Digest,
    Key,
    NameEn,
    NameZh,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
    at_most,
)
from ledger.mirror.queries.programmes import CategoryTotal, MemberCount, Programme
from ledger.mirror.queries.rules import Category, Epoch, Label, Tier


class TierView(Schema):
    """A tier; closed to new admissions where it is not `open`."""

    tier: Annotated[int, Field(ge=1, le=255)]
    key: Key
    name_zh: NameZh
    name_en: NameEn
    open: bool

    @classmethod
    def of(cls, tier: Tier) -> Self:
        name_zh, name_en = _names(tier.label)
        return cls(tier=tier.tier, key=tier.key, name_zh=name_zh, name_en=name_en, open=tier.open)


class CategoryView(Schema):
    """A category of contributions; closed to awards where it is not `open`."""

    category: Key
    name_zh: NameZh
    name_en: NameEn
    side: Annotated[str | None, Field(examples=["construction"])]
    open: bool

    @classmethod
    def of(cls, category: Category) -> Self:
        name_zh, name_en = _names(category.label)
        return cls(
            category=category.category,
            name_zh=name_zh,
            name_en=name_en,
            side=(category.label.side or None) if category.label else None,
            open=category.open,
        )


class EpochView(Schema):
    """A period, from `begins_at` (included) to `ends_at` (not)."""

    epoch: Annotated[int, Field(ge=1)]
    begins_at: Time
    ends_at: Time

    @classmethod
    def of(cls, epoch: Epoch) -> Self:
        return cls(
            epoch=epoch.number,
            begins_at=show_time(epoch.begins_at),
            ends_at=show_time(epoch.ends_at),
        )


class MemberCountView(Schema):
    """Memberships by their status at the block of the answer."""

    active: Whole
    lapsed: Whole
    suspended: Whole
    revoked: Whole

    @classmethod
    def of(cls, members: MemberCount) -> Self:
        return cls(
            active=members.active,
            lapsed=members.lapsed,
            suspended=members.suspended,
            revoked=members.revoked,
        )


class CategoryTotalView(Schema):
    """The sum of the entries in a category."""

    category: Key
    credits: Credits
    entry_count: Whole

    @classmethod
    def of(cls, total: CategoryTotal) -> Self:
        return cls(category=total.category, credits=total.amount, entry_count=total.entry_count)


class ProgrammeView(Schema):
    """A programme. `member_count` leaves out revoked memberships; `outstanding` is the sum of all
    balances; `current_epoch` is null where none is in force.

    Of `category_count` categories the first 200 are in `categories`, of `epoch_count` epochs those
    around the present in `epochs`; all are at `/v1/programmes/{programme}/categories` and
    `/epochs`."""

    programme_id: ProgrammeNumber
    key: Annotated[Key, Field(examples=["community"])]
    name_zh: NameZh
    name_en: NameEn
    profile: Digest | None
    supply_cap: Whole
    outstanding: Credits
    entry_count: Whole
    approvals_needed: Whole
    member_count: Whole
    members: MemberCountView
    tiers: Annotated[list[TierView], at_most(255)]
    categories: Annotated[list[CategoryView], at_most(MOST_PARTS)]
    category_count: Whole
    epochs: Annotated[list[EpochView], at_most(MOST_PARTS)]
    epoch_count: Whole
    current_epoch: int | None

    @classmethod
    def of(cls, programme: Programme) -> Self:
        profile, rules = programme.profile, programme.rules
        return cls(
            programme_id=programme.programme_id,
            key=programme.key,
            name_zh=profile.name_zh if profile else None,
            name_en=profile.name_en if profile else None,
            profile=show_digest(programme.profile_commitment),
            supply_cap=programme.supply_cap,
            outstanding=programme.outstanding.credits,
            entry_count=programme.outstanding.entry_count,
            approvals_needed=programme.approvals_needed,
            member_count=programme.members.held,
            members=MemberCountView.of(programme.members),
            tiers=[TierView.of(tier) for tier in rules.tiers],
            categories=[CategoryView.of(each) for each in rules.categories[:MOST_PARTS]],
            category_count=len(rules.categories),
            epochs=[EpochView.of(each) for each in _near(rules.epochs, programme.current_epoch)],
            epoch_count=len(rules.epochs),
            current_epoch=programme.current_epoch or None,
        )


class ProgrammeAnswer(ProgrammeView, Answer):
    """One programme, with what it is for and what was recorded in each category, the
    200 with most."""

    role_zh: str | None
    role_en: str | None
    totals: Annotated[list[CategoryTotalView], at_most(MOST_PARTS)]


class ProgrammesPage(Page[ProgrammeView]):
    """Programmes, in the order of their ids."""


class CategoriesPage(Page[CategoryView]):
    """Categories of a programme, in the order of their keys."""


class EpochsPage(Page[EpochView]):
    """Epochs of a programme, in their order."""


def _near(epochs: Sequence[Epoch], current: int) -> Sequence[Epoch]:
    """The epochs around the one in force, or the last where none is."""
    begin = (current or len(epochs)) - 1 - MOST_PARTS // 2
    begin = max(0, min(begin, len(epochs) - MOST_PARTS))
    return epochs[begin : begin + MOST_PARTS]


def _names(label: Label | None) -> tuple[str | None, str | None]:
    return (label.name_zh, label.name_en) if label else (None, None)
