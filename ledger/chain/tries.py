"""Merkle Patricia tries: the root of an ordered list, and proofs of one account or slot.

A block header names the roots of its transactions and receipts, which are tries over
`rlp(index) -> item`. The shape of such a trie depends on the number of items alone, so it is
planned once for each number and then filled, without a database of nodes.

A proof is what `eth_getProof` (EIP-1186) answers: the nodes from the root down to a key or to the
place where it would be. It must be those nodes in that order and nothing else, and every node must
be written in the one canonical way; a proof that is padded, reordered or cut is refused even where
the value would be right. Nothing here trusts a root: that is the caller's, from a proved header.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ledger.chain.keccak import keccak256
from ledger.chain.rlp import (
    EMPTY_STRING,
    Item,
    NotCanonical,
    decode,
    decode_int,
    encode,
    encode_bytes,
    encode_int,
    list_head,
)

EMPTY_ROOT = keccak256(EMPTY_STRING)
EMPTY_CODE_HASH = keccak256(b"")

_PLANS_KEPT = 256
_PLAN_KEPT_UP_TO = 1024


class ProofRefused(ValueError):
    """The nodes do not prove what they should; the message says which rule they break."""


# --- roots of ordered lists ---------------------------------------------------------------------

# A leaf is (index, encoded path); an extension (encoded path, branch); a branch its 16 children.
_Leaf: TypeAlias = tuple[int, bytes]
_Plan: TypeAlias = "_Leaf | tuple[bytes, _Plan] | list[_Plan | None]"


def ordered_root(items: Sequence[bytes]) -> bytes:
    """Root of the trie `rlp(index) -> item`, as in a header's transactions and receipts roots.

    Items are what the trie holds as values: a receipt or transaction with its type byte. They must
    not be empty (no trie can hold an empty value).
    """
    if not items:
        return EMPTY_ROOT
    count = len(items)
    plan = _kept_plan(count) if count <= _PLAN_KEPT_UP_TO else _plan(_ordered_keys(count), 0)
    return keccak256(_node(plan, items))


def _ordered_keys(count: int) -> list[tuple[str, int]]:
    return sorted((encode_int(index).hex(), index) for index in range(count))


@lru_cache(maxsize=_PLANS_KEPT)
def _kept_plan(count: int) -> _Plan:
    return _plan(_ordered_keys(count), 0)


def _plan(keys: list[tuple[str, int]], depth: int) -> _Plan:
    """The node over `keys`, which are sorted and agree in their first `depth` nibbles."""
    first, last = keys[0][0], keys[-1][0]
    if len(keys) == 1:
        return keys[0][1], _path(first[depth:], leaf=True)
    fork = depth
    while first[fork] == last[fork]:
        fork += 1
    # An RLP item never begins another, so no key ends at a branch.
    groups: list[list[tuple[str, int]]] = [[] for _ in range(16)]
    for key in keys:
        groups[int(key[0][fork], 16)].append(key)
    branch: _Plan = [_plan(group, fork + 1) if group else None for group in groups]
    return branch if fork == depth else (_path(first[depth:fork], leaf=False), branch)


def _path(nibbles: str, *, leaf: bool) -> bytes:
    """Hex-prefix encoding of a path (Yellow Paper, appendix C), as an RLP string."""
    flag = 2 if leaf else 0
    odd = len(nibbles) & 1
    return encode_bytes(bytes.fromhex(f"{flag + odd:x}{'' if odd else '0'}{nibbles}"))


def _node(plan: _Plan, items: Sequence[bytes]) -> bytes:
    if isinstance(plan, list):
        children = [EMPTY_STRING if child is None else _reference(child, items) for child in plan]
        parts = [*children, EMPTY_STRING]
    elif isinstance(plan[0], bytes):
        parts = [plan[0], _reference(plan[1], items)]
    else:
        parts = [plan[1], encode_bytes(items[plan[0]])]
    return b"".join((list_head(sum(map(len, parts))), *parts))


def _reference(plan: _Plan, items: Sequence[bytes]) -> bytes:
    """How a parent names a node: the node itself below 32 bytes, else its hash."""
    node = _node(plan, items)
    return node if len(node) < 32 else b"\xa0" + keccak256(node)


# --- proofs of accounts and slots ---------------------------------------------------------------


class Account(NamedTuple):
    """What the state holds of an address. An account that is not there equals `NO_ACCOUNT`."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


NO_ACCOUNT = Account(0, 0, EMPTY_ROOT, EMPTY_CODE_HASH)


def verify_account_proof(state_root: bytes, address: bytes, proof: Sequence[bytes]) -> Account:
    """The account at `address` (20 bytes) under `state_root`, `NO_ACCOUNT` if proved absent.

    Raises ProofRefused.
    """
    if len(address) != 20:
        raise ValueError("an address is 20 bytes")
    value = _prove(state_root, keccak256(address), proof)
    if value is None:
        return NO_ACCOUNT
    try:
        fields = decode(value)
        if not isinstance(fields, list) or len(fields) != 4:
            raise ProofRefused("an account has four fields")
        nonce, balance, storage_root, code_hash = fields
        account = Account(decode_int(nonce), decode_int(balance), b"", b"")
    except NotCanonical as error:
        raise ProofRefused(f"the account is not canonical: {error}") from error
    if not (isinstance(storage_root, bytes) and isinstance(code_hash, bytes)):
        raise ProofRefused("an account's root and code hash are strings")
    if len(storage_root) != 32 or len(code_hash) != 32:
        raise ProofRefused("an account's root and code hash take 32 bytes")
    return account._replace(storage_root=storage_root, code_hash=code_hash)


def verify_storage_proof(storage_root: bytes, slot: bytes, proof: Sequence[bytes]) -> bytes:
    """The 32 bytes in `slot` (32 bytes) under an account's storage root, zero if proved absent.

    Raises ProofRefused.
    """
    if len(slot) != 32:
        raise ValueError("a slot is 32 bytes")
    value = _prove(storage_root, keccak256(slot), proof)
    if value is None:
        return bytes(32)
    try:
        word = decode(value)
    except NotCanonical as error:
        raise ProofRefused(f"the slot's value is not canonical: {error}") from error
    if isinstance(word, list) or not 1 <= len(word) <= 32 or word[0] == 0:
        raise ProofRefused("a slot holds 1 to 32 bytes without leading zeros")
    return word.rjust(32, b"\0")


def _prove(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The value under `key` (32 bytes), or None where the proof shows that there is none."""
    if root == EMPTY_ROOT and list(proof) in ([], [EMPTY_STRING]):
        return None
    nodes = iter(proof)
    value = _descend(_fetch(root, nodes, is_root=True), key.hex(), nodes)
    if next(nodes, None) is not None:
        raise ProofRefused("nodes are left over")
    return value


def _fetch(expected: bytes, nodes: Iterator[bytes], *, is_root: bool = False) -> list[Item]:
    node = next(nodes, None)
    if node is None:
        raise ProofRefused("a node is missing")
    if keccak256(node) != expected:
        raise ProofRefused("a node is not the one that its parent names")
    if len(node) < 32 and not is_root:
        raise ProofRefused("a node is named by its hash and should stand in its parent")
    try:
        item = decode(node)
    except NotCanonical as error:
        raise ProofRefused(f"a node is not canonical: {error}") from error
    if not isinstance(item, list):
        raise ProofRefused("a node is not a list")
    return item


def _descend(node: list[Item], path: str, nodes: Iterator[bytes]) -> bytes | None:
    """Walk from `node` along `path`; each round takes a nibble or ends, so 65 rounds bound it."""
    after_extension = False
    while True:
        if len(node) == 17:
            child, path = _branch_child(node, path), path[1:]
            if child == b"":
                return None
            after_extension = False
        elif len(node) == 2:
            if after_extension:
                raise ProofRefused("an extension leads to what is not a branch")
            is_leaf, part = _decode_path(node[0])
            if is_leaf:
                return _leaf_value(node[1], part == path, len(part) == len(path))
            if len(part) >= len(path):
                raise ProofRefused("a path is longer than its key")
            if not path.startswith(part):
                # What follows is not shown, but the parent's hash fixes it: the key is absent.
                _check_reference(node[1])
                return None
            child, path = node[1], path[len(part) :]
            after_extension = True
        else:
            raise ProofRefused("a node has neither 2 nor 17 items")
        node = _resolve(child, nodes)


def _branch_child(node: list[Item], path: str) -> Item:
    if not path:
        raise ProofRefused("a path is longer than its key")
    if node[16] != b"":
        raise ProofRefused("a branch holds a value, but all keys are equally long")
    children = [child for child in node[:16] if child != b""]
    if len(children) < 2:
        raise ProofRefused("a branch has fewer than two children")
    for child in children:
        _check_reference(child)
    return node[int(path[0], 16)]


def _leaf_value(value: Item, matches: bool, fits: bool) -> bytes | None:
    if not fits:
        raise ProofRefused("a leaf's path does not end where its key does")
    if not isinstance(value, bytes) or not value:
        raise ProofRefused("a leaf holds no value")
    return value if matches else None


def _check_reference(child: Item) -> None:
    if isinstance(child, list):
        if len(encode(child)) >= 32:
            raise ProofRefused("a node stands in its parent and should be named by its hash")
    elif len(child) != 32:
        raise ProofRefused("a node is named by other than 32 bytes")


def _resolve(child: Item, nodes: Iterator[bytes]) -> list[Item]:
    _check_reference(child)
    return child if isinstance(child, list) else _fetch(child, nodes)


def _decode_path(encoded: Item) -> tuple[bool, str]:
    """Whether the node is a leaf, and its nibbles, from the hex-prefix encoding."""
    if isinstance(encoded, list) or not encoded:
        raise ProofRefused("a path is not a string")
    nibbles = encoded.hex()
    flag = int(nibbles[0], 16)
    if flag > 3 or (not flag & 1 and nibbles[1] != "0"):
        raise ProofRefused("a path has a wrong prefix")
    is_leaf, part = flag >= 2, nibbles[1 if flag & 1 else 2 :]
    if not is_leaf and not part:
        raise ProofRefused("an extension has no path")
    return is_leaf, part
