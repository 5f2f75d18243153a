"""Which lines of a contract's journal a transaction wrote, and which transaction wrote a line.

For whoever sent the transaction and wants to know what came of it. A node is asked and believed:
what must be proved is read from the mirror.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.chain.artifacts import load_artifact
from ledger.chain.logs import ContractEvents
from ledger.chain.rlp import decode, decode_int
from ledger.chain.rpc import Node
from ledger.chain.transactions import TransactionAnswer, encode_transaction

_SEQUENCE = 1
_SUBJECT = 2
_GAS_LIMIT = 4  # among the fields of an EIP-1559 transaction


@dataclass(frozen=True, slots=True)
class Line:
    """A journal event: its number, and what its third topic says as a number (0 without one).

    That topic is the id of what the event is about: a programme or an organisation.
    """

    sequence: int
    subject: int


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction that is in a block, as its sender signed it."""

    hash: bytes
    sender: bytes
    to: bytes
    calldata: bytes
    nonce: int
    raw: bytes
    block_number: int


class _Log(msgspec.Struct, rename="camel"):
    address: str
    topics: list[str]
    transaction_hash: str = ""


class _Receipt(msgspec.Struct):
    logs: list[_Log]


class _WholeLog(msgspec.Struct):
    address: str
    topics: list[str]
    data: str


class _WholeReceipt(msgspec.Struct):
    logs: list[_WholeLog]


class _Sender(msgspec.Struct):
    sender: str = msgspec.field(name="from")


def read_lines(
    node: Node, contract: str, address: bytes, transaction_hash: bytes
) -> tuple[Line, ...]:
    """The lines that a transaction wrote into one contract's journal, in order."""
    shape: Any = _Receipt | None
    receipt = node.ask("eth_getTransactionReceipt", (_hex(transaction_hash),), shape)
    journal = ContractEvents(contract, load_artifact(contract).abi).journal
    return tuple(
        Line(_number(log, _SEQUENCE), _number(log, _SUBJECT))
        for log in (receipt.logs if receipt is not None else ())
        if log.address.lower() == _hex(address)
        and log.topics
        and bytes.fromhex(log.topics[0][2:]) in journal
    )


def read_events(
    node: Node, contract: str, address: bytes, transaction_hash: bytes
) -> tuple[dict[str, Any], ...]:
    """The journal events that a transaction caused in one contract, each by its fields' names."""
    shape: Any = _WholeReceipt | None
    receipt = node.ask("eth_getTransactionReceipt", (_hex(transaction_hash),), shape)
    journal = ContractEvents(contract, load_artifact(contract).abi).journal
    found = []
    for log in receipt.logs if receipt is not None else ():
        topics = b"".join(bytes.fromhex(topic[2:]) for topic in log.topics)
        decoder = journal.get(topics[:32])
        if decoder is not None and log.address.lower() == _hex(address):
            values = decoder.decode(topics, bytes.fromhex(log.data[2:]))
            found.append(dict(zip(decoder.fields, values, strict=True)))
    return tuple(found)


def find_sent(
    node: Node, contract: str, address: bytes, sequence: int, *, first_block: int
) -> SentTransaction | None:
    """The transaction that wrote a line of a contract's journal; None where the node shows none."""
    topics = [
        _hex(topic) for topic in ContractEvents(contract, load_artifact(contract).abi).journal
    ]
    query = {
        "fromBlock": hex(first_block),
        "toBlock": "latest",
        "address": _hex(address),
        "topics": [topics, _hex(sequence.to_bytes(32, "big"))],
    }
    logs = node.ask("eth_getLogs", (query,), list[_Log])
    if not logs:
        return None
    shape: Any = TransactionAnswer | None
    hash_text = logs[0].transaction_hash
    found = node.ask("eth_getTransactionByHash", (hash_text,), shape)
    sender: Any = _Sender | None
    sent_by = node.ask("eth_getTransactionByHash", (hash_text,), sender)
    if found is None or sent_by is None:
        return None
    return SentTransaction(
        hash=bytes.fromhex(hash_text[2:]),
        sender=bytes.fromhex(sent_by.sender[2:]),
        to=bytes.fromhex((found.to or "0x")[2:]),
        calldata=bytes.fromhex(found.input[2:]),
        nonce=int(found.nonce, 16),
        raw=encode_transaction(found),
        block_number=int(found.block_number, 16),
    )


def gas_limit_of(raw: bytes) -> int:
    """The gas limit of a transaction that we signed (EIP-1559)."""
    fields = decode(raw[1:])
    assert isinstance(fields, list), "we signed it"  # noqa: S101
    return decode_int(fields[_GAS_LIMIT])


def _number(log: _Log, position: int) -> int:
    return int(log.topics[position], 16) if len(log.topics) > position else 0


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
