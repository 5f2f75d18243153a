"""Audits: verify the whole ledger now, what came out, the bundle; an organisation's certificate."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from api.answers import MomentAsked, Reading, answers_of
from api.auditing import Auditing
from api.callers import Caller, Needs, has_office
from api.edge import REQUEST_ID
from api.formats import show_bytes
from api.keeping import NOT_KEPT
from api.office import writing_office
from api.parameters import OrganisationPath, asked_moment
from api.routes.access import SIGNED_IN
from api.routes.declared import ALWAYS, problems
from api.schemas.audits import AuditAnswer, AuditCommand, CertificateAnswer
from api.waiting import waiting_for_node
from ledger.audit.options import read_options, write_options
from ledger.domain.access import Scope
from ledger.domain.ids import OrgId
from ledger.errors import AccessDenied, NotFound
from ledger.mirror.queries.organisations import require_organisation
from ledger.office.access_log import add_line
from ledger.wiring import make_certificate

router = APIRouter(tags=["audits"])
commands = APIRouter(tags=["audits"])

LATEST = "/v1/audits/latest"
_TAR = "application/x-tar"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FAULTS = problems(
    s422="A value cannot be used; `errors` names each.",
    s500="The server met an error that it does not know.",
    s503="Nothing is mirrored yet, or the database cannot be used.",
)


@commands.post(
    "/audits",
    operation_id="createAudit",
    status_code=202,
    response_model=AuditAnswer,
    responses={
        202: {"headers": {"Location": {"schema": {"type": "string", "examples": [LATEST]}}}},
        **SIGNED_IN,
        **problems(
            s409="An audit is running already.",
            s413="The body is too large.",
        ),
    },
)
def create_audit(
    request: Request, body: AuditCommand, caller: Annotated[Caller, Depends(Needs(Scope.READ))]
) -> Response:
    """Verify now: export everything and verify it, as an auditor would. For officers; one at a
    time."""
    if not has_office(request, caller):
        raise AccessDenied(account=caller.address, needed="an audit is begun by officers")
    options = read_options(write_options(body.options))
    chain_id = answers_of(request).read(lambda read: read.state.chain_id)
    _auditing(request).start(chain_id, options)
    with writing_office(request) as connection:
        add_line(
            connection,
            at=time.time_ns() // 1_000_000,
            account=show_bytes(caller.account),
            via=caller.via,
            action="audit.begun",
            subject="",
            detail={"request_id": REQUEST_ID.get()},
        )
    answer = _answer(request)
    headers = {**NOT_KEPT, "Location": LATEST}
    return Response(answer.model_dump_json(), 202, media_type="application/json", headers=headers)


@router.get(
    "/audits/latest",
    operation_id="getLatestAudit",
    response_model=AuditAnswer,
    responses=_FAULTS,
)
def get_latest(request: Request) -> Response:
    """How the audit stands, and what came out of the last one."""
    answer = _answer(request)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@router.get(
    "/audits/latest/bundle",
    operation_id="getLatestBundle",
    response_class=Response,
    responses={
        200: {"description": "The bundle of the last audit.", "content": {_TAR: _BINARY}},
        **_FAULTS,
        **problems(s404="There is no bundle yet."),
    },
)
def get_bundle(request: Request) -> Response:
    """The bundle, for an auditor who trusts neither this server nor its node."""
    bundle = _auditing(request).folder.bundle
    if not bundle.is_file():
        raise NotFound(what="bundle", key="latest")
    return FileResponse(bundle, media_type=_TAR, filename="ledger.tar", headers=NOT_KEPT)


@router.get(
    "/organisations/{org_id}/certificate",
    operation_id="getCertificate",
    response_model=CertificateAnswer,
    responses={
        **ALWAYS,
        **problems(
            s404="There is no such organisation.",
            s502="The chain's node does not answer, or not what is proved.",
            s503="Nothing is mirrored yet, no node has the state after that block any more, or too "
            "many wait for it.",
        ),
    },
)
def get_certificate(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """A proof of what an organisation has at a block, for anybody who knows the block's hash.

    What the other answers say of it as of the same block can be checked against it.
    """
    settings = request.app.state.settings

    def body(reading: Reading) -> tuple[bytes, dict[str, str]]:
        moment = reading.moment
        require_organisation(reading.connection, moment, OrgId(org_id))
        with waiting_for_node(request):
            found = make_certificate(
                settings, reading.state.chain_id, org_id, moment.block_number, moment.block_hash
            )
        name = f"certificate-{org_id}-at-{moment.block_number}.json"
        return found, {"Content-Disposition": f'inline; filename="{name}"'}

    return answers_of(request).respond(request, body, asked, media_type="application/json")


def _auditing(request: Request) -> Auditing:
    found: Auditing = request.app.state.auditing
    return found


def _answer(request: Request) -> AuditAnswer:
    folder = _auditing(request).folder
    return AuditAnswer.of(folder.read(), has_bundle=folder.bundle.is_file())
