"""Where a line stands, and how it is objected to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ledger.audit.findings import Finding

Object = Callable[[Finding], None]

_SHOWN = 64
"""Bytes of a value that a finding shows; calldata can hold megabytes where an address should be."""


@dataclass(slots=True)
class Place:
    """The log that is being looked at: its block, time, place in it, transaction and contract."""

    say: Object
    block: int = 0
    time: int = 0
    log_index: int = 0
    transaction: bytes = b""
    contract: str = ""
    sequence: int = 0

    def object(self, code: str, **values: Any) -> None:
        """Object to the line."""
        shown = {
            name: "0x" + value[:_SHOWN].hex() if isinstance(value, bytes) else value
            for name, value in values.items()
        }
        row = f"{self.contract} {self.sequence}"
        self.say(Finding(code, row, shown, self.block, self.log_index))

    def require(self, holds: bool, code: str, **values: Any) -> None:
        """Object to the line unless something holds."""
        if not holds:
            self.object(code, **values)
