"""The API's reference at /docs, made from the OpenAPI document.

A page like the others and no viewer from elsewhere: it needs no script, loads nothing, and cannot
differ from what the server does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.console.markdown import render_markdown
from api.console.pages import page, plain_page
from ledger.errors import LedgerError

router = APIRouter(include_in_schema=False)

_MOST_NESTED = 6


@dataclass(frozen=True, slots=True)
class Operation:
    """A route, with everything that a page says of it."""

    operation_id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Mapping[str, Any], ...]
    responses: tuple[tuple[str, str], ...]
    body: str
    example: str
    call: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations of one tag."""

    name: str
    description: str
    operations: tuple[Operation, ...]


@router.get("/docs")
def reference(request: Request) -> Response:
    """Every route, what it takes, and what it answers."""
    chapters = request.app.state.__dict__.setdefault(
        "chapters", tuple(read_reference(request.app.openapi()))
    )
    described = render_markdown(request.app.openapi()["info"]["description"])
    values = {"chapters": chapters, "described": described}
    try:
        return page(request, "docs.html", lambda _reading, _language: values)
    except LedgerError:  # the reference is there when the ledger is not
        return plain_page(request, "docs.html", values)


def read_reference(document: Mapping[str, Any]) -> Iterator[Chapter]:
    """The chapters of an OpenAPI document, in the order of its tags."""
    for tag in document["tags"]:
        operations = tuple(
            _operation(document, path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag["name"] in operation["tags"]
        )
        yield Chapter(tag["name"], tag["description"], operations)


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> Operation:
    parameters = tuple(operation.get("parameters", ()))
    good = next(each for status, each in operation["responses"].items() if status < "300")
    content = good.get("content", {})
    schema = content.get("application/json", {}).get("schema")
    example = example_of(document, schema) if schema else None
    taken = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = example_of(document, taken["schema"]) if taken else None
    return Operation(
        operation_id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("description", ""),
        parameters=parameters,
        responses=tuple(
            (status, response["description"])
            for status, response in sorted(operation["responses"].items())
        ),
        body=json.dumps(body, ensure_ascii=False, indent=2) if taken else "",
        example=json.dumps(example, ensure_ascii=False, indent=2) if schema else "",
        call=_call(path, parameters),
    )


def _call(path: str, parameters: tuple[Mapping[str, Any], ...]) -> str:
    """The path with an example in each of its places."""
    for parameter in parameters:
        if parameter["in"] == "path":
            example = parameter["schema"]["examples"][0]
            path = path.replace("{" + parameter["name"] + "}", str(example))
    return path


def example_of(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of the schema, from the examples that its parts give."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(document, document["components"]["schemas"][name], depth + 1)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(document, schema["anyOf"][0], depth + 1)
    return _example_of_type(document, schema, depth)


def _example_of_type(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: example_of(document, each, depth + 1) for name, each in properties.items()}
    if kind == "array":
        return [example_of(document, schema["items"], depth + 1)] if depth < _MOST_NESTED else []
    plain: dict[Any, Any] = {"integer": schema.get("minimum", 0), "boolean": True, "string": "…"}
    return plain.get(kind)
