"""Applications as officers work on them: the queue, what is asked, and the decision of two.

Who recommended cannot confirm: each is the account that signed in. What was confirmed is carried
out by a decision (`api.routes.decisions`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from api.answers import Reading, answers_of
from api.asking import IdempotencyKey
from api.callers import Caller, Needs
from api.formats import parse_time
from api.noting import Author, Change, Noted, answer, note
from api.office import reading_office
from api.pagination import Place, cut_page, decode_cursor, link_header, question_of
from api.parameters import LIMIT, CursorQuery, LimitQuery, OrganisationQuery, ProgrammeQuery
from api.parties import programmes_of, require_office, require_officer
from api.routes.applications import STEP, ApplicationPath, id_of, show
from api.routes.declared import problems
from api.routes.named import programme_named
from api.schemas.applications import (
    ApplicationAnswer,
    ApplicationLineView,
    ApplicationsAnswer,
    ApplicationsCommand,
    ApplicationsPage,
    InvitationCommand,
    RecommendationsCommand,
    SaidCommand,
)
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.ids import OrgId
from ledger.mirror.queries.organisations import require_organisation
from ledger.office import casework
from ledger.office.cases import Case, CaseState, Queue, count_queue, list_queue, read_case

router = APIRouter(tags=["applications"])

LISTED = {
    **problems(
        s400="The cursor was not given for this question.",
        s401="Nobody is signed in, or the credential is good for nothing.",
        s403="The account lacks the office, or the key the scope.",
        s422="A value cannot be used; `errors` names each.",
        s429="Too many requests.",
        s500="The server met an error that it does not know.",
        s503="The mirror does not follow the chain, or the database cannot be used.",
    )
}

StateQuery = Annotated[
    list[CaseState] | None,
    Query(description="Only those in this state; given several times, in any of them."),
]
Officer = Annotated[Caller, Depends(Needs(Scope.MEMBERS))]
Reader = Annotated[Caller, Depends(Needs(Scope.READ))]


@router.post(
    "/invitations",
    operation_id="createInvitation",
    status_code=201,
    response_model=ApplicationAnswer,
    responses={**STEP, **problems(s404="There is no such organisation.")},
)
def invite(
    request: Request, body: InvitationCommand, key: IdempotencyKey, caller: Officer
) -> Response:
    """Open an application for somebody else, who is sent its secret. For registrars and the
    council."""
    account = parse_address(body.controller, "controller") if body.controller else None

    def resolve(reading: Reading) -> str:
        programme = programme_named(reading, body.programme).key
        require_office(reading, caller, programme)
        if body.organisation is not None:
            require_organisation(reading.connection, reading.moment, OrgId(body.organisation))
        return programme

    programme = answers_of(request).read(resolve)
    author, made = Author.of(caller), []

    def do(connection: Connection, now: int) -> str:
        org_id = None if body.organisation is None else OrgId(body.organisation)
        case, secret = casework.open_case(
            connection, programme, by=author.name, now=now, org_id=org_id, controller=account
        )
        made.append(secret)
        return case.shown

    noted = note(request, author, key, body, Change("application.opened", do))
    return _one(request, noted, made[0] if made else None)


@router.get(
    "/applications",
    operation_id="listApplications",
    response_model=ApplicationsPage,
    responses=LISTED,
)
def list_all(
    request: Request,
    caller: Reader,
    *,
    state: StateQuery = None,
    programme: ProgrammeQuery = None,
    organisation: OrganisationQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """The applications that the caller works on, oldest first, and how many are in each state.
    For registrars and the council."""
    question = question_of(request)
    after = place_after(question, cursor)

    def resolve(reading: Reading) -> Queue:
        named = programme_named(reading, programme).key if programme is not None else ""
        return Queue(
            states=tuple(state or ()),
            programme=named,
            org_id=OrgId(organisation) if organisation is not None else None,
            programmes=programmes_of(reading, caller),
        )

    wanted = answers_of(request).read(resolve)
    with reading_office(request) as connection:
        rows = list_queue(connection, wanted, after=after, limit=limit + 1)
        counts = count_queue(connection, wanted)
    page = cut_page(rows, limit, question, place_of)
    found = ApplicationsPage(
        items=[ApplicationLineView.of(each) for each in page.rows],
        counts={each.value: count for each, count in counts.items()},
        next=page.next,
    )
    return answer(found, headers=dict(link_header(request, page.next)))


@router.post(
    "/applications/{application_id}/links",
    operation_id="createApplicantLink",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def renew_link(
    request: Request, application_id: ApplicationPath, key: IdempotencyKey, caller: Officer
) -> Response:
    """Make another secret for the applicant's link; the one before opens nothing any more. For
    registrars and the council."""
    (case,) = require_officer(request, caller, [id_of(application_id)])
    author, made = Author.of(caller), []

    def do(connection: Connection, now: int) -> str:
        made.append(casework.renew_link(connection, case.application_id, by=author.name, now=now))
        return case.shown

    noted = note(request, author, key, None, Change("application.link_renewed", do))
    return _one(request, noted, made[0] if made else None)


@router.post(
    "/applications/{application_id}/questions",
    operation_id="createQuestion",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def ask_back(
    request: Request,
    application_id: ApplicationPath,
    body: SaidCommand,
    key: IdempotencyKey,
    caller: Officer,
) -> Response:
    """Ask the applicant for more. For registrars and the council."""
    (case,) = require_officer(request, caller, [id_of(application_id)])
    author = Author.of(caller)

    def do(connection: Connection, now: int) -> str:
        casework.ask_back(connection, case.application_id, body.text, by=author.name, now=now)
        return case.shown

    return _one(request, note(request, author, key, body, Change("application.asked", do)))


@router.post(
    "/applications/{application_id}/send-backs",
    operation_id="createSendBack",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def send_back(
    request: Request,
    application_id: ApplicationPath,
    body: SaidCommand,
    key: IdempotencyKey,
    caller: Officer,
) -> Response:
    """Send a recommendation back, to be thought over. For registrars and the council."""
    (case,) = require_officer(request, caller, [id_of(application_id)])
    author = Author.of(caller)

    def do(connection: Connection, now: int) -> str:
        casework.send_back(connection, case.application_id, body.text, by=author.name, now=now)
        return case.shown

    return _one(request, note(request, author, key, body, Change("application.sent_back", do)))


@router.post(
    "/recommendations",
    operation_id="createRecommendations",
    status_code=201,
    response_model=ApplicationsAnswer,
    responses=STEP,
)
def recommend(
    request: Request, body: RecommendationsCommand, key: IdempotencyKey, caller: Officer
) -> Response:
    """Recommend admission or a refusal, for one or many; another officer confirms. For registrars
    and the council."""
    ends = parse_time("expires_at", body.expires_at) if body.expires_at is not None else 0
    author = Author.of(caller)

    def do(connection: Connection, case: Case, now: int) -> None:
        if body.reason is not None:
            casework.recommend_decline(
                connection, case.application_id, reason=body.reason, by=author.name, now=now
            )
        else:
            casework.recommend_admission(
                connection,
                case.application_id,
                tier=body.tier or 0,
                expires_at=ends,
                by=author.name,
                now=now,
            )

    return _many((request, caller, key), body, "application.recommended", do)


@router.post(
    "/confirmations",
    operation_id="createConfirmations",
    status_code=201,
    response_model=ApplicationsAnswer,
    responses=STEP,
)
def confirm(
    request: Request, body: ApplicationsCommand, key: IdempotencyKey, caller: Officer
) -> Response:
    """Confirm what another officer recommended, for one or many. For registrars and the
    council."""
    author = Author.of(caller)

    def do(connection: Connection, case: Case, now: int) -> None:
        casework.confirm(connection, case.application_id, by=author.name, now=now)

    return _many((request, caller, key), body, "application.confirmed", do)


def _many(
    asked: tuple[Request, Caller, str],
    body: RecommendationsCommand | ApplicationsCommand,
    action: str,
    do: Callable[[Connection, Case, int], None],
) -> Response:
    request, caller, key = asked
    ids = [id_of(each) for each in dict.fromkeys(body.applications)]
    found = require_officer(request, caller, ids)

    def change(connection: Connection, now: int) -> str:
        for case in found:
            do(connection, case, now)
        return ",".join(case.shown for case in found)

    noted = note(request, Author.of(caller), key, body, Change(action, change))
    with reading_office(request) as connection:
        items = [ApplicationLineView.of(read_case(connection, each)) for each in ids]
    return answer(ApplicationsAnswer(items=items), 201, noted.headers)


def _one(request: Request, noted: Noted, secret: str | None = None) -> Response:
    shown = show(request, noted.subject, for_officer=True, secret=secret)
    place: Mapping[str, str] = {"Location": f"/v1/applications/{noted.subject}"}
    return answer(shown, 201, {**noted.headers, **place})


def place_after(question: str, cursor: str | None) -> tuple[int, bytes]:
    """Where a queue goes on."""
    if cursor is None:
        return (-1, b"")
    opened_at, *parts = decode_cursor(question, cursor, 5)
    return opened_at, struct.pack(">4q", *parts)


def place_of(case: Case) -> Place:
    """An application's place in a queue."""
    return case.opened_at, *struct.unpack(">4q", case.application_id)
