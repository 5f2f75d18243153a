"""The history of a membership."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_time
from api.schemas.base import (
    Address,
    Digest,
    Key,
    OrganisationNumber,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
)
from api.schemas.evidence import EvidenceRef
from ledger.mirror.queries.changes import MembershipChange


class MembershipChangeView(Schema):
    """A change of a membership, and how it stood after it.

    `status` is what the chain keeps: a membership that is active and past `expires_at` has lapsed.
    """

    programme_id: ProgrammeNumber
    programme: Key
    org_id: OrganisationNumber
    change: Annotated[str, Field(examples=["admitted"])]
    status: Literal["none", "active", "suspended", "revoked"]
    tier: Annotated[int, Field(ge=0, le=255)]
    admitted_at: Time
    expires_at: Time
    reason: Key | None
    evidence: EvidenceRef | None
    actor: Address
    operation_id: Digest
    block_number: Whole
    log_index: Whole
    timestamp: Time
    transaction_hash: Digest

    @classmethod
    def of(cls, change: MembershipChange) -> Self:
        return cls(
            programme_id=change.programme_id,
            programme=change.programme,
            org_id=change.org_id,
            change=change.change,
            status=change.status.name.lower(),
            tier=change.tier,
            admitted_at=show_time(change.admitted_at),
            expires_at=show_time(change.expires_at),
            reason=change.reason or None,
            evidence=EvidenceRef.of(change.evidence, change.document),
            actor=show_address_once(change.actor),
            operation_id=show_bytes(change.operation_id),
            block_number=change.block_number,
            log_index=change.log_index,
            timestamp=show_time(change.timestamp),
            transaction_hash=show_bytes(change.transaction_hash),
        )


class MembershipChangesPage(Page[MembershipChangeView]):
    """What happened to a membership, the newest first."""
