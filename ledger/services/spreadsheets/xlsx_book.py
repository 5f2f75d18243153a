"""What a workbook says of itself: its sheets, how its numbers are shown, its shared texts.

Shared texts are put aside into a file, since a million rows can have a million of them.
"""

from __future__ import annotations

import os
import re
import tempfile
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from ledger.domain.texts import REPLACEMENT
from ledger.services.spreadsheets.xlsx_package import (
    Handlers,
    Package,
    links_of,
    read_links,
)

MAX_CELL_CHARACTERS = 32_767
"""The most that a cell can hold (Excel's specification)."""

_WORKBOOK = "xl/workbook.xml"
_USUAL_PARTS = {"sharedStrings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}
"""Where most programs put them; relationships say where they are."""

_MAX_SHEETS = 1000
_MAX_STYLES = 100_000
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""The built-in number formats that show dates and times (ECMA-376, 18.8.30), East Asia's too."""
_NO_DATE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DATE_LETTERS = re.compile("[ymdhs]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook before its sheet is read. `date_styles` are the cell styles that show dates."""

    sheet_part: str
    date_styles: frozenset[int]
    counts_from_1904: bool
    texts: SharedTexts


class SharedTexts:
    """The texts that cells refer to by number, kept in a file of their own."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="moonlake-texts-")  # noqa: SIM115  closed with the workbook
        self._ends = array("Q", [0])
        self.get = lru_cache(maxsize=4096)(self._get)

    def add(self, text: str) -> None:
        """Keep the next text."""
        raw = text.encode("utf-8", "surrogatepass")
        self._file.write(raw)
        self._ends.append(self._ends[-1] + len(raw))

    def seal(self) -> None:
        """No more will be added."""
        self._file.flush()

    def close(self) -> None:
        """Take the file away."""
        self._file.close()

    def _get(self, number: int) -> str | None:
        """A text by its number; None where there is none."""
        if not 0 <= number < len(self._ends) - 1:
            return None
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")


def unescape(text: str) -> str:
    """A text with the characters that XML cannot hold, or loses: `_x000D_` is a carriage return
    (ECMA-376, 22.9.2.19)."""
    return _ESCAPED.sub(_unescaped, text) if "_x" in text else text


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if not 0xD800 <= code < 0xE000 else REPLACEMENT


def open_book(package: Package, texts: SharedTexts, *, sheet: str = "") -> Book:
    """Everything of a workbook but its sheet's rows, with `texts` filled.

    `sheet` is the sheet's name; without it the workbook must have one that is seen.
    Raises InvalidFile.
    """
    workbook = _find_workbook(package)
    sheets, from_1904 = _read_workbook(package, workbook)
    chosen = _choose(package, sheets, sheet)
    links = read_links(package, workbook)
    if chosen not in links:
        package.refuse("is damaged: its sheet leads nowhere")
    parts = _USUAL_PARTS | {each.kind: each.part for each in links.values()}
    shared, styles = parts["sharedStrings"], parts["styles"]
    if package.has(shared):
        _read_texts(package, shared, texts)
    date_styles = _read_date_styles(package, styles) if package.has(styles) else frozenset()
    return Book(links[chosen].part, date_styles, from_1904, texts)


def _find_workbook(package: Package) -> str:
    """The workbook's part: where most programs put it, or where the archive says that it is."""
    if package.has(_WORKBOOK):
        return _WORKBOOK
    if package.has("content.xml"):
        package.refuse("is an OpenDocument file (.ods); save it as .xlsx")
    if package.has("xl/workbook.bin"):
        package.refuse("is a binary workbook (.xlsb); save it as .xlsx")
    if not package.has(links_of("")):
        package.refuse(f"is not a workbook: it has no part {_WORKBOOK!r}")
    kinds = {each.kind: each.part for each in read_links(package, "").values()}
    return kinds.get("officeDocument", _WORKBOOK)


def _nothing(_value: str) -> None:
    pass


def _read_workbook(package: Package, part: str) -> tuple[list[tuple[str, bool, str]], bool]:
    """Sheets as name, whether seen, and relationship; and whether days are counted from 1904."""
    sheets: list[tuple[str, bool, str]] = []
    from_1904 = [False]

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet" and len(sheets) < _MAX_SHEETS:
            reference = next(
                (value for key, value in attributes.items() if key.rpartition(" ")[2] == "id"), ""
            )
            seen = attributes.get("state", "visible") == "visible"
            sheets.append((attributes.get("name", ""), seen, reference))
        elif name == "workbookPr":
            from_1904[0] = attributes.get("date1904", "0") in ("1", "true", "on")

    package.read_all(part, Handlers(start, _nothing, _nothing))
    return sheets, from_1904[0]


def _choose(package: Package, sheets: list[tuple[str, bool, str]], wanted: str) -> str:
    names = ", ".join(repr(name) for name, seen, _ in sheets if seen)
    if wanted:
        found = [reference for name, _, reference in sheets if name == wanted]
        if not found:
            package.refuse(f"has no sheet {wanted!r} (it has {names})")
        return found[0]
    seen = [reference for _, is_seen, reference in sheets if is_seen]
    if len(seen) != 1:
        package.refuse(f"has {len(seen)} sheets ({names}); name one with --sheet")
    return seen[0]


def _read_texts(package: Package, part: str, texts: SharedTexts) -> None:
    pieces: list[str] = []
    inside = {"t": False, "rPh": False}

    def start(name: str, _attributes: Mapping[str, str]) -> None:
        if name == "si":
            pieces.clear()
        elif name in inside:
            inside[name] = True

    def text(piece: str) -> None:
        if inside["t"] and not inside["rPh"]:  # how a word is spoken is no part of it
            pieces.append(piece)
            if len(pieces) > MAX_CELL_CHARACTERS or len(piece) > MAX_CELL_CHARACTERS:
                package.refuse(f"holds a text of more than {MAX_CELL_CHARACTERS} characters")

    def end(name: str) -> None:
        if name == "si":
            whole = "".join(pieces)
            if len(whole) > MAX_CELL_CHARACTERS:
                package.refuse(f"holds a text of more than {MAX_CELL_CHARACTERS} characters")
            texts.add(unescape(whole))
        elif name in inside:
            inside[name] = False

    package.read_all(part, Handlers(start, end, text))
    texts.seal()


def _read_date_styles(package: Package, part: str) -> frozenset[int]:
    formats: dict[str, str] = {}
    styles: list[str] = []
    inside = [False]

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if len(styles) + len(formats) > _MAX_STYLES:
            package.refuse(f"has more than {_MAX_STYLES} styles")
        if name == "numFmt":
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            inside[0] = True
        elif name == "xf" and inside[0]:
            styles.append(attributes.get("numFmtId", "0"))

    def end(name: str) -> None:
        if name == "cellXfs":
            inside[0] = False

    package.read_all(part, Handlers(start, end, _nothing))
    return frozenset(
        place for place, number in enumerate(styles) if _shows_date(number, formats.get(number))
    )


def _shows_date(number: str, code: str | None) -> bool:
    if code is None:
        return number.isdecimal() and int(number) in _DATE_FORMATS
    plain = _NO_DATE.sub("", code)
    return code.casefold() != "general" and bool(_DATE_LETTERS.search(plain))
