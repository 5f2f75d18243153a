"""Contract ABI encoding and decoding, driven by the artifacts (Solidity's "Contract ABI
Specification", the strict mode).

Our own, since importing eth_abi takes longer than a whole command may, and since what a stranger
hands us as calldata must be refused where it is not canonical: dirty padding, gaps, overlaps,
lengths without content and bytes left over are errors here. Structs are dicts by field name.
eth_abi is the oracle in the tests.

Not for logs on the mirror's way in: those have fixed offsets and a decoder of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ledger.chain.artifacts import Parameter
from ledger.errors import InvalidValue

WORD = 32

_ARRAY = re.compile(r"^(.*)\[(\d*)\]$")
_NUMBER = re.compile(r"^(u?)int(\d+)$")
_FIXED_BYTES = re.compile(r"^bytes(\d+)$")


class UndecodableData(ValueError):
    """The bytes are no encoding of the types asked for."""


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one type is written and read.

    `size` is its room in the head: 32 for a dynamic type, whose head is an offset. `decode` takes
    the data and the place where the value itself begins, and gives the value and where it ends.
    """

    size: int
    dynamic: bool
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], tuple[Any, int]]


def encode_arguments(parameters: Sequence[Parameter], values: Sequence[Any]) -> bytes:
    """Encode `values`, in the order of `parameters`. Raises InvalidValue naming the parameter."""
    if len(parameters) != len(values):
        raise InvalidValue(field="arguments", value=len(values), expected=f"{len(parameters)}")
    return _encode_row([_codec(parameter) for parameter in parameters], values)


def decode_arguments(parameters: Sequence[Parameter], data: bytes) -> dict[str, Any]:
    """The values by name (`_0`, `_1` … where the ABI names none). Raises UndecodableData."""
    codecs = [_codec(parameter) for parameter in parameters]
    values, end = _decode_row(codecs, data, 0)
    if end != len(data):
        raise UndecodableData("bytes are left over")
    return {
        parameter.name or f"_{index}": value
        for index, (parameter, value) in enumerate(zip(parameters, values, strict=True))
    }


@lru_cache(maxsize=1024)
def _codec(parameter: Parameter) -> _Codec:
    array = _ARRAY.match(parameter.type)
    if array:
        element = _codec(
            Parameter(array.group(1) and parameter.name, array.group(1), "", parameter.components)
        )
        return _fixed_array(element, int(array.group(2))) if array.group(2) else _array(element)
    if parameter.type == "tuple":
        return _struct(parameter.components)
    return _elementary(parameter.name or "value", parameter.type)


def _elementary(name: str, kind: str) -> _Codec:
    number = _NUMBER.match(kind)
    if number:
        return _whole_number(name, kind, signed=not number.group(1), bits=int(number.group(2)))
    fixed = _FIXED_BYTES.match(kind)
    if fixed:
        return _fixed_bytes(name, int(fixed.group(1)))
    if kind == "address":
        return _address(name)
    if kind == "bool":
        return _boolean(name)
    if kind == "bytes":
        return _Codec(WORD, True, lambda value: _encode_bytes(name, value), _decode_bytes)
    if kind == "string":
        return _Codec(WORD, True, lambda value: _encode_bytes(name, value.encode()), _decode_string)
    raise InvalidValue(field=name, value=kind, expected="a type that this encoder knows")


def _whole_number(name: str, kind: str, *, signed: bool, bits: int) -> _Codec:
    low = -(1 << bits - 1) if signed else 0
    high = (1 << bits - 1) - 1 if signed else (1 << bits) - 1

    def encode(value: Any) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidValue(field=name, value=value, expected=f"a whole number of type {kind}")
        return value.to_bytes(WORD, "big", signed=signed)

    def decode(data: bytes, at: int) -> tuple[int, int]:
        value = int.from_bytes(_word(data, at), "big", signed=signed)
        if not low <= value <= high:
            raise UndecodableData(f"{name} is out of the range of {kind}")
        return value, at + WORD

    return _Codec(WORD, False, encode, decode)


def _fixed_bytes(name: str, length: int) -> _Codec:
    padding = bytes(WORD - length)

    def encode(value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != length:
            raise InvalidValue(field=name, value=value, expected=f"{length} bytes")
        return value + padding

    def decode(data: bytes, at: int) -> tuple[bytes, int]:
        word = _word(data, at)
        if word[length:] != padding:
            raise UndecodableData(f"{name} is longer than {length} bytes")
        return word[:length], at + WORD

    return _Codec(WORD, False, encode, decode)


def _address(name: str) -> _Codec:
    padding = bytes(12)

    def encode(value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != 20:
            raise InvalidValue(field=name, value=value, expected="an address of 20 bytes")
        return padding + value

    def decode(data: bytes, at: int) -> tuple[bytes, int]:
        word = _word(data, at)
        if word[:12] != padding:
            raise UndecodableData(f"{name} is no address")
        return word[12:], at + WORD

    return _Codec(WORD, False, encode, decode)


def _boolean(name: str) -> _Codec:
    def encode(value: Any) -> bytes:
        if not isinstance(value, bool):
            raise InvalidValue(field=name, value=value, expected="true or false")
        return int(value).to_bytes(WORD, "big")

    def decode(data: bytes, at: int) -> tuple[bool, int]:
        value = int.from_bytes(_word(data, at), "big")
        if value > 1:
            raise UndecodableData(f"{name} is neither true nor false")
        return value == 1, at + WORD

    return _Codec(WORD, False, encode, decode)


def _encode_bytes(name: str, value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise InvalidValue(field=name, value=value, expected="bytes")
    return len(value).to_bytes(WORD, "big") + value + bytes(-len(value) % WORD)


def _decode_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    length = _length(data, at)
    start = at + WORD
    end = start + length
    padded = end + -length % WORD
    if len(data) < padded or any(data[end:padded]):
        raise UndecodableData("bytes are cut short or wrongly padded")
    return data[start:end], padded


def _decode_string(data: bytes, at: int) -> tuple[str, int]:
    content, end = _decode_bytes(data, at)
    try:
        return content.decode("utf-8"), end
    except UnicodeDecodeError as error:
        raise UndecodableData("a string is not UTF-8") from error


def _struct(components: Sequence[Parameter]) -> _Codec:
    codecs = [_codec(part) for part in components]
    names = [part.name for part in components]
    dynamic = any(codec.dynamic for codec in codecs)

    def encode(value: Mapping[str, Any]) -> bytes:
        return _encode_row(codecs, [value[name] for name in names])

    def decode(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        values, end = _decode_row(codecs, data, at)
        return dict(zip(names, values, strict=True)), end

    size = WORD if dynamic else sum(codec.size for codec in codecs)
    return _Codec(size, dynamic, encode, decode)


def _array(element: _Codec) -> _Codec:
    def encode(values: Sequence[Any]) -> bytes:
        return len(values).to_bytes(WORD, "big") + _encode_row([element] * len(values), values)

    def decode(data: bytes, at: int) -> tuple[list[Any], int]:
        length = _length(data, at)
        # Each element takes room, so a length beyond the data would only cost memory.
        if length * element.size > len(data) - at - WORD:
            raise UndecodableData("an array is cut short")
        return _decode_row([element] * length, data, at + WORD)

    return _Codec(WORD, True, encode, decode)


def _fixed_array(element: _Codec, length: int) -> _Codec:
    codecs = [element] * length

    def encode(values: Sequence[Any]) -> bytes:
        return _encode_row(codecs, values)

    def decode(data: bytes, at: int) -> tuple[list[Any], int]:
        return _decode_row(codecs, data, at)

    return _Codec(
        WORD if element.dynamic else element.size * length, element.dynamic, encode, decode
    )


def _encode_row(codecs: Sequence[_Codec], values: Sequence[Any]) -> bytes:
    """Heads, then tails: a static value stands in its head, a dynamic one has an offset there."""
    encoded = [codec.encode(value) for codec, value in zip(codecs, values, strict=True)]
    offset = sum(codec.size for codec in codecs)
    heads: list[bytes] = []
    tails: list[bytes] = []
    for codec, content in zip(codecs, encoded, strict=True):
        if codec.dynamic:
            heads.append(offset.to_bytes(WORD, "big"))
            tails.append(content)
            offset += len(content)
        else:
            heads.append(content)
    return b"".join(heads + tails)


def _decode_row(codecs: Sequence[_Codec], data: bytes, start: int) -> tuple[list[Any], int]:
    values: list[Any] = []
    at = start
    tail = start + sum(codec.size for codec in codecs)
    for codec in codecs:
        if codec.dynamic:
            if start + _length(data, at) != tail:
                raise UndecodableData("an offset does not point at the end of what stands before")
            value, tail = codec.decode(data, tail)
        else:
            value, _ = codec.decode(data, at)
        values.append(value)
        at += codec.size
    return values, tail


def _length(data: bytes, at: int) -> int:
    """An offset or a length, which cannot be larger than the data."""
    value = int.from_bytes(_word(data, at), "big")
    if value > len(data):
        raise UndecodableData("a length or an offset points beyond the data")
    return value


def _word(data: bytes, at: int) -> bytes:
    word = data[at : at + WORD]
    if len(word) != WORD:
        raise UndecodableData("the data are cut short")
    return word
