"""The blocks of a bundle, proved: headers that follow each other, and all that they hold of ours.

A header is proved by its hash, which the next one names as its parent; the anchor proves the last.
A block whose bloom cannot hold a log of the ledger's contracts comes as its header alone, since
nothing of ours is in it. Every other block comes with all of its transactions and receipts, whose
tries give the header's roots: none can be left out, added or altered. Blooms are computed anew from
the logs, so that a producer cannot hide a log behind a false one. What is wrong ends the proving:
blocks after it would stand on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.audit.findings import Finding
from ledger.audit.senders import Sent, read_sent
from ledger.chain.headers import BloomFilter, Header, bloom_of, read_header
from ledger.chain.keccak import keccak256
from ledger.chain.receipts import Log, Receipt, decode_receipt
from ledger.chain.rlp import Item, NotCanonical, decode
from ledger.chain.seals import SealRefused, Validators, read_sealed
from ledger.chain.tries import ordered_root
from ledger.domain.ids import BlockNumber, LogIndex


class WrongBlock(Exception):
    """A block that is not proved; blocks after it cannot be either."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class Act(NamedTuple):
    """A transaction of a block that the ledger's contracts logged in, with their logs."""

    position: int
    hash: bytes
    sent: Sent
    logs: list[Log]


@dataclass(frozen=True, slots=True)
class ProvedBlock:
    """A block, and what of it is ours, in order."""

    header: Header
    acts: Sequence[Act]


@dataclass(slots=True)
class Tally:
    """How much was proved."""

    blocks: int = 0
    bodies: int = 0
    transactions: int = 0
    signers: int = 0
    receipts: int = 0
    logs: int = 0
    sealed: int = 0


class BlockProver:
    """Proves the records of a bundle in order. `last` is the last header that was proved."""

    def __init__(self, addresses: Iterable[bytes], chain_id: int, first_block: int) -> None:
        self._addresses = frozenset(addresses)
        self._blooms = BloomFilter(self._addresses)
        self._chain_id = chain_id
        self._next = first_block
        self._bits: dict[bytes, int] = {}
        self.last: Header | None = None
        self.tally = Tally()
        self.validators = Validators()
        self.unexplained: int | None = None
        """The first block whose validators do not follow from those before it."""

    def prove(self, record: bytes) -> ProvedBlock:
        """The next block. Raises WrongBlock."""
        header, body = self._prove_header(record)
        number = header.number
        self.last, self._next = header, number + 1
        self.tally.blocks += 1
        if body is None:
            if self._blooms.may_match(header.logs_bloom):
                raise self._wrong("blocks.body_missing", number)
            return ProvedBlock(header, ())
        transactions, receipts = body
        if ordered_root(transactions) != header.transactions_root:
            raise self._wrong("blocks.transactions_root", number)
        if ordered_root(receipts) != header.receipts_root:
            raise self._wrong("blocks.receipts_root", number)
        if len(transactions) != len(receipts):
            raise self._wrong("blocks.receipts_root", number)
        self.tally.bodies += 1
        self.tally.transactions += len(transactions)
        self.tally.receipts += len(receipts)
        return ProvedBlock(header, list(self._acts(header, transactions, receipts)))

    def _prove_header(self, record: bytes) -> tuple[Header, tuple[list[bytes], list[bytes]] | None]:
        try:
            raw, header, body = _read_record(record)
        except NotCanonical as error:
            raise self._wrong("blocks.unreadable", self._next, problem=str(error)) from error
        if header.number != self._next:
            raise self._wrong("blocks.number", self._next, found=header.number)
        if self.last is not None and header.parent_hash != self.last.hash:
            raise self._wrong("blocks.parent", header.number)
        if self.last is not None and header.timestamp < self.last.timestamp:
            raise self._wrong("blocks.time", header.number)
        self._check_seals(header.number, raw)
        return header, body

    def _check_seals(self, number: int, raw: bytes) -> None:
        """Where validators seal blocks, enough of them sealed this one."""
        if not number:
            return  # nobody seals a genesis
        try:
            found = read_sealed(raw)
            follows = found is None or self.validators.take(found)
        except (NotCanonical, SealRefused) as error:
            raise self._wrong("blocks.seals", number, problem=str(error)) from error
        if found is None and self.tally.sealed:
            problem = "it has none, and blocks before it have"
            raise self._wrong("blocks.seals", number, problem=problem)
        if not follows and self.unexplained is None:
            self.unexplained = number
        self.tally.sealed += found is not None

    def _acts(
        self, header: Header, transactions: Sequence[bytes], receipts: Sequence[bytes]
    ) -> Iterator[Act]:
        number, first_log, bloom = header.number, 0, 0
        for index, (raw, encoded) in enumerate(zip(transactions, receipts, strict=True)):
            receipt = self._receipt(number, encoded)
            bloom |= self._check_bloom(number, receipt)
            ours = [
                (first_log + place, *log)
                for place, log in enumerate(receipt.logs)
                if log[0] in self._addresses
            ]
            first_log += len(receipt.logs)
            self.tally.logs += len(ours)
            if ours:
                yield self._act(number, index, raw, ours)
        if bloom != int.from_bytes(header.logs_bloom, "big"):
            raise self._wrong("blocks.bloom", number)

    def _act(
        self,
        number: BlockNumber,
        index: int,
        raw: bytes,
        ours: list[tuple[int, bytes, bytes, bytes]],
    ) -> Act:
        found = keccak256(raw)
        try:
            sent = read_sent(raw, self._chain_id)
        except ValueError as error:
            row = f"transaction 0x{found.hex()}"
            finding = Finding("blocks.signer", row, {"problem": str(error)}, number)
            raise WrongBlock(finding) from error
        self.tally.signers += 1
        logs = [
            Log(number, LogIndex(place), index, found, address, topics, data)
            for place, address, topics, data in ours
        ]
        return Act(index, found, sent, logs)

    def _receipt(self, number: BlockNumber, encoded: bytes) -> Receipt:
        try:
            return decode_receipt(encoded)
        except NotCanonical as error:
            raise self._wrong("blocks.unreadable", number, problem=str(error)) from error

    def _check_bloom(self, number: BlockNumber, receipt: Receipt) -> int:
        """The bits of a receipt's bloom, which must be those of its logs."""
        bits, known = 0, self._bits
        for address, topics, _ in receipt.logs:
            for needle in (address, *[topics[at : at + 32] for at in range(0, len(topics), 32)]):
                if needle not in known:
                    if len(known) > _MOST_BITS:
                        known.clear()
                    known[needle] = int.from_bytes(bloom_of((needle,)), "big")
                bits |= known[needle]
        if bits != int.from_bytes(receipt.logs_bloom, "big"):
            raise self._wrong("blocks.bloom", number)
        return bits

    def _wrong(self, code: str, number: int, **values: object) -> WrongBlock:
        return WrongBlock(Finding(code, "blocks.rlp", values, number))


_MOST_BITS = 20_000
"""Blooms of needles kept; the same addresses and events come again and again."""


def _read_record(record: bytes) -> tuple[bytes, Header, tuple[list[bytes], list[bytes]] | None]:
    items = decode(record)
    match items:
        case [bytes(header)]:
            return header, read_header(header), None
        case [bytes(header), list(transactions), list(receipts)]:
            return header, read_header(header), (_full(transactions), _full(receipts))
    raise NotCanonical("a record is a header, or a header, transactions and receipts")


def _full(items: list[Item]) -> list[bytes]:
    found = [item for item in items if isinstance(item, bytes) and item]
    if len(found) != len(items):
        raise NotCanonical("a transaction or a receipt is empty or a list")
    return found
