"""Applications as their applicants work on them: filed, followed, answered, withdrawn.

Whoever has no account yet comes with the secret of the link that the office sent; it goes into a
header, and its link holds it behind a `#`, so that no log of a server or proxy has it. Documents
are for applicant and officers alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import Connection

from api.answers import Reading, answers_of
from api.asking import IdempotencyKey
from api.callers import Caller, Needs
from api.formats import show_bytes
from api.keeping import NOT_KEPT
from api.noting import Author, Change, answer, note
from api.office import reading_office
from api.parameters import CommitmentPath
from api.parties import SecretHeader, party_to
from api.routes.declared import problems
from api.routes.evidence import content_headers
from api.routes.named import programme_named
from api.schemas.applications import (
    AccountCommand,
    ApplicationAnswer,
    ApplicationCommand,
    FormCommand,
    SaidCommand,
)
from api.uploads import Upload, received
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.ids import OrgId
from ledger.errors import InvalidValue, LedgerError, NotFound
from ledger.mirror.queries.organisations import read_controlled_by
from ledger.office import casework
from ledger.office.cases import Case, documents_of, has_open_case, read_case
from ledger.office.evidence import Description, EvidenceStore, Received, describe_documents
from ledger.office.log import read_steps
from ledger.office.rows import raise_revision

router = APIRouter(tags=["applications"])

Body = BaseModel | bytes | None
Step = Callable[[Connection, Case, str, int], None]
"""What is done to an application: by whom, and when."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that is asked for: of which application, and by whom."""

    request: Request
    application_id: str
    secret: str | None
    key: str


FAULTS = problems(
    s401="Nobody is signed in, or the credential or the link's secret is good for nothing.",
    s403="It is another's application, or the request is not the session's own.",
    s422="A value cannot be used, or the Idempotency-Key was used for another request.",
    s429="Too many requests.",
    s500="The server met an error that it does not know.",
    s503="The mirror does not follow the chain, or the database cannot be used.",
)
OF_ONE = {**FAULTS, **problems(s404="There is no such application.")}
STEP = {
    **OF_ONE,
    **problems(
        s409="Its state does not allow this step.",
        s413="The body is too large.",
    ),
}

ApplicationPath = Annotated[
    str,
    Path(
        pattern="^0x[0-9a-fA-F]{64}$",
        description="The application's id.",
        examples=["0x" + "5b" * 32],
    ),
]
TitleQuery = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="What the document is called.",
        examples=["charter.pdf"],
    ),
]
Member = Annotated[Caller, Depends(Needs(Scope.MEMBERS))]


@router.post(
    "/applications",
    operation_id="createApplication",
    status_code=201,
    response_model=ApplicationAnswer,
    responses={**FAULTS, **problems(s413="The body is too large.")},
)
def create(
    request: Request, body: ApplicationCommand, key: IdempotencyKey, caller: Member
) -> Response:
    """Apply to a programme, as the account that is signed in. It can have one application to a
    programme open at a time."""
    form = body.form.form()

    def resolve(reading: Reading) -> tuple[str, OrgId | None]:
        programme = programme_named(reading, body.programme).key
        own = read_controlled_by(reading.connection, reading.moment, caller.account)
        return programme, None if own is None else OrgId(own.org_id)

    programme, org_id = answers_of(request).read(resolve)
    author, made = Author.of(caller), []

    def do(connection: Connection, now: int) -> str:
        raise_revision(connection)  # two requests at once come one after the other
        if has_open_case(connection, programme, caller.account):
            expected = "a programme to which this account has no application open"
            raise InvalidValue(field="programme", value=body.programme, expected=expected)
        case, secret = casework.open_case(
            connection,
            programme,
            by=author.name,
            now=now,
            org_id=org_id,
            controller=caller.account,
        )
        store = _store(request)
        casework.file_form(connection, store, case.application_id, form, by=author.name, now=now)
        made.append(secret)
        return case.shown

    noted = note(request, author, key, body, Change("application.filed", do))
    secret = made[0] if made else None
    shown = show(request, noted.subject, for_officer=False, secret=secret)
    return answer(shown, 201, {**noted.headers, "Location": _place(noted.subject)})


@router.get(
    "/applications/{application_id}",
    operation_id="getApplication",
    response_model=ApplicationAnswer,
    responses=OF_ONE,
)
def get_one(
    request: Request, application_id: ApplicationPath, secret: SecretHeader = None
) -> Response:
    """An application: to its applicant (by account, or by the link's secret) and to officers."""
    _, party = party_to(request, id_of(application_id), secret, scope=Scope.READ)
    return answer(show(request, application_id, for_officer=party.is_officer))


@router.post(
    "/applications/{application_id}/forms",
    operation_id="createForm",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def file_form(
    request: Request,
    application_id: ApplicationPath,
    body: FormCommand,
    key: IdempotencyKey,
    secret: SecretHeader = None,
) -> Response:
    """File the form, or file it anew where more was asked."""
    form = body.form()

    def do(connection: Connection, case: Case, by: str, now: int) -> None:
        casework.file_form(connection, _store(request), case.application_id, form, by=by, now=now)

    return take_step(Asked(request, application_id, secret, key), body, "application.filed", do)


@router.post(
    "/applications/{application_id}/documents",
    operation_id="createDocument",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file itself; its Content-Type says what it is: PDF, PNG, JPEG, "
            "WebP, an Office file, or text.",
            "content": {
                each: {"schema": {"type": "string", "format": "binary"}}
                for each in ("application/pdf", "image/png", "image/jpeg", "text/plain")
            },
        }
    },
)
async def attach(
    request: Request,
    application_id: ApplicationPath,
    title: TitleQuery,
    key: IdempotencyKey,
    secret: SecretHeader = None,
) -> Response:
    """Add a document, private to the applicant and to officers. It may be scanned, and is refused
    where it is not what its type says."""
    # Before anything of it is read: who may.
    await run_in_threadpool(party_to, request, id_of(application_id), secret)
    async with received(request) as upload:
        asked = Asked(request, application_id, secret, key)
        return await run_in_threadpool(_attach, asked, title, upload)


def _attach(asked: Asked, title: str, upload: Upload) -> Response:
    described = Description("", title, upload.media_type)
    store, application_id = _store(asked.request), id_of(asked.application_id)
    taken: Received | LedgerError
    try:
        with reading_office(asked.request) as connection:
            casework.check_attachable(connection, application_id, described)
        # A scanner may take minutes: no transaction is open meanwhile.
        taken = store.receive(upload.content, described)
    except LedgerError as error:
        taken = error  # unless it was done before, which its key says

    def do(connection: Connection, case: Case, by: str, now: int) -> None:
        if isinstance(taken, LedgerError):
            raise taken
        casework.attach_document(
            connection, store, case.application_id, taken, described, by=by, now=now
        )

    body = upload.media_type.encode("utf-8", "surrogatepass") + upload.sha256
    return take_step(asked, body, "application.attached", do)


@router.get(
    "/applications/{application_id}/documents/{commitment}",
    operation_id="getDocument",
    response_class=Response,
    responses={
        200: {
            "description": "The document, unchanged; checked before it is sent.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
        **OF_ONE,
    },
)
def get_document(
    request: Request,
    application_id: ApplicationPath,
    commitment: CommitmentPath,
    secret: SecretHeader = None,
) -> Response:
    """A document of an application."""
    case, _ = party_to(request, id_of(application_id), secret, scope=Scope.READ)
    raw = bytes.fromhex(commitment[2:])
    with reading_office(request) as connection:
        if raw not in documents_of(connection, case.application_id):
            raise NotFound(what="document of the application", key=commitment)
        evidence, chunks = _store(request).read(connection, raw, entitled=True)
    headers = {**content_headers(raw, evidence), **NOT_KEPT}
    media_type = headers.pop("Content-Type")
    return StreamingResponse(chunks, media_type=media_type, headers=headers)


@router.post(
    "/applications/{application_id}/answers",
    operation_id="createAnswer",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def give_answer(
    request: Request,
    application_id: ApplicationPath,
    body: SaidCommand,
    key: IdempotencyKey,
    secret: SecretHeader = None,
) -> Response:
    """Answer what the office asked."""

    def do(connection: Connection, case: Case, by: str, now: int) -> None:
        casework.answer(connection, case.application_id, body.text, by=by, now=now)

    return take_step(Asked(request, application_id, secret, key), body, "application.answered", do)


@router.post(
    "/applications/{application_id}/withdrawals",
    operation_id="createWithdrawal",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def withdraw(
    request: Request,
    application_id: ApplicationPath,
    key: IdempotencyKey,
    secret: SecretHeader = None,
) -> Response:
    """Take an application back, as long as it is not decided."""

    def do(connection: Connection, case: Case, by: str, now: int) -> None:
        casework.withdraw(connection, case.application_id, by=by, now=now)

    return take_step(Asked(request, application_id, secret, key), None, "application.withdrawn", do)


@router.post(
    "/applications/{application_id}/accounts",
    operation_id="createApplicantAccount",
    status_code=201,
    response_model=ApplicationAnswer,
    responses=STEP,
)
def name_account(
    request: Request,
    application_id: ApplicationPath,
    body: AccountCommand,
    key: IdempotencyKey,
    secret: SecretHeader = None,
) -> Response:
    """Name the account that acts for the applicant: without one nobody can be registered. One that
    acts for an organisation already is named by that one, or by an officer; another than officers
    have recommended is recommended anew."""
    account = parse_address(body.account, "account")
    case, party = party_to(request, id_of(application_id), secret)

    def find(reading: Reading) -> OrgId | None:
        own = read_controlled_by(reading.connection, reading.moment, account)
        return None if own is None else OrgId(own.org_id)

    others = answers_of(request).read(find)
    may_name = party.is_officer or party.author.account == show_bytes(account)
    if others not in (None, case.org_id) and not may_name:
        expected = "an account that acts for no organisation yet"
        raise InvalidValue(field="account", value=body.account, expected=expected)

    def do(connection: Connection, case: Case, by: str, now: int) -> None:
        casework.name_controller(connection, case.application_id, account, by=by, now=now)

    return take_step(
        Asked(request, application_id, secret, key), body, "application.controller", do
    )


def show(
    request: Request, application_id: str, *, for_officer: bool, secret: str | None = None
) -> ApplicationAnswer:
    """An application as it is now."""
    raw = id_of(application_id)
    with reading_office(request) as connection:
        case = read_case(connection, raw)
        documents = describe_documents(connection, documents_of(connection, raw))
        steps = read_steps(connection, f"application:{case.shown}")
    return ApplicationAnswer.of(case, documents, steps, for_officer=for_officer, secret=secret)


def take_step(asked: Asked, body: Body, action: str, do: Step) -> Response:
    """Take a step of an application, once; the application as it is then."""
    request = asked.request
    case, party = party_to(request, id_of(asked.application_id), asked.secret)

    def change(connection: Connection, now: int) -> str:
        do(connection, case, party.author.name, now)
        return case.shown

    noted = note(request, party.author, asked.key, body, Change(action, change))
    shown = show(request, noted.subject, for_officer=party.is_officer)
    return answer(shown, 201, {**noted.headers, "Location": _place(noted.subject)})


def _store(request: Request) -> EvidenceStore:
    store: EvidenceStore = request.app.state.evidence
    return store


def id_of(text: str) -> bytes:
    """The bytes of an id in a path or a body."""
    return bytes.fromhex(text[2:])


def _place(application_id: str) -> str:
    return f"/v1/applications/{application_id}"
