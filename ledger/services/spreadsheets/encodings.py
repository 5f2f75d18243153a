"""Finds out how a text file is encoded: UTF-8, or GB 18030 as spreadsheets of China are saved.

GB 18030 takes nearly any bytes, those of UTF-8 too, so it is never tried first; and a file of which
some lines are the one and some the other is refused, since half of its names would be garbled
without a word. Whoever knows better says the encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ledger.errors import InvalidFile, InvalidValue

UTF_8 = "utf-8"
GB_18030 = "gb18030"

MAX_LINE_BYTES = 1024 * 1024

_NAMES = {
    "utf-8": UTF_8,
    "utf8": UTF_8,
    "gb18030": GB_18030,
    "gb 18030": GB_18030,
    "gbk": GB_18030,  # of which GB 18030 is a superset
    "gb2312": GB_18030,
}
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CHINESE = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
_UNUSED = re.compile("[\ue000-\uf8ff\ufffd\ufffe\uffff]")
"""Private use and no characters: what bytes of another encoding often come out as."""


def parse_encoding(told: str) -> str:
    """The encoding that a person named; empty for "find out". Raises InvalidValue."""
    if not told:
        return ""
    found = _NAMES.get(told.strip().lower())
    if found is None:
        raise InvalidValue(field="encoding", value=told, expected="utf-8 or gb18030")
    return found


def find_encoding(path: Path, content: BinaryIO, told: str = "") -> str:
    """The encoding that the whole content has. Raises InvalidFile with the line that lacks it."""
    content.seek(0)
    if content.read(2) in _UTF_16_MARKS:
        raise InvalidFile(path=path, line=1, problem='is UTF-16; save the file as "CSV UTF-8"')
    if told == GB_18030:
        wrong = _first_wrong_line(path, content, GB_18030)
        if wrong:
            raise InvalidFile(path=path, line=wrong, problem="is not GB 18030")
        return GB_18030
    wrong = _first_wrong_line(path, content, UTF_8)
    if not wrong:
        return UTF_8
    if told != UTF_8:
        _refuse_mixture(path, content, wrong)
    is_other = _first_wrong_line(path, content, GB_18030, is_guessed=True)
    if is_other or told == UTF_8:
        guess = "" if is_other else " (perhaps GB 18030)"
        problem = f'is not UTF-8{guess}; save the file as "CSV UTF-8"'
        raise InvalidFile(path=path, line=wrong, problem=problem)
    return GB_18030


def _refuse_mixture(path: Path, content: BinaryIO, not_utf_8: int) -> None:
    for number, line in _lines(path, content):
        if not line.isascii() and _decodes(line, UTF_8) and _CHINESE.search(line.decode(UTF_8)):
            problem = (
                f"is UTF-8 and line {not_utf_8} is not: the file has two encodings; save it anew "
                'as "CSV UTF-8", or say --encoding gb18030 if it is that throughout'
            )
            raise InvalidFile(path=path, line=number, problem=problem)


def _first_wrong_line(
    path: Path, content: BinaryIO, encoding: str, *, is_guessed: bool = False
) -> int:
    """The first line that is not of this encoding, counted from 1; 0 for none.

    Where the encoding is guessed, a line that comes out as no text speaks against it, too.
    """
    for number, line in _lines(path, content):
        if not line.isascii() and not _decodes(line, encoding, is_guessed=is_guessed):
            return number
    return 0


def _decodes(line: bytes, encoding: str, *, is_guessed: bool = False) -> bool:
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return not is_guessed or not _UNUSED.search(text)


def _lines(path: Path, content: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines by their line feed, which neither encoding uses within a character."""
    content.seek(0)
    number = 0
    while line := content.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            problem = f"has more than {MAX_LINE_BYTES} bytes, as no line of a table has"
            raise InvalidFile(path=path, line=number, problem=problem)
        yield number, line
