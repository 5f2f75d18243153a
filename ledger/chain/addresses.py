"""Addresses as people write them: 0x hex with the checksum of EIP-55.

A mixed-case address whose checksum is wrong was mistyped, and is refused.
"""

from __future__ import annotations

import re

from ledger.chain.keccak import keccak256
from ledger.errors import InvalidValue

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def show_address(raw: bytes) -> str:
    """The EIP-55 text of 20 bytes."""
    plain = raw.hex()
    mask = keccak256(plain.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(bit, 16) >= 8 else digit
        for digit, bit in zip(plain, mask, strict=False)
    )


def parse_address(text: str, field: str = "address") -> bytes:
    """The 20 bytes of an address, which is all of one case or has its EIP-55 checksum.

    Raises InvalidValue naming `field`; the zero address is refused, since it is nobody.
    """
    if not _ADDRESS.fullmatch(text):
        raise InvalidValue(field=field, value=text, expected="an address (0x and 40 hex digits)")
    raw = bytes.fromhex(text[2:])
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and show_address(raw) != text:
        raise InvalidValue(field=field, value=text, expected="an address with a right checksum")
    if not any(raw):
        raise InvalidValue(field=field, value=text, expected="somebody's address")
    return raw
