"""Epochs as the contract `Programmes` counts them: half-open times between numbered boundaries."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


def epoch_at(boundaries: Sequence[int], time: int) -> int:
    """The epoch at a time; 0 before the first boundary and from the last one on.

    `boundaries` grow; boundary n, counted from 1, begins epoch n and ends the one before.
    """
    number = bisect_right(boundaries, time)
    return 0 if number == len(boundaries) else number
