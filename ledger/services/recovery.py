"""How the mirror in a database stands to the chain that a node serves, as seen from outside.

A mirror waits for a node that is behind it, since on a network that is a node which lags. Only
who runs the chain alone, as `moonlake up` does with the devnet, knows that blocks are lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import Engine

from ledger.chain.headers import check_header
from ledger.chain.rpc import Node
from ledger.errors import MirrorEmpty
from ledger.mirror.state import read_state
from ledger.store.engine import reading


class Footing(Enum):
    """What the mirror's last block is to the chain."""

    NONE = auto()
    """Nothing is mirrored."""
    ON_CHAIN = auto()
    LOST = auto()
    """The chain no longer has it."""
    OTHER_CHAIN = auto()
    """The chain began with another block."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`lost` counts the mirrored blocks above the chain's head, where that is below the mirror."""

    footing: Footing
    lost: int = 0


def compare_mirror(engine: Engine, node: Node) -> Comparison:
    """Compare the mirror with the node's chain. Raises NodeProblem."""
    try:
        with reading(engine) as connection:
            state = read_state(connection)
    except MirrorEmpty:
        return Comparison(Footing.NONE)
    if check_header(node.header(0)).hash != state.genesis_hash:
        return Comparison(Footing.OTHER_CHAIN)
    head = node.block_number()
    if head < state.cursor.number:
        return Comparison(Footing.LOST, state.cursor.number - head)
    if check_header(node.header(state.cursor.number)).hash != state.cursor.hash:
        return Comparison(Footing.LOST)
    return Comparison(Footing.ON_CHAIN)
