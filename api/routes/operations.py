"""What was asked for, and how far it is: for officers, and for whoever asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import Reading, answers_of
from api.asking import made_by
from api.callers import Caller, Needs, has_office
from api.formats import parse_digest, show_bytes
from api.keeping import NOT_KEPT
from api.parameters import LIMIT, LimitQuery
from api.routes.declared import problems
from api.schemas.operations import OperationAnswer, OperationsAnswer, OperationView
from ledger.domain.access import Scope
from ledger.errors import NotFound
from ledger.office.asked import find_who_asked, list_asked_by
from ledger.outbox.records import State, list_of, list_operations

router = APIRouter(tags=["operations"])

WHO = problems(
    s401="Nobody is signed in, or the credential is good for nothing.",
    s403="The account holds no office, or the key lacks the scope.",
    s422="A value of the path or the query cannot be used; `errors` names each.",
    s500="The server met an error that it does not know.",
    s503="Nothing is mirrored yet, or the database cannot be used.",
)

OperationPath = Annotated[
    str,
    Path(
        pattern="^0x[0-9a-fA-F]{64}$",
        description="The operation's id: 0x and 64 hex digits.",
        examples=["0x" + "5b" * 32],
    ),
]
StateQuery = Annotated[
    State | None, Query(description="Those in this state.", examples=["included"])
]


@router.get(
    "/operations",
    operation_id="listOperations",
    response_model=OperationsAnswer,
    responses=WHO,
)
def list_latest(
    request: Request,
    caller: Annotated[Caller, Depends(Needs(Scope.READ))],
    *,
    state: StateQuery = None,
    limit: LimitQuery = LIMIT,
) -> Response:
    """The latest operations, the newest first: all for an officer, else those that the caller
    asked for."""
    sees_all = has_office(request, caller)

    def build(reading: Reading) -> OperationsAnswer:
        if sees_all:
            found = list_operations(reading.connection, state=state, limit=limit)
        else:
            own = list_asked_by(reading.connection, caller.account, limit=limit)
            kept = list_of(reading.connection, own)
            found = tuple(kept[each] for each in own if each in kept)
        items = [OperationView.of(each) for each in found if state in (None, each.state)]
        about = reading.about
        return OperationsAnswer(as_of=about.as_of, mirror=about.mirror, items=items)

    answer = answers_of(request).read(build)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@router.get(
    "/operations/{operation_id}",
    operation_id="getOperation",
    response_model=OperationAnswer,
    responses={**WHO, **problems(s404="There is no such operation, or it is another's.")},
)
def get_one(
    request: Request,
    operation_id: OperationPath,
    caller: Annotated[Caller, Depends(Needs(Scope.READ))],
) -> Response:
    """An operation, with its transaction, and why it failed if it did."""
    wanted = parse_digest("operation_id", operation_id)
    sees_all = has_office(request, caller)

    def build(reading: Reading) -> OperationAnswer:
        found = list_of(reading.connection, [wanted]).get(wanted)
        is_own = find_who_asked(reading.connection, wanted) == caller.account
        if found is None or not (sees_all or is_own):
            raise NotFound(what="operation", key=show_bytes(wanted))
        return OperationAnswer.stating(
            reading.about, OperationView.of(found), made=made_by(reading, found)
        )

    answer = answers_of(request).read(build)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)
