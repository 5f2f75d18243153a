"""Recoveries, retirements and mergers of organisations: what is asked for, and what happened."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_digest, show_time
from api.schemas.base import (
    Address,
    Digest,
    Key,
    OrganisationNumber,
    Page,
    Schema,
    Time,
    Whole,
)
from api.schemas.commands import Account, Command, Commitment, Organisation, ProgrammeRef
from api.schemas.evidence import EvidenceRef
from ledger.mirror.queries.control import (
    OrganisationChange,
    Recovery,
    RecoveryStanding,
)

MAX_CARRY_OVERS = 250
"""As in Credits.sol."""


class OrganisationCommand(Command):
    """An organisation that something is done about, and nothing else is to be said."""

    organisation: Organisation


class ProvenCommand(Command):
    """What is done for good, and why. Without evidence there is none for ever, so `no_evidence`
    must say that this is meant."""

    evidence: Commitment | None = None
    no_evidence: bool = False


class RecoveryCommand(ProvenCommand):
    """An organisation whose key is lost, and the account that shall act for it."""

    organisation: Organisation
    successor: Account


class RetirementCommand(ProvenCommand):
    """An organisation that is no more."""

    organisation: Organisation


class MergerCommand(ProvenCommand):
    """An organisation, and the other one that it is part of now."""

    organisation: Organisation
    into: Annotated[Organisation, Field(description="The organisation that it is part of.")]


class CarryOversCommand(ProvenCommand):
    """Merged organisations whose balances in a programme go to what they are part of."""

    programme: ProgrammeRef
    organisations: Annotated[
        list[Organisation], Field(min_length=1, max_length=MAX_CARRY_OVERS, examples=[[4]])
    ]


class RecoveryView(Schema):
    """A recovery: an organisation whose key is lost is to be given to `successor`.

    `under_way` until it ends: by an objection of the account that acts for it (`objected`), by the
    council (`withdrawn`, `finished`), or since that account handed it over after all (`rotated`) or
    the organisation was retired. It can be finished from `finishable_from` on. `ended_by` and
    `ended_at` are null while it is under way.
    """

    org_id: OrganisationNumber
    controller: Address
    successor: Address
    standing: RecoveryStanding
    finishable_from: Time
    finishable: bool
    evidence: EvidenceRef | None
    begun_by: Address
    begun_at: Time
    operation_id: Digest
    block_number: Whole
    log_index: Whole
    transaction_hash: Digest
    ended_by: Address | None
    ended_at: Time | None
    ended_by_operation: Digest | None

    @classmethod
    def of(cls, found: Recovery) -> Self:
        end = found.end
        return cls(
            org_id=found.org_id,
            controller=show_address_once(found.controller),
            successor=show_address_once(found.successor),
            standing=found.standing,
            finishable_from=show_time(found.finishable_from),
            finishable=found.finishable,
            evidence=EvidenceRef.of(found.evidence, found.document),
            begun_by=show_address_once(found.actor),
            begun_at=show_time(found.timestamp),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            log_index=found.log_index,
            transaction_hash=show_bytes(found.transaction_hash),
            ended_by=show_address_once(end.actor) if end else None,
            ended_at=show_time(end.timestamp) if end else None,
            ended_by_operation=show_bytes(end.operation_id) if end else None,
        )


class RecoveriesPage(Page[RecoveryView]):
    """Recoveries, the latest first."""


class OrganisationChangeView(Schema):
    """A change of an organisation, and how it stood after it.

    `nominated` is whom the account that acts for it named to be next; `recovery_successor` who is
    to get it by a recovery under way, which can be finished from `recovery_from` on."""

    org_id: OrganisationNumber
    change: Annotated[str, Field(examples=["registered"])]
    kind: Annotated[Key, Field(examples=["company"])]
    controller: Address | None
    nominated: Address | None
    recovery_successor: Address | None
    recovery_from: Time | None
    profile: Digest | None
    retired: bool
    successor_id: Annotated[int | None, Field(ge=1, le=2**32 - 1)]
    evidence: EvidenceRef | None
    actor: Address
    operation_id: Digest
    block_number: Whole
    log_index: Whole
    timestamp: Time
    transaction_hash: Digest

    @classmethod
    def of(cls, found: OrganisationChange) -> Self:
        return cls(
            org_id=found.org_id,
            change=found.change,
            kind=found.kind,
            controller=_address(found.controller),
            nominated=_address(found.nominated),
            recovery_successor=_address(found.recovery_successor),
            recovery_from=None if found.recovery_from is None else show_time(found.recovery_from),
            profile=show_digest(found.profile),
            retired=found.retired,
            successor_id=found.successor_id or None,
            evidence=EvidenceRef.of(found.evidence, found.document),
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            log_index=found.log_index,
            timestamp=show_time(found.timestamp),
            transaction_hash=show_bytes(found.transaction_hash),
        )


class OrganisationChangesPage(Page[OrganisationChangeView]):
    """What happened to an organisation, the newest first."""


class MergerView(Schema):
    """An organisation that was merged into another, `into`; `named_later` where it had been retired
    alone before. The council did it (`actor`)."""

    org_id: OrganisationNumber
    into: OrganisationNumber
    named_later: bool
    evidence: EvidenceRef | None
    actor: Address
    operation_id: Digest
    block_number: Whole
    log_index: Whole
    timestamp: Time
    transaction_hash: Digest

    @classmethod
    def of(cls, found: OrganisationChange) -> Self:
        return cls(
            org_id=found.org_id,
            into=found.successor_id,
            named_later=found.change == "successor_named",
            evidence=EvidenceRef.of(found.evidence, found.document),
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            log_index=found.log_index,
            timestamp=show_time(found.timestamp),
            transaction_hash=show_bytes(found.transaction_hash),
        )


class MergersPage(Page[MergerView]):
    """Mergers, the latest first."""


def _address(account: bytes | None) -> str | None:
    return None if account is None else show_address_once(account)
