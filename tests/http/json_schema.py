"""Holds a JSON value against a schema of the OpenAPI document: the words of it that we use."""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def objections(document: Any, schema: Any, value: Any, at: str = "$") -> list[str]:
    """What the schema has against the value; nothing where it fits."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return objections(document, document["components"]["schemas"][name], value, at)
    if "anyOf" in schema:
        tried = [objections(document, each, value, at) for each in schema["anyOf"]]
        return [] if [] in tried else [found for each in tried for found in each]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    kind = schema.get("type")
    if kind is None:
        return found
    if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        return [*found, f"{at}: {value!r} is no {kind}"]
    return found + _of_kind(document, schema, value, at)


def _of_kind(document: Any, schema: Any, value: Any, at: str) -> list[str]:
    found = []
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{at}: lacks {name}" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{at}: has {name}, undeclared" for name in value if name not in properties]
        for name, each in value.items():
            if name in properties:
                found += objections(document, properties[name], each, f"{at}.{name}")
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            found.append(f"{at}: has {len(value)}, more than {schema['maxItems']}")
        for number, each in enumerate(value):
            found += objections(document, schema["items"], each, f"{at}[{number}]")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{at}: {value!r} does not fit {schema['pattern']}")
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            found.append(f"{at}: {value} is not within {low} and {high}")
    return found
