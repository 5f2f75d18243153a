"""The one event of the credit journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class EntryKind(IntEnum):
    """What an entry is, as in `ICredits.Kind`."""

    AWARD = 1
    REVERSAL = 2
    REDEMPTION = 3
    REFUND = 4
    EXPIRY = 5
    CARRY_OVER = 6


@dataclass(frozen=True, slots=True)
class EntryPosted:
    """A line of the credit journal; its id is the sequence."""

    entry_id: int
    programme_id: int
    org_id: int
    kind: int
    category: bytes
    amount: int
    balance_after: int
    evidence: bytes
    refers_to: int
    actor: bytes
    operation_id: bytes
