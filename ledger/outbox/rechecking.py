"""Looks again at what is in a block already: a reorganisation can take the block away.

Within the last blocks, an operation counts as done only while the block that it was seen in is the
chain's. Where its transaction is in another block, that is recorded; where it is in none, the same
bytes are sent again. It refuses to look below the finality depth: what is lost from there is not
for a program to repair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from ledger.chain.rpc import Node
from ledger.chain.sending import find_mined
from ledger.errors import ContractRefused, LedgerError, NodeLacksBlock, NonceTaken
from ledger.outbox.records import (
    OPEN,
    Operation,
    Settled,
    list_settled_since,
    read_operation,
)
from ledger.outbox.settling import Settler
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class Resumed:
    """An operation that was sent again, and why it failed if it did."""

    operation: Operation
    error: LedgerError | None


class Rechecker:
    """Remembers which blocks the operations were seen in; one for each sending process.

    `finality_blocks` are the blocks at the chain's end that a reorganisation may replace.
    """

    def __init__(
        self,
        engine: Engine,
        node: Node,
        settler: Settler,
        *,
        genesis_hash: bytes,
        finality_blocks: int,
    ) -> None:
        self._engine = engine
        self._node = node
        self._settler = settler
        self._genesis_hash = genesis_hash
        self._finality_blocks = finality_blocks
        self._head = ""
        self._seen: dict[Settled, str] = {}
        self._lost: dict[bytes, None] = {}

    def look(self) -> Iterator[Resumed]:
        """Put right what a reorganisation undid since the last look, without waiting for blocks.

        Each operation that was lost is given when it is sent again, and once more when it is in a
        block. Costs two questions while nothing happens. Raises NodeProblem.
        """
        for operation_id in self.find_lost():
            self._lost[operation_id] = None
        for operation_id in tuple(self._lost):
            with reading(self._engine) as connection:
                before = read_operation(connection, operation_id)
            resumed = self._put_right(before)
            is_open = resumed.operation.state.value in OPEN
            if not is_open:
                del self._lost[operation_id]
            if not (is_open and before.state.value in OPEN):
                yield resumed

    def take_back_lost(self) -> Iterator[Resumed]:
        """Make open again what is in no block any more, and give what is in another one now.

        What is open then must be sent again by the caller.
        """
        for operation_id in self.find_lost():
            with reading(self._engine) as connection:
                operation = read_operation(connection, operation_id)
            if not self._settler.take_back(operation):
                yield self._put_right(operation)

    def find_lost(self) -> tuple[bytes, ...]:
        """The ids of settled operations whose transaction is no longer in the block it was in."""
        head = self._node.header("latest")
        since = int(head.number, 16) - self._finality_blocks
        with reading(self._engine) as connection:
            settled = list_settled_since(connection, self._genesis_hash, since)
        if head.hash == self._head and all(each in self._seen for each in settled):
            return ()
        hashes = {each.block_number: "" for each in settled}
        for number in hashes:
            hashes[number] = self._block_hash(number)
        seen: dict[Settled, str] = {}
        lost = []
        for each in settled:
            block_hash = hashes[each.block_number]
            known = self._seen.get(each) == block_hash
            if block_hash and (known or self._is_in(each, block_hash)):
                seen[each] = block_hash
            else:
                lost.append(each.operation_id)
        self._seen, self._head = seen, head.hash
        return tuple(lost)

    def _block_hash(self, number: int) -> str:
        """Empty where the chain is not that long any more."""
        try:
            return self._node.header(number).hash
        except NodeLacksBlock:
            return ""

    def _is_in(self, settled: Settled, block_hash: str) -> bool:
        mined = find_mined(self._node, settled.transaction_hash)
        return mined is not None and "0x" + mined.block_hash.hex() == block_hash.lower()

    def _put_right(self, operation: Operation) -> Resumed:
        try:
            return Resumed(self._settler.put_right(operation), None)
        except (ContractRefused, NonceTaken) as error:
            with reading(self._engine) as connection:
                return Resumed(read_operation(connection, operation.request.operation_id), error)
