"""The clocks of the outbox."""

from __future__ import annotations

import time


def now_in_milliseconds() -> int:
    """The time now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def seconds_awake() -> float:
    """Seconds that only go forward and count while the machine sleeps, where it can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
