"""Receipts of a block, proved by the header's receipts root, and the logs in them.

The answer to `eth_getBlockReceipts` is encoded again as the block's consensus encodes it, and its
trie's root compared with the header's. What is returned as a log are the very bytes that went into
that root. Fields that the root does not cover (block, transaction hash, positions) are derived from
the place in the trie and from proved transaction hashes, and an answer that names them otherwise
is refused: a node that is wrong there is not to be believed elsewhere.

This is the mirror's hottest path; what it costs is measured by tests/benchmarks/verify_receipts.py.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count, repeat
from typing import NamedTuple, NoReturn, TypeAlias

import msgspec

from ledger.chain.headers import BLOOM_BYTES, Header, bloom_of
from ledger.chain.rlp import (
    NotCanonical,
    decode,
    decode_int,
    encode_int,
    list_head,
    string_head,
)
from ledger.chain.tries import ordered_root
from ledger.domain.ids import BlockNumber, LogIndex
from ledger.errors import NotProved


class LogAnswer(msgspec.Struct, rename="camel", gc=False, kw_only=True):
    """A log as nodes answer it, hex as it came.

    `topics` stays the JSON text of the list: a list of strings for each log takes a third of the
    time of the whole decoding, most of it in Python's garbage collector.
    """

    address: str
    topics: msgspec.Raw
    data: str
    block_hash: str
    block_number: str
    transaction_hash: str
    transaction_index: str
    log_index: str
    removed: bool = False


class ReceiptAnswer(msgspec.Struct, rename="camel", gc=False, kw_only=True):
    """A receipt as nodes answer it, as far as it is proved or compared; hex as it came."""

    logs: list[LogAnswer]
    status: str
    cumulative_gas_used: str
    logs_bloom: str
    transaction_hash: str
    transaction_index: str
    block_hash: str
    block_number: str
    type: str = "0x0"


class Log(NamedTuple):
    """A proved log. `topics` are its topics one after the other, 32 bytes each."""

    block_number: BlockNumber
    log_index: LogIndex
    transaction_index: int
    transaction_hash: bytes
    address: bytes
    topics: bytes
    data: bytes


class Receipt(NamedTuple):
    """A receipt decoded from its consensus encoding; logs are (address, topics, data)."""

    type: int
    succeeded: bool
    cumulative_gas_used: int
    logs_bloom: bytes
    logs: list[tuple[bytes, bytes, bytes]]


_LAST_PLACE = (1 << 63) - 1

_LogFields: TypeAlias = tuple[list[bytes], list[bytes], list[bytes]]
"""The addresses, topics and data of a receipt's logs, side by side."""


def check_receipts(
    header: Header,
    receipts: Sequence[ReceiptAnswer],
    transaction_hashes: Sequence[bytes],
    *,
    addresses: frozenset[bytes] | None = None,
    blooms: bool = True,
) -> list[Log]:
    """Prove all receipts of a block and return its logs in order.

    `transaction_hashes` are all of the block's, proved (`transactions.check_transactions`).
    `addresses` (a set, 20 bytes each) keeps only their logs; all are proved in any case. `blooms`
    also recomputes each bloom from its logs, which takes as long as all the rest: it finds a block
    producer that writes false blooms, but no lying node, since the root covers the blooms too.

    Raises NotProved with the block and what is wrong with it.
    """
    if len(receipts) != len(transaction_hashes):
        raise NotProved(
            block=header.number,
            problem=f"{len(transaction_hashes)} transactions but {len(receipts)} receipts",
        )
    items: list[bytes] = []
    logs: list[Log] = []
    bloom = 0
    first_log = 0
    for index, (receipt, transaction_hash) in enumerate(
        zip(receipts, transaction_hashes, strict=True)
    ):
        _check_places(header, receipt, transaction_hash, index, first_log)
        try:
            item, fields = _encode(receipt)
            bloom |= int(receipt.logs_bloom, 16)
        except ValueError as error:
            raise NotProved(
                block=header.number, problem=f"receipt {index} cannot be encoded: {error}"
            ) from error
        items.append(item)
        if blooms:
            _check_bloom(header, receipt, index, fields)
        found = _logs(header.number, first_log, index, transaction_hash, fields)
        first_log += len(receipt.logs)
        if addresses is None or addresses.issuperset(fields[0]):
            logs += found
        else:
            logs += [log for log in found if log.address in addresses]
    if ordered_root(items) != header.receipts_root:
        raise NotProved(
            block=header.number, problem="the receipts do not give the header's receipts root"
        )
    if bloom != int.from_bytes(header.logs_bloom, "big"):
        raise NotProved(
            block=header.number, problem="the header's bloom is not that of its receipts"
        )
    return logs


def _logs(
    number: BlockNumber, first_log: int, index: int, transaction_hash: bytes, fields: _LogFields
) -> Iterator[Log]:
    """The logs of one receipt, made without a Python frame for each: 0.1 s less in 200,000."""
    rows = zip(
        repeat(number), count(first_log), repeat(index), repeat(transaction_hash), *fields
    )  # fmt: skip
    return map(tuple.__new__, repeat(Log), rows)


def read_log(answer: LogAnswer) -> Log:
    """A log out of `eth_getLogs`, which nothing proves: neither its content nor that it is all.

    Raises ValueError if a field is odd or the log is marked as removed.
    """
    if answer.removed:
        raise ValueError("the log is marked as removed")
    topics = _topics(answer.topics)
    if len(topics) > 4 or len(answer.transaction_hash) != 66:
        raise ValueError("a log has up to four topics, and a transaction of 32 bytes")
    return Log(
        block_number=BlockNumber(_place(answer.block_number)),
        log_index=LogIndex(_place(answer.log_index)),
        transaction_index=_place(answer.transaction_index),
        transaction_hash=unhexlify(answer.transaction_hash[2:]),
        address=_address(answer.address),
        topics=b"".join(topics),
        data=unhexlify(answer.data[2:]),
    )


def _place(text: str) -> int:
    """A number that says where a log stands; nothing proves it, and it goes into the rows."""
    number = int(text, 16)
    if not 0 <= number <= _LAST_PLACE:
        raise ValueError("a place is a natural number below 2^63")
    return number


def encode_receipt(receipt: ReceiptAnswer) -> bytes:
    """The receipt as the block's consensus encodes it (EIP-2718, EIP-658).

    Raises ValueError if a field is odd.
    """
    return _encode(receipt)[0]


def decode_receipt(raw: bytes) -> Receipt:
    """Read a receipt in its consensus encoding, as `encode_receipt` writes it.

    Raises NotCanonical.
    """
    kind = raw[0] if raw[:1] < b"\x80" and raw else 0
    fields = decode(raw[1:] if kind else raw)
    if not isinstance(fields, list) or len(fields) != 4:
        raise NotCanonical("a receipt has four fields")
    status, gas, bloom, logs = fields
    if status not in (b"", b"\x01"):
        raise NotCanonical("a receipt's status is 0 or 1")
    if not isinstance(bloom, bytes) or len(bloom) != BLOOM_BYTES or not isinstance(logs, list):
        raise NotCanonical("a receipt has a bloom of 256 bytes and a list of logs")
    return Receipt(kind, status == b"\x01", decode_int(gas), bloom, [_decode_log(x) for x in logs])


def _decode_log(item: object) -> tuple[bytes, bytes, bytes]:
    match item:
        case [bytes(address), list(topics), bytes(data)] if len(address) == 20 and len(topics) <= 4:
            if all(isinstance(topic, bytes) and len(topic) == 32 for topic in topics):
                return address, b"".join(topics), data
    raise NotCanonical("a log is an address, up to four topics and data")


# --- places -------------------------------------------------------------------------------------


def _check_places(
    header: Header, receipt: ReceiptAnswer, transaction_hash: bytes, index: int, first_log: int
) -> None:
    """Compare what a receipt and its logs say of where they stand with where they do."""
    block_hash, number = "0x" + header.hash.hex(), hex(header.number)
    transaction, position = "0x" + transaction_hash.hex(), hex(index)
    place = (block_hash, number, transaction, position)
    named = (
        receipt.block_hash,
        receipt.block_number,
        receipt.transaction_hash,
        receipt.transaction_index,
    )
    if named != place:
        _refuse_place(header, "a receipt", named, place)
    for log_index, log in enumerate(receipt.logs, start=first_log):
        if log.removed or log.log_index != hex(log_index):
            problem = "is marked as removed" if log.removed else f"is numbered {log.log_index:.20}"
            raise NotProved(block=header.number, problem=f"log {log_index} {problem}")
        if (
            log.transaction_hash != transaction
            or log.block_hash != block_hash
            or log.transaction_index != position
            or log.block_number != number
        ):
            named = (log.block_hash, log.block_number, log.transaction_hash, log.transaction_index)
            _refuse_place(header, f"log {log_index}", named, place)


def _refuse_place(
    header: Header, what: str, named: tuple[str, ...], place: tuple[str, ...]
) -> NoReturn:
    names = ("block hash", "block number", "transaction hash", "transaction index")
    name, found, right = next(
        (name, found, right)
        for name, found, right in zip(names, named, place, strict=True)
        if found != right
    )
    raise NotProved(
        block=header.number, problem=f"{what} names the {name} {found[:66]} instead of {right}"
    )


def _check_bloom(header: Header, receipt: ReceiptAnswer, index: int, fields: _LogFields) -> None:
    addresses, topics, _ = fields
    needles = set(addresses)
    for joined in topics:
        needles.update([joined[at : at + 32] for at in range(0, len(joined), 32)])
    if bloom_of(needles).hex() != receipt.logs_bloom[2:]:
        raise NotProved(
            block=header.number, problem=f"the bloom of receipt {index} is not that of its logs"
        )


# --- encoding -----------------------------------------------------------------------------------

_STATUS = {"0x1": b"\x01", "0x0": b"\x80"}
_BLOOM_HEAD = string_head(BLOOM_BYTES)


def _encode(receipt: ReceiptAnswer) -> tuple[bytes, _LogFields]:
    """The receipt's encoding, and what of its logs went into it. Raises ValueError."""
    kind = int(receipt.type, 16)
    bloom = unhexlify(receipt.logs_bloom[2:])
    if len(bloom) != BLOOM_BYTES:
        raise ValueError("a bloom takes 256 bytes")
    if receipt.status not in _STATUS:
        raise ValueError("a status is 0 or 1")
    parts, fields, length = _encode_logs(receipt.logs)
    before_logs = b"".join(
        (
            _STATUS[receipt.status],
            encode_int(int(receipt.cumulative_gas_used, 16)),
            _BLOOM_HEAD,
            bloom,
            list_head(length),
        )
    )
    prefix = bytes([kind]) if kind else b""
    parts[0] = prefix + list_head(len(before_logs) + length) + before_logs
    return b"".join(parts), fields


def _encode_logs(logs: Sequence[LogAnswer]) -> tuple[list[bytes], _LogFields, int]:
    """The logs' encoding in pieces, with a free place before them; their fields; their length."""
    parts: list[bytes] = [b""]
    addresses: list[bytes] = []
    topics: list[bytes] = []
    datas: list[bytes] = []
    length = 0
    seen: dict[str, bytes] = {}
    for log in logs:
        address = seen.get(log.address)
        if address is None:
            address = seen[log.address] = _address(log.address)
        words = _topics(log.topics)
        data = unhexlify(log.data[2:])
        size = len(data)
        head, topics_head, data_head, taken = _log_shape(
            len(words), -1 if size == 1 and data < b"\x80" else size
        )
        parts += (head, address, topics_head, b"\xa0".join(words), data_head, data)
        length += taken
        addresses.append(address)
        topics.append(b"".join(words))
        datas.append(data)
    return parts, (addresses, topics, datas), length


@lru_cache(maxsize=4096)
def _log_shape(topics: int, size: int) -> tuple[bytes, bytes, bytes, int]:
    """What stands before a log's address, topics and data, and how long the log is in all.

    All logs of an event with static types have one shape. `size` is that of the data, or -1 for a
    single byte below 0x80, which is its own encoding.
    """
    topics_head = list_head(33 * topics) + (b"\xa0" if topics else b"")
    data_head = string_head(size) if size >= 0 else b""
    payload = 21 + len(list_head(33 * topics)) + 33 * topics + len(data_head) + abs(size)
    head = list_head(payload)
    return head + b"\x94", topics_head, data_head, len(head) + payload


def _address(text: str) -> bytes:
    address = unhexlify(text[2:])
    if len(address) != 20:
        raise ValueError("an address takes 20 bytes")
    return address


def _topics(raw: msgspec.Raw) -> list[bytes]:
    """The topics, 32 bytes each, out of the JSON text of their list.

    Written without blanks, four topics are `["0x…","0x…","0x…","0x…"]`, 277 characters, so that
    their digits stand at fixed places. Whatever else stands there is of no matter: what is read is
    what goes into the root.
    """
    text = str(raw, "ascii")
    size = len(text)
    try:
        if size == 277:
            return [
                unhexlify(text[4:68]),
                unhexlify(text[73:137]),
                unhexlify(text[142:206]),
                unhexlify(text[211:275]),
            ]
        if size % 69 == 1:
            return [unhexlify(text[at : at + 64]) for at in range(4, size, 69)]
    except ValueError:
        pass
    topics = [unhexlify(topic[2:]) for topic in _decode_topics(raw)]
    if any(len(topic) != 32 for topic in topics):
        raise ValueError("a topic takes 32 bytes")
    return topics


_decode_topics = msgspec.json.Decoder(list[str]).decode
