"""Where in a request's body a value stands that a service refuses.

Services know a command's values by their own words: an organisation that is named twice, a name
that is missing. A portal has to mark the field that a person filled in, so the place is found in
the body that was sent: by the field's name, and among several by the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ledger.errors import InvalidValue

_NAMES = ("name_zh", "name_en")
"""What `name` stands for: one of them must be given."""


def placed(error: InvalidValue, body: BaseModel) -> InvalidValue:
    """The same error, its field named as it is in the body; as it was where it is not there."""
    field, value = str(error.values["field"]), error.values["value"]
    found = _find(field, value, body.model_dump(mode="json"))
    if found == field:
        return error
    return InvalidValue(field=found, value=value, expected=error.values["expected"])


def _find(field: str, value: object, values: Mapping[str, Any]) -> str:
    if field.partition(".")[0] in values:
        return field + _place_in(values.get(field), value)
    if field == "name" and _NAMES[0] in values:
        return _NAMES[0]
    lists = {name: each for name, each in values.items() if isinstance(each, list)}
    for name, items in lists.items():
        if name in (field + "s", field.removesuffix("y") + "ies"):
            place = _place_in(items, value)
            if place:
                return name + place
    for name, items in lists.items():
        for place, each in reversed(list(enumerate(items))):
            if isinstance(each, dict):
                within = _within(field, value, each)
                if within:
                    return f"{name}.{place}.{within}"
    return field


def _place_in(items: object, value: object) -> str:
    """The last place of a list that has the value: of those that are named twice, the second."""
    if not isinstance(items, list):
        return ""
    places = [place for place, each in enumerate(items) if _is(each, value)]
    return f".{places[-1]}" if places else ""


def _within(field: str, value: object, item: Mapping[str, Any]) -> str:
    if field == "name" and _NAMES[0] in item:
        return "" if any(item[name] for name in _NAMES) else _NAMES[0]
    return field if field in item and _is(item[field], value) else ""


def _is(given: object, value: object) -> bool:
    """Whether it is the value that is refused; accounts are written in two ways, texts cut off."""
    if isinstance(given, str) and isinstance(value, str):
        return given.lower() == value.lower() or (
            value.endswith("…") and given.startswith(value[:-1])
        )
    return given == value
