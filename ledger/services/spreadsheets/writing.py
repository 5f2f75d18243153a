"""Writes tables as files that spreadsheet programs open: CSV with a byte order mark, or a workbook.

A file is written aside and put in its place whole. A text that a program would calculate gets an
apostrophe before it (OWASP, CSV injection); numbers stay numbers. It refuses to write through a
symbolic link, or over what is no regular file.
"""

from __future__ import annotations

import csv
import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from ledger.disks import folder_unusable
from ledger.errors import InvalidValue
from ledger.office.profiles import may_be_formula
from ledger.services.spreadsheets.xlsx_book import MAX_CELL_CHARACTERS
from ledger.services.spreadsheets.xlsx_records import MAX_SHEET_ROWS

Cell = str | int | None

CSV = ".csv"
XLSX = ".xlsx"

_MADE_AT = (1980, 1, 1, 0, 0, 0)  # the same rows make the same bytes
_FIRST_INEXACT = 10**15
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.styles+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.'
        'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
        f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    # Style 1 is text, so that what is typed into a template stays as it was typed.
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/>'
        '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>'
        '</cellStyleXfs><cellXfs count="2"><xf xfId="0"/><xf xfId="0" numFmtId="49" '
        'applyNumberFormat="1"/></cellXfs></styleSheet>'
    ),
}


def check_target(path: Path, *, not_over: Path | None = None) -> None:
    """Raise InvalidValue unless a table can be written there.

    Its name must end in .csv or .xlsx, and what stands there, if anything, be a regular file other
    than `not_over`. Raises FolderUnusable where the folder cannot be written to.
    """
    if path.suffix.lower() not in (CSV, XLSX):
        raise InvalidValue(field="file", value=str(path), expected="a name in .csv or .xlsx")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    if not stat.S_ISREG(mode):
        expected = "a regular file, or a name that nothing has"
        raise InvalidValue(field="file", value=str(path), expected=expected)
    if not_over is not None and path.exists() and not_over.exists() and path.samefile(not_over):
        expected = "another file than the one that is read"
        raise InvalidValue(field="file", value=str(path), expected=expected)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        problem = PermissionError(13, "it cannot be written to")
        raise folder_unusable(path.parent, problem)


def write_table(path: Path, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table, in the format that the name ends in; how many rows it has.

    Raises InvalidValue and FolderUnusable as `check_target` does, and InvalidValue for more rows
    than a workbook's sheet has.
    """
    check_target(path)
    writer = _write_csv if path.suffix.lower() == CSV else _write_xlsx
    with _replacing(path) as file:
        return writer(path, file, headings, rows)


def safe(cell: Cell) -> str:
    """A cell's text, which no spreadsheet program calculates."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if isinstance(cell, str) and may_be_formula(text) else text


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o666 & ~_mask())
        aside.replace(path)
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    finally:
        aside.unlink(missing_ok=True)


def _mask() -> int:
    """What this process takes from the rights of new files; only setting it tells."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_csv(
    _path: Path, file: BinaryIO, headings: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> int:
    text = _text(file)
    try:
        writer = csv.writer(text)
        writer.writerow(headings)
        count = 0
        for row in rows:
            writer.writerow([safe(cell) for cell in row])
            count += 1
        text.flush()
    finally:
        text.detach()
    return count


def _text(file: BinaryIO) -> io.TextIOWrapper:
    # Excel takes a file without the mark to be in the machine's old encoding.
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")


def _write_xlsx(
    path: Path, file: BinaryIO, headings: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> int:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name, _MADE_AT), _HEAD + content)
        member = zipfile.ZipInfo("xl/worksheets/sheet1.xml", _MADE_AT)
        member.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(member, "w", force_zip64=True) as sheet:
            return _write_sheet(path, sheet.write, headings, rows)


def _write_sheet(
    path: Path,
    write: Callable[[bytes], object],
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
) -> int:
    columns = (
        f'<cols><col min="1" max="{len(headings)}" width="20" style="1" customWidth="1"/></cols>'
    )
    write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{columns}<sheetData>'.encode())
    write(_row(headings).encode())
    count = 0
    for row in rows:
        count += 1
        if count >= MAX_SHEET_ROWS:
            expected = f"a name in .csv: a sheet has {MAX_SHEET_ROWS} rows"
            raise InvalidValue(field="file", value=str(path), expected=expected)
        write(_row(row).encode())
    write(b"</sheetData></worksheet>")
    return count


def _row(cells: Sequence[Cell]) -> str:
    return f"<row>{''.join(_cell(cell) for cell in cells)}</row>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, int) and abs(cell) < _FIRST_INEXACT:
        return f"<c><v>{cell}</v></c>"
    text = "".join(letter for letter in safe(cell) if letter.isprintable())
    text = text[:MAX_CELL_CHARACTERS]
    return f'<c t="inlineStr" s="1"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
