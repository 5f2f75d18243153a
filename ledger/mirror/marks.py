"""A block by number, hash and time: what the mirror keeps of each block. Needs no database."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.headers import Header
from ledger.domain.ids import BlockNumber


@dataclass(frozen=True, slots=True)
class BlockMark:
    """A block by number and hash, with its time in seconds since 1970 UTC."""

    number: BlockNumber
    hash: bytes
    timestamp: int

    @classmethod
    def of(cls, header: Header) -> BlockMark:
        """The mark of a proved header."""
        return cls(header.number, header.hash, header.timestamp)
