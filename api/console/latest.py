"""Lists of what has a number, the highest first, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import Request

from api.lists import LARGEST
from api.pagination import cut_page, decode_cursor, question_of

PAGE_SIZE = 25

_Row = TypeVar("_Row")


def latest(
    request: Request,
    read: Callable[[int, int], Sequence[_Row]],
    number_of: Callable[[_Row], int],
) -> dict[str, Any]:
    """A page of rows, as `found` and `is_first`. `read` gives at most so many rows (its last
    argument) whose numbers are below another. Raises CursorInvalid."""
    question = question_of(request)
    cursor = request.query_params.get("cursor")
    (before,) = decode_cursor(question, cursor, 1) if cursor else (LARGEST,)
    rows = read(before, PAGE_SIZE + 1)
    found = cut_page(rows, PAGE_SIZE, question, lambda row: (number_of(row),))
    return {"found": found, "is_first": cursor is None}
