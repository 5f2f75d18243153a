"""What the seeded ledger holds, and how a test finds it: fixed blocks, accounts, and the roster."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROSTER = Path(__file__).parents[2] / "ledger" / "data" / "roster"

DAY = 86_400
BEGINNING = 1_740_787_200  # 2025-03-01T00:00:00Z
BLOCKS = 121
BLOCK_SECONDS = 2 * DAY + DAY // 2
LAST_BLOCK = BLOCKS - 1
TERM_END = BEGINNING + 900 * DAY

PROGRAMME_KEYS = ("alliance", "community", "fund-group")
CHAIN_ID = 31337
NO_BYTES = bytes(32)

LAPSED = "yuanhang"
SUSPENDED = "spacety"
DECLINED = "huawei"
STRANGER = 45
"""An organisation that the office has no profile of; its membership was revoked."""

CATEGORY_OF_SEGMENT = {
    "satellite": ("satellite.manufacture", "factory.capacity"),
    "rocket": ("rocket.manufacture", "launch.service"),
    "data": ("data.acquire", "data.intelligence"),
    "components": ("satellite.manufacture", "scenario.delivery"),
    "ground": ("ground.terminal", "data.transmit"),
    "base": ("scenario.delivery", "data.use"),
    "capital": ("capital.commitment", "capital.introduction"),
    "research": ("event.keynote", "talent.training"),
}


def hash_of(*parts: object) -> bytes:
    """32 bytes that stand for something."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()


def account_of(name: object) -> bytes:
    """20 bytes of an account."""
    return hash_of("account", name)[:20]


def time_of(block: int) -> int:
    """A block's time."""
    return BEGINNING + block * BLOCK_SECONDS


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of a file of the roster."""
    with (ROSTER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(slots=True)
class Seeded:
    """What was written, for tests to compare answers with."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    org_ids: dict[str, int] = field(default_factory=dict)
    members: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    evidence: list[bytes] = field(default_factory=list)

    def balance(self, programme: str, org_id: int, block: int = LAST_BLOCK) -> int:
        """The sum of an organisation's entries up to a block."""
        programme_id = PROGRAMME_KEYS.index(programme) + 1
        return sum(
            entry["amount"]
            for entry in self.entries
            if entry["programme_id"] == programme_id
            and entry["org_id"] == org_id
            and entry["block_number"] <= block
        )
