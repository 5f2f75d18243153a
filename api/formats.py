"""How values are written at the edge: bytes as 0x hex, times as RFC 3339 in UTC, addresses checked.

One place, so that JSON, HTML and error texts cannot write the same value in two ways.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from ledger.chain.addresses import show_address
from ledger.errors import InvalidValue

NO_DIGEST = bytes(32)
"""What the chain holds where there is no commitment."""

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_BYTES_32 = re.compile(r"0x[0-9a-fA-F]{64}")

show_address_once = lru_cache(maxsize=4096)(show_address)
"""`show_address`, which hashes, for the few accounts that most answers name."""


def show_bytes(raw: bytes) -> str:
    """0x hex."""
    return "0x" + raw.hex()


def show_digest(raw: bytes) -> str | None:
    """0x hex of 32 bytes, None for the zeros that stand for nothing."""
    return None if raw == NO_DIGEST else "0x" + raw.hex()


@lru_cache(maxsize=4096)
def show_time(seconds: int) -> str:
    """RFC 3339 of seconds since 1970 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show_milliseconds(milliseconds: int) -> str:
    """RFC 3339 of milliseconds since 1970 UTC."""
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{milliseconds % 1000:03d}Z"


def parse_time(field: str, text: str) -> int:
    """Whole seconds since 1970 UTC of an RFC 3339 time. Raises InvalidValue naming `field`."""
    refused = InvalidValue(
        field=field, value=text, expected="a time such as 2026-01-31T08:00:00Z (RFC 3339)"
    )
    # A plus sign that was not escaped in a URL arrives as a space.
    text = text.replace(" ", "+") if text.count(" ") == 1 and text[10:11] in "Tt" else text
    if not _RFC_3339.fullmatch(text):
        raise refused
    try:
        return int(datetime.fromisoformat(text.upper()).timestamp())
    except (ValueError, OverflowError) as error:
        raise refused from error


def parse_digest(field: str, text: str) -> bytes:
    """32 bytes of 0x hex. Raises InvalidValue naming `field`."""
    if not _BYTES_32.fullmatch(text):
        raise InvalidValue(field=field, value=text, expected="0x and 64 hex digits")
    return bytes.fromhex(text[2:])
