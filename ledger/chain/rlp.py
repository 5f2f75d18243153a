"""RLP, the encoding that every hash of a block is taken over (Yellow Paper, appendix B).

Written for the shapes of headers, receipts, transactions and trie nodes: callers join parts that
are encoded already and put a list's head before them, so that a receipt of 10 kB is copied once.
Decoding is strict: a second way to write the same value is refused, since two encodings of one
value would be two hashes of one fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Item: TypeAlias = "bytes | list[Item]"

EMPTY_STRING = b"\x80"
EMPTY_LIST = b"\xc0"

_SHORT = 55
_DEEPEST = 16
_LARGE = 1 << 20
_MOST_ITEMS = 1 << 20
"""Items of something larger than a megabyte: an empty list of one byte takes 64 bytes of memory."""

_LENGTHS = [bytes([n]) for n in range(256)]


class NotCanonical(ValueError):
    """The bytes are not RLP, or not the one way to write this value."""


def _head(length: int, base: int) -> bytes:
    if length <= _SHORT:
        return _LENGTHS[base + length]
    size = (length.bit_length() + 7) >> 3
    return _LENGTHS[base + _SHORT + size] + length.to_bytes(size, "big")


def list_head(length: int) -> bytes:
    """The head of a list whose encoded items take `length` bytes together."""
    return _head(length, 0xC0)


def string_head(length: int) -> bytes:
    """The head of a string of `length` bytes; not for one byte below 0x80, which has none."""
    return _head(length, 0x80)


def encode_bytes(value: bytes) -> bytes:
    """Encode a string of bytes."""
    if len(value) == 1 and value[0] < 0x80:
        return value
    return _head(len(value), 0x80) + value


def encode_int(value: int) -> bytes:
    """Encode a natural number: big endian without leading zeros, zero being the empty string.

    Raises ValueError for a negative number.
    """
    if value < 0x80:
        if value > 0:
            return _LENGTHS[value]
        if value == 0:
            return EMPTY_STRING
        raise ValueError("a negative number has no RLP")
    size = (value.bit_length() + 7) >> 3
    return _head(size, 0x80) + value.to_bytes(size, "big")


def encode_list(encoded: Iterable[bytes]) -> bytes:
    """Put items that are encoded already into a list."""
    payload = b"".join(encoded)
    return _head(len(payload), 0xC0) + payload


def encode(item: Item) -> bytes:
    """Encode bytes and lists of them, nested as they come."""
    if isinstance(item, list):
        return encode_list([encode(part) for part in item])
    return encode_bytes(item)


def decode(data: bytes) -> Item:
    """Decode one item that takes all of `data`.

    Raises NotCanonical for anything that `encode` would not have written, for lists nested deeper
    than 16 (nothing of a block nests deeper than 5), and for a million items and more.
    """
    if len(data) > _LARGE:
        _refuse_many(data)
    item, end = _decode_at(data, 0, len(data), _DEEPEST)
    if end != len(data):
        raise NotCanonical(f"{len(data) - end} bytes are left over")
    return item


def decode_int(value: Item) -> int:
    """The natural number that a decoded string stands for; refuses leading zeros and lists."""
    if isinstance(value, list) or value[:1] == b"\0":
        raise NotCanonical("not a number without leading zeros")
    return int.from_bytes(value, "big")


def _refuse_many(data: bytes) -> None:
    """Count the items, before any of them takes memory. Raises NotCanonical."""
    at, count, end = 0, 0, len(data)
    while at < end:
        count += 1
        if count > _MOST_ITEMS:
            raise NotCanonical("it has too many items")
        first = data[at]
        if 0x80 <= first < 0xC0:
            _, at = _span(data, at, end, 0x80)
        elif first <= 0xC0 + _SHORT:
            at += 1
        else:
            at += 1 + first - 0xC0 - _SHORT


def _decode_at(data: bytes, at: int, stop: int, depth: int) -> tuple[Item, int]:
    if at >= stop:
        raise NotCanonical("an item is missing")
    first = data[at]
    if first < 0x80:
        return data[at : at + 1], at + 1
    if first < 0xC0:
        start, end = _span(data, at, stop, 0x80)
        if end - start == 1 and data[start] < 0x80:
            raise NotCanonical("a single small byte has a head")
        return data[start:end], end
    if depth == 0:
        raise NotCanonical("lists are nested too deep")
    start, end = _span(data, at, stop, 0xC0)
    items: list[Item] = []
    while start < end:
        item, start = _decode_at(data, start, end, depth - 1)
        items.append(item)
    return items, end


def _span(data: bytes, at: int, stop: int, base: int) -> tuple[int, int]:
    """Where the payload of the item at `at` begins and ends."""
    length = data[at] - base
    start = at + 1
    if length > _SHORT:
        size = length - _SHORT
        if start + size > stop:
            raise NotCanonical("a length is cut short")
        length = int.from_bytes(data[start : start + size], "big")
        if length <= _SHORT or data[start] == 0:
            raise NotCanonical("a length is not written in the shortest way")
        start += size
    if start + length > stop:
        raise NotCanonical("an item is cut short")
    return start, start + length
