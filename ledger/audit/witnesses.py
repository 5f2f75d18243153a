"""Witnesses: parties who each say that they saw a block, by signing the anchor's words.

An anchor is worth what its source is. Several members, each with a node of its own, make one that
no single party can make up. A witness signs a text that people can read, as every wallet does
(EIP-191, `personal_sign`); docs/audit-format.md has it. Only signatures by keys count here: what a
contract would say of one cannot be asked offline.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from ledger.audit.anchors import Anchor, Witness
from ledger.audit.findings import Finding, Findings
from ledger.chain.signers import personal_digest, recover_address
from ledger.domain.commitments import canonical_json
from ledger.errors import InvalidValue

ROW = "anchor.json"
_SIGNATURE = re.compile(r"(?:0x)?[0-9a-fA-F]{130}")


def witness_text(anchor: Anchor) -> str:
    """The words that witnesses of an anchor sign; letter case in the anchor does not matter."""
    contracts = {name: address.lower() for name, address in anchor.contracts.items()}
    validators = sorted(each.lower() for each in anchor.validators)
    described = canonical_json({"contracts": contracts, "validators": validators})
    return (
        "I saw this block on a node that I trust.\n"
        "\n"
        "Moonlake checkpoint 1\n"
        f"Chain: {anchor.chain_id}\n"
        f"Genesis: {anchor.genesis_hash.lower()}\n"
        f"Block: {anchor.block_number}\n"
        f"Hash: {anchor.block_hash.lower()}\n"
        f"Ledger: 0x{hashlib.sha256(described).hexdigest()}"
    )


def add_witness(anchor: Anchor, signature: str) -> tuple[Anchor, str]:
    """The anchor with one more witness, and who that is. Raises InvalidValue for no signature."""
    signer = _signer_of(anchor, signature)
    if signer is None:
        raise InvalidValue(
            field="signature",
            value=signature[:140],
            expected="0x and 65 bytes in hex, as wallets sign a text",
        )
    address = "0x" + signer.hex()
    kept = [each for each in anchor.witnesses if each.address != address]
    found = sorted([*kept, Witness(address, signature.lower())], key=lambda each: each.address)
    return msgspec.structs.replace(anchor, witnesses=found), address


class Witnesses(NamedTuple):
    """Whose signatures count, and how many of them there must be."""

    accepted: Collection[bytes] = ()
    needed: int = 0

    def check(self, anchor: Anchor, findings: Findings) -> int:
        """Check all signatures; how many of the accepted witnesses signed.

        Objects to each that is not of whom it is said to be of, and to fewer than are needed.
        """
        counted: set[bytes] = set()
        for each in anchor.witnesses:
            signer = _signer_of(anchor, each.signature)
            if signer is None or "0x" + signer.hex() != each.address.lower():
                findings.add(Finding("anchor.witness", ROW, {"account": each.address}))
            elif signer in self.accepted:
                counted.add(signer)
        if len(counted) < self.needed:
            values = {"given": len(counted), "needed": self.needed}
            findings.add(Finding("anchor.witnesses", ROW, values))
        return len(counted)


NO_WITNESSES = Witnesses()
"""Nobody need have signed; signatures that are there must be right all the same."""


def _signer_of(anchor: Anchor, signature: str) -> bytes | None:
    if not _SIGNATURE.fullmatch(signature):
        return None
    raw = bytes.fromhex(signature.removeprefix("0x"))
    parity = raw[64] - 27 if raw[64] >= 27 else raw[64]
    try:
        return recover_address(personal_digest(witness_text(anchor)), raw[:64] + bytes([parity]))
    except ValueError:
        return None
