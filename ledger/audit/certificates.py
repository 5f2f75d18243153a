"""A certificate: what one organisation has at one block, provable by anybody in a moment.

It holds the block's header, and the proofs of a few slots under it: how many programmes there are,
and for each of them the organisation's balance and membership; and who acts for it. The header's
hash is what an anchor, a node or an explorer knows. So whoever has a certificate needs neither us
nor the history to believe it; and it says nothing of how the balance came to be: a bundle does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ledger.audit.anchors import Anchor
from ledger.audit.bundle import AccountState, read_canonical, write_canonical
from ledger.audit.findings import Finding, Findings
from ledger.audit.state import (
    balance_slot,
    controller_slot,
    membership_slot,
    part_of,
    prove_account,
)
from ledger.chain.artifacts import CONTRACTS
from ledger.chain.headers import Header, read_header
from ledger.chain.immutables import Placement, runtime_code
from ledger.chain.keccak import keccak256
from ledger.chain.rlp import NotCanonical
from ledger.chain.tries import ProofRefused
from ledger.errors import BundleUnreadable, CertificateUnreadable

FORMAT = 1
LARGEST = 32 << 20
_ADDRESS = 42
COUNT_SLOT = bytes(32)
"""Where Programmes has their number, in the low two bytes."""

_PROVED = ("Programmes", "Organisations", "Memberships", "Credits")


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation in one programme. `status` is 0 none, 1 active, 2 suspended, 3 revoked."""

    programme_id: int
    balance: int
    status: int
    tier: int
    since: int
    expires_at: int


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract's account and slots; nodes in hex. The slots are in the order of the standings."""

    account: list[str]
    slots: list[list[str]]


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `header` is the block's header in hex, as its hash is taken over it."""

    format: int
    chain_id: int
    genesis_hash: str
    recovery_delay: int
    contracts: dict[str, str]
    header: str
    org_id: int
    controller: str
    standings: list[Standing]
    proofs: dict[str, Proof]


def slots_of(name: str, org_id: int, programmes: int) -> list[bytes]:
    """The slots of a contract that a certificate proves, in their order."""
    every = range(1, programmes + 1)
    if name == "Programmes":
        return [COUNT_SLOT]
    if name == "Organisations":
        return [controller_slot(org_id)]
    if name == "Memberships":
        return [membership_slot(each, org_id) for each in every]
    return [balance_slot(each, org_id) for each in every]


def read_standing(programme_id: int, org_id: int, credits_: bytes, membership: bytes) -> Standing:
    """A standing from the words of its two slots."""
    packed = int.from_bytes(membership, "big")
    return Standing(
        programme_id=programme_id,
        balance=part_of(credits_, org_id % 4),
        status=packed & 0xFF,
        tier=packed >> 8 & 0xFF,
        since=packed >> 16 & (1 << 40) - 1,
        expires_at=packed >> 56 & (1 << 40) - 1,
    )


Prove = Callable[[str, Sequence[bytes]], AccountState]
"""Gives the proofs of a contract's account and slots after the certificate's block."""


def make_certificate(
    header: bytes,
    org_id: int,
    prove: Prove,
    *,
    chain_id: int,
    genesis_hash: str,
    recovery_delay: int,
    contracts: dict[str, str],
) -> bytes:
    """The certificate of an organisation at a block; `header` is its raw header."""
    proved = read_header(header)
    counted = prove("Programmes", [COUNT_SLOT])
    words = prove_account(proved, counted).words
    count = int.from_bytes(words[COUNT_SLOT][-2:], "big")
    states = {"Programmes": counted}
    for name in _PROVED[1:]:
        states[name] = prove(name, slots_of(name, org_id, count))
    found = _read(proved, org_id, count, states)
    certificate = Certificate(
        format=FORMAT,
        chain_id=chain_id,
        genesis_hash=genesis_hash,
        recovery_delay=recovery_delay,
        contracts=contracts,
        header="0x" + header.hex(),
        org_id=org_id,
        controller=found[0],
        standings=found[1],
        proofs={name: _show(state) for name, state in states.items()},
    )
    return write_canonical(certificate)


def read_certificate(path: Path) -> Certificate:
    """Read a certificate's file. Raises CertificateUnreadable."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise CertificateUnreadable(path=path, problem=f"{error.strerror}") from error
    if len(content) > LARGEST:
        raise CertificateUnreadable(path=path, problem=f"it is larger than {LARGEST} bytes")
    try:
        found = read_canonical(path, "it", content, Certificate)
    except BundleUnreadable as error:
        problem = error.values["problem"]
        raise CertificateUnreadable(path=path, problem=problem) from error
    if found.format != FORMAT or set(found.proofs) != set(_PROVED):
        raise CertificateUnreadable(path=path, problem="its format is of another release")
    numbers = (found.chain_id, found.recovery_delay, found.org_id)
    if not all(0 <= each < 1 << 63 for each in numbers) or len(found.controller) != _ADDRESS:
        raise CertificateUnreadable(path=path, problem="it has a number or an address that is none")
    return found


def verify_certificate(certificate: Certificate, anchor: Anchor | None) -> tuple[Header, Findings]:
    """Verify a certificate against an anchor of the same block.

    Raises ValueError where its fields are not hex, addresses or headers.
    """
    findings = Findings()
    header = read_header(_unhex(certificate.header))
    _unhex(certificate.controller)
    org_id = certificate.org_id
    row = f"certificate of organisation {org_id}"
    _check_anchor(certificate, anchor, header, findings)
    if set(certificate.contracts) != set(CONTRACTS) or not 0 < org_id < 1 << 32:
        findings.add(Finding("anchor.other_ledger", row))
        return header, findings
    addresses = {name: _unhex(certificate.contracts[name]) for name in CONTRACTS}
    if any(len(address) != 20 for address in addresses.values()):
        raise ValueError("an address takes 20 bytes")
    placement = Placement(certificate.chain_id, certificate.recovery_delay, addresses)
    try:
        count = len(certificate.standings)
        states = {
            name: _state(addresses[name], slots_of(name, org_id, count), certificate.proofs[name])
            for name in _PROVED
        }
        for name, state in states.items():
            code_hash = prove_account(header, state).account.code_hash
            if code_hash != keccak256(runtime_code(name, placement)):
                findings.add(Finding("code.differs", name, block=header.number))
        said = (certificate.controller, certificate.standings)
        if _read(header, org_id, count, states) != said:
            findings.add(Finding("certificate.differs", row, block=header.number))
    except ProofRefused as error:
        findings.add(Finding("state.proof", row, {"problem": str(error)}, header.number))
    return header, findings


def _check_anchor(
    certificate: Certificate, anchor: Anchor | None, header: Header, findings: Findings
) -> None:
    row = f"certificate of organisation {certificate.org_id}"
    if anchor is None:
        findings.add(Finding("anchor.none", "anchor.json"))
        return
    of_chain = (anchor.chain_id, anchor.genesis_hash.lower())
    if of_chain != (certificate.chain_id, certificate.genesis_hash):
        findings.add(Finding("anchor.other_chain", row))
    known = {name: address.lower() for name, address in anchor.contracts.items()}
    if known != certificate.contracts:
        findings.add(Finding("anchor.other_ledger", row))
    found = "0x" + header.hash.hex()
    if anchor.block_number != header.number:
        values = {"anchor": anchor.block_number}
        findings.add(Finding("anchor.outside", "anchor.json", values, header.number))
    elif anchor.block_hash.lower() != found:
        differing = {"found": found, "right": anchor.block_hash}
        findings.add(Finding("anchor.hash", row, differing, header.number))


def _read(
    header: Header, org_id: int, count: int, states: dict[str, AccountState]
) -> tuple[str, list[Standing]]:
    """What the proofs say: the controller and all standings. Raises ProofRefused."""
    words = {name: prove_account(header, state).words for name, state in states.items()}
    if int.from_bytes(words["Programmes"][COUNT_SLOT][-2:], "big") != count:
        raise ProofRefused("there are more or fewer programmes")
    standings = [
        read_standing(
            each,
            org_id,
            words["Credits"][balance_slot(each, org_id)],
            words["Memberships"][membership_slot(each, org_id)],
        )
        for each in range(1, count + 1)
    ]
    return "0x" + words["Organisations"][controller_slot(org_id)][-20:].hex(), standings


def _state(address: bytes, slots: Sequence[bytes], proof: Proof) -> AccountState:
    if len(proof.slots) != len(slots):
        raise ProofRefused("a slot's proof is missing or left over")
    nodes = [[_unhex(node) for node in part] for part in proof.slots]
    account = [_unhex(node) for node in proof.account]
    return AccountState(address, account, dict(zip(slots, nodes, strict=True)))


def _show(state: AccountState) -> Proof:
    return Proof(
        account=["0x" + node.hex() for node in state.proof],
        slots=[["0x" + node.hex() for node in nodes] for nodes in state.slots.values()],
    )


def _unhex(text: str) -> bytes:
    raw = bytes.fromhex(text[2:])
    if text != "0x" + raw.hex():
        raise NotCanonical("it is not hex as it is written here")
    return raw
