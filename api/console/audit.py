"""The auditor's desk: what is proved, what the last audit found, who held which office, verify now.

Everybody may read it who may read the ledger. What it says of itself it says on this server's word,
so that it ends where the reader's own check begins: the files, the anchor and the commands. The
server asks no node that a reader names: one that calls where it is told can be made to call into
its own network, and its word on the answer would be worth no more than before. The reader's browser
asks it (`compare.mjs`), which this page alone allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from api.answers import Reading, answers_of
from api.auditing import Auditing
from api.callers import Caller, find_caller
from api.console.checking import contracts_to_compare, what_to_check_by
from api.console.languages import Language
from api.console.pages import own_page
from api.edge import POLICY_OF_COMPARING
from api.keeping import NOT_KEPT
from ledger.audit.folder import ANCHOR, BUNDLE, REPORT, AuditFolder, AuditState
from ledger.audit.report import CHECKS
from ledger.chain.deployments import deployment_path
from ledger.errors import NotFound, NotSignedIn
from ledger.mirror.overview import lag_seconds, read_overview
from ledger.mirror.queries.accounts import read_roles
from ledger.mirror.queries.offices import list_terms

router = APIRouter(include_in_schema=False)

MOST_TERMS = 500
DEPLOYMENT = "deployment.json"
_KINDS = {
    DEPLOYMENT: "application/json",
    ANCHOR: "application/json",
    REPORT: "text/html; charset=utf-8",
}


@router.get("/audit")
def audit(request: Request) -> Response:
    """The desk."""
    caller = _caller(request)
    folder = _folder(request)

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        overview = read_overview(connection)
        terms = list_terms(connection, moment, limit=MOST_TERMS + 1)
        return {
            **_audits(folder, language),
            "caller": caller,
            "is_officer": caller is not None
            and bool(read_roles(connection, moment, caller.account)),
            "overview": overview,
            "state": overview.state,
            "lag_seconds": lag_seconds(overview.state, reading.now),
            "terms": terms[:MOST_TERMS],
            "more_terms": len(terms) > MOST_TERMS,
            "contracts": contracts_to_compare(request, reading),
            **what_to_check_by(request, reading, language),
        }

    allowed = {"Content-Security-Policy": POLICY_OF_COMPARING}
    return own_page(request, "audit.html", build, more_headers=allowed)


@router.get("/audit/{name}")
def file(request: Request, name: str) -> Response:
    """The anchor or the report of the last audit, or where the contracts are, to keep."""
    if name == DEPLOYMENT:
        chain_id = answers_of(request).read(lambda reading: reading.state.chain_id)
        path = deployment_path(request.app.state.settings, chain_id)
    else:
        path = _folder(request).path / name
    if name not in _KINDS or not path.is_file():
        raise NotFound(what="file", key=name)
    # To keep and not to open here: the report has a style of its own, which pages here may not.
    return FileResponse(path, media_type=_KINDS[name], filename=name, headers=NOT_KEPT)


def _audits(folder: AuditFolder, language: Language) -> dict[str, Any]:
    """How the audit stands that runs or was last asked for, and what the last one came to."""
    now, last = folder.read(), folder.last()
    verdict = last.verdict if last is not None else None
    files = {name: (folder.path / name).is_file() for name in (BUNDLE, ANCHOR, REPORT)}
    return {
        "now": now,
        "last": last,
        "verdict": verdict,
        "checks": _checks(verdict, language) if verdict else (),
        "findings": verdict["findings"] if verdict else (),
        "anchor": _anchor(now, last),
        "files": files,
    }


def _checks(verdict: Mapping[str, Any], language: Language) -> list[tuple[str, int, bool]]:
    place = 1 if language.is_chinese else 0
    return [
        (CHECKS[each["name"]][place], each["count"], each["done"])
        for each in verdict["checks"]
        if each["name"] in CHECKS
    ]


def _anchor(now: AuditState, last: AuditState | None) -> Mapping[str, Any] | None:
    return now.anchor or (last.anchor if last is not None else None)


def _caller(request: Request) -> Caller | None:
    try:
        return find_caller(request)
    except NotSignedIn:  # a session that has ended
        return None


def _folder(request: Request) -> AuditFolder:
    auditing: Auditing = request.app.state.auditing
    return auditing.folder
