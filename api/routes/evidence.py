"""Documents that entries and memberships rest on, as they were committed to.

A document comes from somebody else, so a browser is told to run nothing of it: it is shown only
where its type cannot carry a script, and saved otherwise.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.answers import CACHE_CONTROL, Reading, answers_of, names_any, names_tag
from api.formats import parse_digest, show_bytes
from api.parameters import CommitmentPath
from api.routes.declared import ALWAYS, problems
from api.schemas.evidence import EvidenceAnswer
from ledger.office.evidence import Evidence, EvidenceStore
from ledger.office.queries import read_evidence

router = APIRouter(tags=["evidence"])

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
    """What is known of a document, and what it takes to check it against the chain."""
    raw = parse_digest("commitment", commitment)

    def build(reading: Reading) -> EvidenceAnswer:
        return EvidenceAnswer.of(reading.about, read_evidence(reading.connection, raw))

    return answers_of(request).json(request, build)


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

    def open_document(reading: Reading) -> Response:
        record = read_evidence(reading.connection, raw)
        tag = f'"{record.content_hash.hex()}"'
        headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
        if names_tag(request, tag) or names_any(request):
            return Response(status_code=304, headers=headers)
        evidence, chunks = store.read(reading.connection, raw)
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
