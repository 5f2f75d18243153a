"""Anchors: what an auditor knows of a chain from elsewhere than from the operator.

One block's hash, taken from a node or a person that the auditor trusts, fixes all blocks before it:
who rewrites history has other hashes. Only the blocks up to the anchor's are proved by it, so that
a bundle that goes on beyond it is incomplete.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ledger.audit.bundle import Places
from ledger.audit.findings import Finding, Findings
from ledger.chain.headers import Header
from ledger.domain.commitments import canonical_json
from ledger.errors import AnchorUnreadable

FORMAT = 1
_LARGEST = 1 << 20
_LARGEST_NUMBER = 1 << 63
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NAME = re.compile(r"[A-Za-z]{1,40}")
_OPTIONAL = ("validators", "witnesses")


class Witness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who signed that it saw the block (`witnesses`)."""

    address: str
    signature: str


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block of a chain. `genesis_hash` tells the chain from others of the same id."""

    format: int
    chain_id: int
    genesis_hash: str
    block_number: int
    block_hash: str
    contracts: dict[str, str]
    """The ledger's contracts by name, as the auditor knows them: another ledger is not this one."""
    validators: list[str] = []
    """Who may seal that block, where validators do; empty where the auditor does not know it."""
    witnesses: list[Witness] = []


def read_anchor(path: Path) -> Anchor:
    """Read an anchor. Raises AnchorUnreadable."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise AnchorUnreadable(path=path, problem=f"{error.strerror}") from error
    try:
        anchor = msgspec.json.decode(content, type=Anchor)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnchorUnreadable(path=path, problem=str(error)) from error
    if len(content) > _LARGEST or anchor.format != FORMAT:
        raise AnchorUnreadable(path=path, problem="it is of another release")
    for problem in _problems(anchor):
        raise AnchorUnreadable(path=path, problem=problem)
    return anchor


def _problems(anchor: Anchor) -> Iterator[str]:
    """What of an anchor cannot be so. It is read out, shown and signed, so that nothing but hashes,
    addresses and names may stand in it."""
    for text in (anchor.genesis_hash, anchor.block_hash):
        if not _HASH.fullmatch(text):
            yield f"{text[:80]!a} is no hash"
    addresses = [*anchor.contracts.values(), *anchor.validators]
    for text in [*addresses, *(each.address for each in anchor.witnesses)]:
        if not _ADDRESS.fullmatch(text):
            yield f"{text[:80]!a} is no address"
    for text in anchor.contracts:
        if not _NAME.fullmatch(text):
            yield f"{text[:80]!a} is no contract's name"
    for number in (anchor.chain_id, anchor.block_number):
        if not 0 <= number < _LARGEST_NUMBER:
            yield f"{number} is no chain's or block's number"


def write_anchor(anchor: Anchor) -> bytes:
    """An anchor's file."""
    return canonical_json(describe_anchor(anchor)) + b"\n"


def describe_anchor(anchor: Anchor) -> dict[str, Any]:
    """An anchor as values; validators and witnesses only where there are some."""
    found: dict[str, Any] = msgspec.to_builtins(anchor)
    return {name: value for name, value in found.items() if value or name not in _OPTIONAL}


class AnchorChecker:
    """Compares a bundle's blocks with an anchor as they come by."""

    def __init__(self, anchor: Anchor | None, findings: Findings) -> None:
        self._anchor = anchor
        self._findings = findings
        self._met = False

    def check_places(self, places: Places) -> None:
        """Check that the bundle is of the anchor's chain and ledger."""
        anchor = self._anchor
        if anchor is None:
            return
        if (anchor.chain_id, anchor.genesis_hash.lower()) != (places.chain_id, places.genesis_hash):
            self._findings.add(Finding("anchor.other_chain", "contracts.json"))
        known = {name: address.lower() for name, address in anchor.contracts.items()}
        if known != places.contracts:
            self._findings.add(Finding("anchor.other_ledger", "contracts.json"))

    def see(self, header: Header, validators: Collection[bytes]) -> None:
        """Look at a proved header, and who may seal it."""
        anchor = self._anchor
        if anchor is None or header.number != anchor.block_number:
            return
        self._met = True
        found = "0x" + header.hash.hex()
        if found != anchor.block_hash.lower():
            values = {"found": found, "right": anchor.block_hash}
            self._findings.add(Finding("anchor.hash", "blocks.rlp", values, header.number))
        named = {text.lower() for text in anchor.validators}
        if named and named != {"0x" + each.hex() for each in validators}:
            self._findings.add(Finding("seals.other", "blocks.rlp", {}, header.number))

    def end(self, last: Header) -> int | None:
        """After the last header; the block up to which the anchor proves, None for none."""
        anchor = self._anchor
        if anchor is None:
            self._findings.add(Finding("anchor.none", "anchor.json"))
            return None
        if not self._met:
            values = {"anchor": anchor.block_number}
            self._findings.add(Finding("anchor.outside", "anchor.json", values, last.number))
            return None
        if anchor.block_number < last.number:
            values = {"anchor": anchor.block_number, "blocks": last.number - anchor.block_number}
            self._findings.add(Finding("anchor.beyond", "anchor.json", values, last.number))
        return anchor.block_number
