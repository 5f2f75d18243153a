"""Bitstring Status Lists (W3C, version 1.0): one bit for each credential that can be asked about.

A bit is set for what is not in force. What nobody vouches for has its bit set, too: the list says
which credentials hold, so one of a number that was never used is refused like a revoked one. One
that was given of a history that a reorganisation took back is refused until its number is another
member's; that its block is none of the chain's, only the chain tells.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from ledger.office.credentials.jose import encode_base64url

LENGTH = 131_072
"""Bits of one list: the least that the standard allows, so that nobody's interest shows."""


def encode_in_force(indexes: Iterable[int]) -> str:
    """The `encodedList` in which the bits of these indexes, 0 to LENGTH - 1, are clear alone.

    Index 0 is the highest bit of the first byte; GZIP, then multibase base64url ("u").
    """
    bits = bytearray(b"\xff" * (LENGTH // 8))
    for index in indexes:
        bits[index // 8] &= ~(0x80 >> index % 8)
    return "u" + encode_base64url(gzip.compress(bytes(bits), mtime=0))
