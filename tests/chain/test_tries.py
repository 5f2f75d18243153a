"""Tries against the `trie` package's HexaryTrie: roots, proofs, and proofs that were tampered with.

`trie` itself accepts proofs that are padded or reordered; ours must not.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rlp import encode as oracle_encode
from trie import HexaryTrie

from ledger.chain.keccak import keccak256
from ledger.chain.rlp import decode, encode, encode_int
from ledger.chain.tries import (
    EMPTY_CODE_HASH,
    EMPTY_ROOT,
    NO_ACCOUNT,
    Account,
    ProofRefused,
    ordered_root,
    verify_account_proof,
    verify_storage_proof,
)


def oracle_root(items: list[bytes]) -> bytes:
    trie = HexaryTrie({})
    for index, item in enumerate(items):
        trie[encode_int(index)] = item
    return bytes(trie.root_hash)


@given(st.lists(st.binary(min_size=1, max_size=90), max_size=40))
def test_ordered_root__of_any_items__is_the_oracle_s(items: list[bytes]) -> None:
    assert ordered_root(items) == oracle_root(items)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.integers(1, 40))
@example(127, 3)
@example(128, 33)
@example(129, 1)
@example(256, 31)
@example(257, 32)
@example(1025, 8)
def test_ordered_root__of_any_number_of_items__is_the_oracle_s(count: int, size: int) -> None:
    items = [(index % 255 + 1).to_bytes(1, "big") * (1 + index % size) for index in range(count)]
    assert ordered_root(items) == oracle_root(items)


def test_ordered_root__of_nothing__is_the_empty_root() -> None:
    assert ordered_root([]) == EMPTY_ROOT == HexaryTrie({}).root_hash


def test_ordered_root__of_ten_thousand_items__is_the_oracle_s() -> None:
    items = [index.to_bytes(3, "big") * 20 for index in range(1, 10_001)]
    assert ordered_root(items) == oracle_root(items)


# --- proofs -------------------------------------------------------------------------------------


def secure_trie(entries: dict[bytes, bytes]) -> HexaryTrie:
    """A trie as the state has it, its keys hashed."""
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[keccak256(key)] = value
    return trie


def proof_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """The nodes from the root down to a key, those that stand in their parent left out."""
    nodes = [oracle_encode(node) for node in trie.get_proof(keccak256(key))]
    return [node for place, node in enumerate(nodes) if place == 0 or len(node) >= 32]


SLOTS = {n.to_bytes(32, "big"): encode(n.to_bytes(2, "big").lstrip(b"\0")) for n in range(1, 300)}
ABSENT = [n.to_bytes(32, "big") for n in range(1_000, 1_060)]
STORAGE = secure_trie(SLOTS)


@settings(deadline=None)
@given(
    st.dictionaries(st.binary(min_size=32, max_size=32), st.integers(1, (1 << 256) - 1)),
    st.binary(min_size=32, max_size=32),
)
def test_storage_proof__of_any_storage__gives_each_slot_and_zero_elsewhere(
    words: dict[bytes, int], absent: bytes
) -> None:
    trie = secure_trie({slot: encode(encode_number(word)) for slot, word in words.items()})
    root = bytes(trie.root_hash)
    for slot, word in words.items():
        assert verify_storage_proof(root, slot, proof_of(trie, slot)) == word.to_bytes(32, "big")
    if absent not in words:
        proof = proof_of(trie, absent) if words else []
        assert verify_storage_proof(root, absent, proof) == bytes(32)


def encode_number(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def test_storage_proof__of_an_empty_storage__is_no_node_or_the_empty_one() -> None:
    assert verify_storage_proof(EMPTY_ROOT, bytes(32), []) == bytes(32)
    assert verify_storage_proof(EMPTY_ROOT, bytes(32), [b"\x80"]) == bytes(32)
    with pytest.raises(ProofRefused):
        verify_storage_proof(EMPTY_ROOT, bytes(32), [b"\x80", b"\x80"])


def altered_proofs() -> dict[str, Callable[[list[bytes]], list[bytes]]]:
    other = proof_of(STORAGE, ABSENT[7])
    return {
        "nothing": lambda proof: [],
        "without its root": lambda proof: proof[1:],
        "without its last node": lambda proof: proof[:-1],
        "padded with its last node": lambda proof: [*proof, proof[-1]],
        "padded with another node": lambda proof: [*proof, other[-1]],
        "padded in front": lambda proof: [proof[0], *proof],
        "padded with an empty node": lambda proof: [*proof, b"\x80"],
        "reordered": lambda proof: proof[::-1],
        "of another slot": lambda proof: other,
        "with a node too many in the middle": lambda proof: [proof[0], proof[0], *proof[1:]],
        "longer than a path": lambda proof: proof * 40,
        "with an overlong node": lambda proof: [proof[0] + bytes(2000), *proof[1:]],
    }


@pytest.mark.parametrize("change", altered_proofs())
@pytest.mark.parametrize("slot", [list(SLOTS)[5], ABSENT[0]])
def test_storage_proof__altered__is_refused(change: str, slot: bytes) -> None:
    proof = proof_of(STORAGE, slot)
    root = bytes(STORAGE.root_hash)
    verify_storage_proof(root, slot, proof)
    with pytest.raises(ProofRefused):
        verify_storage_proof(root, slot, altered_proofs()[change](proof))


@given(st.data())
def test_storage_proof__with_any_bit_flipped__is_refused(data: st.DataObject) -> None:
    slot = data.draw(st.sampled_from([*SLOTS, *ABSENT]))
    proof = proof_of(STORAGE, slot)
    node = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 8 * len(proof[node]) - 1))
    flipped = bytearray(proof[node])
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofRefused):
        verify_storage_proof(
            bytes(STORAGE.root_hash), slot, [*proof[:node], bytes(flipped), *proof[node + 1 :]]
        )


# Nodes that no trie has, under a root that fits them: whoever forged a state root must still not
# be able to say two things with it.
KEY_PATH = keccak256(bytes(32)).hex()


def leaf(path: str, value: bytes) -> bytes:
    odd = len(path) & 1
    return encode([bytes.fromhex(("3" if odd else "20") + path), value])


def extension(path: str, child: bytes) -> bytes:
    odd = len(path) & 1
    return encode([bytes.fromhex(("1" if odd else "00") + path), child])


def branch(children: dict[int, bytes], value: bytes = b"") -> bytes:
    return encode([*(children.get(place, b"") for place in range(16)), value])


def forged() -> dict[str, list[bytes]]:
    word = encode(b"\x07")
    first = int(KEY_PATH[0], 16)
    good = leaf(KEY_PATH[1:], word)
    other = (first + 1) % 16
    return {
        "a branch with a value": [branch({first: keccak256(good), other: bytes(32)}, b"x"), good],
        "a branch with one child": [branch({first: keccak256(good)}), good],
        "a branch that names a child by 31 bytes": [
            branch({first: keccak256(good), other: bytes(31)}),
            good,
        ],
        "an extension to a leaf": [extension(KEY_PATH[0], keccak256(good)), good],
        "an extension without a path": [extension("", keccak256(leaf(KEY_PATH, word))), b""],
        "an extension as long as the key": [extension(KEY_PATH, bytes(32))],
        "a leaf with a shorter path": [leaf(KEY_PATH[:-1], word)],
        "a leaf with a longer path": [leaf(KEY_PATH + "00", word)],
        "a leaf without a value": [leaf(KEY_PATH, b"")],
        "a path with a dirty pad": [encode([bytes.fromhex("2f" + KEY_PATH), word])],
        "a path with an unknown flag": [encode([bytes.fromhex("40" + KEY_PATH), word])],
        "an empty path string": [encode([b"", word])],
        "a path that is a list": [encode([[b"\x20"], word])],
        "a leaf whose value is a list": [encode([bytes.fromhex("20" + KEY_PATH), [b"\x07"]])],
        "a node of three items": [encode([b"", b"", b""])],
        "a node that is a string": [encode(b"\x07" * 40)],
        "a node that is not canonical": [b"\xf8\x05" + encode([b"\x20", b"\x07"])],
        "a value of zero": [leaf(KEY_PATH, encode(b""))],
        "a value with leading zeros": [leaf(KEY_PATH, encode(b"\x00\x07"))],
        "a value of 33 bytes": [leaf(KEY_PATH, encode(b"\x07" * 33))],
        "a value that is a list": [leaf(KEY_PATH, encode([b"\x07"]))],
        "a value that is not canonical": [leaf(KEY_PATH, b"\x81\x07")],
        "a value with bytes left over": [leaf(KEY_PATH, word + b"\x00")],
    }


@pytest.mark.parametrize("what", forged())
def test_storage_proof__of_nodes_that_no_trie_has__is_refused(what: str) -> None:
    proof = forged()[what]
    with pytest.raises(ProofRefused):
        verify_storage_proof(keccak256(proof[0]), bytes(32), proof)


def test_storage_proof__of_one_good_leaf__is_accepted() -> None:
    proof = [leaf(KEY_PATH, encode(b"\x07"))]
    assert verify_storage_proof(keccak256(proof[0]), bytes(32), proof) == b"\x07".rjust(32, b"\0")


def test_storage_proof__small_node_named_by_its_hash__is_refused() -> None:
    # Two keys that part at their last nibble: their leaves are shorter than 32 bytes.
    small = leaf("", encode(b"\x07"))
    last = int(KEY_PATH[-1], 16)
    below = branch({last: keccak256(small), (last + 1) % 16: keccak256(small)})
    root = extension(KEY_PATH[:-1], keccak256(below))
    with pytest.raises(ProofRefused, match="should stand in its parent"):
        verify_storage_proof(keccak256(root), bytes(32), [root, below, small])


def test_storage_proof__small_nodes_in_their_parent__is_read_through() -> None:
    last = int(KEY_PATH[-1], 16)
    # Sixteen leaves of three bytes each, so that the branch over them is not small itself.
    below = encode([*(decode(leaf("", bytes([place + 1]))) for place in range(16)), b""])
    root = extension(KEY_PATH[:-1], keccak256(below))
    proof = [root, below]
    assert verify_storage_proof(keccak256(root), bytes(32), proof)[-1] == last + 1


def test_storage_proof__large_node_in_its_parent__is_refused() -> None:
    first = int(KEY_PATH[0], 16)
    inside = decode(leaf(KEY_PATH[1:], encode(b"\x07")))
    children = [inside if place == first else b"" for place in range(16)]
    children[(first + 1) % 16] = bytes(32)
    root = encode([*children, b""])
    with pytest.raises(ProofRefused, match="should be named by its hash"):
        verify_storage_proof(keccak256(root), bytes(32), [root])


# --- accounts -----------------------------------------------------------------------------------

ADDRESSES = [n.to_bytes(20, "big") for n in range(1, 40)]


def encode_account(account: Account) -> bytes:
    nonce, balance = encode_number(account.nonce), encode_number(account.balance)
    return encode([nonce, balance, account.storage_root, account.code_hash])


@given(st.integers(0, 1 << 64), st.integers(0, 1 << 200), st.binary(min_size=32, max_size=32))
def test_account_proof__of_any_account__gives_its_fields_and_none_elsewhere(
    nonce: int, balance: int, storage_root: bytes
) -> None:
    account = Account(nonce, balance, storage_root, EMPTY_CODE_HASH)
    state = secure_trie(dict.fromkeys(ADDRESSES, encode_account(NO_ACCOUNT)))
    state[keccak256(ADDRESSES[3])] = encode_account(account)
    root = bytes(state.root_hash)
    assert verify_account_proof(root, ADDRESSES[3], proof_of(state, ADDRESSES[3])) == account
    nobody = b"\x77" * 20
    assert verify_account_proof(root, nobody, proof_of(state, nobody)) == NO_ACCOUNT


@pytest.mark.parametrize(
    "fields",
    [
        b"\x07",
        [b"", b"", EMPTY_ROOT],
        [b"", b"", EMPTY_ROOT, EMPTY_CODE_HASH, b""],
        [b"\0", b"", EMPTY_ROOT, EMPTY_CODE_HASH],
        [b"", [], EMPTY_ROOT, EMPTY_CODE_HASH],
        [b"", b"", EMPTY_ROOT[1:], EMPTY_CODE_HASH],
        [b"", b"", EMPTY_ROOT, EMPTY_CODE_HASH + b"\0"],
        [b"", b"", [EMPTY_ROOT], EMPTY_CODE_HASH],
    ],
)
def test_account_proof__of_a_value_that_is_no_account__is_refused(fields: bytes | list) -> None:
    path = keccak256(ADDRESSES[0]).hex()
    node = leaf(path, encode(fields))
    with pytest.raises(ProofRefused):
        verify_account_proof(keccak256(node), ADDRESSES[0], [node])


def test_proofs__of_an_address_or_slot_of_another_length__are_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        verify_account_proof(EMPTY_ROOT, bytes(32), [])
    with pytest.raises(ValueError, match="32 bytes"):
        verify_storage_proof(EMPTY_ROOT, bytes(20), [])
