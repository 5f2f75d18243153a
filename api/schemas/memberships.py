"""Memberships, and applications that have led to none."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from api.formats import show_address_once, show_time
from api.schemas.base import (
    MAX_EXACT,
    MOST_PROGRAMMES,
    Address,
    Answer,
    Key,
    OrganisationNumber,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
    at_most,
)
from api.schemas.evidence import EvidenceRef
from ledger.mirror.queries.memberships import Application, Membership, Standing


class ChangeView(Schema):
    """The last change of a membership: what, why, by whom, and in which block."""

    change: Annotated[str, Field(examples=["admitted"])]
    reason: Key | None
    evidence: EvidenceRef | None
    actor: Address
    block_number: Whole
    timestamp: Time


class MembershipView(Schema):
    """An organisation's membership in a programme.

    `lapsed` is active and past its expiry at the block of the answer. `owner` is whose the token
    is, the account that acts for the organisation; null for a revoked membership, which has none.
    """

    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    org_id: OrganisationNumber
    token_id: Annotated[int, Field(ge=1, le=MAX_EXACT, examples=[8589934596])]
    owner: Address | None
    status: Standing
    tier: Annotated[int, Field(ge=1, le=255)]
    tier_key: Annotated[Key, Field(examples=["member"])]
    admitted_at: Time
    expires_at: Time
    last_change: ChangeView

    @classmethod
    def of(cls, membership: Membership) -> Self:
        return cls(
            programme_id=membership.programme_id,
            programme=membership.programme,
            org_id=membership.org_id,
            token_id=membership.token_id,
            owner=show_address_once(membership.owner) if membership.owner else None,
            status=membership.standing,
            tier=membership.tier,
            tier_key=membership.tier_key,
            admitted_at=show_time(membership.admitted_at),
            expires_at=show_time(membership.expires_at),
            last_change=ChangeView(
                change=membership.change,
                reason=membership.reason or None,
                evidence=EvidenceRef.of(membership.evidence, membership.document),
                actor=show_address_once(membership.actor),
                block_number=membership.changed_in,
                timestamp=show_time(membership.changed_at),
            ),
        )


class ApplicationView(Schema):
    """An application that has led to no membership. It is kept by the office, not on the chain."""

    programme: Annotated[Key, Field(examples=["alliance"])]
    status: Literal["pending", "declined"]
    filed_at: Time

    @classmethod
    def of(cls, application: Application) -> Self:
        return cls(
            programme=application.programme,
            status="declined" if application.declined else "pending",
            filed_at=show_time(application.filed_at),
        )


class MembershipsAnswer(Answer):
    """All memberships of one organisation, and its open or declined applications."""

    org_id: OrganisationNumber
    items: Annotated[list[MembershipView], at_most(MOST_PROGRAMMES)]
    applications: Annotated[list[ApplicationView], at_most(MOST_PROGRAMMES)]


class MembershipsPage(Page[MembershipView]):
    """A part of the memberships."""
