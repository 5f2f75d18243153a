"""`/v1/stream`: entries, memberships, operations and the chain's head as they happen."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from api.answers import Answers, Reading, answers_of
from api.callers import check_reader, find_caller, has_office, may_read
from api.keeping import NOT_KEPT
from api.limits import Limits
from api.parameters import OrganisationQuery, ProgrammeQuery
from api.routes.declared import problems
from api.routes.named import programme_named
from api.streaming import KINDS, Position, Teller, Wanted, sees_own
from ledger.domain.access import Scope
from ledger.domain.ids import OrgId
from ledger.errors import LedgerError, TooManyRequests

router = APIRouter(tags=["stream"])

MOST_STREAMS = 256
"""Streams of one process: each asks the database a few times a second."""

MOST_OF_ONE = 64
"""Of them those of one address, or one API key: nobody takes all."""

LOOK_SECONDS = 0.2
HEARTBEAT_SECONDS = 15.0

EventsQuery = Annotated[
    str | None,
    Query(
        pattern=rf"^(?:{'|'.join(KINDS)})(?:,(?:{'|'.join(KINDS)}))*$",
        max_length=100,
        description=f"Which events, comma-separated: {', '.join(KINDS)}. All unless given.",
        examples=["entry,head"],
    ),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=200,
        description="The id of the last event that the caller got; what came since is told first.",
    ),
]
BeginAfterQuery = Annotated[
    str | None,
    Query(
        max_length=200,
        description="The same, for a browser's first connection, which can set no header; the "
        "header goes before it.",
    ),
]


@router.get(
    "/stream",
    operation_id="getStream",
    response_class=StreamingResponse,
    dependencies=[Depends(may_read)],
    responses={
        200: {
            "description": "Events (text/event-stream): `entry`, `membership`, `operation`, "
            "`head`, each with the JSON that the API gives for it, and `withdrawn` after a "
            "reorganisation: all that was told above `after_block` is void, and what stands there "
            "now follows.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(
            s400="The event's id was not given here.",
            s401="The credential is good for nothing.",
            s422="A value of the query cannot be used; `errors` names each.",
            s429="Too many streams.",
            s500="The server met an error that it does not know.",
            s503="Nothing is mirrored yet, or the database cannot be used.",
        ),
    },
)
def get_stream(
    request: Request,
    *,
    events: EventsQuery = None,
    programme: ProgrammeQuery = None,
    organisation: OrganisationQuery = None,
    last_event_id: LastEventId = None,
    begin_after: BeginAfterQuery = None,
) -> Response:
    """What happens, as it happens (Server-Sent Events). Operations are told to officers, and each
    to who asked for it."""
    known = last_event_id or begin_after
    position = Position.parse(known) if known else None

    def begin(reading: Reading) -> Wanted:
        named = programme_named(reading, programme) if programme is not None else None
        return Wanted(
            frozenset(re.split(",", events)) if events else frozenset(KINDS),
            OrgId(organisation) if organisation is not None else None,
            named.programme_id if named else None,
        )

    wanted = answers_of(request).read(begin)
    sees = _sight_of(request)
    headers = {**NOT_KEPT, "X-Accel-Buffering": "no"}
    if request.scope.get("moonlake.head"):
        return Response(media_type="text/event-stream", headers=headers)
    limits: Limits = request.app.state.limits
    given = request.headers.get("authorization", "").encode("latin-1")
    name = limits.name_of(request.scope, given)
    open_streams: dict[object, str] = request.app.state.streams
    names = list(open_streams.values())
    for most, count in ((MOST_STREAMS, len(names)), (MOST_OF_ONE, names.count(name))):
        if count >= most:
            raise TooManyRequests(limit=most, seconds=5)
    teller = Teller(wanted, sees, position)
    return StreamingResponse(
        _events(request, teller, name), media_type="text/event-stream", headers=headers
    )


def _sight_of(request: Request) -> Callable[[Connection, bytes], bool]:
    """Which operations the caller may be told of."""
    caller = find_caller(request)
    if caller is None or Scope.READ not in caller.scopes:
        return _sees_none
    return _sees_all if has_office(request, caller) else sees_own(caller.account)


async def _events(request: Request, teller: Teller, name: str) -> AsyncIterator[bytes]:
    answers = answers_of(request)
    streams: dict[object, str] = request.app.state.streams
    streams[teller] = name
    beat = checked = time.monotonic()
    try:
        yield b"retry: 2000\n\n"
        # Nothing is sent for long, so that only asking tells that the reader has gone.
        while not (request.app.state.is_stopping() or await request.is_disconnected()):
            told, more = await run_in_threadpool(_tell, answers, teller)
            for event in told:
                yield event
            if told:
                beat = time.monotonic()
            if not more:
                await asyncio.sleep(LOOK_SECONDS)
            if time.monotonic() - checked >= HEARTBEAT_SECONDS:  # be there news or not
                if not await run_in_threadpool(_is_still_good, request, teller):
                    return
                checked = time.monotonic()
            if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                beat = time.monotonic()
                yield b": still here\n\n"
    finally:
        streams.pop(teller, None)


def _tell(answers: Answers, teller: Teller) -> tuple[list[bytes], bool]:
    try:
        return answers.read(teller.tell)
    except LedgerError:
        return [], False  # the database is away for a moment; the place is kept


def _is_still_good(request: Request, teller: Teller) -> bool:
    """Whether what the stream was opened with still opens it, and is told as much as before."""
    if getattr(request.state, "caller", None) is None:
        return True
    del request.state.caller
    try:
        check_reader(request)
        teller.sees = _sight_of(request)
    except LedgerError:
        return False
    return True


def _sees_none(_connection: Connection, _operation_id: bytes) -> bool:
    return False


def _sees_all(_connection: Connection, _operation_id: bytes) -> bool:
    return True
