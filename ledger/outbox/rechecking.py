"""Looks again at what is in a block already: a reorganisation can take the block away.

An operation counts as included only while the block that it was seen in is the chain's. Where that
block is gone, the operation is open again and its same bytes are sent again. Once no reorganisation
can reach the block any more, it is final and never looked at again: what is lost from there is not
for a program to repair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from ledger.chain.outcomes import find_outcomes
from ledger.chain.rpc import Node
from ledger.domain.verification import Finality
from ledger.errors import LedgerError, NodeLacksBlock, NodeRefused
from ledger.outbox.line import failure_as_error
from ledger.outbox.records import (
    Operation,
    Settled,
    State,
    list_of,
    list_settled_since,
)
from ledger.outbox.times import now_in_milliseconds
from ledger.outbox.writes import mark_final, take_back
from ledger.store.engine import reading, writing


@dataclass(frozen=True, slots=True)
class Resumed:
    """An operation that was sent again, and why it failed if it did."""

    operation: Operation
    error: LedgerError | None


class Rechecker:
    """Remembers which blocks the operations were seen in; one for each sending process."""

    def __init__(
        self,
        engine: Engine,
        node: Node,
        *,
        genesis_hash: bytes,
        finality: Finality,
        finality_blocks: int,
    ) -> None:
        self._engine = engine
        self._node = node
        self._genesis_hash = genesis_hash
        self._finality = finality
        self._finality_blocks = finality_blocks
        self._head = ""
        self._seen: dict[Settled, str] = {}
        self._lost: dict[bytes, State] = {}

    def look(self) -> None:
        """Open again what the chain lost since the last look; `find_returned` gives it.

        Costs one question while nothing happens. Raises NodeProblem.
        """
        for lost in self.find_lost():
            if self._take_back(lost):
                self._lost[lost.operation_id] = State.ACCEPTED

    def find_returned(self) -> Iterator[Resumed]:
        """What was lost: given once when it is sent again, and once when it is in a block."""
        if not self._lost:
            return
        with reading(self._engine) as connection:
            found = list_of(connection, sorted(self._lost))
        for operation_id, before in tuple(self._lost.items()):
            operation = found[operation_id]
            if not operation.is_open:
                del self._lost[operation_id]
                yield Resumed(operation, _error_of(operation))
            elif operation.state is not before:
                self._lost[operation_id] = operation.state
                yield Resumed(operation, None)

    def take_back_lost(self) -> None:
        """Open again what is in no block any more, for a caller who sends what is open."""
        for lost in self.find_lost():
            self._take_back(lost)

    def take_back(self, operation: Operation) -> None:
        """Open an operation again that the chain does not have any more."""
        attempt = operation.last_attempt
        if attempt is not None and attempt.block_number is not None:
            self._take_back(
                Settled(
                    operation.request.operation_id,
                    attempt.transaction_hash,
                    attempt.block_number,
                    operation.state,
                )
            )

    def _take_back(self, lost: Settled) -> bool:
        now = now_in_milliseconds()
        with writing(self._engine) as connection:
            return take_back(connection, lost.operation_id, lost.block_number, at=now)

    def find_lost(self) -> tuple[Settled, ...]:
        """What is settled, and is no longer in the block that it was in; what is final is noted."""
        head = self._node.header("latest")
        number = int(head.number, 16)
        with reading(self._engine) as connection:
            since = number - self._finality_blocks
            settled = list_settled_since(connection, self._genesis_hash, since)
        if head.hash == self._head and all(each in self._seen for each in settled):
            return ()
        hashes = {each.block_number: "" for each in settled}
        for block in hashes:
            hashes[block] = self._block_hash(block)
        present = self._present(settled, hashes)
        self._seen = {each: hashes[each.block_number] for each in present}
        self._head = head.hash
        self._note_final(present, number)
        return tuple(each for each in settled if each not in self._seen)

    def _present(self, settled: Sequence[Settled], hashes: dict[int, str]) -> list[Settled]:
        """Those that are where they were."""
        known = [each for each in settled if self._seen.get(each) == hashes[each.block_number]]
        kept = {each for each in known if hashes[each.block_number]}
        unsure = [each for each in settled if each not in kept and hashes[each.block_number]]
        outcomes = find_outcomes(self._node, [each.transaction_hash for each in unsure])
        kept |= {
            each
            for each, outcome in zip(unsure, outcomes, strict=True)
            if outcome is not None
            and "0x" + outcome.mined.block_hash.hex() == hashes[each.block_number].lower()
        }
        return [each for each in settled if each in kept]

    def _final_block(self, head: int) -> int:
        """The highest block that is final, as the mirror counts it; below 0 for none."""
        by_depth = head - self._finality_blocks
        if self._finality is Finality.DEPTH:
            return by_depth
        try:
            by_tag = int(self._node.header("finalized").number, 16)
        except (NodeLacksBlock, NodeRefused):
            by_tag = -1  # nothing is final yet, or the node does not say
        return by_tag if self._finality is Finality.TAG else max(by_depth, by_tag)

    def final_nonces(self, sender: bytes) -> int:
        """How many nonces of an account are used for good; 0 where the node cannot tell."""
        final = self._final_block(self._node.block_number())
        try:
            return self._node.nonce(sender, final) if final >= 0 else 0
        except (NodeLacksBlock, NodeRefused):
            return 0  # it keeps no state that old

    def _note_final(self, present: Sequence[Settled], head: int) -> None:
        included = [each for each in present if each.state is State.INCLUDED]
        if not included:
            return
        last = self._final_block(head)
        final = [each.operation_id for each in included if each.block_number <= last]
        if final:
            with writing(self._engine) as connection:
                mark_final(connection, final, at=now_in_milliseconds())

    def _block_hash(self, number: int) -> str:
        """Empty where the chain is not that long any more."""
        try:
            return self._node.header(number).hash
        except NodeLacksBlock:
            return ""


def _error_of(operation: Operation) -> LedgerError | None:
    return failure_as_error(operation) if operation.failure is not None else None
