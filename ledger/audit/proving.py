"""Asks a node for the proof of an account and some slots; it is believed once it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.audit.bundle import AccountState
from ledger.chain.headers import Header
from ledger.chain.proofs import ProofAnswer, prove_slots
from ledger.chain.rpc import Node
from ledger.errors import NodeRefused, NotProved, ProofsUnavailable


def prove_state(node: Node, header: Header, address: bytes, slots: Iterable[bytes]) -> AccountState:
    """The proof of an account and some slots after a block, checked. Raises ProofsUnavailable."""
    wanted = list(slots)
    try:
        answer = node.proof(address, wanted, header.hash)
    except NodeRefused as error:
        problem = str(error).rstrip(".")
        raise ProofsUnavailable(block=header.number, problem=problem) from error
    try:
        prove_slots(header, address, wanted, answer)
    except NotProved as error:
        problem = error.values["problem"]
        raise ProofsUnavailable(block=header.number, problem=problem) from error
    return _account_state(address, wanted, answer)


def _account_state(address: bytes, slots: Sequence[bytes], answer: ProofAnswer) -> AccountState:
    return AccountState(
        address=address,
        proof=_nodes(answer.account_proof),
        slots={
            slot: _nodes(part.proof) for slot, part in zip(slots, answer.storage_proof, strict=True)
        },
    )


def _nodes(proof: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(node[2:]) for node in proof]
