"""What a page's form asks for. A field that was left empty asks for nothing.

Forms send every field, so an empty one is no value; a value that no form of ours sends is refused
with the name of its field, like in the API.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

from fastapi import Request

from ledger.domain.keys import KEY_PATTERN
from ledger.errors import InvalidValue

MAX_TEXT = 100

_KEY = re.compile(f"{KEY_PATTERN.pattern}|0x[0-9a-f]{{64}}")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_Choice = TypeVar("_Choice", bound=StrEnum)


def asked_text(request: Request, field: str) -> str:
    """Free text, without spaces around it. Raises InvalidValue."""
    text = request.query_params.get(field, "").strip()
    if len(text) > MAX_TEXT or any(ord(character) < 32 for character in text):
        raise InvalidValue(
            field=field, value=text[:20], expected=f"at most {MAX_TEXT} printable characters"
        )
    return text


def asked_key(request: Request, field: str) -> str:
    """A key, or empty. Raises InvalidValue."""
    text = request.query_params.get(field, "")
    if text and not _KEY.fullmatch(text):
        raise InvalidValue(field=field, value=text[:40], expected="a key")
    return text


def asked_number(request: Request, field: str) -> int | None:
    """A number from 1. Raises InvalidValue."""
    text = request.query_params.get(field, "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidValue(field=field, value=text[:40], expected="a number")
    return int(text)


def asked_choice(request: Request, field: str, choices: type[_Choice]) -> _Choice | None:
    """One of the choices. Raises InvalidValue."""
    text = request.query_params.get(field, "")
    if not text:
        return None
    try:
        return choices(text)
    except ValueError as error:
        raise InvalidValue(
            field=field, value=text[:40], expected="one of " + ", ".join(choices)
        ) from error
