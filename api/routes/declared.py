"""Which errors a route declares in the OpenAPI document, and how their bodies look."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


class FieldErrorView(BaseModel):
    """What is wrong with one value of the request."""

    model_config = ConfigDict(title="FieldError")

    field: Annotated[str, Field(examples=["limit"])]
    problem: Annotated[str, Field(examples=["Input should be less than or equal to 200."])]


class ProblemView(BaseModel):
    """An error (RFC 9457). `code` is stable; `detail` and `advice` are for people."""

    model_config = ConfigDict(title="Problem")

    type: Annotated[str, Field(examples=["urn:moonlake:problem:input.invalid_value"])]
    title: Annotated[str, Field(examples=["Invalid value"])]
    status: Annotated[int, Field(examples=[422])]
    detail: Annotated[str, Field(examples=["These cannot be used: limit."])]
    instance: Annotated[str, Field(examples=["/v1/organisations"])]
    code: Annotated[str, Field(examples=["input.invalid_value"])]
    advice: str | None = None
    errors: list[FieldErrorView] | None = None


def problems(**described: str) -> Responses:
    """The declaration of problems, `s404="There is no such organisation."` for each status."""
    return {
        int(name.removeprefix("s")): {
            "description": description,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for name, description in described.items()
    }


NOT_MODIFIED: Responses = {304: {"description": "The answer that If-None-Match names still holds."}}
ALWAYS: Responses = {
    **NOT_MODIFIED,
    **problems(
        s422="A value of the path or the query cannot be used; `errors` names each.",
        s500="The server met an error that it does not know.",
        s503="Nothing is mirrored yet, or the database cannot be used.",
    ),
}
"""What every answer of the mirror can be instead."""
