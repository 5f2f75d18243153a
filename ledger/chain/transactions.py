"""Transactions of a block, proved by the header's transactions root, and so their true hashes.

Receipts do not hold the hash of their transaction, so a receipts root cannot prove one. The
transactions root can: it covers every signed transaction, and the hash is that of the same bytes.
It takes all transactions of the block. They come as full objects from `eth_getBlockBy…(…, true)`
and are encoded again, because every node serves those and they bring the header along; raw bytes
by index (`eth_getRawTransactionByBlockHashAndIndex`) Besu does not serve, and anvil takes twice as
long for them, as it copies the block for each. `debug_getRawBlock`, where it is open, would be
shorter; its transactions can be given to `check_raw_transactions`.

Types: legacy, EIP-2930, EIP-1559, EIP-4844, EIP-7702. Others are refused. So are two things that
only anvil makes: a transaction of an impersonated account, which has no signature and a hash that
is not that of its bytes, and a block with blobs, whose root anvil 1.7 takes over the blobs too.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ledger.chain.headers import Header, HeaderAnswer
from ledger.chain.keccak import keccak256
from ledger.chain.rlp import EMPTY_STRING, encode_bytes, encode_int, encode_list
from ledger.chain.tries import ordered_root
from ledger.errors import NotProved


class AccessAnswer(msgspec.Struct, rename="camel", gc=False):
    """An entry of an access list (EIP-2930)."""

    address: str
    storage_keys: list[str]


class AuthorizationAnswer(msgspec.Struct, rename="camel", gc=False):
    """An entry of an authorization list (EIP-7702)."""

    chain_id: str
    address: str
    nonce: str
    y_parity: str
    r: str
    s: str


class TransactionAnswer(msgspec.Struct, rename="camel", gc=False, kw_only=True):
    """A transaction as nodes answer it, as far as its bytes depend on it; hex as it came."""

    hash: str
    block_hash: str
    block_number: str
    transaction_index: str
    nonce: str
    gas: str
    to: str | None
    value: str
    input: str
    r: str
    s: str
    v: str | None = None
    y_parity: str | None = None
    type: str = "0x0"
    chain_id: str | None = None
    gas_price: str | None = None
    max_priority_fee_per_gas: str | None = None
    max_fee_per_gas: str | None = None
    access_list: list[AccessAnswer] | None = None
    max_fee_per_blob_gas: str | None = None
    blob_versioned_hashes: list[str] | None = None
    authorization_list: list[AuthorizationAnswer] | None = None


class BlockAnswer(HeaderAnswer, rename="camel", kw_only=True):
    """What `eth_getBlockBy…(…, true)` answers."""

    transactions: list[TransactionAnswer]


class Transaction(NamedTuple):
    """A proved transaction: its hash, and the signed bytes that it is the hash of."""

    hash: bytes
    raw: bytes


def check_transactions(
    header: Header, transactions: Sequence[TransactionAnswer]
) -> list[Transaction]:
    """Prove all transactions of a block, in order. Raises NotProved with what is wrong."""
    block_hash, number = "0x" + header.hash.hex(), hex(header.number)
    raws = []
    for index, answer in enumerate(transactions):
        try:
            raws.append(encode_transaction(answer))
        except ValueError as error:
            raise NotProved(
                block=header.number, problem=f"transaction {index} cannot be encoded: {error}"
            ) from error
    proved = check_raw_transactions(header, raws)
    for index, (answer, transaction) in enumerate(zip(transactions, proved, strict=True)):
        place = (answer.block_hash, answer.block_number, answer.transaction_index)
        if place != (block_hash, number, hex(index)):
            raise NotProved(
                block=header.number, problem=f"transaction {index} is said to stand elsewhere"
            )
        if answer.hash != "0x" + transaction.hash.hex():
            raise NotProved(
                block=header.number,
                problem=f"transaction {index} is given the hash {answer.hash:.66} "
                f"instead of 0x{transaction.hash.hex()}",
            )
    return proved


def check_raw_transactions(header: Header, raws: Sequence[bytes]) -> list[Transaction]:
    """Prove the signed bytes of all transactions of a block, in order. Raises NotProved."""
    if ordered_root(raws) != header.transactions_root:
        raise NotProved(
            block=header.number,
            problem="the transactions do not give the header's transactions root",
        )
    return [Transaction(keccak256(raw), raw) for raw in raws]


def encode_transaction(answer: TransactionAnswer) -> bytes:
    """The signed transaction, as a block holds it (EIP-2718). Raises ValueError if it is odd."""
    if answer.type == "0x0":
        return encode_list(_legacy_fields(answer))
    fields = _TYPED.get(answer.type)
    if fields is None:
        raise ValueError(
            f"type {answer.type:.10} is not one that this release can prove (the level `heads` "
            "does without)"
        )
    parity = answer.v if answer.y_parity is None else answer.y_parity
    signature = [_int(parity), _int(answer.r), _int(answer.s)]
    return bytes([int(answer.type, 16)]) + encode_list([*fields(answer), *signature])


# --- the fields of each type ----------------------------------------------------------------------


def _legacy_fields(answer: TransactionAnswer) -> list[bytes]:
    return [
        _int(answer.nonce),
        _int(answer.gas_price),
        *_call(answer),
        _int(answer.v),
        _int(answer.r),
        _int(answer.s),
    ]


def _access_list_fields(answer: TransactionAnswer) -> list[bytes]:
    return [
        _int(answer.chain_id),
        _int(answer.nonce),
        _int(answer.gas_price),
        *_call(answer),
        _access_list(answer),
    ]


def _fee_market_fields(answer: TransactionAnswer) -> list[bytes]:
    return [
        _int(answer.chain_id),
        _int(answer.nonce),
        _int(answer.max_priority_fee_per_gas),
        _int(answer.max_fee_per_gas),
        *_call(answer),
        _access_list(answer),
    ]


def _blob_fields(answer: TransactionAnswer) -> list[bytes]:
    hashes = answer.blob_versioned_hashes or []
    return [
        *_fee_market_fields(answer),
        _int(answer.max_fee_per_blob_gas),
        encode_list([_bytes(value) for value in hashes]),
    ]


def _set_code_fields(answer: TransactionAnswer) -> list[bytes]:
    return [
        *_fee_market_fields(answer),
        encode_list([_authorization(entry) for entry in answer.authorization_list or []]),
    ]


_TYPED = {
    "0x1": _access_list_fields,
    "0x2": _fee_market_fields,
    "0x3": _blob_fields,
    "0x4": _set_code_fields,
}


def _call(answer: TransactionAnswer) -> list[bytes]:
    to = EMPTY_STRING if answer.to is None else _bytes(answer.to)
    return [_int(answer.gas), to, _int(answer.value), _bytes(answer.input)]


def _access_list(answer: TransactionAnswer) -> bytes:
    return encode_list(
        [
            encode_list(
                [
                    _bytes(entry.address),
                    encode_list([_bytes(key) for key in entry.storage_keys]),
                ]
            )
            for entry in answer.access_list or []
        ]
    )


def _authorization(entry: AuthorizationAnswer) -> bytes:
    return encode_list(
        [
            _int(entry.chain_id),
            _bytes(entry.address),
            _int(entry.nonce),
            _int(entry.y_parity),
            _int(entry.r),
            _int(entry.s),
        ]
    )


def _int(text: str | None) -> bytes:
    if text is None:
        raise ValueError("a number is missing")
    return encode_int(int(text, 16))


def _bytes(text: str) -> bytes:
    return encode_bytes(unhexlify(text[2:]))
