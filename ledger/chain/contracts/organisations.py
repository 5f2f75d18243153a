"""Organisations: the organisations, and who acts for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import encode_call
from ledger.chain.contracts.messages import MessageTaker, signed_row
from ledger.chain.rpc import BlockName
from ledger.domain.commands import NO_COMMITMENT, Recovery, Registration
from ledger.domain.ids import OrgId
from ledger.domain.keys import decode_key, encode_key
from ledger.domain.messages import SignedMessage

NOBODY = bytes(20)
NO_SUCCESSOR = OrgId(0)


def encode_register(registrations: Sequence[Registration], operation_id: bytes) -> bytes:
    """Register organisations with consecutive ids. Only an alliance-wide registrar."""
    rows = [
        {
            "controller": given.controller,
            "kind": encode_key(given.kind, "kind"),
            "profile": given.profile,
        }
        for given in registrations
    ]
    return encode_call("Organisations", "register", rows, operation_id)


def encode_change_profile(org_id: OrgId, profile: bytes, operation_id: bytes) -> bytes:
    """Change a profile's commitment. The controller, or an alliance-wide registrar."""
    return encode_call("Organisations", "changeProfile", org_id, profile, operation_id)


def encode_nominate(org_id: OrgId, successor: bytes, operation_id: bytes) -> bytes:
    """Name who shall act for an organisation next; NOBODY withdraws. Its controller."""
    return encode_call("Organisations", "nominate", org_id, successor, operation_id)


def encode_nominate_by_signature(
    org_id: OrgId, successor: bytes, operation_id: bytes, signed: SignedMessage
) -> bytes:
    """The same by the controller's message (`write_rotation`). Anybody brings it."""
    return encode_call(
        "Organisations",
        "nominateBySignature",
        org_id,
        successor,
        operation_id,
        signed_row(signed),
    )


def encode_accept_control(org_id: OrgId, operation_id: bytes) -> bytes:
    """Take over. The account that was named."""
    return encode_call("Organisations", "acceptControl", org_id, operation_id)


def encode_accept_control_by_signature(
    org_id: OrgId, operation_id: bytes, signed: SignedMessage
) -> bytes:
    """The same by the named account's message (`write_acceptance`). Anybody brings it."""
    return encode_call(
        "Organisations", "acceptControlBySignature", org_id, operation_id, signed_row(signed)
    )


def encode_begin_recovery(
    org_id: OrgId, successor: bytes, operation_id: bytes, *, evidence: bytes = NO_COMMITMENT
) -> bytes:
    """Begin to give an organisation that lost its key to `successor`. Alliance-wide council."""
    return encode_call("Organisations", "beginRecovery", org_id, successor, evidence, operation_id)


def encode_stop_recovery(org_id: OrgId, operation_id: bytes) -> bytes:
    """Object to a recovery, or withdraw it. The controller, or the alliance-wide council."""
    return encode_call("Organisations", "stopRecovery", org_id, operation_id)


def encode_stop_recovery_by_signature(
    org_id: OrgId, operation_id: bytes, signed: SignedMessage
) -> bytes:
    """Object by the controller's message (`write_objection`). Anybody brings it."""
    return encode_call(
        "Organisations", "stopRecoveryBySignature", org_id, operation_id, signed_row(signed)
    )


def encode_finish_recovery(org_id: OrgId, operation_id: bytes) -> bytes:
    """Give the organisation to the successor once the delay is over. Alliance-wide council."""
    return encode_call("Organisations", "finishRecovery", org_id, operation_id)


def encode_retire(
    org_id: OrgId,
    operation_id: bytes,
    *,
    successor_id: OrgId = NO_SUCCESSOR,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Retire an organisation without memberships, merged or not. Alliance-wide council."""
    return encode_call("Organisations", "retire", org_id, successor_id, evidence, operation_id)


def encode_name_successor(
    org_id: OrgId, successor_id: OrgId, operation_id: bytes, *, evidence: bytes = NO_COMMITMENT
) -> bytes:
    """Name what an organisation that was retired alone is part of, once. Alliance-wide council."""
    return encode_call(
        "Organisations", "nameSuccessor", org_id, successor_id, evidence, operation_id
    )


@dataclass(frozen=True, slots=True)
class Organisations(MessageTaker):
    """Reads of Organisations."""

    NAME: ClassVar[str] = "Organisations"

    def organisation_count(self, *, at: BlockName) -> int:
        """How many organisations there are; their ids are 1 to this number."""
        return int(self.read("organisationCount", at=at))

    def organisation(self, org_id: OrgId, *, at: BlockName) -> Registration:
        """An organisation as it is now; NOBODY controls one that is retired.

        Raises ContractRefused (OrganisationsUnknown).
        """
        found = self.read("organisation", org_id, at=at)
        return Registration(found["controller"], decode_key(found["kind"]), found["profile"])

    def controller_of(self, org_id: OrgId, *, at: BlockName) -> bytes:
        """The account that acts for it, 20 bytes.

        Raises ContractRefused (OrganisationsUnknown, OrganisationsRetired).
        """
        return bytes(self.read("controllerOf", org_id, at=at))

    def organisation_of(self, controller: bytes, *, at: BlockName) -> OrgId:
        """The organisation that an account acts for; 0 for none."""
        return OrgId(self.read("organisationOf", controller, at=at))

    def nominated_by(self, org_id: OrgId, *, at: BlockName) -> bytes:
        """The account that the controller named, 20 bytes; NOBODY for none."""
        return bytes(self.read("nominatedBy", org_id, at=at))

    def recovery_of(self, org_id: OrgId, *, at: BlockName) -> Recovery:
        """The recovery under way; of NOBODY for none."""
        found = self.read("recoveryOf", org_id, at=at)
        return Recovery(found["successor"], found["finishableFrom"])

    def is_retired(self, org_id: OrgId, *, at: BlockName) -> bool:
        """Whether the organisation is no more."""
        return bool(self.read("isRetired", org_id, at=at))

    def successor_of(self, org_id: OrgId, *, at: BlockName) -> OrgId:
        """The organisation that a retired one was merged into; 0 for none."""
        return OrgId(self.read("successorOf", org_id, at=at))

    def recovery_delay(self, *, at: BlockName) -> int:
        """Seconds between the beginning of a recovery and its earliest end."""
        return int(self.read("recoveryDelay", at=at))
