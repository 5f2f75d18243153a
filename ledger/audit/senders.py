"""Signed transactions read back: who sent one, to whom, with which calldata.

What is signed is made again from the transaction's own bytes, so that a sender who is recovered is
whoever signed exactly these bytes for exactly this chain. A transaction that is not written in the
one canonical way, of another chain, or with a signature that chains refuse, is refused.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.chain.keccak import keccak256
from ledger.chain.rlp import Item, NotCanonical, decode, decode_int, encode, encode_int, encode_list
from ledger.chain.signers import recover_address

_LEGACY_FIELDS = 9
# Of each type: how many fields, and where gas limit is followed by receiver, value and data.
_TYPES = {1: (11, 4), 2: (12, 5), 3: (14, 5), 4: (13, 5)}
_BEFORE_EIP155 = (27, 28)


class Sent(NamedTuple):
    """A transaction's sender, its receiver (empty where it makes a contract), and its calldata."""

    sender: bytes
    to: bytes
    data: bytes


def read_sent(raw: bytes, chain_id: int) -> Sent:
    """Who sent a transaction. Raises NotCanonical, and ValueError for a wrong signature."""
    if not raw:
        raise NotCanonical("a transaction is empty")
    if raw[0] >= 0xC0:
        return _read_legacy(raw, chain_id)
    count, to = _TYPES.get(raw[0], (0, 0))
    fields = decode(raw[1:])
    if isinstance(fields, bytes) or len(fields) != count:
        raise NotCanonical("a transaction has other fields than its type")
    if decode_int(fields[0]) != chain_id:
        raise ValueError(f"it is signed for chain {decode_int(fields[0])}")
    signed = encode_list([encode(field) for field in fields[:-3]])
    sender = _recover(keccak256(raw[:1] + signed), decode_int(fields[-3]), fields[-2:])
    return _sent(sender, fields, to)


def _read_legacy(raw: bytes, chain_id: int) -> Sent:
    fields = decode(raw)
    if isinstance(fields, bytes) or len(fields) != _LEGACY_FIELDS:
        raise NotCanonical("a transaction has nine fields")
    parts = [encode(field) for field in fields[:6]]
    v = decode_int(fields[6])
    if v in _BEFORE_EIP155:
        parity = v - 27
    elif v - 35 - 2 * chain_id in (0, 1):
        parity = v - 35 - 2 * chain_id
        parts += [encode_int(chain_id), encode_int(0), encode_int(0)]
    else:
        raise ValueError("it is signed for another chain")
    return _sent(_recover(keccak256(encode_list(parts)), parity, fields[7:]), fields, 3)


def _recover(digest: bytes, parity: int, rest: list[Item]) -> bytes:
    r, s = (decode_int(each) for each in rest)
    if parity > 1 or max(r, s) >= 1 << 256:
        raise ValueError("it is no signature")
    return recover_address(digest, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity]))


def _sent(sender: bytes, fields: list[Item], at: int) -> Sent:
    to, data = fields[at], fields[at + 2]
    if isinstance(to, list) or isinstance(data, list) or len(to) not in (0, 20):
        raise NotCanonical("a receiver is an address, and calldata are a string")
    return Sent(sender, to, data)
