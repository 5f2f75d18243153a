"""Cursors and links of lists: a list goes on after a place in its order, never at a count.

So rows that come in between shift nothing: no row is given twice, and none left out. A cursor is
opaque and carries a check over the question it was given for; one that was altered, cut, or
belongs to another question is refused. It is no secret, and guards no right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request

from ledger.errors import CursorInvalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

LONGEST_KEY = 66
"""Characters of a key, or of the 0x hex that stands for one."""

_CHECK_BYTES = 8
_BYTES_A_NUMBER = 7

_NOT_ASKED = {"cursor", "limit", "lang"}

Query = Sequence[tuple[str, str]]
"""The parameters of a query, in the order that they came in."""

Place = tuple[int, ...]
"""Where a list goes on: the numbers of its order, of the last row given."""

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class PageOf(Generic[_Row]):
    """The rows of one page; `next` is the cursor of the following one, None on the last."""

    rows: Sequence[_Row]
    next: str | None


def question_of(request: Request) -> str:
    """What a cursor is good for: the path and the query, without what changes no row."""
    return question_at(request.url.path, request.query_params.multi_items())


def question_at(path: str, query: Query) -> str:
    """The same, of a path and its query."""
    asked = sorted((name, value) for name, value in query if name not in _NOT_ASKED and value)
    return path + "?" + urlencode(asked)


def encode_cursor(question: str, place: Place) -> str:
    """The cursor that goes on after `place`."""
    packed = struct.pack(f">{len(place)}q", *place)
    return base64.urlsafe_b64encode(packed + _check(question, packed)).rstrip(b"=").decode()


def decode_cursor(question: str, cursor: str, numbers: int) -> Place:
    """The place of a cursor that has so many numbers. Raises CursorInvalid."""
    try:
        raw = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        packed, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
        place: Place = struct.unpack(f">{numbers}q", packed)
    except (UnicodeEncodeError, binascii.Error, struct.error) as error:
        raise CursorInvalid() from error
    # Compared with what would be given out, since base64 writes some bytes in two ways.
    if check != _check(question, packed) or cursor != encode_cursor(question, place):
        raise CursorInvalid()
    return place


def numbers_of(raw: bytes, size: int) -> Place:
    """The numbers that stand for `raw`, at most `size` bytes, in the same order as they do."""
    padded = raw.ljust(-(-size // _BYTES_A_NUMBER) * _BYTES_A_NUMBER, b"\0")
    return tuple(
        int.from_bytes(padded[start : start + _BYTES_A_NUMBER], "big")
        for start in range(0, len(padded), _BYTES_A_NUMBER)
    )


def bytes_of(numbers: Place, size: int) -> bytes:
    """The bytes that `numbers_of` gave these numbers for, filled up with zeros to `size`.

    Raises CursorInvalid where it never gave them.
    """
    try:
        return b"".join(each.to_bytes(_BYTES_A_NUMBER, "big") for each in numbers)[:size]
    except OverflowError as error:
        raise CursorInvalid() from error


def page_of_whole(
    rows: Sequence[_Row],
    limit: int,
    question: str,
    cursor: str | None,
    place_of: Callable[[_Row], Place],
) -> PageOf[_Row]:
    """The page after a cursor, of all rows, whatever their order: `place_of` is what it follows.

    For lists that are made whole anyway. Raises CursorInvalid.
    """
    ordered = sorted(rows, key=place_of)
    begin = 0
    if cursor is not None:
        after = decode_cursor(question, cursor, _numbers_in(cursor))
        begin = bisect_right(ordered, after, key=place_of)
    return cut_page(ordered[begin : begin + limit + 1], limit, question, place_of)


def _numbers_in(cursor: str) -> int:
    """How many numbers a cursor has, if it is one; what it is not is refused when it is read."""
    return max(0, (len(cursor) * 3 // 4 - _CHECK_BYTES) // 8)


def cut_page(
    rows: Sequence[_Row], limit: int, question: str, place_of: Callable[[_Row], Place]
) -> PageOf[_Row]:
    """The page of `limit` rows, from rows that were asked for with one more than that."""
    if len(rows) <= limit:
        return PageOf(rows, None)
    page = rows[:limit]
    return PageOf(page, encode_cursor(question, place_of(page[-1])))


def link_header(request: Request, cursor: str | None, name: str = "cursor") -> Mapping[str, str]:
    """The Link header (RFC 8288) to the first page and, where there is one, the next.

    `name` is the parameter that says where a page begins."""
    return link_header_at(request.url.path, request.query_params.multi_items(), cursor, name)


def link_header_at(
    path: str, query: Query, cursor: str | None, name: str = "cursor"
) -> Mapping[str, str]:
    """The same, for a path and its query."""
    kept = [item for item in query if item[0] != name]
    links = [f'<{_target(path, kept)}>; rel="first"']
    if cursor is not None:
        links.append(f'<{_target(path, [*kept, (name, cursor)])}>; rel="next"')
    return {"Link": ", ".join(links)}


def _target(path: str, query: Query) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _check(question: str, packed: bytes) -> bytes:
    return hashlib.blake2b(question.encode() + b"\0" + packed, digest_size=_CHECK_BYTES).digest()
