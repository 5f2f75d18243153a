"""A membership and contribution ledger whose truth is on a chain and whose answers are in SQL."""

from __future__ import annotations

__version__ = "0.1.0"
