"""Slots of a contract's storage, proved against the state root of a proved header.

A contract's `head` read by `eth_call` is only what a node says. The same slot under `eth_getProof`
(EIP-1186) is proved by the block's state root; that is how a whole journal is compared with the
chain without trusting who was asked.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence

import msgspec

from ledger.chain.headers import Header
from ledger.chain.tries import (
    Account,
    ProofRefused,
    verify_account_proof,
    verify_storage_proof,
)
from ledger.errors import NotProved


class StorageProofAnswer(msgspec.Struct, gc=False):
    """One slot of `eth_getProof`: the nodes from the account's storage root down."""

    proof: list[str]


class ProofAnswer(msgspec.Struct, rename="camel", gc=False):
    """`eth_getProof`, only the nodes; what else it says would have to be proved by them anyway."""

    account_proof: list[str]
    storage_proof: list[StorageProofAnswer]


def prove_account(header: Header, address: bytes, answer: ProofAnswer) -> Account:
    """A contract's account after a block, with the hash of its code. Raises NotProved."""
    try:
        return verify_account_proof(header.state_root, address, _nodes(answer.account_proof))
    except ProofRefused as error:
        raise NotProved(
            block=header.number, problem=f"the proof of account 0x{address.hex()}: {error}"
        ) from error


def prove_slots(
    header: Header, address: bytes, slots: Sequence[bytes], answer: ProofAnswer
) -> list[bytes]:
    """The 32 bytes in each of a contract's `slots` (32 bytes each) after a block.

    Zero where a slot, or the whole account, is proved not to be there. The slots of `answer` are
    in the order of `slots`. Raises NotProved.
    """
    if len(answer.storage_proof) != len(slots):
        raise NotProved(block=header.number, problem="a proof of other slots than asked for")
    account = prove_account(header, address, answer)
    try:
        return [
            verify_storage_proof(account.storage_root, slot, _nodes(part.proof))
            for slot, part in zip(slots, answer.storage_proof, strict=True)
        ]
    except ProofRefused as error:
        raise NotProved(
            block=header.number, problem=f"the proof of a slot of 0x{address.hex()}: {error}"
        ) from error


def _nodes(proof: Sequence[str]) -> list[bytes]:
    try:
        return [unhexlify(node[2:]) for node in proof]
    except ValueError as error:
        raise ProofRefused("a node is not hex") from error
