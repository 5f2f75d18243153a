"""Takes a run of blocks from one node and proves it, before anything of it is written.

A range is proved if its headers hash to what they claim and follow the cursor; if each block whose
bloom admits a log of ours gives transactions and receipts of the header's roots; if each journal
goes on without a gap from the head we hold. Then each contract's own head and sequence after the
last block are compared with where its events led; `prove_contracts` proves them, with the
contract's code, by the header's state root. What a node says beyond that is not used.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from ledger.chain.headers import Header, check_header, check_headers
from ledger.chain.keccak import keccak256
from ledger.chain.logs import JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT, JournalCursor
from ledger.chain.proofs import ProofAnswer, prove_account, prove_slots
from ledger.chain.receipts import Log
from ledger.chain.rpc import Node
from ledger.domain.ids import BlockNumber
from ledger.domain.verification import Level
from ledger.errors import CodeMismatch, JournalBroken, NodeRefused
from ledger.mirror.bodies import Bodies, Bringer
from ledger.mirror.contracts import Followed, FollowedContract
from ledger.mirror.marks import BlockMark
from ledger.mirror.told_logs import ToldLogs

MOST_LOGS = 10_000
"""Logs after which a range ends: commits of 10,000 rows were 2.7 times as fast as those of 80."""

MOST_BLOCKS = 2_000
_HEADERS_AT_ONCE = 250

_LOOKS_FOR_SEALED = 5
_SEALED_SECONDS = 0.05
"""How long the next block of a node is waited for whose state seems to be ahead of its head."""

_JOURNAL_SLOTS = (JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT)

Proofs: TypeAlias = list[ProofAnswer]

Journals = Mapping[bytes, JournalCursor]
"""How far each contract's journal has been followed, by its address."""


class ChainForked(Exception):
    """The chain's next block is not the child of the block that we hold."""


@dataclass(frozen=True, slots=True)
class ProvedRange:
    """Blocks after `parent` and our logs in them, all proved; `journals` as they are at the end."""

    parent: BlockMark
    headers: Sequence[Header]
    logs: Sequence[Log]
    journals: Journals
    level: Level = Level.RECEIPTS

    @property
    def end(self) -> BlockMark:
        """The last block of the range."""
        return BlockMark.of(self.headers[-1])


def check_code(node: Node, followed: Followed, block: Header) -> None:
    """Raise CodeMismatch unless a node has each contract's code after a block, as far as it says.

    It tells a wrong chain at once; `Prover.prove_contracts` proves the code later.
    """
    for contract in followed.contracts:
        if keccak256(node.code(contract.address, block.hash)) != contract.code_hash:
            raise CodeMismatch(contract=contract.name, address="0x" + contract.address.hex())


def look_at_head(node: Node) -> Header:
    """The node's latest block. Raises NodeAnswerInvalid if its hash is not that of its fields."""
    with node.blamed():
        return check_header(node.header("latest"))


class Prover:
    """Proves ranges of what is followed. `pause` is called between requests, and may raise.

    With an `executor` it asks for the next blocks while it proves these.
    """

    def __init__(
        self,
        followed: Followed,
        pause: Callable[[], None] = lambda: None,
        executor: Executor | None = None,
        level: Level = Level.RECEIPTS,
    ) -> None:
        self._followed = followed
        self._pause = pause
        self._level = level
        of_level = Bodies if level is Level.RECEIPTS else ToldLogs
        self._bodies: Bringer = of_level(followed, executor)
        self._parts_ahead = 0 if executor is None else 1

    def prove_range(
        self, node: Node, parent: BlockMark, journals: Journals, head: Header
    ) -> ProvedRange:
        """The blocks after `parent` up to `head`, or as many of them as one commit should hold.

        `head` is the node's latest block. Raises ChainForked, NodeAnswerInvalid and the other
        errors of a node, JournalBroken, EventUnknown, CodeMismatch.
        """
        return next(self.prove_ranges(node, parent, journals, head))

    def prove_ranges(
        self, node: Node, parent: BlockMark, journals: Journals, head: Header
    ) -> Iterator[ProvedRange]:
        """The blocks after `parent` up to `head` in ranges that follow each other.

        Raises what `prove_range` does.
        """
        headers: list[Header] = []
        logs: list[Log] = []
        with node.blamed():
            for part, found in self._proved_parts(node, parent, head):
                headers += part
                logs += found
                is_end = headers[-1].number == head.number
                if is_end or len(logs) >= MOST_LOGS or len(headers) >= MOST_BLOCKS:
                    journals = self._follow_journals(journals, logs)
                    self._compare_contracts(node, headers[-1], journals, head)
                    yield ProvedRange(parent, headers, logs, journals, self._level)
                    parent, headers, logs = BlockMark.of(headers[-1]), [], []

    def ask_proofs(self, node: Node, block: Header, addresses: Iterable[bytes]) -> Proofs:
        """What `prove_contracts` needs, for who asks ahead of it; a thread of its own may."""
        return node.proofs(addresses, _JOURNAL_SLOTS, block.hash)

    def prove_contracts(
        self,
        node: Node,
        block: Header,
        journals: Journals,
        asked: Callable[[], Proofs] | None = None,
    ) -> None:
        """Prove code, head and sequence of some contracts by the state root of `block`.

        A node's answers of this kind are dear (anvil takes 130 ms each where 200,000 entries are),
        so that ranges are compared by what the node says, and the proof is made now and then.
        `asked` gives the answer to `ask_proofs` for the same contracts, in the order of `journals`.
        Raises CodeMismatch, JournalBroken, NodeAnswerInvalid.
        """
        contracts = [self._followed.by_address[address] for address in journals]
        with node.blamed():
            try:
                answers = asked() if asked else self.ask_proofs(node, block, journals)
            except NodeRefused:
                if self._level is Level.HEADS:
                    return  # a node without receipts may serve no proofs either
                raise
            for contract, answer in zip(contracts, answers, strict=True):
                account = prove_account(block, contract.address, answer)
                if account.code_hash != contract.code_hash:
                    raise CodeMismatch(
                        contract=contract.name, address="0x" + contract.address.hex()
                    )
                words = prove_slots(block, contract.address, _JOURNAL_SLOTS, answer)
                _compare(contract, block, words, journals[contract.address])

    def journal_places(self, end: Header) -> list[tuple[bytes, bytes]]:
        """Where the head and the sequence of each contract stand that is there after a block."""
        there = [each for each in self._followed.contracts if each.first_block <= end.number]
        return [(each.address, slot) for each in there for slot in _JOURNAL_SLOTS]

    def _header_runs(
        self, node: Node, parent: BlockMark, head: Header
    ) -> Iterator[Sequence[Header]]:
        if head.number == parent.number + 1:
            # The usual case while following: the head that was just looked at is all there is.
            if head.parent_hash != parent.hash:
                raise ChainForked
            yield [head]
            return
        before = parent
        while before.number < head.number:
            self._pause()
            last = min(head.number, before.number + _HEADERS_AT_ONCE)
            first = BlockNumber(before.number + 1)
            known = before.hash if before is not parent else None
            answers = node.headers(range(first, last + 1))
            run = check_headers(answers, first=first, parent_hash=known)
            if run[0].parent_hash != before.hash:
                raise ChainForked
            yield run
            before = BlockMark.of(run[-1])

    def _proved_parts(
        self, node: Node, parent: BlockMark, head: Header
    ) -> Iterator[tuple[Sequence[Header], list[Log]]]:
        """All headers in order, in small parts, with our logs in each part."""
        asked: deque[tuple[Sequence[Header], Callable[[], list[Log]]]] = deque()
        for part, candidates in self._parts(node, parent, head):
            self._pause()
            asked.append((part, self._bodies.begin(node, candidates)))
            if len(asked) > self._parts_ahead:
                ready, finish = asked.popleft()
                yield ready, finish()
        for ready, finish in asked:
            yield ready, finish()

    def _parts(
        self, node: Node, parent: BlockMark, head: Header
    ) -> Iterator[tuple[Sequence[Header], Sequence[Header]]]:
        """All headers in small parts, and those of each part that may hold logs of ours."""
        may_match = self._followed.blooms.may_match
        for run in self._header_runs(node, parent, head):
            part: list[Header] = []
            candidates: list[Header] = []
            for header in run:
                part.append(header)
                if may_match(header.logs_bloom):
                    candidates.append(header)
                if len(candidates) >= self._bodies.at_once or len(part) >= MOST_BLOCKS:
                    yield part, candidates
                    part, candidates = [], []
            if part:
                yield part, candidates

    def _follow_journals(self, journals: Journals, logs: Sequence[Log]) -> Journals:
        after = dict(journals)
        by_address = self._followed.by_address
        for address, run in groupby(logs, key=lambda log: log.address):
            contract = by_address[address]
            lines = [log for log in run if contract.is_line(log)]
            if lines:
                after[address] = after[address].advance_all(lines)
        return after

    def _compare_contracts(self, node: Node, end: Header, journals: Journals, head: Header) -> None:
        """Compare head and sequence of each contract after `end` with what the node has there.

        A node keeps the state of late blocks only. Where it refuses an early one, the journals
        are compared at the end of a later range: heads are chained, so that one covers all.
        """
        places = self.journal_places(end)
        try:
            words = node.storage(places, end.hash)
        except NodeRefused:
            if end.number == head.number:
                raise
            return
        try:
            for place in range(0, len(places), 2):
                address, _ = places[place]
                contract = self._followed.by_address[address]
                _compare(contract, end, words[place : place + 2], journals[address])
        except JournalBroken:
            if not (end.number == head.number and self._is_sealing(node, end)):
                raise

    def _is_sealing(self, node: Node, end: Header) -> bool:
        """Whether the node's state may have been that of the block after `end` already.

        anvil answers the hash of its latest block with the state of the one that it is sealing.
        Where receipts prove the rows, that block's range is compared instead.
        """
        if self._level is not Level.RECEIPTS:
            return False
        for _ in range(_LOOKS_FOR_SEALED):
            if node.block_number() > end.number:
                return True
            self._pause()
            time.sleep(_SEALED_SECONDS)
        return False


def _compare(
    contract: FollowedContract, block: Header, words: Sequence[bytes], held: JournalCursor
) -> None:
    """Raise JournalBroken unless a contract's two journal slots are what its events led to."""
    head, sequence = words[0], int.from_bytes(words[1], "big")
    if (sequence, head) != (held.sequence, held.head):
        raise JournalBroken(
            block=block.number,
            log_index=0,
            contract=contract.name,
            problem=f"the contract is at event {sequence} after this block, with the head "
            f"0x{head.hex()}; its events lead to event {held.sequence} and 0x{held.head.hex()}",
        )
