"""Alters one value somewhere in a node's answer, as a lying node would."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec

Path = tuple[str | int, ...]


def leaves(answer: Any, path: Path = ()) -> Iterator[Path]:
    """Where the answer's strings, booleans and nulls stand."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield from leaves(value, (*path, name))
    elif isinstance(answer, list):
        for place, value in enumerate(answer):
            yield from leaves(value, (*path, place))
    else:
        yield path


def altered(answer: Any, path: Path) -> Any:
    """The answer with another value at `path`: the last digit of a hex string, a turned boolean."""
    changed = copy.deepcopy(answer)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if isinstance(value, bool):
        holder[path[-1]] = not value
    elif value is None:
        holder[path[-1]] = "0x" + "11" * 20
    elif value == "0x":
        holder[path[-1]] = "0x00"
    else:
        holder[path[-1]] = value[:-1] + ("1" if value[-1] == "0" else "0")
    return changed


def field_names(*types: type[msgspec.Struct]) -> frozenset[str]:
    """The JSON names of the fields that we read."""
    return frozenset(field.encode_name for each in types for field in msgspec.structs.fields(each))


def read_as(answer: Any, result_type: Any) -> Any:
    """An answer as our decoders see it."""
    return msgspec.json.decode(json.dumps(answer, separators=(",", ":")), type=result_type)
