"""Calldata as the contracts read them, which is more than what our own wallets write.

Solidity passes over bytes that nothing points at, follows an offset wherever it points, and does
not look at what fills up a string. Whoever sends a transaction can write it so, and it is a call
all the same: to take it for a forgery would let anybody spoil an audit for good. What the contracts
refuse is refused here: a number out of its range, a list or a string that is cut short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from ledger.chain.abi import UndecodableData, decode_arguments
from ledger.chain.artifacts import AbiItem, Parameter, load_artifact

_WORD = 32
_LIST = re.compile(r"^(.*)\[\]$")
MOST_VALUES = 200_000
"""More than a transaction can read with the gas that it has."""


@cache
def functions_of(contract: str) -> dict[bytes, AbiItem]:
    """A contract's functions by their selectors."""
    artifact = load_artifact(contract)
    return {artifact.functions[item.signature]: item for item in artifact.items("function")}


def read_arguments(
    parameters: Sequence[Parameter], data: bytes, *, most: int = MOST_VALUES
) -> dict[str, Any]:
    """The arguments by name, from what follows the selector, of at most so many values.

    Raises UndecodableData.
    """
    try:
        return decode_arguments(parameters, data)
    except UndecodableData:
        return _Reader(data, most).row(parameters, 0)


def calls_within(data: bytes, selector: bytes) -> Iterator[bytes]:
    """What follows each place of the data where the selector stands: calls that are passed on."""
    at = data.find(selector)
    while at >= 0:
        yield data[at + len(selector) :]
        at = data.find(selector, at + 1)


class _Reader:
    def __init__(self, data: bytes, most: int) -> None:
        self._data = data
        self._left = most

    def row(self, parameters: Sequence[Parameter], start: int) -> dict[str, Any]:
        """Values that stand in a row; offsets in it count from its start."""
        found, at = {}, start
        for number, parameter in enumerate(parameters):
            found[parameter.name or f"_{number}"] = self._value(parameter, start, at)
            at += _size(parameter)
        return found

    def _value(self, parameter: Parameter, start: int, at: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise UndecodableData("there is more to read than a transaction can")
        if _is_dynamic(parameter):
            start = at = self._follow(start, at)
        element = _element(parameter)
        if element is not None:
            length, first = self._number(at), at + _WORD
            if length * _size(element) > len(self._data) - first:
                raise UndecodableData("an array is cut short")
            size = _size(element)
            return [self._value(element, first, first + size * i) for i in range(length)]
        if parameter.type == "tuple":
            return self.row(parameter.components, at)
        if parameter.type in ("bytes", "string"):
            content = self._content(at)
            # What is no text is kept so that it can be told from what is.
            return (
                content if parameter.type == "bytes" else content.decode(errors="surrogateescape")
            )
        return decode_arguments([parameter], self._word(at))[parameter.name or "_0"]

    def _follow(self, start: int, at: int) -> int:
        """An offset counts modulo 2^256, so that it can point back."""
        place = (start + self._number(at)) % (1 << 256)
        if place > len(self._data) - _WORD:
            raise UndecodableData("an offset points beyond the data")
        return place

    def _content(self, at: int) -> bytes:
        length = self._number(at)
        content = self._data[at + _WORD : at + _WORD + length]
        if len(content) != length:
            raise UndecodableData("a string is cut short")
        return content

    def _number(self, at: int) -> int:
        return int.from_bytes(self._word(at), "big")

    def _word(self, at: int) -> bytes:
        word = self._data[at : at + _WORD]
        if len(word) != _WORD:
            raise UndecodableData("the data are cut short")
        return word


def _element(parameter: Parameter) -> Parameter | None:
    found = _LIST.match(parameter.type)
    if found is None:
        return None
    return Parameter(parameter.name, found.group(1), "", parameter.components)


def _is_dynamic(parameter: Parameter) -> bool:
    if parameter.type in ("bytes", "string") or parameter.type.endswith("[]"):
        return True
    return parameter.type == "tuple" and any(map(_is_dynamic, parameter.components))


def _size(parameter: Parameter) -> int:
    """The room that a value takes in its row."""
    if parameter.type == "tuple" and not _is_dynamic(parameter):
        return sum(map(_size, parameter.components))
    return _WORD
