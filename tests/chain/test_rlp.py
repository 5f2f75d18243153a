"""RLP against the `rlp` package: what it writes, what it reads, what it refuses."""

from __future__ import annotations

import pytest
import rlp as oracle
from hypothesis import example, given
from hypothesis import strategies as st
from rlp.exceptions import RLPException

from ledger.chain.rlp import (
    Item,
    NotCanonical,
    decode,
    decode_int,
    encode,
    encode_bytes,
    encode_int,
    encode_list,
    list_head,
    string_head,
)

ITEMS: st.SearchStrategy[Item] = st.recursive(
    st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=20
)


@given(ITEMS)
def test_encode__any_item__is_what_the_oracle_writes(item: Item) -> None:
    assert encode(item) == oracle.encode(item)


@given(ITEMS)
def test_decode__what_encode_wrote__is_the_item(item: Item) -> None:
    assert decode(encode(item)) == item


@pytest.mark.parametrize("length", [0, 1, 55, 56, 255, 256, 65_535, 65_536])
def test_encode__strings_and_lists_at_each_length_of_a_head__are_the_oracle_s(length: int) -> None:
    text = b"\xaa" * length
    assert encode_bytes(text) == oracle.encode(text)
    assert string_head(length) + text == oracle.encode(text) or length == 1
    assert encode_list([b"\x01"] * length) == list_head(length) + b"\x01" * length
    assert oracle.decode(encode_list([b"\x01"] * min(length, 300))) == [b"\x01"] * min(length, 300)


@given(st.integers(min_value=0, max_value=1 << 260))
@example(0)
@example(0x7F)
@example(0x80)
def test_encode_int__any_number__is_the_oracle_s_and_reads_back(number: int) -> None:
    encoded = encode_int(number)
    assert encoded == oracle.encode(number)
    assert decode_int(decode(encoded)) == number


def test_encode_int__negative__is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        encode_int(-1)


@given(st.binary(max_size=80))
@example(b"")
@example(b"\x81\x05")
@example(b"\xb8\x01\x80")
@example(b"\xb8\x37" + bytes(0x37))
@example(b"\xb9\x00\x40" + bytes(0x40))
@example(b"\xf8\x01\x80")
@example(b"\xc2\x81")
@example(b"\xbf" + b"\xff" * 8)
@example(b"\xff" + b"\xff" * 8)
def test_decode__any_bytes__reads_only_what_encode_would_write(data: bytes) -> None:
    try:
        item = decode(data)
    except NotCanonical:
        with pytest.raises(RLPException):
            oracle.decode(data, strict=True)
    else:
        assert encode(item) == data
        assert oracle.decode(data) == item


def test_decode__lists_nested_beyond_bounds__are_refused() -> None:
    nested: Item = []
    for _ in range(16):
        nested = [nested]
    with pytest.raises(NotCanonical, match="nested"):
        decode(encode(nested))
    assert decode(encode(nested[0])) == nested[0]


@pytest.mark.parametrize("item", [b"\x00", b"\x00\x01", []])
def test_decode_int__leading_zeros_or_a_list__are_refused(item: Item) -> None:
    with pytest.raises(NotCanonical):
        decode_int(item)
