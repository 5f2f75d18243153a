"""The workload's chain made longer without a node, which takes 0.1 s to seal one of its blocks.

What anvil built stays as it is. After it come blocks of more awards, written here: transactions,
receipts, blooms, roots, headers and the credits' journal are as they would be, so that a mirror
proves each of them as it would any other. What is not as it would be: signatures are no signatures
(a mirror compares hashes), gas is a round number, and the root of the state is right in the last
block alone, and is that of a state with nothing in it but the ledger's contracts and their
journals. A mirror asks for no more of it.

They are kept in a file, in parts of the JSON that a node answers with (3.3 GB for nine times the
workload). `tests.benchmarks.long_node` serves them.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from ledger.chain.headers import BLOOM_BYTES, HeaderAnswer, bloom_of, header_hash
from ledger.chain.keccak import keccak256
from ledger.chain.logs import JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT
from ledger.chain.rlp import encode, encode_bytes, encode_int, encode_list
from ledger.chain.rpc import Node
from ledger.chain.tries import EMPTY_ROOT, ordered_root
from tests.benchmarks.workload import (
    AWARDS,
    FEE,
    PROGRAMME,
    TRANSACTIONS,
    Size,
    Workload,
    award_call,
    award_of,
    operation_of,
    say,
)
from tests.support.happenings import GAS

BLOCKS, INDEX = "blocks", "index"
_GAS_USED = 400_000
_SECONDS = 2
_AWARD_KIND = 1
_NO_ENTRY = 0


class Block(msgspec.Struct, array_like=True):
    """A block's answer without its transactions and closing brace; and of each transaction its
    answer, its hash, its receipt without logs and closing brace, its logs without brackets."""

    header: str
    transactions: list[str]
    hashes: list[str]
    receipts: list[str]
    logs: list[str]


class Contract(msgspec.Struct, array_like=True):
    """A contract after the last block: its journal's slots, and their proofs."""

    words: dict[str, str]
    account: list[str]
    storage: dict[str, list[str]]


class Index(msgspec.Struct, array_like=True):
    """Where each block is in the file; `first` is the number of the first one."""

    first: int
    offsets: list[int]
    hashes: list[str]
    contracts: dict[str, Contract]


def lengthen(work: Workload, times: int, folder: Path) -> Path:
    """The folder with the blocks that make the chain so many times as long; written once."""
    kept = folder / f"{work.path.parent.name}-{times}-times"
    if not (kept / INDEX).exists():
        kept.mkdir(parents=True, exist_ok=True)
        with Node(work.url) as node:
            _write(kept, _Writer(work, node), work.size.blocks * (times - 1))
    return kept


def _write(kept: Path, writer: _Writer, blocks: int) -> None:
    index = Index(writer.number + 1, [0], [], {})
    encoder = msgspec.msgpack.Encoder()
    with (kept / BLOCKS).open("wb") as file:
        for done in range(1, blocks + 1):
            file.write(encoder.encode(writer.next_block(is_last=done == blocks)))
            index.offsets.append(file.tell())
            index.hashes.append(writer.like["hash"])
            if done % 2_500 == 0:
                say(f"{done:,} of {blocks:,} blocks written")
    index.contracts = writer.contracts
    (kept / INDEX).write_bytes(encoder.encode(index))


class _Writer:
    """Writes one block after the other. `like` is the one before, as a node answers it."""

    def __init__(self, work: Workload, node: Node) -> None:
        self._size: Size = work.size
        self._deployment = work.deployment
        self._credits = work.deployment.contracts["Credits"].address
        self._node = node
        self.like: dict[str, Any] = node.ask("eth_getBlockByNumber", ("latest", True), dict)
        self.number = int(self.like["number"], 16)
        last = self.like.pop("transactions")[-1]
        self._from, self._nonce = last["from"], int(last["nonce"], 16) + 1
        receipts = node.ask("eth_getBlockReceipts", (self.like["hash"],), list[dict[str, Any]])
        self._topic = bytes.fromhex(receipts[-1]["logs"][-1]["topics"][0][2:])
        self._transactions = count(work.size.blocks * TRANSACTIONS)
        self._balances: dict[int, int] = defaultdict(int)
        for entry in range(work.size.entries):
            award = award_of(work.size, entry)
            self._balances[award.org_id] += award.amount
        slots = (JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT)
        self._journals: dict[bytes, tuple[bytes, int]] = {}
        for each in work.deployment.contracts.values():
            head, sequence = node.storage([(each.address, slot) for slot in slots], "latest")
            self._journals[each.address] = head, int.from_bytes(sequence, "big")
        self.contracts: dict[str, Contract] = {}

    def next_block(self, *, is_last: bool) -> Block:
        """The next block; the last one has the state's root."""
        self.number += 1
        numbers = [next(self._transactions) for _ in range(TRANSACTIONS)]
        calls = [award_call(self._size, each) for each in numbers]
        raws = [self._raw_transaction(call) for call in calls]
        logs = [self._next_logs(each) for each in numbers]
        blooms = [bloom_of([self._credits, *(t for log in each for t in log[0])]) for each in logs]
        receipts = [self._raw_receipt(*each) for each in zip(count(1), blooms, logs)]
        self.like |= {
            "parentHash": self.like["hash"],
            "number": hex(self.number),
            "timestamp": hex(int(self.like["timestamp"], 16) + _SECONDS),
            "gasUsed": hex(_GAS_USED * TRANSACTIONS),
            "transactionsRoot": _hex(ordered_root(raws)),
            "receiptsRoot": _hex(ordered_root(receipts)),
            "logsBloom": _hex(_joined(blooms)),
        }
        if is_last:
            self.like["stateRoot"] = _hex(self._write_state())
        self.like["hash"] = _hex(header_hash(msgspec.convert(self.like, HeaderAnswer)))
        return self._told(calls, raws, blooms, logs)

    def _raw_transaction(self, call: bytes) -> bytes:
        chain, nonce = self._deployment.chain_id, self._nonce
        self._nonce += 1
        fields = [encode_int(each) for each in (chain, nonce, 0, FEE, GAS)]
        fields += [encode_bytes(self._credits), encode_int(0), encode_bytes(call), encode_list([])]
        return b"\x02" + encode_list([*fields, encode_int(0), encode_int(1), encode_int(1)])

    def _next_logs(self, transaction: int) -> list[tuple[list[bytes], bytes]]:
        """Topics and data of the entries of a transaction."""
        head, sequence = self._journals[self._credits]
        operation, issuer = operation_of(transaction), bytes.fromhex(self._from[2:])
        found = []
        for entry in range(transaction * AWARDS, (transaction + 1) * AWARDS):
            award = award_of(self._size, entry)
            self._balances[award.org_id] += award.amount
            sequence += 1
            topics = [self._topic, _word(sequence), _word(PROGRAMME), _word(award.org_id)]
            data = b"".join(
                (
                    _word(_AWARD_KIND),
                    award.category.encode().ljust(32, b"\0"),
                    _word(award.amount),
                    _word(self._balances[award.org_id]),
                    award.evidence,
                    _word(_NO_ENTRY),
                    issuer.rjust(32, b"\0"),
                    operation,
                )
            )
            head = keccak256(head + keccak256(b"".join(topics) + data))
            found.append((topics, data + head))
        self._journals[self._credits] = head, sequence
        return found

    def _raw_receipt(
        self, place: int, bloom: bytes, logs: list[tuple[list[bytes], bytes]]
    ) -> bytes:
        written = [encode([self._credits, topics, data]) for topics, data in logs]  # type: ignore[list-item]
        gas = encode_int(_GAS_USED * place)
        fields = [encode_int(1), gas, encode_bytes(bloom), encode_list(written)]
        return b"\x02" + encode_list(fields)

    def _told(
        self,
        calls: list[bytes],
        raws: list[bytes],
        blooms: list[bytes],
        logs: list[list[tuple[list[bytes], bytes]]],
    ) -> Block:
        hashes = [_hex(keccak256(raw)) for raw in raws]
        to = _hex(self._credits)
        told = Block(_open(self.like), [], hashes, [], [])
        for place, transaction in enumerate(hashes):
            at = {
                "blockHash": self.like["hash"],
                "blockNumber": self.like["number"],
                "transactionIndex": hex(place),
            }
            call = {
                "type": "0x2",
                "chainId": hex(self._deployment.chain_id),
                "accessList": [],
                "nonce": hex(self._nonce - TRANSACTIONS + place),
                "gas": hex(GAS),
                "maxFeePerGas": hex(FEE),
                "maxPriorityFeePerGas": "0x0",
                "gasPrice": "0x8",
                "to": to,
                "from": self._from,
                "value": "0x0",
                "input": _hex(calls[place]),
                "r": "0x1",
                "s": "0x1",
                "yParity": "0x0",
                "v": "0x0",
                "hash": transaction,
            }
            told.transactions.append(_json(call | at))
            receipt = {
                "type": "0x2",
                "status": "0x1",
                "logsBloom": _hex(blooms[place]),
                "cumulativeGasUsed": hex(_GAS_USED * (place + 1)),
                "gasUsed": hex(_GAS_USED),
                "transactionHash": transaction,
                "from": self._from,
                "to": to,
                "effectiveGasPrice": "0x8",
                "contractAddress": None,
            }
            told.receipts.append(_open(receipt | at))
            around = _json(at | {"transactionHash": transaction, "removed": False})[1:]
            parts = []
            for index, (topics, data) in enumerate(logs[place], start=place * AWARDS):
                shown = ",".join([f'"{_hex(topic)}"' for topic in topics])
                parts.append(
                    f'{{"address":"{to}","topics":[{shown}],"data":"{_hex(data)}",'
                    f'"logIndex":"{hex(index)}",{around}'
                )
            told.logs.append(",".join(parts))
        return told

    def _write_state(self) -> bytes:
        """The root of a state that has the contracts alone, after noting their proofs."""
        accounts: dict[bytes, bytes] = {}
        storages = {}
        for each in self._deployment.contracts.values():
            head, sequence = self._journals[each.address]
            slots = {JOURNAL_HEAD_SLOT: head, JOURNAL_SEQUENCE_SLOT: _word(sequence)}
            values = {
                keccak256(slot): encode_bytes(word.lstrip(b"\0"))
                for slot, word in slots.items()
                if any(word)
            }
            root, proofs = _trie(values)
            storages[each.address] = slots, proofs
            fields = [encode_int(1), encode_int(0), encode_bytes(root)]
            accounts[keccak256(each.address)] = encode_list([*fields, encode_bytes(each.code_hash)])
        state_root, proofs_of = _trie(accounts)
        for address, (slots, proofs) in storages.items():
            self.contracts[_hex(address)] = Contract(
                {_hex(slot): _hex(word) for slot, word in slots.items()},
                proofs_of[keccak256(address)],
                {_hex(slot): proofs.get(keccak256(slot), []) for slot in slots},
            )
        return state_root


def _trie(values: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, list[str]]]:
    """The root of a trie over keys of 32 bytes, and the nodes down to each."""
    proofs: dict[bytes, list[str]] = {key: [] for key in values}

    def write(keys: list[bytes], depth: int) -> bytes:
        if len(keys) == 1:
            node = encode_list([_path(keys[0].hex()[depth:], 2), encode_bytes(values[keys[0]])])
        elif len({key.hex()[depth] for key in keys}) == 1:
            first = [key.hex() for key in keys]
            fork = next(at for at in range(depth, 64) if len({key[at] for key in first}) > 1)
            node = encode_list([_path(first[0][depth:fork], 0), write(keys, fork)])
        else:
            groups = [[key for key in keys if key.hex()[depth] == f"{at:x}"] for at in range(16)]
            below = [write(group, depth + 1) if group else encode_bytes(b"") for group in groups]
            node = encode_list([*below, encode_bytes(b"")])
        assert len(node) >= 32, "a node below 32 bytes would stand in its parent"
        for key in keys:
            proofs[key].insert(0, _hex(node))
        return encode_bytes(keccak256(node))

    if not values:
        return EMPTY_ROOT, {}
    return write(sorted(values), 0)[1:], proofs


def _path(nibbles: str, flag: int) -> bytes:
    """Hex-prefix encoding (Yellow Paper, appendix C) of a path."""
    odd = len(nibbles) % 2
    return encode_bytes(bytes.fromhex(f"{flag + odd:x}{'' if odd else '0'}{nibbles}"))


def _joined(blooms: list[bytes]) -> bytes:
    bits = 0
    for bloom in blooms:
        bits |= int.from_bytes(bloom, "big")
    return bits.to_bytes(BLOOM_BYTES, "big")


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _json(values: dict[str, Any]) -> str:
    return msgspec.json.encode(values).decode()


def _open(values: dict[str, Any]) -> str:
    """An object without its closing brace."""
    return _json(values)[:-1]
