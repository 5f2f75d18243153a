"""Reads the cells of a row as the values that they mean, and tells of each that means none.

All that is wrong with a row is told at once. It refuses to guess: no thousands separators, no
decimals that happen to be whole, no dates of an order that depends on the country.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from ledger.chain.addresses import parse_address
from ledger.domain.keys import encode_key
from ledger.errors import InvalidValue
from ledger.services.checks import LATEST_TIME, MAX_AMOUNT
from ledger.services.spreadsheets.records import CellKind
from ledger.services.spreadsheets.tables import Problem, Row

T = TypeVar("T")

MAX_REFERENCE = 64

_MOST_DIGITS = 25
_SLASHED = re.compile(r"([0-9]{4})[/年]([0-9]{1,2})[/月]([0-9]{1,2})日?")
_DAY = len("2027-01-31")
_SHOWN = 60


class Cells:
    """One row on its way to values; `problems` are what was wrong so far."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.problems: list[Problem] = list(row.problems)
        self._told = {problem.field for problem in row.problems}

    def refuse(self, column: str, expected: str) -> None:
        """Say that a cell is not what it should be, unless something was said of it before."""
        if column not in self._told:
            self._told.add(column)
            text = self.row[column]
            shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
            self.problems.append(Problem(column, shown, expected))

    def text(self, column: str, *, most: int, is_required: bool = False) -> str:
        """A cell of plain text."""
        text = self.row[column]
        if is_required and not text:
            self.refuse(column, "filled in")
        if len(text) > most:
            self.refuse(column, f"at most {most} characters long")
        return text

    def reference(self) -> str:
        """The row's own name, empty for none."""
        return self.text("reference", most=MAX_REFERENCE)

    def amount(self, column: str) -> int:
        """Whole credits; 0 where they are wrong."""
        text, kind = self.row[column], self.row.kinds.get(column)
        expected = f"a whole number in digits, 1 to {MAX_AMOUNT}"
        if kind in (CellKind.DATE, CellKind.BOOLEAN):
            self.refuse(column, f"{expected}; the cell is a {kind.value}")
            return 0
        is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        if not is_number or not 1 <= int(text) <= MAX_AMOUNT:
            self.refuse(column, expected)
            return 0
        return int(text)

    def key(self, column: str, *, is_required: bool = False) -> str:
        """A key such as `data.acquire`, empty for none."""
        text = self.text(column, most=100, is_required=is_required)
        if text:
            self._try(column, lambda: encode_key(text, column))
        return text

    def account(self, column: str) -> bytes:
        """An account, 20 bytes; empty where it is wrong."""
        text = self.text(column, most=100, is_required=True)
        return self._try(column, lambda: parse_address(text, column)) or b""

    def time(self, column: str) -> int:
        """Seconds since 1970 UTC of a day or a time; 0 for an empty cell or a wrong one."""
        text, kind = self.row[column], self.row.kinds.get(column)
        expected = "a day such as 2027-01-31, or a time such as 2027-01-31T08:00:00Z"
        if not text:
            return 0
        if kind is CellKind.NUMBER:
            self.refuse(column, expected + "; the cell is a number, format it as a date")
            return 0
        slashed = _SLASHED.fullmatch(text)
        if slashed is not None:
            year, month, day = slashed.groups()
            text = f"{year}-{int(month):02}-{int(day):02}"
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.refuse(column, expected)
            return 0
        has_zone = found.tzinfo is not None or len(text) == _DAY or kind is CellKind.DATE
        seconds = int(
            (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
        )
        if not has_zone or not 1 <= seconds <= LATEST_TIME:
            self.refuse(column, expected)
            return 0
        return seconds

    def _try(self, column: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InvalidValue as error:
            self.refuse(column, str(error.values["expected"]))
            return None
