"""A kind of command: its body, who may ask for it, and what it comes to.

Each is a route of its own, and what a council can be asked to decide on besides: a proposal carries
commands by the same names and with the same bodies. So a kind is written once, as data, and the
routes are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Request, Response

from api.answers import Reading
from api.asking import Asking, IdempotencyKey, ask
from api.callers import Caller, Needs
from api.routes.declared import problems
from api.schemas.commands import Command
from api.schemas.operations import OperationAnswer
from ledger.domain.access import Scope

_Body = TypeVar("_Body", bound=Command)

Prepare = Callable[[Request, Reading, _Body], Asking]
"""What a body comes to at a moment. Raises InvalidValue and NotFound."""

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It is checked and kept, and will be done; `Location` is where to look.",
        "model": OperationAnswer,
    },
    **problems(
        s401="Nobody is signed in, or the credential is good for nothing.",
        s403="The account lacks the office, or the key the scope.",
        s404="What it is about is not there.",
        s409="A contract refuses it, or the same request is worked on now.",
        s413="The body is too large.",
        s422="A value cannot be used, or the Idempotency-Key was used for another request.",
        s429="Too many requests.",
        s500="The server met an error that it does not know.",
        s502="The chain's node does not answer as it should.",
        s503="The mirror does not follow the chain, or the server has no key for it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Kind(Generic[_Body]):
    """A kind of command. `name` is its path below /v1, by which a proposal calls it, too."""

    name: str
    operation_id: str
    body: type[_Body]
    scope: Scope
    description: str
    prepare: Prepare[_Body]


def serve_kinds(router: APIRouter, kinds: Iterable[Kind[Any]]) -> None:
    """Give each kind its route."""
    for kind in kinds:
        _serve(router, kind)


def _serve(router: APIRouter, kind: Kind[_Body]) -> None:
    def create(request: Request, body: _Body, key: str, caller: Caller) -> Response:
        return ask(request, caller, key, body, lambda reading: kind.prepare(request, reading, body))

    # FastAPI reads annotations, and these are known only here.
    create.__annotations__ = {
        "request": Request,
        "body": kind.body,
        "key": IdempotencyKey,
        "caller": Annotated[Caller, Depends(Needs(kind.scope))],
        "return": Response,
    }
    router.post(
        f"/{kind.name}",
        operation_id=kind.operation_id,
        status_code=202,
        responses=ACCEPTED,
        description=kind.description,
        name=kind.operation_id,
    )(create)
