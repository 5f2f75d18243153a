"""Reads the records of a CSV file one after the other, in whichever encoding it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ledger.errors import InvalidFile
from ledger.services.spreadsheets.encodings import UTF_8, find_encoding
from ledger.services.spreadsheets.records import Record

_MARK = "\ufeff"


def csv_records(path: Path, content: BinaryIO, *, encoding: str = "") -> Iterator[Record]:
    """Records that are not blank, each with the line that it begins in.

    Raises InvalidFile where the content is not of the encoding, or is no CSV.
    """
    found = find_encoding(path, content, encoding)
    content.seek(0)
    text = io.TextIOWrapper(content, encoding="utf-8-sig" if found == UTF_8 else found, newline="")
    try:
        yield from _records(path, text)
    finally:
        # Else the content would be closed with it; where it is closed, nobody reads on.
        if not content.closed:
            text.detach()


def _records(path: Path, text: io.TextIOWrapper) -> Iterator[Record]:
    reader = csv.reader(text, strict=True)
    is_first = True
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidFile(path=path, line=line, problem=str(error)) from error
        if is_first and cells:
            cells[0] = cells[0].removeprefix(_MARK)  # GB 18030 has such a mark, too
        is_first = False
        if any(cell.strip() for cell in cells):
            yield Record(line, cells)
