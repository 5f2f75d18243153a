"""Awarding credits, and taking an award back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading, answers_of
from api.callers import Caller
from api.commanding import awards as commanding
from api.commanding.offices import ISSUERS
from api.console.asked import asked_key, asked_number
from api.console.desk.acting import Act, carry_on, desk_page, missing, require_roles
from api.console.desk.forms import Form, Officer, Sender, SentForm
from api.console.desk.grounds import evidence_of, organisation_of, organisations_to_offer
from api.console.languages import Language
from api.console.names import organisation_name
from api.desk import ServerDesk
from api.rights import budgets_left
from ledger.domain.ids import ALLIANCE_WIDE, EntryId, OrgId
from ledger.errors import NotFound
from ledger.mirror.queries.entries import read_entry
from ledger.mirror.queries.organisations import read_organisation_profiles

router = APIRouter(include_in_schema=False)

AWARDS, REVERSALS = commanding.KINDS
_AWARD_FIELDS = {
    "programme": "category",
    "awards.0.organisation": "organisation",
    "awards.0.amount": "amount",
    "awards.0.category": "category",
    "awards.0.evidence": "commitment",
}
_REVERSAL_FIELDS = {"entries.0": "entry", "entries": "entry", "evidence": "commitment"}


@router.get("/desk/awards")
def new_award(request: Request, caller: Officer) -> Response:
    """A form for an award; organisation and category can be given with its address."""
    org_id, programme = asked_number(request, "organisation"), asked_key(request, "programme")
    given = {"organisation": str(org_id) if org_id else "", "category": f"{programme}/"}
    return _show_award(request, caller, Form(given), 200)


@router.post("/desk/awards")
def award(request: Request, form: SentForm, caller: Sender) -> Response:
    """Preview an award, or send it."""

    def make() -> Mapping[str, Any]:
        programme, _, category = form.text("category").partition("/")
        if not category:
            raise missing("category", "a category")
        organisation = answers_of(request).read(
            lambda reading: organisation_of(reading, form.text("organisation"))
        )
        evidence, none = evidence_of(request, caller, form)
        item: dict[str, Any] = {
            "organisation": int(organisation.org_id),
            "amount": form.number("amount"),
            "category": category,
            "evidence": evidence,
        }
        return {"programme": programme, "awards": [item], "no_evidence": none}

    act = Act(
        AWARDS,
        make,
        lambda shown, status: _show_award(request, caller, shown, status),
        _AWARD_FIELDS,
        "/desk/awards",
        "reversal",
    )
    return carry_on(request, caller, form, act)


@router.get("/desk/reversals")
def new_reversal(request: Request, caller: Officer) -> Response:
    """A form that takes an award back; which one is given with its address."""
    entry = asked_number(request, "entry")
    return _show_reversal(request, caller, Form({"entry": str(entry or "")}), 200)


@router.post("/desk/reversals")
def reverse(request: Request, form: SentForm, caller: Sender) -> Response:
    """Preview a reversal, or send it."""

    def make() -> Mapping[str, Any]:
        evidence, none = evidence_of(request, caller, form)
        return {"entries": [form.number("entry")], "evidence": evidence, "no_evidence": none}

    act = Act(
        REVERSALS,
        make,
        lambda shown, status: _show_reversal(request, caller, shown, status),
        _REVERSAL_FIELDS,
        "/desk",
    )
    return carry_on(request, caller, form, act)


def _show_award(request: Request, caller: Caller, form: Form, status: int) -> Response:
    desk: ServerDesk = request.app.state.desk

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        places = require_roles(reading, caller, ISSUERS)
        return {
            "form": form,
            "places": places,
            "is_everywhere": ALLIANCE_WIDE in places,
            "budgets": budgets_left(reading, caller.account, desk.signers()),
            "offered": organisations_to_offer(reading, language),
        }

    return desk_page(request, caller, "desk_award.html", build, status=status)


def _show_reversal(request: Request, caller: Caller, form: Form, status: int) -> Response:
    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        require_roles(reading, caller, ISSUERS)
        number = form.number("entry")
        found = None
        if isinstance(number, int):
            try:
                found = read_entry(reading.connection, reading.moment, EntryId(number))
            except NotFound:
                found = None  # the form says so once it is sent
        ids = [OrgId(found.org_id)] if found else []
        profiles = read_organisation_profiles(reading.connection, reading.moment, ids)
        name = (
            organisation_name(language, profiles.get(OrgId(found.org_id)), found.org_id)
            if found
            else None
        )
        return {"form": form, "entry": found, "name": name}

    return desk_page(request, caller, "desk_reversal.html", build, status=status)
