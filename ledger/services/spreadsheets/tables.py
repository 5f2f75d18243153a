"""Reads a table that a person made, and says exactly where it is wrong.

Nothing is guessed: a formula, a date among amounts, a cell too many or a missing column is told
with its line. A file that a spreadsheet program saved is read as it is: CSV in UTF-8 (byte order
mark or none, either line ending, blank lines) or GB 18030, or a workbook (.xlsx), told apart by
what they begin with and not by their names. Rows come one after the other, so that a million of
them need no more memory than one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ledger.errors import InvalidFile
from ledger.office.profiles import is_formula
from ledger.services.spreadsheets.csv_records import csv_records
from ledger.services.spreadsheets.encodings import UTF_8
from ledger.services.spreadsheets.opening import SheetFile, opened_copy
from ledger.services.spreadsheets.records import CellKind, Record
from ledger.services.spreadsheets.xlsx_records import xlsx_records

MAX_ROWS = 20_000
MAX_FILE_BYTES = 32 * 1024 * 1024

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHER_SEPARATORS = {
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    "，": "full-width commas",
    "；": "full-width semicolons",
}
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be used: the column, what it holds, and what should stand there."""

    field: str
    value: str
    expected: str
    sentence: str = ""

    def __str__(self) -> str:
        return self.sentence or f"{self.field} {self.value!r} is not {self.expected}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: its cells by column, stripped and in Unicode's composed form.

    `kinds` says by column which cells of a workbook are not plain text. `problems` are those that
    can be told without knowing what the columns mean.
    """

    path: Path
    line: int
    cells: Mapping[str, str]
    kinds: Mapping[str, CellKind] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, column: str) -> str:
        """The cell; empty where the file has no such (optional) column."""
        return self.cells.get(column, "")

    def refuse(self, problem: str) -> NoReturn:
        """Raise InvalidFile for this line."""
        raise InvalidFile(path=self.path, line=self.line, problem=problem)

    def required(self, column: str) -> str:
        """The cell, which must not be empty. Raises InvalidFile."""
        if not self[column]:
            self.refuse(f"{column} is empty")
        return self[column]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table. `aliases` are other headings, in lower case, and what they mean."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def column(self, heading: str) -> str:
        """The column that a heading means; the heading itself where it means none."""
        text = unicodedata.normalize("NFC", heading).strip()
        if text in self.required or text in self.optional:
            return text
        folded = " ".join(text.casefold().replace("_", " ").split())
        return self.aliases.get(folded, text)


@dataclass(frozen=True, slots=True)
class HowToRead:
    """What a person can say about a file. Empty: find it out.

    `sheet` is a workbook's sheet by name. `cached_formulas` takes what was last calculated for a
    formula instead of refusing it.
    """

    encoding: str = ""
    sheet: str = ""
    cached_formulas: bool = False
    most_rows: int = MAX_ROWS


def read_rows(
    path: Path, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> tuple[Row, ...]:
    """The rows of a file in UTF-8 below its header.

    Raises NotFound where there is no file, and InvalidFile, with the line, for whatever is not a
    plain table with these columns.
    """
    rows: list[Row] = []
    with opened_copy(path, most_bytes=MAX_FILE_BYTES) as opened:
        for row in stream_rows(opened, Layout(required, optional), HowToRead(encoding=UTF_8)):
            if row.problems:
                row.refuse(str(row.problems[0]))
            rows.append(row)
    return tuple(rows)


def stream_rows(opened: SheetFile, layout: Layout, how: HowToRead) -> Iterator[Row]:
    """The rows below the header, one after the other; each knows what is wrong with it.

    Raises InvalidFile where the file as a whole is not a table with these columns.
    """
    path = opened.path
    records = _records(opened, how)
    header = next(records, Record(1, []))
    columns = _check_header(path, header, layout)
    for number, record in enumerate(records):
        if number == how.most_rows:
            problem = f"is past row {how.most_rows}, the most in one file; split the file"
            raise InvalidFile(path=path, line=record.line, problem=problem)
        yield _row(path, record, columns, how)


def refuse_duplicates(rows: tuple[Row, ...], *columns: str) -> None:
    """Raise InvalidFile for the second row that has the same values in these columns.

    Rows with nothing in them are not compared.
    """
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        values = tuple(row[column] for column in columns)
        if not any(values):
            continue
        if values in seen:
            row.refuse(f"{' and '.join(columns)} {' '.join(values)!r} was in line {seen[values]}")
        seen[values] = row.line


def _records(opened: SheetFile, how: HowToRead) -> Iterator[Record]:
    opened.content.seek(0)
    begin = opened.content.read(len(_OLE))
    if begin.startswith(_ZIP):
        return xlsx_records(opened.path, opened.content, sheet=how.sheet)
    if begin == _OLE:
        problem = "is an old workbook (.xls), or one with a password; save it as .xlsx without one"
        raise InvalidFile(path=opened.path, line=1, problem=problem)
    return csv_records(opened.path, opened.content, encoding=how.encoding)


def _check_header(path: Path, header: Record, layout: Layout) -> list[str]:
    """The columns that the headings mean, in their order. Raises InvalidFile."""
    if header.kinds:
        place = min(header.kinds)
        problem = f"the header holds a {header.kinds[place].value} ({header.cells[place]!r})"
        raise InvalidFile(path=path, line=header.line, problem=problem)
    _refuse_other_formats(path, header)
    columns = [layout.column(heading) for heading in header.cells]
    while columns and not columns[-1]:
        columns.pop()
    missing = [name for name in layout.required if name not in columns]
    unknown = [name for name in columns if name not in (*layout.required, *layout.optional)]
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    for names, problem in (
        (missing, "has no column"),
        (unknown, "has an unknown column"),
        (repeated, "has twice the column"),
    ):
        if names:
            shown = ", ".join(repr(name[:_SHOWN]) for name in names)
            raise InvalidFile(path=path, line=header.line, problem=f"the header {problem} {shown}")
    return columns


def _refuse_other_formats(path: Path, header: Record) -> None:
    """Raise InvalidFile for a header that shows what the file is instead of a table with commas."""
    first = header.cells[0].lstrip() if header.cells else ""
    problem = ""
    if first.startswith("<"):
        problem = "is a web page or XML and no table, whatever it is called; save it as .xlsx"
    elif len(header.cells) == 1:
        found = [name for mark, name in _OTHER_SEPARATORS.items() if mark in first]
        problem = f"has its cells separated by {found[0]}; save it as .xlsx" if found else ""
    if problem:
        raise InvalidFile(path=path, line=header.line, problem=problem)


def _row(path: Path, record: Record, columns: Sequence[str], how: HowToRead) -> Row:
    problems: list[Problem] = []
    cells = record.cells
    if len(cells) > len(columns) and not any(cell.strip() for cell in cells[len(columns) :]):
        cells = cells[: len(columns)]
    if record.sparse:
        cells = [*cells, *("" for _ in columns[len(cells) :])]
    if len(cells) != len(columns):
        count, of_header = len(cells), len(columns)
        problems.append(
            Problem(
                "row",
                f"{count} cells",
                f"a row of {of_header} cells",
                f"has {count} cells, the header has {of_header}",
            )
        )
    if record.hidden:
        expected = "a row that is seen; show it, or delete it"
        problems.append(Problem("row", "hidden", expected, "is hidden; show it, or delete it"))
    found: dict[str, str] = {}
    kinds: dict[str, CellKind] = {}
    for place, (column, cell) in enumerate(zip(columns, cells, strict=False)):
        text = cell if cell.isascii() else unicodedata.normalize("NFC", cell)
        kind = record.kinds.get(place)
        if kind is not None:
            kinds[column] = kind
        found[column] = text.strip()
        if kind is None and (not text or text.isalnum()):
            continue  # as most cells are; to look closer costs a second in 100,000 rows
        problem = _wrong_cell(column, text, kind, how)
        if problem is not None:
            problems.append(problem)
    return Row(path, record.line, found, kinds, tuple(problems))


def _wrong_cell(column: str, text: str, kind: CellKind | None, how: HowToRead) -> Problem | None:
    """What no cell may be, whatever its column means."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    if kind is CellKind.FORMULA and not how.cached_formulas:
        return Problem(
            column,
            shown,
            "a value: paste the cells as values, or say --cached-formulas",
            f"{column} holds a formula (now {shown!r}); keep values only",
        )
    if kind is CellKind.ERROR:
        return Problem(column, shown, "a value", f"{column} holds an error ({shown})")
    if kind is CellKind.ROUNDED:
        return Problem(
            column,
            shown,
            "a number of at most 15 digits, or text",
            f"{column} {shown!r} has more than 15 digits, which a spreadsheet program has rounded; "
            "format the cell as text and type it again",
        )
    if kind in (None, CellKind.FORMULA) and is_formula(text):
        return Problem(
            column,
            shown,
            "a value",
            f"{column} holds a formula ({text[:20]!r}); keep values only",
        )
    if not text.strip().isprintable():
        return Problem(
            column,
            repr(shown)[1:-1],
            "text of one line",
            f"{column} holds control characters or line breaks",
        )
    return None
