"""Takes a run of blocks from one node and proves it, before anything of it is written.

A range is proved if its headers hash to what they claim and follow the cursor; if each block whose
bloom admits a log of ours gives transactions and receipts of the header's roots; if each journal
goes on without a gap from the head we hold. Then each contract's own head and sequence after the
last block are compared with where its events led; `prove_contracts` proves them, with the
contract's code, by the header's state root. What a node says beyond that is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ledger.chain.headers import Header, check_header, check_headers
from ledger.chain.keccak import keccak256
from ledger.chain.logs import JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT, JournalCursor
from ledger.chain.proofs import prove_account, prove_slots
from ledger.chain.receipts import Log, check_receipts
from ledger.chain.rpc import Node
from ledger.chain.transactions import check_transactions
from ledger.domain.ids import BlockNumber
from ledger.errors import CodeMismatch, JournalBroken, NodeAnswerTooLarge, NodeRefused
from ledger.mirror.contracts import Followed, FollowedContract
from ledger.mirror.state import BlockMark

MOST_LOGS = 10_000
"""Logs after which a range ends: commits of 10,000 rows were 2.7 times as fast as those of 80."""

MOST_BLOCKS = 2_000
_HEADERS_AT_ONCE = 250
_FIRST_BODIES = 4
_MOST_BODIES = 64
_LOGS_AT_ONCE = 4_000
"""Receipts and logs that one request should bring, about 4 MB; anvil slows beyond that."""


_JOURNAL_SLOTS = (JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT)

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
    """Proves ranges of what is followed. `pause` is called between requests, and may raise."""

    def __init__(self, followed: Followed, pause: Callable[[], None] = lambda: None) -> None:
        self._followed = followed
        self._pause = pause
        self._bodies_at_once = _FIRST_BODIES

    def prove_range(
        self, node: Node, parent: BlockMark, journals: Journals, head: Header
    ) -> ProvedRange:
        """The blocks after `parent` up to `head`, or as many of them as one commit should hold.

        `head` is the node's latest block. Raises ChainForked, NodeAnswerInvalid and the other
        errors of a node, JournalBroken, EventUnknown, CodeMismatch.
        """
        headers: list[Header] = []
        logs: list[Log] = []
        with node.blamed():
            for run in self._header_runs(node, parent, head):
                proved, found = self._prove_bodies(node, run, MOST_LOGS - len(logs))
                headers += proved
                logs += found
                if len(logs) >= MOST_LOGS or len(headers) >= MOST_BLOCKS:
                    break
            after = self._follow_journals(journals, logs)
            self._compare_contracts(node, headers[-1], after, head)
        return ProvedRange(parent, headers, logs, after)

    def prove_contracts(self, node: Node, block: Header, journals: Journals) -> None:
        """Prove code, head and sequence of some contracts by the state root of `block`.

        A node's answers of this kind are dear (anvil takes 40 ms each where 30,000 entries are),
        so that ranges are compared by what the node says, and the proof is made now and then.
        Raises CodeMismatch, JournalBroken, NodeAnswerInvalid.
        """
        contracts = [each for each in self._followed.contracts if each.address in journals]
        addresses = [each.address for each in contracts]
        with node.blamed():
            answers = node.proofs(addresses, _JOURNAL_SLOTS, block.hash)
            for contract, answer in zip(contracts, answers, strict=True):
                account = prove_account(block, contract.address, answer)
                if account.code_hash != contract.code_hash:
                    raise CodeMismatch(
                        contract=contract.name, address="0x" + contract.address.hex()
                    )
                words = prove_slots(block, contract.address, _JOURNAL_SLOTS, answer)
                _compare(contract, block, words, journals[contract.address])

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

    def _prove_bodies(
        self, node: Node, run: Sequence[Header], most_logs: int
    ) -> tuple[Sequence[Header], list[Log]]:
        """Our logs in a run of blocks; the run is cut short where they become too many."""
        logs: list[Log] = []
        may_match = self._followed.blooms.may_match
        candidates = [header for header in run if may_match(header.logs_bloom)]
        start = 0
        while start < len(candidates):
            self._pause()
            part = candidates[start : start + self._bodies_at_once]
            try:
                logs += self._prove_bodies_of(node, part)
            except NodeAnswerTooLarge:
                if len(part) == 1:
                    raise
                self._bodies_at_once = max(1, len(part) // 4)
                continue
            start += len(part)
            if len(logs) >= most_logs and start < len(candidates):
                return run[: part[-1].number - run[0].number + 1], logs
        return run, logs

    def _prove_bodies_of(self, node: Node, headers: Sequence[Header]) -> list[Log]:
        hashes = [header.hash for header in headers]
        blocks, receipts = node.blocks(hashes), node.receipts(hashes)
        logs: list[Log] = []
        for header, block, answers in zip(headers, blocks, receipts, strict=True):
            transactions = check_transactions(header, block.transactions)
            proved = [transaction.hash for transaction in transactions]
            # The root covers the blooms; recomputing them would take as long as all the rest.
            logs += check_receipts(
                header, answers, proved, addresses=self._followed.addresses, blooms=False
            )
        brought = sum(1 + len(receipt.logs) for answers in receipts for receipt in answers)
        wanted = _LOGS_AT_ONCE * len(headers) // max(1, brought)
        self._bodies_at_once = max(1, min(wanted, 4 * len(headers), _MOST_BODIES))
        return logs

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
        there = [each for each in self._followed.contracts if each.first_block <= end.number]
        places = [(each.address, slot) for each in there for slot in _JOURNAL_SLOTS]
        try:
            words = node.storage(places, end.hash)
        except NodeRefused:
            if end.number == head.number:
                raise
            return
        for place, contract in enumerate(there):
            pair = words[2 * place : 2 * place + 2]
            _compare(contract, end, pair, journals[contract.address])


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
