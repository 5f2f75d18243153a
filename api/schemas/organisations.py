"""Organisations, and what an account may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from api.formats import show_address_once, show_digest, show_time
from api.schemas.base import (
    MOST_PROGRAMMES,
    Address,
    Answer,
    Digest,
    Key,
    NameEn,
    NameZh,
    OrganisationNumber,
    Page,
    Schema,
    Time,
    Whole,
    at_most,
)
from api.schemas.memberships import ApplicationView, MembershipView
from ledger.mirror.queries.accounts import Budget, RoleHeld
from ledger.mirror.queries.organisations import Organisation

MOST_ROLES = 8 * (MOST_PROGRAMMES + 1)
"""Each of the offices, in each programme and in the whole alliance."""


class OrganisationView(Schema):
    """An organisation. Names, key, segment and note are the office's; the rest is the chain's.

    A retired one has no controller; `successor_id` is the one that it was merged into."""

    org_id: OrganisationNumber
    key: Annotated[str | None, Field(examples=["galaxyspace"])]
    name_zh: NameZh
    name_en: NameEn
    kind: Annotated[Key, Field(examples=["company"])]
    segment: Annotated[str | None, Field(examples=["satellite"])]
    note: str | None
    controller: Address | None
    profile: Digest | None
    registered_at: Time
    retired: bool
    successor_id: Annotated[int | None, Field(ge=1, le=2**32 - 1)]
    memberships: Annotated[list[MembershipView], at_most(MOST_PROGRAMMES)]
    applications: Annotated[list[ApplicationView], at_most(MOST_PROGRAMMES)]

    @classmethod
    def of(cls, organisation: Organisation) -> Self:
        profile = organisation.profile
        return cls(
            org_id=organisation.org_id,
            key=profile.key if profile else None,
            name_zh=profile.name_zh if profile else None,
            name_en=profile.name_en if profile else None,
            kind=organisation.kind,
            segment=(profile.segment or None) if profile else None,
            note=(profile.note or None) if profile else None,
            controller=(
                show_address_once(organisation.controller) if organisation.controller else None
            ),
            profile=show_digest(organisation.profile_commitment),
            registered_at=show_time(organisation.registered_at),
            retired=organisation.retired,
            successor_id=organisation.successor_id or None,
            memberships=[MembershipView.of(each) for each in organisation.memberships],
            applications=[ApplicationView.of(each) for each in organisation.applications],
        )


class OrganisationAnswer(OrganisationView, Answer):
    """One organisation."""


class RoleView(Schema):
    """A role that an account holds; in the whole alliance where `programme` is null."""

    role: Annotated[str, Field(examples=["issuer"])]
    programme_id: Annotated[int | None, Field(ge=1, le=2**16 - 1)]
    programme: Key | None
    since_block: Whole
    since: Time

    @classmethod
    def of(cls, held: RoleHeld) -> Self:
        return cls(
            role=held.role,
            programme_id=held.programme_id or None,
            programme=held.programme or None,
            since_block=held.since_block,
            since=show_time(held.since),
        )


class BudgetView(Schema):
    """The most credits that the account may award in a programme, at once and in an epoch."""

    programme_id: int
    programme: Key
    per_award: Whole
    per_epoch: Whole

    @classmethod
    def of(cls, budget: Budget) -> Self:
        return cls(
            programme_id=budget.programme_id,
            programme=budget.programme,
            per_award=budget.per_award,
            per_epoch=budget.per_epoch,
        )


class AccountAnswer(Answer):
    """An account: the organisation that it acts for, its roles and its budgets as an issuer."""

    address: Address
    organisation: OrganisationView | None
    roles: Annotated[list[RoleView], at_most(MOST_ROLES)]
    budgets: Annotated[list[BudgetView], at_most(MOST_PROGRAMMES)]

    @classmethod
    def of(
        cls,
        about: Answer,
        account: bytes,
        organisation: Organisation | None,
        roles: Sequence[RoleHeld],
        budgets: Sequence[Budget],
    ) -> Self:
        return cls(
            as_of=about.as_of,
            mirror=about.mirror,
            address=show_address_once(account),
            organisation=OrganisationView.of(organisation) if organisation else None,
            roles=[RoleView.of(role) for role in roles],
            budgets=[BudgetView.of(budget) for budget in budgets],
        )


class OrganisationsPage(Page[OrganisationView]):
    """A part of the register."""
