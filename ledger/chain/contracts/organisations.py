"""Organisations: the organisations, and who acts for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import Contract, encode_call
from ledger.chain.rpc import BlockName
from ledger.domain.commands import Registration
from ledger.domain.ids import OrgId
from ledger.domain.keys import decode_key, encode_key


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


@dataclass(frozen=True, slots=True)
class Organisations(Contract):
    """Reads of Organisations."""

    NAME: ClassVar[str] = "Organisations"

    def organisation_count(self, *, at: BlockName) -> int:
        """How many organisations there are; their ids are 1 to this number."""
        return int(self.read("organisationCount", at=at))

    def organisation(self, org_id: OrgId, *, at: BlockName) -> Registration:
        """An organisation as it is now. Raises ContractRefused (OrganisationsUnknown)."""
        found = self.read("organisation", org_id, at=at)
        return Registration(found["controller"], decode_key(found["kind"]), found["profile"])

    def controller_of(self, org_id: OrgId, *, at: BlockName) -> bytes:
        """The account that acts for it, 20 bytes. Raises ContractRefused (OrganisationsUnknown)."""
        return bytes(self.read("controllerOf", org_id, at=at))

    def organisation_of(self, controller: bytes, *, at: BlockName) -> OrgId:
        """The organisation that an account acts for; 0 for none."""
        return OrgId(self.read("organisationOf", controller, at=at))
