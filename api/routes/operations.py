"""What was asked for, and how far it is: for officers, and for whoever asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import Reading, answers_of
from api.asking import made_by
from api.callers import Caller, Needs, has_office
from api.formats import parse_digest, show_bytes
from api.keeping import NOT_KEPT
from api.pagination import (
    Place,
    bytes_of,
    cut_page,
    decode_cursor,
    link_header,
    numbers_of,
    question_of,
)
from api.parameters import LIMIT, CursorQuery, LimitQuery
from api.routes.declared import problems
from api.schemas.operations import OperationAnswer, OperationsPage, OperationView
from ledger.domain.access import Scope
from ledger.errors import NotFound
from ledger.office.asked import find_who_asked, select_asked_by
from ledger.outbox.records import Operation, State, list_of, list_operations

router = APIRouter(tags=["operations"])

WHO = problems(
    s401="Nobody is signed in, or the credential is good for nothing.",
    s403="The account holds no office, or the key lacks the scope.",
    s422="A value of the path or the query cannot be used; `errors` names each.",
    s500="The server met an error that it does not know.",
    s503="Nothing is mirrored yet, or the database cannot be used.",
)

_ID_BYTES = 32

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
    response_model=OperationsPage,
    responses={**WHO, **problems(s400="The cursor was not given for this question.")},
)
def list_latest(
    request: Request,
    caller: Annotated[Caller, Depends(Needs(Scope.READ))],
    *,
    state: StateQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Operations, the newest first: all for an officer, else those that the caller asked for."""
    sees_all = has_office(request, caller)

    def build(reading: Reading) -> tuple[OperationsPage, Mapping[str, str]]:
        question = question_of(request)
        found = list_operations(
            reading.connection,
            state=state,
            among=None if sees_all else select_asked_by(caller.account),
            before=_place_after(question, cursor) if cursor is not None else None,
            limit=limit + 1,
        )
        page = cut_page(found, limit, question, _place_of)
        items = [OperationView.of(each) for each in page.rows]
        answer = OperationsPage.giving(reading.about, items, page.next)
        return answer, link_header(request, page.next)

    answer, links = answers_of(request).read(build)
    headers = {**NOT_KEPT, **links}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


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


def _place_of(operation: Operation) -> Place:
    return (operation.created_at, *numbers_of(operation.request.operation_id, _ID_BYTES))


def _place_after(question: str, cursor: str) -> tuple[int, bytes]:
    created_at, *rest = decode_cursor(question, cursor, 1 + len(numbers_of(b"", _ID_BYTES)))
    return created_at, bytes_of(tuple(rest), _ID_BYTES)
