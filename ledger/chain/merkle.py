"""OpenZeppelin's standard Merkle tree: many shares behind one root, each with a short proof.

The tree of `@openzeppelin/merkle-tree`, which `MerkleProof.verify` reads on the chain: leaves are
hashed twice, so that no inner node passes for one; they are sorted, so that a root follows from the
set of leaves alone; a node is the hash of its two children, the smaller first. No order of rows and
no position is in a proof.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.keccak import keccak256
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.domain.shares import SharedPool
from ledger.errors import InvalidValue, NotFound

HASH_BYTES = 32


class MerkleTree:
    """A tree over leaves, given as their 32-byte hashes in any order, each once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves or len(set(leaves)) != len(leaves):
            raise InvalidValue(
                field="leaves", value=len(leaves), expected="at least one leaf, and each once"
            )
        # Node n has the children 2n + 1 and 2n + 2; the leaves stand at the end, the smallest last.
        count = len(leaves)
        self._nodes = [b""] * (count - 1) + sorted(leaves, reverse=True)
        self._places = {self._nodes[place]: place for place in range(count - 1, 2 * count - 1)}
        for place in reversed(range(count - 1)):
            self._nodes[place] = hash_pair(self._nodes[2 * place + 1], self._nodes[2 * place + 2])

    @property
    def root(self) -> bytes:
        """The 32 bytes that stand for all leaves."""
        return self._nodes[0]

    def proof(self, leaf: bytes) -> tuple[bytes, ...]:
        """The hashes that lead from a leaf to the root. Raises NotFound for any other leaf."""
        if leaf not in self._places:
            raise NotFound(what="leaf", key="0x" + leaf.hex())
        place = self._places[leaf]
        siblings = []
        while place:
            siblings.append(self._nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return tuple(siblings)


def hash_pair(one: bytes, other: bytes) -> bytes:
    """The node over two nodes, the same whichever comes first."""
    return keccak256(one + other if one < other else other + one)


def verify_proof(root: bytes, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof leads from the leaf to the root, as `MerkleProof.verify` finds it."""
    node = leaf
    for sibling in proof:
        if len(sibling) != HASH_BYTES:
            return False
        node = hash_pair(node, sibling)
    return node == root


def share_leaf(programme_id: ProgrammeId, epoch: int, org_id: OrgId, amount: int) -> bytes:
    """The leaf of a share, as `IShares` defines it: four words, hashed twice."""
    words = (programme_id, epoch, org_id, amount)
    return keccak256(keccak256(b"".join(word.to_bytes(32, "big") for word in words)))


def shares_tree(programme_id: ProgrammeId, epoch: int, shared: SharedPool) -> MerkleTree:
    """The tree of all shares of an epoch. Raises InvalidValue where nobody has one."""
    return MerkleTree(
        [share_leaf(programme_id, epoch, share.org_id, share.amount) for share in shared.shares]
    )
