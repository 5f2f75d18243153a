"""Keccak-256 against known hashes and another implementation."""

from __future__ import annotations

from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.keccak import keccak256


def test_keccak256__of_nothing__is_the_hash_that_ethereum_knows() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == empty


@given(st.binary(max_size=700))
def test_keccak256__of_any_bytes__is_what_pycryptodome_says(data: bytes) -> None:
    assert keccak256(data) == keccak.new(digest_bits=256, data=data).digest()
