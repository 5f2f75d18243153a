"""Reads the records of a workbook's sheet one after the other, in memory that does not grow.

A cell becomes the text that it means: a whole number without a point, a date as 2027-01-31. What
cannot be meant (a formula, an error, a number that was rounded, a row that is hidden) is given with
its kind, for whoever reads to refuse it by line and column; merged cells are refused here, since
the rows below the first would seem empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from ledger.services.spreadsheets.records import CellKind, Record
from ledger.services.spreadsheets.xlsx_book import (
    MAX_CELL_CHARACTERS,
    Book,
    SharedTexts,
    open_book,
    unescape,
)
from ledger.services.spreadsheets.xlsx_package import Handlers, Package

MAX_COLUMNS = 256
MAX_SHEET_ROWS = 1_048_576

_FIRST_ROUNDED = 10**15
_DAY = 86_400
_FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC)
"""Day 0. Excel has a 29 February 1900, which was none: below day 61 it is a day behind."""
_FIRST_DAY_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_LEAP_DAY = 61
_TRUE = ("1", "true")


def xlsx_records(path: Path, content: BinaryIO, *, sheet: str = "") -> Iterator[Record]:
    """Records that are not blank, each with its row's number. Raises InvalidFile."""
    content.seek(0)
    texts = SharedTexts()
    try:
        package = Package(path, content)
        book = open_book(package, texts, sheet=sheet)
        yield from _Sheet(package, book).records()
    finally:
        texts.close()


class _Sheet:
    """What is known in the middle of a sheet."""

    def __init__(self, package: Package, book: Book) -> None:
        self._package = package
        self._book = book
        self._done: list[Record] = []
        self._line = 0
        self._is_hidden = False
        self._cells: list[str] = []
        self._kinds: dict[int, CellKind] = {}
        self._column = -1
        self._type = ""
        self._style = ""
        self._has_formula = False
        self._pieces: list[str] = []
        self._takes_text = False
        self._is_spoken = False

    def records(self) -> Iterator[Record]:
        handlers = Handlers(self._start, self._end, self._text)
        for _ in self._package.read(self._book.sheet_part, handlers):
            yield from self._done
            self._done.clear()
        yield from self._done

    # --- elements ---

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._takes_text = not self._is_spoken
        elif name == "rPh":
            self._is_spoken = True  # how a word is spoken is no part of it
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "mergeCell":
            where = attributes.get("ref", "")
            problem = f"has merged cells ({where}); unmerge them, so that each row has its own"
            self._package.refuse(problem, line=_row_of(where))

    def _text(self, piece: str) -> None:
        if not self._takes_text:
            return
        self._pieces.append(piece)
        if len(piece) > MAX_CELL_CHARACTERS or len(self._pieces) > MAX_CELL_CHARACTERS:
            self._refuse_text()

    def _end(self, name: str) -> None:
        if name == "c":
            self._end_cell()
        elif name in ("v", "t"):
            self._takes_text = False
        elif name == "rPh":
            self._is_spoken = False
        elif name == "row" and (any(cell.strip() for cell in self._cells) or self._kinds):
            record = Record(self._line, self._cells, self._kinds, self._is_hidden, sparse=True)
            self._done.append(record)

    # --- rows and cells ---

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        given = attributes.get("r", "")
        line = int(given) if given.isdecimal() and len(given) < 9 else self._line + 1
        if not self._line < line <= MAX_SHEET_ROWS:
            problem = f"is damaged: row {line} comes after row {self._line}"
            self._package.refuse(problem, line=line)
        self._line = line
        self._is_hidden = attributes.get("hidden") in _TRUE
        self._cells, self._kinds, self._column = [], {}, -1

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        reference = attributes.get("r")
        column = _column_of(reference) if reference else self._column + 1
        if column <= self._column:
            self._package.refuse("is damaged: cells are out of order", line=self._line)
        self._column = column
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._has_formula = False
        self._pieces.clear()

    def _end_cell(self) -> None:
        raw = "".join(self._pieces)
        if not raw and not self._has_formula:
            return  # formatted, and empty
        if self._column >= MAX_COLUMNS:
            problem = f"has a cell past column {MAX_COLUMNS}"
            self._package.refuse(problem, line=self._line)
        if len(raw) > MAX_CELL_CHARACTERS:
            self._refuse_text()
        text, kind = self._read_cell(raw)
        self._cells.extend("" for _ in range(self._column - len(self._cells)))
        self._cells.append(text)
        if self._has_formula and kind not in (CellKind.ERROR, CellKind.ROUNDED):
            kind = CellKind.FORMULA  # an error is none the better for having been calculated
        if kind is not None:
            self._kinds[self._column] = kind

    def _read_cell(self, raw: str) -> tuple[str, CellKind | None]:
        if self._type == "s":
            text = self._book.texts.get(int(raw)) if raw.isdecimal() and len(raw) < 10 else None
            if text is None:
                self._package.refuse("is damaged: a text is missing", line=self._line)
            return text, None
        if self._type in ("inlineStr", "str"):
            return unescape(raw), None
        if self._type == "b":
            return ("TRUE" if raw.strip() == "1" else "FALSE"), CellKind.BOOLEAN
        if self._type == "e":
            return raw, CellKind.ERROR
        if self._type == "d":
            return raw.removesuffix("T00:00:00"), CellKind.DATE
        return self._read_number(raw.strip())

    def _read_number(self, raw: str) -> tuple[str, CellKind]:
        if not raw:
            return "", CellKind.NUMBER
        try:
            value = float(raw)
        except ValueError:
            self._package.refuse(f"is damaged: {raw[:20]!r} is no number", line=self._line)
        if not math.isfinite(value):
            return raw, CellKind.ERROR
        if self._style.isdecimal() and int(self._style) in self._book.date_styles:
            return self._show_date(value, raw), CellKind.DATE
        if not value.is_integer():
            return repr(value), CellKind.NUMBER
        if abs(value) >= _FIRST_ROUNDED:
            return raw, CellKind.ROUNDED
        return str(int(value)), CellKind.NUMBER

    def _show_date(self, days: float, raw: str) -> str:
        """A date as 2027-01-31, with its time where it has one."""
        if self._book.counts_from_1904:
            first = _FIRST_DAY_1904
        else:
            first = _FIRST_DAY + timedelta(days=1 if days < _LEAP_DAY - 1 else 0)
        try:
            found = first + timedelta(seconds=round(days * _DAY))
        except OverflowError:
            return raw
        if days >= 0 and found.time() == datetime.min.time():
            return found.date().isoformat()
        return found.strftime("%Y-%m-%dT%H:%M:%S")

    def _refuse_text(self) -> None:
        problem = f"holds a text of more than {MAX_CELL_CHARACTERS} characters"
        self._package.refuse(problem, line=self._line)


def _column_of(reference: str) -> int:
    """The place of a column by a cell's reference: A1 is in 0, AB7 in 27."""
    column = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
    return column - 1 if column else MAX_COLUMNS


def _row_of(reference: str) -> int:
    digits = "".join(letter for letter in reference.partition(":")[0] if letter.isdecimal())
    return int(digits) if digits and len(digits) < 9 else 1
