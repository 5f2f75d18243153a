"""How long it takes to prove a chain of journal entries, step by step, beside the floor.

    python -m tests.benchmarks.verify_receipts [--blocks 2500] [--batch 25]

Builds the chain on anvil (4 transactions a block, 20 entries a transaction), then reads it once
by `eth_getLogs` as bytes (the floor), once for each kind of proof as bytes (the wire), and then
proves it in one process, each step by itself, in seconds of our processor. Every figure is of one
run on one machine; what counts are the ratios.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ledger.chain.artifacts import load_artifact
from ledger.chain.headers import BloomFilter, HeaderAnswer, check_headers
from ledger.chain.logs import ContractEvents, JournalCursor
from ledger.chain.receipts import Log, ReceiptAnswer, check_receipts
from ledger.chain.rpc import Node
from ledger.chain.transactions import BlockAnswer, check_transactions
from ledger.domain.ids import BlockNumber
from tests.chain.emitter import journal_creation_code
from tests.support.anvil import Anvil, running_anvil

TRANSACTIONS = 4
ENTRIES = 20
ORGANISATIONS = 10_000
EVENTS = ContractEvents("Credits", load_artifact("Credits").abi)
(ENTRY,) = EVENTS.journal.values()


class Clock:
    """Seconds by step, summed over all calls of a step, as `now` tells the time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.steps: dict[str, float] = {}
        self._now = now

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = self._now()
        yield
        self.steps[step] = self.steps.get(step, 0.0) + self._now() - start


def build_chain(anvil: Anvil, blocks: int) -> bytes:
    """Post the entries; the address of the journal."""
    created = anvil.send(data="0x" + journal_creation_code().hex(), gas=hex(1_000_000))
    call = anvil.rpc.call
    call("evm_setAutomine", False)
    entry = 0
    for _ in range(blocks):
        for _ in range(TRANSACTIONS):
            words = [ENTRY.topic]
            for _ in range(ENTRIES):
                entry += 1
                organisation = entry * 7919 % ORGANISATIONS + 1
                words.append(organisation.to_bytes(32, "big"))
                words.append(b"satellite.manufacture".ljust(32, b"\0"))
                words.append((entry % 1000 + 1).to_bytes(32, "big"))
                words.append(entry.to_bytes(4, "big") * 8)
            call(
                "eth_sendTransaction",
                {
                    "from": anvil.accounts[0],
                    "to": created["contractAddress"],
                    "data": "0x" + b"".join(words).hex(),
                    "gas": hex(1_000_000),
                },
            )
        call("evm_mine")
    return bytes.fromhex(created["contractAddress"][2:])


def runs(first: int, last: int, size: int) -> Iterator[range]:
    for start in range(first, last + 1, size):
        yield range(start, min(start + size, last + 1))


def read_bytes(node: Node, method: str, params: list[list[object]]) -> int:
    """Read answers without decoding them; how many bytes."""
    if len(params) == 1:
        return len(bytes(node.ask(method, params[0], msgspec.Raw)))
    return sum(len(bytes(raw)) for raw in node.ask_many(method, params, msgspec.Raw))


def time_wire(node: Node, last: int, batch: int, clock: Clock) -> dict[str, int]:
    """Read everything once, as bytes."""
    sizes: dict[str, int] = {}

    def read(step: str, method: str, params: list[list[object]]) -> None:
        with clock(step):
            sizes[step] = sizes.get(step, 0) + read_bytes(node, method, params)

    for run in runs(1, last, 100):
        query = {"fromBlock": hex(run[0]), "toBlock": hex(run[-1])}
        read("floor: eth_getLogs, 100 blocks a request", "eth_getLogs", [[query]])
        method = "eth_getBlockByNumber"
        read("wire: headers", method, [[hex(number), False] for number in run])
    for run in runs(1, last, batch):
        read("wire: receipts", "eth_getBlockReceipts", [[hex(number)] for number in run])
        method = "eth_getBlockByNumber"
        read("wire: whole transactions", method, [[hex(number), True] for number in run])
    return sizes


def take(node: Node, method: str, params: list[list[object]]) -> list[bytes]:
    """Raw answers that own their bytes, so that decoding can be timed apart from the wire."""
    return [bytes(raw) for raw in node.ask_many(method, params, msgspec.Raw)]


def prove(node: Node, address: bytes, last: int, batch: int, blooms: bool, clock: Clock) -> int:
    """Prove the chain from block 1; how many entries were found."""
    headers_of = msgspec.json.Decoder(HeaderAnswer).decode
    receipts_of = msgspec.json.Decoder(list[ReceiptAnswer]).decode
    blocks_of = msgspec.json.Decoder(BlockAnswer).decode
    ours, addresses = BloomFilter([address]), frozenset({address})
    cursor, parent, found = JournalCursor.at_start(), None, 0
    for run in runs(1, last, batch):
        raw = take(node, "eth_getBlockByNumber", [[hex(number), False] for number in run])
        with clock("headers: JSON"):
            answers = [headers_of(each) for each in raw]
        with clock("headers: hashes and links"):
            headers = check_headers(answers, first=BlockNumber(run[0]), parent_hash=parent)
        parent = headers[-1].hash
        with clock("blooms of headers"):
            wanted = [header for header in headers if ours.may_match(header.logs_bloom)]
        if not wanted:
            continue
        raw = take(node, "eth_getBlockByNumber", [[hex(each.number), True] for each in wanted])
        with clock("transactions: JSON"):
            blocks = [blocks_of(each) for each in raw]
        with clock("transactions: encoding, root, hashes"):
            hashes = [
                [each.hash for each in check_transactions(header, block.transactions)]
                for header, block in zip(wanted, blocks, strict=True)
            ]
        raw = take(node, "eth_getBlockReceipts", [[hex(each.number)] for each in wanted])
        with clock("receipts: JSON"):
            receipts = [receipts_of(each) for each in raw]
        with clock("receipts: encoding, root, logs"):
            logs: list[Log] = []
            for header, given, known in zip(wanted, receipts, hashes, strict=True):
                logs += check_receipts(header, given, known, addresses=addresses, blooms=blooms)
        with clock("journal: sequence and head"):
            cursor = cursor.advance_all(logs)
        with clock("events: fields"):
            decode = ENTRY.decode
            for log in logs:
                decode(log.topics, log.data)
        found += len(logs)
    assert cursor.sequence == found
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=25, help="blocks a request of receipts")
    parser.add_argument("--blooms", action="store_true", help="also check each receipt's bloom")
    parser.add_argument("--no-gc", action="store_true", help="without Python's garbage collector")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_anvil(Path(folder)) as anvil:
        address = build_chain(anvil, options.blocks)
        with Node(anvil.url) as node:
            last = node.block_number()
            wire, own = Clock(time.perf_counter), Clock(time.process_time)
            sizes = time_wire(node, last, options.batch, wire)
            if options.no_gc:
                gc.disable()
            found = prove(node, address, last, options.batch, options.blooms, own)
    floor = next(iter(wire.steps.values()))
    lines = [f"{found} entries in {last} blocks"]
    for step, seconds in wire.steps.items():
        size = sizes[step] / 1e6
        lines.append(f"{step:44} {seconds:7.3f} s {seconds / floor:6.2f}  {size:7.1f} MB")
    for step, seconds in (own.steps | {"all of our own work": sum(own.steps.values())}).items():
        lines.append(f"{step:44} {seconds:7.3f} s {seconds / floor:6.2f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
