"""Reads a CSV file that a person made, and says exactly where it is wrong.

Nothing is guessed: another encoding than UTF-8, a formula, a cell too many or a missing column is
refused with its line, before any row is used. A file that a spreadsheet program saved as "CSV
UTF-8" is read as it is (byte order mark, either line ending, blank lines).
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ledger.errors import InvalidFile, NotFound
from ledger.office.profiles import is_formula

MAX_ROWS = 20_000
MAX_FILE_BYTES = 32 * 1024 * 1024

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: its cells by column, stripped and in Unicode's composed form."""

    path: Path
    line: int
    cells: Mapping[str, str]

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


def read_rows(
    path: Path, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> tuple[Row, ...]:
    """The rows of a CSV file below its header.

    Raises NotFound where there is no file, and InvalidFile, with the line, for whatever is not a
    plain table with these columns.
    """
    lines = _records(path, _text(path))
    line, header = next(lines, (1, []))
    _check_header(path, line, header, required, optional)
    rows: list[Row] = []
    for line, cells in lines:
        if len(cells) != len(header):
            problem = f"has {len(cells)} cells, the header has {len(header)}"
            raise InvalidFile(path=path, line=line, problem=problem)
        if len(rows) == MAX_ROWS:
            problem = f"is past row {MAX_ROWS}, the most in one file; split the file"
            raise InvalidFile(path=path, line=line, problem=problem)
        rows.append(Row(path, line, _cells(path, line, header, cells)))
    return tuple(rows)


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


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InvalidFile(path=path, line=1, problem="is not a regular file")
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(what="file", key=str(path)) from None
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InvalidFile(path=path, line=1, problem=problem) from error
    if len(content) > MAX_FILE_BYTES:
        problem = f"the file has {len(content)} bytes, more than {MAX_FILE_BYTES}; split it"
        raise InvalidFile(path=path, line=1, problem=problem)
    if content.startswith(_UTF_16_MARKS):
        raise InvalidFile(path=path, line=1, problem='is UTF-16; save the file as "CSV UTF-8"')
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f'is not UTF-8{_likely_encoding(content)}; save the file as "CSV UTF-8"'
        raise InvalidFile(path=path, line=line, problem=problem) from error


def _likely_encoding(content: bytes) -> str:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return " (perhaps GB 18030)"


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidFile(path=path, line=line, problem=str(error)) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _check_header(
    path: Path, line: int, header: list[str], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    header[:] = [name.strip() for name in header]
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in (*required, *optional)]
    repeated = sorted({name for name in header if header.count(name) > 1})
    for names, problem in (
        (missing, "has no column"),
        (unknown, "has an unknown column"),
        (repeated, "has twice the column"),
    ):
        if names:
            shown = ", ".join(repr(name) for name in names)
            raise InvalidFile(path=path, line=line, problem=f"the header {problem} {shown}")


def _cells(path: Path, line: int, header: list[str], cells: list[str]) -> dict[str, str]:
    found = {}
    for column, cell in zip(header, cells, strict=True):
        text = unicodedata.normalize("NFC", cell)
        if is_formula(text):
            problem = f"{column} holds a formula ({text[:20]!r}); keep values only"
            raise InvalidFile(path=path, line=line, problem=problem)
        found[column] = text.strip()
        if not found[column].isprintable():
            problem = f"{column} holds control characters or line breaks"
            raise InvalidFile(path=path, line=line, problem=problem)
    return found
