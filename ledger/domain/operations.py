"""The ids by which what somebody asked for is known: 32 bytes, chosen off the chain.

A contract does an operation once. So an id that is derived from what is asked makes repeating a
whole job harmless, and a random one makes two equal requests two operations.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from ledger.errors import InvalidValue

OPERATION_ID_BYTES = 32

_HEX = re.compile(r"0x[0-9a-fA-F]{64}")


def new_operation_id() -> bytes:
    """A random id."""
    return secrets.token_bytes(OPERATION_ID_BYTES)


def derive_operation_id(purpose: str, *parts: bytes) -> bytes:
    """The id that stands for these bytes: SHA-256 of the purpose and of each part's length and it.

    The length (eight bytes, big endian) before each part keeps two lists of parts from meaning the
    same bytes.
    """
    hasher = hashlib.sha256(purpose.encode("utf-8") + b"\n")
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big") + part)
    return hasher.digest()


def parse_operation_id(text: str) -> bytes:
    """The 32 bytes of 0x hex. Raises InvalidValue; zero is refused, as the contracts do."""
    if not _HEX.fullmatch(text) or not any(found := bytes.fromhex(text[2:])):
        raise InvalidValue(
            field="operation id", value=text, expected="0x and 64 hex digits, not all of them zero"
        )
    return found
