"""What all answers share: how a value is written, and the block that an answer is true at.

The models describe and serialise; they check nothing, since what they are made from is ours.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.formats import show_bytes, show_time
from api.pagination import MAX_LIMIT
from ledger.mirror.queries.moments import Condition, Moment

MAX_EXACT = 2**53 - 1
"""The largest whole number that JSON and JavaScript keep exactly; no number here is larger."""


MOST_PROGRAMMES = 1000
"""As in Programmes.sol: what there is one of in each programme is no more than that."""

MOST_PARTS = 200
"""Of a list inside an answer that nothing else bounds; a route of its own gives all of it."""


def at_most(most: int) -> Any:
    """That a list has so many at most. The description says it, and who makes the list sees to it:
    an answer is not refused for it."""
    return Field(json_schema_extra={"maxItems": most})


def _written(pattern: str, example: str, description: str) -> Any:
    return WithJsonSchema(
        {"type": "string", "pattern": pattern, "examples": [example], "description": description}
    )


Address = Annotated[
    str,
    _written(
        "^0x[0-9a-fA-F]{40}$",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "An account, with the checksum of EIP-55.",
    ),
]
Digest = Annotated[
    str,
    _written(
        "^0x[0-9a-f]{64}$",
        "0x" + "5b" * 32,
        "32 bytes: a hash, a commitment, or an operation's id.",
    ),
]
Time = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "examples": ["2026-01-31T08:00:00Z"],
            "description": "RFC 3339, in UTC.",
        }
    ),
]
Key = Annotated[
    str,
    Field(
        description="A key of the ledger, up to 31 characters; 0x hex where it is no key.",
        examples=["satellite.manufacture"],
    ),
]
Whole = Annotated[int, Field(ge=0, le=MAX_EXACT)]
Credits = Annotated[
    int, Field(ge=-MAX_EXACT, le=MAX_EXACT, description="Whole credits.", examples=[120])
]
ProgrammeNumber = Annotated[int, Field(ge=1, le=2**16 - 1, examples=[2])]
OrganisationNumber = Annotated[int, Field(ge=1, le=2**32 - 1, examples=[4])]
EntryNumber = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_EXACT,
        description="The number of the entry's line in the credit journal. Numbers grow, and can "
        "have gaps: a line that is no entry, such as a cancelled message, takes one too.",
        examples=[17],
    ),
]
NameZh = Annotated[
    str | None,
    Field(
        description="Its name in Chinese; null where the office has no profile.",
        examples=["银河航天"],
    ),
]
NameEn = Annotated[
    str | None,
    Field(
        description="Its name in English; null where the office has no profile.",
        examples=["GalaxySpace"],
    ),
]


def _know_frozen_modules() -> None:
    """Tell `inspect` of the modules that are in no file.

    pydantic 2 looks for a field's docstring through the frames of whoever defines the class. Of a
    frame of such a module `inspect.getmodule` asks every loaded module, twice, and forgets what it
    found: of the 5.5 s of a processor that the server's start took, that was 1.7.
    """
    known: dict[str, str] = getattr(inspect, "modulesbyfile", {})
    for name in ("abc", "importlib._bootstrap", "importlib._bootstrap_external"):
        known |= dict.fromkeys((f"<frozen {name}>", str(Path.cwd() / f"<frozen {name}>")), name)


_know_frozen_modules()


class Schema(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AsOf(Schema):
    """The block that an answer is true at."""

    block_number: Annotated[Whole, Field(examples=[1204])]
    block_hash: Digest
    timestamp: Time

    @classmethod
    def of(cls, moment: Moment) -> Self:
        return cls(
            block_number=moment.block_number,
            block_hash=show_bytes(moment.block_hash),
            timestamp=show_time(moment.timestamp),
        )


class Answer(Schema):
    """What every answer says of itself."""

    as_of: AsOf
    mirror: Condition
    """`following` the chain; `stale`: it has not looked at the chain lately; `halted`: it found
    something that it refuses. What is answered was proved all the same, up to `as_of`."""

    @classmethod
    def stating(cls, about: Answer, view: Schema, **more: Any) -> Self:
        """The answer that has the parts of `view`, `more` parts, and the block of `about`."""
        return cls(as_of=about.as_of, mirror=about.mirror, **dict(view), **more)


_Item = TypeVar("_Item", bound=Schema)


class Page(Answer, Generic[_Item]):
    """A part of a list; `next` is the cursor of the following part, null on the last."""

    items: Annotated[list[_Item], at_most(MAX_LIMIT)]
    next: Annotated[str | None, Field(examples=[None])]

    @classmethod
    def giving(cls, about: Answer, items: list[_Item], cursor: str | None) -> Self:
        """A page of these items."""
        return cls(as_of=about.as_of, mirror=about.mirror, items=items, next=cursor)
