"""What stands in each contract's code beside the compiler's output: its immutables' values.

They follow from where the contracts stand and from the terms of their deployment, so the code on a
chain can be compared with the build byte for byte. An immutable that is not known here is an error
of the release; a test looks at every one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.chain.artifacts import contract_of, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.typed_data import VERSION, MessageDomain

RECOVERY_DELAY = "recoveryDelay"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a ledger's contracts stand, by name, and the terms that are written in their code."""

    chain_id: int
    recovery_delay: int
    addresses: Mapping[str, bytes]


def readable_immutables(name: str, placement: Placement) -> dict[str, object]:
    """The immutables that the contract answers for by a function of the same name."""
    found: dict[str, object] = {}
    for immutable in load_artifact(name).immutables:
        other = contract_of(immutable)
        if other is not None:
            found[immutable] = placement.addresses[other]
        elif immutable == RECOVERY_DELAY:
            found[immutable] = placement.recovery_delay
    return found


def runtime_code(name: str, placement: Placement) -> bytes:
    """The code that a contract has on the chain. `placement` has the contract itself, too."""
    artifact = load_artifact(name)
    private = _message_words(name, placement)
    words = {
        immutable: private[immutable] if immutable in private else _word(value)
        for immutable, value in (
            dict.fromkeys(artifact.immutables) | readable_immutables(name, placement)
        ).items()
    }
    return artifact.runtime_with(words)


def _message_words(name: str, placement: Placement) -> dict[str, bytes]:
    """What OpenZeppelin's EIP712 keeps of a contract's domain."""
    domain = MessageDomain(name, placement.chain_id, placement.addresses.get(name, bytes(20)))
    return {
        "_cachedDomainSeparator": domain.separator,
        "_cachedChainId": _word(placement.chain_id),
        "_cachedThis": _word(domain.address),
        "_hashedName": keccak256(domain.name.encode()),
        "_hashedVersion": keccak256(VERSION.encode()),
        "_name": _short_string(domain.name),
        "_version": _short_string(VERSION),
    }


def _short_string(text: str) -> bytes:
    """As OpenZeppelin's ShortStrings: at most 31 bytes, and their number in the last byte."""
    content = text.encode()
    return content.ljust(31, b"\0") + bytes([len(content)])


def _word(value: object) -> bytes:
    if isinstance(value, bytes):
        return value.rjust(32, b"\0")
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    raise AssertionError("an immutable without a known value")
