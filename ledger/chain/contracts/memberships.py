"""Memberships: an organisation's standing in a programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.chain.contracts.contract import encode_call, optional_key
from ledger.chain.contracts.messages import MessageTaker, signed_row
from ledger.chain.rpc import BlockName
from ledger.domain.commands import (
    NO_COMMITMENT,
    Admission,
    MembershipState,
    Renewal,
    TierChange,
)
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, ProgrammeId, TierId, TokenId
from ledger.domain.messages import Consent


def encode_admit(
    programme_id: ProgrammeId, admissions: Sequence[Admission], reason: str, operation_id: bytes
) -> bytes:
    """Admit organisations. Registrar or council, as for all changes; "" gives no reason."""
    return encode_call(
        "Memberships",
        "admit",
        programme_id,
        _admissions(admissions),
        optional_key(reason, "reason"),
        operation_id,
    )


def encode_admit_by_consent(
    programme_id: ProgrammeId,
    admissions: Sequence[Admission],
    consents: Sequence[Consent],
    reason: str,
    operation_id: bytes,
) -> bytes:
    """Admit applicants that agreed (`write_application`); each consent at its admission's place."""
    agreed = [
        {"applicationId": given.application_id, "signed": signed_row(given.signed)}
        for given in consents
    ]
    return encode_call(
        "Memberships",
        "admitByConsent",
        programme_id,
        _admissions(admissions),
        agreed,
        optional_key(reason, "reason"),
        operation_id,
    )


def encode_change_metadata_base(base: str, operation_id: bytes) -> bytes:
    """Say where tokens' metadata is found: `base` and the token's id. Alliance-wide council."""
    return encode_call("Memberships", "changeMetadataBase", base, operation_id)


def encode_renew(
    programme_id: ProgrammeId,
    renewals: Sequence[Renewal],
    reason: str,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Move expiries to later times."""
    rows = [{"orgId": given.org_id, "expiresAt": given.expires_at} for given in renewals]
    return _encode_change("renew", programme_id, rows, _Change(reason, evidence, operation_id))


def encode_change_tier(
    programme_id: ProgrammeId,
    changes: Sequence[TierChange],
    reason: str,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Move memberships into other tiers."""
    rows = [{"orgId": given.org_id, "tier": given.tier} for given in changes]
    return _encode_change("changeTier", programme_id, rows, _Change(reason, evidence, operation_id))


def encode_suspend(
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    reason: str,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Suspend active memberships, lapsed ones too."""
    return _encode_change(
        "suspend", programme_id, list(org_ids), _Change(reason, evidence, operation_id)
    )


def encode_resume(
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    reason: str,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """End suspensions."""
    return _encode_change(
        "resume", programme_id, list(org_ids), _Change(reason, evidence, operation_id)
    )


def encode_revoke(
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    reason: str,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """End memberships and burn their tokens."""
    return _encode_change(
        "revoke", programme_id, list(org_ids), _Change(reason, evidence, operation_id)
    )


def encode_decline(
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    reason: str,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Record that applications were declined."""
    return _encode_change(
        "decline", programme_id, list(org_ids), _Change(reason, evidence, operation_id)
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """What all rows of a change have in common."""

    reason: str
    evidence: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class Memberships(MessageTaker):
    """Reads of Memberships."""

    NAME: ClassVar[str] = "Memberships"

    def membership(
        self, programme_id: ProgrammeId, org_id: OrgId, *, at: BlockName
    ) -> MembershipState:
        """A membership; all zero where the organisation was never admitted."""
        found = self.read("membership", programme_id, org_id, at=at)
        return MembershipState(
            status=MembershipStatus(found["status"]),
            tier=TierId(found["tier"]),
            admitted_at=found["admittedAt"],
            expires_at=found["expiresAt"],
        )

    def in_good_standing(self, programme_id: ProgrammeId, org_id: OrgId, *, at: BlockName) -> bool:
        """Whether it is active and not past its expiry at the block's time."""
        return bool(self.read("inGoodStanding", programme_id, org_id, at=at))

    def owner_of(self, token: TokenId, *, at: BlockName) -> bytes:
        """The controller that a membership token belongs to, 20 bytes."""
        return bytes(self.read("ownerOf", token, at=at))

    def token_count(self, controller: bytes, *, at: BlockName) -> int:
        """How many memberships the account's organisation holds."""
        return int(self.read("balanceOf", controller, at=at))

    def memberships_of(self, org_id: OrgId, *, at: BlockName) -> int:
        """How many memberships an organisation holds, suspended and lapsed ones too."""
        return int(self.read("membershipsOf", org_id, at=at))

    def token_uri(self, token: TokenId, *, at: BlockName) -> str:
        """Where a membership's metadata is found."""
        return str(self.read("tokenURI", token, at=at))

    def contract_uri(self, *, at: BlockName) -> str:
        """Where the collection's metadata is found (ERC-7572)."""
        return str(self.read("contractURI", at=at))


def _admissions(admissions: Sequence[Admission]) -> list[dict[str, Any]]:
    return [
        {
            "orgId": given.org_id,
            "tier": given.tier,
            "expiresAt": given.expires_at,
            "evidence": given.evidence,
        }
        for given in admissions
    ]


def _encode_change(
    function: str,
    programme_id: ProgrammeId,
    rows: Sequence[Any],
    change: _Change,
) -> bytes:
    return encode_call(
        "Memberships",
        function,
        programme_id,
        rows,
        optional_key(change.reason, "reason"),
        change.evidence,
        change.operation_id,
    )
