"""What became of many transactions at once: sent in one request, looked up in one request.

A node is asked and believed, as in `lines`. What a node says to one transaction of a request stands
beside what it says to the others; none of them fails the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from ledger.chain.artifacts import load_artifact
from ledger.chain.logs import ContractEvents
from ledger.chain.rpc import Node
from ledger.chain.sending import Mined
from ledger.domain.ids import BlockNumber

_SEQUENCE = 1


class _Log(msgspec.Struct):
    address: str
    topics: list[str]


class _Receipt(msgspec.Struct, rename="camel"):
    gas_used: str
    status: str
    logs: list[_Log]
    block_number: str | None = None
    block_hash: str | None = None


_MaybeReceipt: Any = _Receipt | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transaction in a block, with the logs that it left there: address, topics."""

    mined: Mined
    logs: tuple[tuple[bytes, tuple[bytes, ...]], ...]

    def lines(self, contract: str, address: bytes) -> tuple[int, int]:
        """The first and the last line that it wrote into a contract's journal; 0 for none."""
        journal = _journal_topics(contract)
        numbers = [
            int.from_bytes(topics[_SEQUENCE], "big")
            for at, topics in self.logs
            if at == address and topics and topics[0] in journal
        ]
        return (numbers[0], numbers[-1]) if numbers else (0, 0)


def find_outcomes(node: Node, hashes: Sequence[bytes]) -> list[Outcome | None]:
    """Where each transaction is in the chain, in their order; None while it is in no block."""
    params = [("0x" + each.hex(),) for each in hashes]
    found = node.ask_many("eth_getTransactionReceipt", params, _MaybeReceipt)
    return [_outcome(receipt) for receipt in found]


def is_known(node: Node, transaction_hash: bytes) -> bool:
    """Whether the node has a transaction, in its pool or in a block."""
    shape: Any = dict[str, Any] | None
    found = node.ask("eth_getTransactionByHash", ("0x" + transaction_hash.hex(),), shape)
    return found is not None


@cache
def _journal_topics(contract: str) -> frozenset[bytes]:
    return frozenset(ContractEvents(contract, load_artifact(contract).abi).journal)


def _outcome(receipt: _Receipt | None) -> Outcome | None:
    if receipt is None or receipt.block_number is None or receipt.block_hash is None:
        return None
    mined = Mined(
        block_number=BlockNumber(int(receipt.block_number, 16)),
        block_hash=bytes.fromhex(receipt.block_hash[2:]),
        succeeded=int(receipt.status, 16) == 1,
        gas_used=int(receipt.gas_used, 16),
    )
    logs = tuple(
        (
            bytes.fromhex(log.address[2:]),
            tuple(bytes.fromhex(topic[2:]) for topic in log.topics),
        )
        for log in receipt.logs
    )
    return Outcome(mined, logs)
