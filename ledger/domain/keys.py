"""Short names kept on the chain as bytes32: categories, tiers, reasons, kinds, roles.

A key is 1 to 31 ASCII characters from a small alphabet, so that it reads the same in Solidity,
SQL, a URL and a spreadsheet. A key of other bytes that somebody put on the chain is shown as 0x
hex, never guessed at.
"""

from __future__ import annotations

import re

from ledger.domain.ids import ProgrammeId
from ledger.errors import InvalidValue

KEY_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,29}[a-z0-9])?")

ROLE_NAMES = ("registrar", "issuer", "treasurer", "council", "guardian", "councillor")
DEFAULT_ADMIN = "admin"
DEFAULT_ADMIN_ROLE = bytes(32)


def encode_key(key: str, field: str = "key") -> bytes:
    """The 32 bytes of a key. Raises InvalidValue naming `field`."""
    if not KEY_PATTERN.fullmatch(key):
        raise InvalidValue(
            field=field,
            value=key,
            expected="1 to 31 lower-case letters, digits, dots, dashes or underscores",
        )
    return key.encode("ascii").ljust(32, b"\0")


def decode_key(raw: bytes) -> str:
    """The key of 32 bytes, or their 0x hex where they are no key."""
    text = raw.rstrip(b"\0").decode("ascii", errors="replace")
    if KEY_PATTERN.fullmatch(text):
        return text
    return "0x" + raw.hex()


def recode_key(text: str) -> bytes:
    """The 32 bytes that `decode_key` showed as this text; zeros for none."""
    if not text:
        return bytes(32)
    return bytes.fromhex(text[2:]) if text.startswith("0x") else encode_key(text)


def encode_role(name: str, programme_id: ProgrammeId) -> bytes:
    """A role's 32 bytes: its name in the high bytes, the programme in the low two."""
    if name not in ROLE_NAMES:
        raise InvalidValue(field="role", value=name, expected="one of " + ", ".join(ROLE_NAMES))
    return name.encode("ascii").ljust(30, b"\0") + programme_id.to_bytes(2, "big")


def decode_role(raw: bytes) -> tuple[str, ProgrammeId]:
    """A role's name and programme; the default admin is ("admin", 0)."""
    if raw == DEFAULT_ADMIN_ROLE:
        return DEFAULT_ADMIN, ProgrammeId(0)
    return decode_key(raw[:30] + b"\0\0"), ProgrammeId(int.from_bytes(raw[30:], "big"))
