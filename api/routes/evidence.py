"""Documents that entries and memberships rest on, as they were committed to.

Officers send documents here before anything rests on them. One is streamed to the disk, must be of
a type that people exchange and be what it says, and is looked through by the operator's scanner.

A document comes from somebody else, so a browser is told to run nothing of it: it is shown only
where its type cannot carry a script, and saved otherwise.
"""

from __future__ import annotations

import time
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.answers import CACHE_CONTROL, Reading, answers_of, names_any, names_tag
from api.callers import Caller, Needs, find_caller, has_office
from api.edge import REQUEST_ID
from api.formats import parse_digest, show_bytes
from api.keeping import NOT_KEPT
from api.office import reading_office, writing_office
from api.parameters import CommitmentPath
from api.routes.declared import ALWAYS, problems
from api.schemas.evidence import EvidenceAnswer
from api.uploads import received
from ledger.domain.access import Scope
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import AccessDenied, InvalidValue
from ledger.mirror.queries.accounts import read_roles
from ledger.office.access_log import add_line
from ledger.office.evidence import Description, Evidence, EvidenceStore, is_private
from ledger.office.profiles import MAX_TEXT
from ledger.office.queries import read_evidence
from ledger.office.scanning import KINDS

router = APIRouter(tags=["evidence"])
uploads = APIRouter(tags=["evidence"])

_READERS = frozenset({"registrar", "council"})

TitleZhQuery = Annotated[
    str,
    Query(
        max_length=MAX_TEXT,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="What the document is called in Chinese.",
        examples=["交付确认单"],
    ),
]
TitleEnQuery = Annotated[
    str,
    Query(
        max_length=MAX_TEXT,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="What the document is called in English.",
        examples=["Delivery note"],
    ),
]

UNKNOWN = problems(s404="No document with this commitment is kept here.")

_PLAIN = "text/plain; charset=utf-8"
_SHOWN = {
    "text/plain": (_PLAIN, ".txt"),
    "text/markdown": (_PLAIN, ".md"),
    "text/csv": (_PLAIN, ".csv"),
    "application/json": (_PLAIN, ".json"),
    "application/pdf": ("application/pdf", ".pdf"),
    "image/png": ("image/png", ".png"),
    "image/jpeg": ("image/jpeg", ".jpg"),
    "image/webp": ("image/webp", ".webp"),
}
"""What a browser may show, as what, and its suffix when saved. Text is shown as plain text."""

_OCTETS = "application/octet-stream"
_SENT_AS = sorted({media_type.partition(";")[0] for media_type, _ in _SHOWN.values()})
_BINARY = {"schema": {"type": "string", "format": "binary"}}

_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@router.get(
    "/evidence/{commitment}",
    operation_id="getEvidence",
    response_model=EvidenceAnswer,
    responses={**ALWAYS, **UNKNOWN},
)
def get_evidence(request: Request, commitment: CommitmentPath) -> Response:
    """What is known of a document, and what it takes to check it against the chain.

    One that is not for everybody is shown to alliance-wide registrars and the council alone.
    """
    raw = parse_digest("commitment", commitment)

    def build(reading: Reading) -> EvidenceAnswer:
        return EvidenceAnswer.of(reading.about, read_evidence(reading.connection, raw))

    if not _is_entitled(request, raw):
        return answers_of(request).json(request, build)

    def build_private(reading: Reading) -> EvidenceAnswer:
        found = read_evidence(reading.connection, raw, entitled=True)
        return EvidenceAnswer.of(reading.about, found)

    answer = answers_of(request).read(build_private)  # and nothing is kept of it
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@router.get(
    "/evidence/{commitment}/content",
    operation_id="getEvidenceContent",
    response_class=Response,
    responses={
        200: {
            "description": "The document, unchanged; checked against its commitment before it is "
            "sent. Text is sent as plain text, and what a browser could run as octets to be saved.",
            "content": dict.fromkeys((*_SENT_AS, _OCTETS), _BINARY),
        },
        **ALWAYS,
        **UNKNOWN,
        **problems(s500="The document is gone, or is no longer what was committed to."),
    },
)
def get_content(request: Request, commitment: CommitmentPath) -> Response:
    """The document itself."""
    raw = parse_digest("commitment", commitment)
    store: EvidenceStore = request.app.state.evidence
    entitled = _is_entitled(request, raw)

    def open_document(reading: Reading) -> Response:
        record = read_evidence(reading.connection, raw, entitled=entitled)
        tag = f'"{record.content_hash.hex()}"'
        headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
        if entitled:
            headers = dict(NOT_KEPT)
        elif names_tag(request, tag) or names_any(request):
            return Response(status_code=304, headers=headers)
        evidence, chunks = store.read(reading.connection, raw, entitled=entitled)
        headers |= content_headers(raw, evidence)
        media_type = headers.pop("Content-Type")
        return StreamingResponse(chunks, media_type=media_type, headers=headers)

    return answers_of(request).read(open_document)


def content_headers(commitment: bytes, evidence: Evidence) -> dict[str, str]:
    """How a document is sent so that nothing of it runs; its Content-Type is among them."""
    kind = evidence.description.media_type.partition(";")[0].strip()
    media_type, suffix = _SHOWN.get(kind, (_OCTETS, ""))
    how = "inline" if kind in _SHOWN else "attachment"
    return {
        "Content-Type": media_type,
        "Content-Length": str(evidence.size),
        "Content-Disposition": f'{how}; filename="{show_bytes(commitment)[:18]}{suffix}"',
        "Content-Security-Policy": _SANDBOX,
    }


@uploads.post(
    "/evidence",
    operation_id="createEvidence",
    status_code=201,
    response_model=EvidenceAnswer,
    responses=problems(
        s401="Nobody is signed in, or the credential is good for nothing.",
        s403="The account holds no office, or the key lacks the scope.",
        s413="The document is larger than this server takes.",
        s422="It is none of the types that are taken, is not what it says, or was refused by the "
        "scanner; or a title cannot be used.",
        s429="Too many requests.",
        s500="The server met an error that it does not know.",
        s503="The scanner could not look, or there is no room.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The document as it is; its type in Content-Type.",
            "content": dict.fromkeys(KINDS, _BINARY),
        }
    },
)
async def create_evidence(
    request: Request,
    caller: Annotated[Caller, Depends(Needs(Scope.EVIDENCE))],
    *,
    title_zh: TitleZhQuery = "",
    title_en: TitleEnQuery = "",
) -> Response:
    """Keep a document that entries or memberships shall rest on. For officers.

    The body is the document itself. Everybody can read it afterwards. What is answered names the
    `commitment` by which awards and others refer to it; the same document with the same titles has
    the one that it had.
    """
    await run_in_threadpool(_require_office, request, caller)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in KINDS:
        expected = "one of " + ", ".join(KINDS)
        raise InvalidValue(field="Content-Type", value=media_type[:100], expected=expected)
    if not (title_zh or title_en):
        raise InvalidValue(field="title_en", value="", expected="a title in at least one language")
    described = Description(title_zh, title_en, media_type)
    async with received(request) as upload:
        return await run_in_threadpool(_keep, request, caller, upload.content, described)


def _keep(request: Request, caller: Caller, content: BinaryIO, described: Description) -> Response:
    commitment = keep_document(request, caller, content, described)

    def build(reading: Reading) -> EvidenceAnswer:
        return EvidenceAnswer.of(reading.about, read_evidence(reading.connection, commitment))

    answer = answers_of(request).read(build)
    headers = {**NOT_KEPT, "Location": f"/v1/evidence/{show_bytes(commitment)}"}
    return Response(answer.model_dump_json(), 201, media_type="application/json", headers=headers)


def keep_document(
    request: Request, caller: Caller, content: BinaryIO, described: Description
) -> bytes:
    """Keep an officer's document, for everybody to read; its commitment. Raises what refuses it."""
    store: EvidenceStore = request.app.state.evidence
    taken = store.receive(content, described)
    with writing_office(request) as connection:
        kept = store.record(connection, taken, described, added_at=int(time.time()))
        add_line(
            connection,
            at=time.time_ns() // 1_000_000,
            account=show_bytes(caller.account),
            via=caller.via,
            action="evidence.kept",
            subject=show_bytes(kept.commitment),
            detail={"size": kept.size, "request_id": REQUEST_ID.get()},
        )
    return kept.commitment


def _require_office(request: Request, caller: Caller) -> None:
    if not has_office(request, caller):
        raise AccessDenied(account=caller.address, needed="documents are kept for officers")


def _is_entitled(request: Request, commitment: bytes) -> bool:
    """Whether a document is not for everybody, and the caller is one of those who may read it."""
    with reading_office(request) as connection:
        if not is_private(connection, commitment):
            return False
    caller = find_caller(request)
    if caller is None or Scope.EVIDENCE not in caller.scopes:
        return False
    account = caller.account

    def holds(reading: Reading) -> bool:
        held = read_roles(reading.connection, reading.moment, account)
        return any(each.programme_id == ALLIANCE_WIDE and each.role in _READERS for each in held)

    return answers_of(request).read(holds)
