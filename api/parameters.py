"""What routes take from a path and a query, each described and bounded in one place.

A parameter that a route does not take is refused: a misspelt filter would otherwise list everything
and look like an answer.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BeforeValidator

from api.answers import MomentAsked
from api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from ledger.domain.keys import KEY_PATTERN

_MAX_BIGINT = 2**63 - 1
_DIGITS = re.compile(r"-?[0-9]{1,400}")  # zeros before a number would make names without end
_KEY = f"^(?:{KEY_PATTERN.pattern}|0x[0-9a-f]{{64}})$"
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no text with a zero byte in it

_PROGRAMME = "A programme, by its id or its key."


def _plain_digits(value: object) -> object:
    """Refuse what Python would take for a whole number and nobody else: 4.0, 1_000, +4."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("It should be a whole number in digits")
    return value


Number = Annotated[int, BeforeValidator(_plain_digits)]

OrganisationPath = Annotated[
    Number, Path(ge=1, le=2**32 - 1, description="The organisation's id.", examples=[4])
]
EntryPath = Annotated[
    Number, Path(ge=1, le=_MAX_BIGINT, description="The entry's id.", examples=[17])
]
TokenPath = Annotated[
    Number,
    Path(
        ge=0,
        le=_MAX_BIGINT,
        description="The token's number: the programme's id times 2^32, plus the organisation's.",
        examples=[8589934596],
    ),
]
ProgrammePath = Annotated[
    str, Path(pattern=_KEY, max_length=66, description=_PROGRAMME, examples=["community"])
]
AddressPath = Annotated[
    str,
    Path(
        pattern="^0x[0-9a-fA-F]{40}$",
        description="An account: 0x and 40 hex digits, all of one case or with the checksum of "
        "EIP-55.",
        examples=["0x90F79bf6EB2c4f870365E785982E1f101E93b906"],
    ),
]
CommitmentPath = Annotated[
    str,
    Path(
        pattern="^0x[0-9a-fA-F]{64}$",
        description="The commitment that an entry or a membership names: 0x and 64 hex digits.",
        examples=["0x" + "5b" * 32],
    ),
]

SearchQuery = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=_NO_CONTROLS,
        description="Words in either language's name or in the key, an id, or a controller's "
        "address. Every word must be found.",
        examples=["银河"],
    ),
]
ProgrammeQuery = Annotated[
    str | None,
    Query(pattern=_KEY, max_length=66, description=_PROGRAMME, examples=["community"]),
]
ProgrammeNeeded = Annotated[
    str, Query(pattern=_KEY, max_length=66, description=_PROGRAMME, examples=["community"])
]
KindQuery = Annotated[
    str | None,
    Query(
        pattern=_KEY,
        max_length=66,
        description="What body it is: company, association, investor …",
        examples=["company"],
    ),
]
SegmentQuery = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=_NO_CONTROLS,
        description="Its segment of the industry.",
        examples=["satellite"],
    ),
]
TierQuery = Annotated[
    str | None, Query(pattern=_KEY, max_length=66, description="A tier's key.", examples=["member"])
]
CategoryQuery = Annotated[
    str | None,
    Query(
        pattern=_KEY,
        max_length=66,
        description="A category's key.",
        examples=["satellite.manufacture"],
    ),
]
OrganisationQuery = Annotated[
    Number | None, Query(ge=1, le=2**32 - 1, description="An organisation's id.", examples=[4])
]
EpochQuery = Annotated[
    Number | None,
    Query(ge=1, le=2**32 - 1, description="The number of one of the programme's epochs."),
]
FromQuery = Annotated[
    str | None,
    Query(
        alias="from",
        max_length=40,
        description="Not before this time (RFC 3339), by the time of the entry's block.",
        examples=["2026-01-01T00:00:00Z"],
    ),
]
ToQuery = Annotated[
    str | None,
    Query(
        alias="to",
        max_length=40,
        description="Before this time (RFC 3339), by the time of the entry's block.",
        examples=["2026-04-01T00:00:00Z"],
    ),
]
LimitQuery = Annotated[
    Number, Query(ge=1, le=MAX_LIMIT, description="How many to give at most.", examples=[50])
]
CursorQuery = Annotated[
    str | None,
    Query(max_length=200, description="Where to go on: `next` of the page before, unchanged."),
]
AsOfBlockQuery = Annotated[
    Number | None,
    Query(
        ge=0,
        le=_MAX_BIGINT,
        description="Answer as of this block; the latest one unless given.",
    ),
]
AsOfQuery = Annotated[
    str | None,
    Query(
        max_length=40,
        description="Answer as of the last block at or before this time (RFC 3339).",
    ),
]

LIMIT = DEFAULT_LIMIT


async def asked_moment(as_of_block: AsOfBlockQuery = None, as_of: AsOfQuery = None) -> MomentAsked:
    """The moment that a request wants."""
    return MomentAsked(as_of_block, as_of)


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise RequestValidationError for a parameter that the route does not take, or takes once."""
    known = _names_of(request)
    given = [name for name, _ in request.query_params.multi_items()]
    errors = [
        {"type": "unknown", "loc": ("query", name), "msg": "There is no such parameter here"}
        for name in dict.fromkeys(given)
        if name not in known
    ] + [
        {"type": "repeated", "loc": ("query", name), "msg": "It is given more than once"}
        for name in sorted(known)
        if given.count(name) > 1
    ]
    if errors:
        raise RequestValidationError(errors)


def _names_of(request: Request) -> frozenset[str]:
    """The names of the query parameters that the route takes, found once for each route."""
    route: APIRoute = request.scope["route"]
    found: dict[str, frozenset[str]] = request.app.state.parameter_names
    if route.operation_id is None or route.operation_id not in found:
        fields = get_flat_params(route.dependant)
        names = frozenset(
            field.alias for field in fields if isinstance(field.field_info, params.Query)
        )
        found[route.operation_id or route.unique_id] = names
        return names
    return found[route.operation_id]
