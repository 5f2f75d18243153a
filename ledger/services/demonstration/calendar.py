"""The season's place in time, and the calendar's quarters; all in seconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 86_400
SEASON_SECONDS = 300 * DAY

_FIRST_TERM_SECONDS = 182 * DAY


def season_start(now: int) -> int:
    """When a chain must begin for its season to end at `now`, on a full hour."""
    return (now - SEASON_SECONDS) // 3600 * 3600


def first_term_end(start: int) -> int:
    """When the memberships of the founding days end, at midnight."""
    return midnight(start + _FIRST_TERM_SECONDS)


def quarter_boundaries(start: int, years: int) -> tuple[int, ...]:
    """The calendar's quarters: the one that `start` falls in, and on for some years."""
    begin = datetime.fromtimestamp(start, UTC)
    first = begin.year * 4 + (begin.month - 1) // 3
    return tuple(
        int(datetime(quarter // 4, quarter % 4 * 3 + 1, 1, tzinfo=UTC).timestamp())
        for quarter in range(first, first + 4 * years + 1)
    )


def midnight(time: int) -> int:
    """The last midnight at or before a time."""
    return time // DAY * DAY
