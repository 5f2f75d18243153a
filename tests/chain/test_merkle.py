"""The Merkle tree against vectors of OpenZeppelin's own library, and against altered proofs.

The vectors were computed with `StandardMerkleTree` of @openzeppelin/merkle-tree 1.0.8 over rows
`[2, 5, i * i, 1000003 * i]` for i from 1, typed uint16, uint32, uint32, uint64: the number of
rows, the root, the place of a row (from 0), its proof.
"""

from __future__ import annotations

import random

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.keccak import keccak256
from ledger.chain.merkle import MerkleTree, share_leaf, shares_tree, verify_proof
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.domain.shares import Share, SharedPool
from ledger.errors import InvalidValue, NotFound

P2 = ProgrammeId(2)
VECTORS: list[tuple[int, str, int, list[str]]] = [
    (1, "563dd282f0312988c99d35993b847b87a774086bc1895f2c170ff8b1ee6c025c", 0, []),
    (
        2,
        "ae7abc846ecab2fc4d62658b3c2a86eb2da1369262fb6bd051eae11b15bdb9fb",
        0,
        ["d2245fcdf2c73a316440317cabc1dfe5ae1d04521f01b630b8625a1a4087fd53"],
    ),
    (
        3,
        "22bdeaaacaf0b6f0b46861c0167c8c3892e4808124c638847e3835eeb8b85b73",
        1,
        [
            "563dd282f0312988c99d35993b847b87a774086bc1895f2c170ff8b1ee6c025c",
            "da11ee8412d34da13fda6eb2dc1c44fd1b7f7c3b1eeb30f824dd90922e871ba7",
        ],
    ),
    (
        4,
        "4c3034572512fb2975fc139e07f5aa9abe09c116bee13e1331c3023eb01f0aa0",
        1,
        [
            "da11ee8412d34da13fda6eb2dc1c44fd1b7f7c3b1eeb30f824dd90922e871ba7",
            "ca212860005b6ff672c4966444f0121ea1927921e000cf8afc10ebcbf423eca9",
        ],
    ),
    (
        5,
        "0c8fd2991572313e5a40661313e4f734a76584cf2422c5be4dad895c82e0f397",
        2,
        [
            "ca212860005b6ff672c4966444f0121ea1927921e000cf8afc10ebcbf423eca9",
            "0bede496a2d091b26cb7d0705a2c014abf0d9ac2533f17d4132c544223c0efb9",
        ],
    ),
    (
        7,
        "494d2e876f64e87577a9dee9e64ed5617c39ddf6a5a00e91e502a8a6b0584f56",
        3,
        [
            "99f3f9fdde3042d7a412089038f0e560b2d3d456b616a1c99055b7672567f202",
            "0bede496a2d091b26cb7d0705a2c014abf0d9ac2533f17d4132c544223c0efb9",
            "dd856774a7e93fcd35f8975077ead75923813c1f88baaaf88d6d135ec92c8289",
        ],
    ),
    (
        8,
        "37c1130f59228674b53163433d4ca53321199208f37ff9f7ecfbcb840eb18844",
        3,
        [
            "99f3f9fdde3042d7a412089038f0e560b2d3d456b616a1c99055b7672567f202",
            "27d7fed5103061673e267fd4cd0b65425145a65069e0a968eede8839f3247eda",
            "0f9d351129de832c36277167261c847160e44803b6a943e23892097faa6d2438",
        ],
    ),
    (
        13,
        "ccb4c2e02a90cb08cd6a689de5dc686d017e9f7c2148c948ac28b35a225dbee6",
        6,
        [
            "1af19ebee84db5cf5dc80a218a2efc799e10753c624680ed5cef49753a679153",
            "da11ee8412d34da13fda6eb2dc1c44fd1b7f7c3b1eeb30f824dd90922e871ba7",
            "0bede496a2d091b26cb7d0705a2c014abf0d9ac2533f17d4132c544223c0efb9",
            "829068eb2fc48b66278c4bd566f7adf1e3d890ed6c8017cff95dea4f4384f833",
        ],
    ),
]

leaves = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40, unique=True)


def row(number: int) -> bytes:
    return share_leaf(P2, 5, OrgId(number * number), 1_000_003 * number)


@pytest.mark.parametrize(("count", "root", "place", "proof"), VECTORS)
def test_tree__of_known_rows__is_openzeppelins(
    count: int, root: str, place: int, proof: list[str]
) -> None:
    tree = MerkleTree([row(number) for number in range(1, count + 1)])

    assert tree.root.hex() == root
    assert [step.hex() for step in tree.proof(row(place + 1))] == proof


@given(leaves, st.randoms(use_true_random=False))
def test_root__of_leaves_in_another_order__is_the_same(
    given_leaves: list[bytes], dice: random.Random
) -> None:
    shuffled = list(given_leaves)
    dice.shuffle(shuffled)

    assert MerkleTree(shuffled).root == MerkleTree(given_leaves).root


@given(leaves)
def test_proof__of_every_leaf__leads_to_the_root(given_leaves: list[bytes]) -> None:
    tree = MerkleTree(given_leaves)

    for leaf in given_leaves:
        proof = tree.proof(leaf)
        assert verify_proof(tree.root, leaf, proof)
        assert len(proof) <= (len(given_leaves) - 1).bit_length()


@given(leaves, st.data())
def test_proof__that_is_altered__leads_nowhere(
    given_leaves: list[bytes], data: st.DataObject
) -> None:
    tree = MerkleTree(given_leaves)
    leaf = data.draw(st.sampled_from(given_leaves))
    proof = tree.proof(leaf)
    flipped = keccak256(leaf)

    assert not verify_proof(tree.root, flipped, proof)
    assert not verify_proof(tree.root, leaf, [*proof, flipped])
    assert not verify_proof(flipped, leaf, proof)
    if proof:
        assert not verify_proof(tree.root, leaf, proof[:-1])
        place = data.draw(st.integers(0, len(proof) - 1))
        for other in (flipped, proof[place][:31], proof[place] + b"\0", b""):
            assert not verify_proof(tree.root, leaf, [*proof[:place], other, *proof[place + 1 :]])


def test_proof__of_an_inner_node__is_none_of_a_share() -> None:
    tree = MerkleTree([row(number) for number in range(1, 5)])
    inner = tree.proof(row(1))[1]

    with pytest.raises(NotFound):
        tree.proof(inner)


def test_leaf__of_a_share__is_the_double_hash_of_its_abi_encoding() -> None:
    encoded = encode(["uint16", "uint32", "uint32", "uint64"], [7, 2**32 - 1, 12, 2**53 - 1])

    assert share_leaf(ProgrammeId(7), 2**32 - 1, OrgId(12), 2**53 - 1) == keccak256(
        keccak256(encoded)
    )


def test_tree__of_a_shared_pool__has_a_leaf_a_share() -> None:
    shares = tuple(Share(OrgId(number * number), 1_000_003 * number) for number in (1, 2, 3))
    tree = shares_tree(P2, 5, SharedPool(sum(share.amount for share in shares), shares, 0))

    assert tree.root == MerkleTree([row(number) for number in (3, 1, 2)]).root
    assert verify_proof(tree.root, row(2), tree.proof(row(2)))


def test_tree__without_leaves_or_with_one_twice__is_refused() -> None:
    for wrong in ([], [row(1), row(1)]):
        with pytest.raises(InvalidValue, match="leaves"):
            MerkleTree(wrong)
    with pytest.raises(InvalidValue, match="leaves"):
        shares_tree(P2, 5, SharedPool(7, (), 7))
