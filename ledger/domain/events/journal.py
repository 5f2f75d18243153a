"""What every journal event has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """A journal event; `sequence` counts its contract's events from 1 without gaps."""

    sequence: int
