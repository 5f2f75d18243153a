"""Applications at the desk: the queue, one of them with all that was said, and its decision.

Every step is taken by the API's own: who recommended cannot confirm, and what was confirmed is
carried out once. Carrying it out cannot be taken back, so it is told in a sentence first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from api.answers import Reading, answers_of
from api.callers import Caller
from api.commanding.offices import REGISTRARS
from api.console.asked import asked_choice, asked_key
from api.console.desk.acting import UNUSABLE, desk_page, require_roles, to
from api.console.desk.forms import EDIT, SEND, Form, Officer, Sender, SentForm, refused
from api.console.languages import Language
from api.desk import ServerDesk
from api.formats import show_time
from api.pagination import cut_page, question_of
from api.parties import programmes_of, require_office, require_officer
from api.problems import status_of
from api.rights import Standing
from api.routes import casework, decisions
from api.routes.applications import ApplicationPath, id_of
from api.routes.casework import place_after, place_of
from api.routes.decisions import DecisionPath, standing_to_decide
from api.routes.named import programme_named
from api.schemas.applications import ApplicationsCommand, RecommendationsCommand, SaidCommand
from ledger.domain.ids import OrgId
from ledger.errors import EvidenceDamaged, InvalidValue, LedgerError
from ledger.mirror.queries.organisations import read_organisation
from ledger.mirror.queries.programmes import read_programme
from ledger.office.cases import (
    Case,
    CaseState,
    Queue,
    count_queue,
    documents_of,
    list_queue,
    read_case,
)
from ledger.office.cases import (
    Form as Filed,
)
from ledger.office.decisions import read_decision
from ledger.office.evidence import Evidence, EvidenceStore, describe_documents
from ledger.office.log import read_steps

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 25
REASONS = ("documents.missing", "not.eligible", "membership.lapsed", "other")
_COMPARED = ("name_zh", "name_en", "kind", "segment", "credit_code", "note", "contact")
_FORM_TITLE = "Application form"
_MOST_FORM = 64 * 1024


class Step(StrEnum):
    """What an officer does about an application."""

    ASK = "ask"
    ADMIT = "admit"
    DECLINE = "decline"
    CONFIRM = "confirm"
    SEND_BACK = "send_back"
    DECIDE = "decide"


STEPS: Mapping[CaseState, tuple[Step, ...]] = {
    CaseState.FILED: (Step.ADMIT, Step.DECLINE, Step.ASK),
    CaseState.ASKED: (Step.ASK,),
    CaseState.RECOMMENDED: (Step.CONFIRM, Step.SEND_BACK, Step.ASK),
    CaseState.CONFIRMED: (Step.DECIDE,),
}
_FIELDS = {"text": "text", "tier": "tier", "expires_at": "until", "reason": "reason"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of a form that is another than it was, or than the register has."""

    field: str
    before: str
    now: str


@router.get("/desk/applications")
def queue(request: Request, caller: Officer) -> Response:
    """The applications that the caller works on, oldest first."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        state = asked_choice(request, "state", CaseState)
        programme = asked_key(request, "programme")
        wanted = Queue(
            states=(state,) if state else (),
            programme=programme_named(reading, programme).key if programme else "",
            programmes=programmes_of(reading, caller),
        )
        question = question_of(request)
        cursor = request.query_params.get("cursor")
        after = place_after(question, cursor) if cursor else (-1, b"")
        rows = list_queue(reading.connection, wanted, after=after, limit=PAGE_SIZE + 1)
        return {
            "found": cut_page(rows, PAGE_SIZE, question, place_of),
            "is_first": cursor is None,
            "counts": {
                each.value: n for each, n in count_queue(reading.connection, wanted).items()
            },
            "states": tuple(CaseState),
            "wanted_state": state.value if state else "",
            "wanted_programme": wanted.programme,
        }

    return desk_page(request, caller, "desk_applications.html", build)


@router.get("/desk/applications/{application_id}")
def application(request: Request, application_id: ApplicationPath, caller: Officer) -> Response:
    """One application, all that was said about it, and what may be done now."""
    return _show(request, caller, application_id, Form(), 200)


@router.post("/desk/applications/{application_id}")
def take_step(
    request: Request, application_id: ApplicationPath, form: SentForm, caller: Sender
) -> Response:
    """Take a step; what cannot be taken back is told first."""
    step = _step_of(form)
    if form.step == EDIT:
        return to(f"/desk/applications/{application_id}")
    try:
        if step is Step.DECIDE and form.step != SEND:
            return _preview(request, caller, application_id, form)
        place = _do(request, caller, application_id, form, step)
    except (LedgerError, ValidationError) as error:
        status = int(status_of(type(error))) if isinstance(error, LedgerError) else UNUSABLE
        wrong = form.wrong(*refused(error, _FIELDS))
        return _show(request, caller, application_id, wrong, status)
    return to(place or f"/desk/applications/{application_id}")


@router.get("/desk/decisions/{decision_id}")
def decision(request: Request, decision_id: DecisionPath, caller: Officer) -> Response:
    """What became of a decision, followed until it is done."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        require_roles(reading, caller, REGISTRARS)
        found = read_decision(reading.connection, id_of(decision_id))
        cases = [read_case(reading.connection, each) for each in found.application_ids]
        return {
            "decision": found,
            "cases": [(each, found.waits_for[each.application_id]) for each in cases],
            "is_followed": found.state == "waiting",
        }

    return desk_page(request, caller, "desk_decision.html", build)


def _step_of(form: Form) -> Step:
    try:
        return Step(form.text("act"))
    except ValueError as error:
        expected = "one of " + ", ".join(Step)
        raise InvalidValue(field="act", value=form.text("act")[:40], expected=expected) from error


def _do(
    request: Request, caller: Caller, application_id: str, form: Form, step: Step
) -> str | None:
    """Have the API do it; where to go on, if not back to the application."""
    key, ids = form.key, [application_id]
    if step in (Step.ASK, Step.SEND_BACK):
        said = SaidCommand.model_validate({"text": form.text("text")})
        do = casework.ask_back if step is Step.ASK else casework.send_back
        do(request, application_id, said, key, caller)
    elif step in (Step.ADMIT, Step.DECLINE):
        body = RecommendationsCommand.model_validate({"applications": ids, **_wanted(form, step)})
        casework.recommend(request, body, key, caller)
    elif step is Step.CONFIRM:
        casework.confirm(request, _only(ids), key, caller)
    else:
        made = decisions.decide(request, _only(ids), key, caller)
        return made.headers["location"].replace("/v1/", "/desk/")
    return None


def _only(ids: Sequence[str]) -> ApplicationsCommand:
    return ApplicationsCommand.model_validate({"applications": list(ids)})


def _wanted(form: Form, step: Step) -> Mapping[str, Any]:
    if step is Step.ADMIT:
        return {"tier": form.number("tier"), "expires_at": form.day("until")}
    return {"reason": form.text("reason")}


def _preview(request: Request, caller: Caller, application_id: str, form: Form) -> Response:
    """What carrying it out would do. Raises what would refuse it."""
    desk: ServerDesk = request.app.state.desk

    def resolve(reading: Reading) -> tuple[Case, Standing]:
        case = read_case(reading.connection, id_of(application_id))
        return case, standing_to_decide(reading, caller, [case], desk)

    case, standing = answers_of(request).read(resolve)

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        return {
            **_about(request, reading, language, case),
            "form": form,
            "signer": standing.signer.address,
            "is_own_key": standing.is_own_key,
        }

    return desk_page(request, caller, "desk_decide.html", build)


def _show(
    request: Request, caller: Caller, application_id: str, form: Form, status: int
) -> Response:
    require_officer(request, caller, [id_of(application_id)])

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        case = read_case(reading.connection, id_of(application_id))
        require_office(reading, caller, case.programme)
        is_own = case.state is CaseState.RECOMMENDED and case.recommended_by == caller.address
        steps = STEPS.get(case.state, ())
        if is_own:
            steps = tuple(each for each in steps if each is not Step.CONFIRM)
        chosen = form.text("act") or request.query_params.get("act", "")
        if chosen not in steps:
            chosen = steps[0].value if steps else ""
        year = reading.moment.timestamp // 86_400 * 86_400 + 365 * 86_400
        usual = {"until": show_time(year)[:10]}
        return {
            **_about(request, reading, language, case),
            "form": Form({**usual, **form.values}, form.key, form.troubles),
            "is_own_recommendation": is_own,
            "steps": steps,
            "chosen": chosen,
            "reasons": REASONS,
        }

    return desk_page(request, caller, "desk_application.html", build, status=status)


def _about(
    request: Request, reading: Reading, _language: Language, case: Case
) -> Mapping[str, Any]:
    """An application, its documents, what was said, and what differs from what was before."""
    connection = reading.connection
    documents = describe_documents(connection, documents_of(connection, case.application_id))
    earlier = _earlier_form(request.app.state.evidence, connection, documents, case)
    rules = read_programme(connection, reading.moment, case.programme).rules
    return {
        "case": case,
        "documents": documents,
        "said": read_steps(connection, f"application:{case.shown}"),
        "changed": _differences(earlier, case.form),
        "unlike_register": _unlike_register(reading, case),
        "tiers": rules.tiers,
        "tier": next((each for each in rules.tiers if each.tier == case.tier), None),
    }


def _earlier_form(
    store: EvidenceStore, connection: Connection, documents: Sequence[Evidence], case: Case
) -> Filed | None:
    """The form as it was filed before the present one, where it was filed anew."""
    forms = [
        each
        for each in documents
        if each.description.title_en == _FORM_TITLE
        and each.commitment != case.evidence
        and each.size <= _MOST_FORM
    ]
    if not forms or case.form is None:
        return None
    try:
        _, chunks = store.read(connection, forms[-1].commitment, entitled=True)
        return msgspec.json.decode(b"".join(chunks), type=Filed)
    except (EvidenceDamaged, msgspec.MsgspecError):
        return None  # a document that cannot be read tells no difference


def _unlike_register(reading: Reading, case: Case) -> list[Difference]:
    """What the form says otherwise than the register, where the applicant is on it already."""
    if case.org_id is None or case.form is None:
        return []
    found = read_organisation(reading.connection, reading.moment, OrgId(case.org_id))
    profile = found.profile
    known = {
        "name_zh": profile.name_zh if profile else "",
        "name_en": profile.name_en if profile else "",
        "segment": profile.segment if profile else "",
        "kind": found.kind,
    }
    return [
        Difference(name, before, _text(case.form, name))
        for name, before in known.items()
        if before != _text(case.form, name)
    ]


def _differences(before: Filed | None, now: Filed | None) -> list[Difference]:
    if before is None or now is None:
        return []
    return [
        Difference(name, _text(before, name), _text(now, name))
        for name in _COMPARED
        if _text(before, name) != _text(now, name)
    ]


def _text(form: Filed, name: str) -> str:
    """A value of a form as one reads it."""
    value = getattr(form, name)
    if name != "contact":
        return str(value)
    if value is None:
        return ""
    parts = (value.role, value.person, value.email, value.phone, value.address)
    return ", ".join(part for part in parts if part)
