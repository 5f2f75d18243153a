"""The OpenAPI document: FastAPI's own, with what it cannot know about every answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from pydantic.json_schema import models_json_schema

from api.routes.declared import FieldErrorView, ProblemView

DESCRIPTION = """\
Who belongs to which programme of an alliance, and what each organisation has been credited for.

The truth is on a chain; these answers come from a mirror of it in SQL, each row proved by the
chain's headers. Every answer names the block that it is true at (`as_of`), and can be asked for
as of an earlier block (`as_of_block`) or time (`as_of`).

- **Numbers** are JSON integers, at most 2^53-1. **Times** are RFC 3339 in UTC. **Bytes** are 0x
  hex. **Addresses** carry the checksum of EIP-55.
- **Lists** are given in pages: follow `next`, or the `Link` header (RFC 8288). A cursor goes on
  after a place in the order, so rows that come in between shift nothing. No other list is without
  a bound (`maxItems`).
- **Errors** are problem details (RFC 9457) with a stable `code`; `errors` names the fields.
- **Caching**: `ETag` changes with the chain's head. Send it as `If-None-Match` and an unchanged
  answer costs neither side anything. What is for its caller alone has no tag: nobody keeps it.
- **Signing in**: with Ethereum (EIP-4361) at `/v1/sessions`, or with an API key as
  `Authorization: Bearer …`. What an account may do is what the chain's offices say.
- **Changes** are asked for by POST with an `Idempotency-Key` and answered by 202 with an
  operation; the same key and body again is the same operation.
- **HEAD**: whatever answers GET answers HEAD too, with the same headers and no body.
"""

TYPES = Path(__file__).with_name("openapi.d.ts")
"""TypeScript's types of the document, made by `python -m api.client_code`."""

types = APIRouter(include_in_schema=False)

TAGS = [
    {"name": "status", "description": "How far the mirror is, and how it does."},
    {"name": "programmes", "description": "Programmes, their rules and rankings."},
    {"name": "organisations", "description": "The register of organisations."},
    {"name": "memberships", "description": "Who belongs to which programme."},
    {"name": "tokens", "description": "What wallets show of memberships."},
    {"name": "credentials", "description": "Memberships that others can check, and by which keys."},
    {"name": "entries", "description": "The credit journal."},
    {"name": "benefits", "description": "What credits buy, and what was redeemed."},
    {"name": "shares", "description": "Pools shared by contribution, and claims."},
    {"name": "proposals", "description": "What councils decide on, told in sentences."},
    {"name": "messages", "description": "What wallets sign instead of sending transactions."},
    {"name": "accounts", "description": "What an address may do."},
    {"name": "evidence", "description": "The documents that entries rest on."},
    {"name": "access", "description": "Signing in, API keys, the log of privileged calls."},
    {"name": "commands", "description": "What is asked for. Each is an operation."},
    {"name": "applications", "description": "From an application to its decision."},
    {"name": "profiles", "description": "What the office keeps of an organisation."},
    {"name": "webhooks", "description": "Who is told what happened."},
    {"name": "operations", "description": "What was asked for, and how far it is."},
    {"name": "audits", "description": "Proofs for whoever trusts neither us nor our server."},
    {"name": "stream", "description": "What happens, as it happens."},
]

_VIEW = re.compile(r'(#/components/schemas/\w+?)View"')
_ETAG = {
    "description": "Changes with the answer; send it as If-None-Match.",
    "schema": {"type": "string", "examples": ['"7c0f9ab2315e84d6c09a1b2f"']},
}
_LINK = {
    "description": "The first page and, where there is one, the next (RFC 8288).",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer that the caller has.",
    "schema": {"type": "string"},
}


def describe(app: FastAPI) -> None:
    """Have the application give the finished document, made at the first call."""
    app.description = DESCRIPTION
    app.openapi_tags = TAGS
    plain = app.openapi
    finished: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not finished:
            finished.append(_finish(plain()))
        return finished[0]

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change it


@types.get("/openapi.d.ts")
def get_types() -> Response:
    """The types for a portal's TypeScript, of this very release."""
    return Response(
        TYPES.read_bytes(), media_type="text/plain", headers={"Cache-Control": "no-cache"}
    )


def _finish(document: dict[str, Any]) -> dict[str, Any]:
    _, problems = models_json_schema(
        [(ProblemView, "serialization"), (FieldErrorView, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas = document["components"]["schemas"]
    schemas.update(problems["$defs"])
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for operations in document["paths"].values():
        for operation in operations.values():
            _add_headers(operation)
    document["components"]["schemas"] = {
        name.removesuffix("View"): schema for name, schema in sorted(schemas.items())
    }
    renamed: dict[str, Any] = json.loads(_VIEW.sub(r'\1"', json.dumps(document)))
    return renamed


def _add_headers(operation: dict[str, Any]) -> None:
    """Declare what every answer of the mirror takes and gives beside its body."""
    is_list = any(each["name"] in ("cursor", "before") for each in operation.get("parameters", ()))
    if "304" not in operation["responses"]:
        if is_list:  # of what is for the caller alone, and kept by nobody
            operation["responses"]["200"]["headers"] = {"Link": _LINK}
        return
    operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    given = {"ETag": _ETAG}
    if is_list:
        given["Link"] = _LINK
    operation["responses"]["200"].setdefault("headers", {}).update(given)
