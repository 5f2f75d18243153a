"""Files that ship with the package: the alliance's roster, and what a demonstration is made of."""

from __future__ import annotations

from pathlib import Path

ROSTER = Path(__file__).parent / "roster"
DEMONSTRATION = Path(__file__).parent / "demonstration"
