"""What every command's values must be before anything is signed, in words that name the field.

Only what no contract needs to be asked about is checked here: ranges and empty lists. Whether a
member exists or a budget suffices is the contract's to say, and its error is shown as it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from ledger.domain.ids import MAX_ORG_ID, MAX_PROGRAMME_ID
from ledger.errors import InvalidValue

MAX_AMOUNT = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""

MAX_APPROVALS = 16
"""The most approvals that a proposal can need, as in Programmes.sol."""

LATEST_TIME = 253_402_300_799
"""The end of the year 9999, as in Times.sol."""


def check_range(field: str, value: int, low: int, high: int) -> None:
    """Raise InvalidValue unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidValue(field=field, value=value, expected=f"a whole number, {low} to {high}")


def check_programme(programme_id: int) -> None:
    """Raise InvalidValue unless it can be a programme's id."""
    check_range("programme", programme_id, 1, MAX_PROGRAMME_ID)


def check_organisation(org_id: int) -> None:
    """Raise InvalidValue unless it can be an organisation's id."""
    check_range("organisation", org_id, 1, MAX_ORG_ID)


def check_time(field: str, seconds: int) -> None:
    """Raise InvalidValue unless it is a time from 1970 to 9999, in seconds."""
    check_range(field, seconds, 1, LATEST_TIME)


def check_some(field: str, values: Sequence[object]) -> None:
    """Raise InvalidValue for an empty list."""
    if not values:
        raise InvalidValue(field=field, value="nothing", expected="one or more")


def check_distinct(field: str, values: Iterable[Hashable]) -> None:
    """Raise InvalidValue for the first value that stands there twice."""
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise InvalidValue(field=field, value=value, expected="named once")
        seen.add(value)


def count_of(number: int, noun: str) -> str:
    """`1 award`, `3 awards`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
