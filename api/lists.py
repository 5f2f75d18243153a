"""Lists with the latest first, by a number or by the place in the chain: most of the ledger's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from fastapi import Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.pagination import (
    Place,
    cut_page,
    decode_cursor,
    link_header,
    page_of_whole,
    question_of,
)
from api.schemas.base import Page, Schema

LARGEST = 2**63 - 1

ChainPlace = tuple[int, int]
"""A log's block and number."""

_Row = TypeVar("_Row")
_View = TypeVar("_View", bound=Schema)


def answer_latest(
    request: Request,
    asked: MomentAsked,
    page_type: type[Page[_View]],
    *,
    limit: int,
    cursor: str | None,
    read: Callable[[Reading, int, int], Sequence[_Row]],
    number_of: Callable[[_Row], int],
    show: Callable[[Reading, Sequence[_Row]], list[_View]],
) -> Response:
    """A page of rows with the highest numbers first.

    `read` gives at most so many rows (its last argument) whose numbers are below another (the one
    before it); `show` makes what is answered of them.
    """

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        (before,) = decode_cursor(question, cursor, 1) if cursor is not None else (LARGEST,)
        rows = read(reading, before, limit + 1)
        page = cut_page(rows, limit, question, lambda row: (number_of(row),))
        answer = page_type.giving(reading.about, show(reading, page.rows), page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


def answer_newest(
    request: Request,
    asked: MomentAsked,
    page_type: type[Page[_View]],
    *,
    limit: int,
    cursor: str | None,
    read: Callable[[Reading, ChainPlace, int], Sequence[_Row]],
    place_of: Callable[[_Row], ChainPlace],
    show: Callable[[_Row], _View],
) -> Response:
    """A page of rows that stand in the chain, the newest first; `read` as for `answer_latest`."""

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        block, log_index = (LARGEST, LARGEST)
        if cursor is not None:
            block, log_index = decode_cursor(question, cursor, 2)
        rows = read(reading, (block, log_index), limit + 1)
        page = cut_page(rows, limit, question, place_of)
        answer = page_type.giving(reading.about, [show(each) for each in page.rows], page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


def answer_whole(
    request: Request,
    asked: MomentAsked,
    page_type: type[Page[_View]],
    *,
    limit: int,
    cursor: str | None,
    read: Callable[[Reading], Sequence[_Row]],
    place_of: Callable[[_Row], Place],
    show: Callable[[_Row], _View],
) -> Response:
    """A page of a list that is read whole anyway, in the order of its rows' places."""

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        page = page_of_whole(read(reading), limit, question_of(request), cursor, place_of)
        answer = page_type.giving(reading.about, [show(each) for each in page.rows], page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)
