"""Finds where a reorganised chain left the one that is mirrored, and says how far is too far.

Only blocks above the final one may go. A block is final when so many blocks stand on it as the
settings say, or when the chain's own consensus says so (the node's tag `finalized`), and stays
final whatever comes after: a chain that drops it is not followed.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from ledger.chain.headers import Header, check_header
from ledger.chain.rpc import Node
from ledger.errors import (
    MirrorDamaged,
    NodeLacksBlock,
    NodeRefused,
    ReorganisationTooDeep,
)
from ledger.mirror.marks import BlockMark
from ledger.mirror.state import MirrorState
from ledger.store.mirror_tables import blocks

_ASKED_AT_ONCE = 16


def find_ancestor(
    connection: Connection, node: Node, state: MirrorState, head: Header, *, finality_blocks: int
) -> BlockMark:
    """The last mirrored block that the node's chain has too, below `head`.

    Raises ReorganisationTooDeep where not even the final block is on it.
    """
    top = min(state.cursor.number, head.number - 1)
    bottom = max(state.final_number, state.first_block - 1)
    while top >= bottom:
        numbers = range(top, max(bottom, top - _ASKED_AT_ONCE + 1) - 1, -1)
        held = read_marks(connection, numbers)
        with node.blamed():
            answers = [check_header(answer) for answer in node.headers(numbers)]
        for number, answer in zip(numbers, answers, strict=True):
            if _held(held, number).hash == answer.hash:
                return held[number]
        top = numbers[-1] - 1
    raise _too_deep(connection, state, bottom, finality_blocks)


def _held(marks: Mapping[int, BlockMark], number: int) -> BlockMark:
    """The mirrored block of a number that must be there. Raises MirrorDamaged."""
    if number not in marks:
        raise MirrorDamaged(problem=f"block {number} is not among them")
    return marks[number]


def read_marks(connection: Connection, numbers: range) -> dict[int, BlockMark]:
    """The mirrored blocks of a run of numbers."""
    statement = select(blocks).where(blocks.c.number.between(min(numbers), max(numbers)))
    return {
        row.number: BlockMark(row.number, bytes(row.hash), row.timestamp)
        for row in connection.execute(statement)
    }


def finalized_block(node: Node) -> Header | None:
    """The block that the chain's consensus calls final, None where it calls none so."""
    try:
        with node.blamed():
            return check_header(node.header("finalized"))
    except (NodeLacksBlock, NodeRefused):
        return None


def _too_deep(
    connection: Connection, state: MirrorState, bottom: int, finality_blocks: int
) -> ReorganisationTooDeep:
    lost = read_marks(connection, range(bottom, bottom + 1))
    return ReorganisationTooDeep(
        block=bottom,
        block_hash="0x" + _held(lost, bottom).hash.hex(),
        depth=state.cursor.number - bottom + 1,
        finality=finality_blocks,
    )
