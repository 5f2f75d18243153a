"""Who holds which office, and what issuers may award: appointing, dismissing, giving budgets.

Offices are the default administrator's to give, budgets the treasurers' and the council's; others
who may look at the pages see what stands, without a form.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.callers import Caller
from api.commanding import officers as officers_commands
from api.commanding import rules
from api.commanding.offices import ADMIN, TREASURERS
from api.console.asked import asked_choice, asked_key, asked_text
from api.console.desk.acting import Act, carry_on, desk_page, missing, places_of, require_roles
from api.console.desk.forms import Form, Officer, Sender, SentForm
from api.console.desk.guide import READERS, ROLES
from api.console.languages import Language
from api.console.names import organisation_name
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import InvalidValue
from ledger.mirror.queries.accounts import list_officers, read_roles
from ledger.mirror.queries.organisations import read_controlled_by
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.spending import read_budget_standings

router = APIRouter(include_in_schema=False)


class Office(StrEnum):
    """What can be done with an office; the value is the name of its kind."""

    APPOINT = "appointments"
    DISMISS = "dismissals"


class Giving(StrEnum):
    """What a budget can be of; the value is the name of its kind."""

    WHOLE = "budgets"
    CATEGORY = "category-budgets"


_KINDS = {kind.name: kind for kind in (*officers_commands.KINDS, *rules.KINDS)}
_BUDGET_FIELDS = {"issuer": "account", "programme": "category"}


@router.get("/desk/officers")
def officers(request: Request, caller: Officer) -> Response:
    """Every office that is held, and a form to give or to take one."""
    given = {
        "act": (asked_choice(request, "act", Office) or Office.APPOINT).value,
        "account": asked_text(request, "account"),
        "role": asked_choice_of(request, "role", ROLES) or "registrar",
        "programme": asked_key(request, "programme"),
    }
    return _show_officers(request, caller, Form(given), 200)


@router.post("/desk/officers")
def change_office(request: Request, form: SentForm, caller: Sender) -> Response:
    """Preview an appointment or a dismissal, or send it."""
    doing = _choice(form, Office)

    def make() -> Mapping[str, Any]:
        programme = form.text("programme") or None
        return {"account": form.text("account"), "role": form.text("role"), "programme": programme}

    act = Act(
        _KINDS[doing.value],
        make,
        lambda shown, status: _show_officers(request, caller, shown, status),
        {},
        "/desk/officers",
        "dismissal" if doing is Office.APPOINT else "appointment",
    )
    return carry_on(request, caller, form, act)


@router.get("/desk/budgets")
def budgets(request: Request, caller: Officer) -> Response:
    """What each issuer may award and what of it is left now, and a form to change it."""
    given = {
        "act": (asked_choice(request, "act", Giving) or Giving.WHOLE).value,
        "account": asked_text(request, "account"),
        "programme": asked_key(request, "programme"),
        "category": f"{asked_key(request, 'programme')}/{asked_key(request, 'category')}",
    }
    return _show_budgets(request, caller, Form(given), 200)


@router.post("/desk/budgets")
def change_budget(request: Request, form: SentForm, caller: Sender) -> Response:
    """Preview a budget, or send it."""
    giving = _choice(form, Giving)

    def make() -> Mapping[str, Any]:
        issuer = {"issuer": form.text("account")}
        if giving is Giving.WHOLE:
            if not form.text("programme"):
                raise missing("programme", "a programme")
            limits = {name: form.number(name) for name in ("per_award", "per_epoch")}
            return {"programme": form.text("programme"), **issuer, **limits}
        programme, _, category = form.text("category").partition("/")
        if not category:
            raise missing("category", "a category")
        # An empty limit takes it away; zero lets nothing be awarded in the category.
        limit = form.number("per_epoch") if form.text("per_epoch") else None
        return {"programme": programme, **issuer, "category": category, "per_epoch": limit}

    act = Act(
        _KINDS[giving.value],
        make,
        lambda shown, status: _show_budgets(request, caller, shown, status),
        _BUDGET_FIELDS if giving is Giving.CATEGORY else {"issuer": "account"},
        "/desk/budgets",
        "again",
    )
    return carry_on(request, caller, form, act)


def asked_choice_of(request: Request, field: str, choices: tuple[str, ...]) -> str:
    """One of the choices, or empty. Raises InvalidValue."""
    text = request.query_params.get(field, "")
    if text and text not in choices:
        expected = "one of " + ", ".join(choices)
        raise InvalidValue(field=field, value=text[:40], expected=expected)
    return text


def _choice(form: Form, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(form.text("act"))
    except ValueError as error:
        expected = "one of " + ", ".join(choices)
        raise InvalidValue(field="act", value=form.text("act")[:40], expected=expected) from error


def _show_officers(request: Request, caller: Caller, form: Form, status: int) -> Response:
    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        places = require_roles(reading, caller, READERS)
        found = list_officers(reading.connection, reading.moment)
        held = read_roles(reading.connection, reading.moment, caller.account)
        return {
            "form": form,
            "doing": form.text("act"),
            "officers": found,
            "holders": _holders(reading, language, {each.account for each in found}),
            "roles": ROLES,
            "may_change": bool(places & places_of(held, ADMIN)),
        }

    return desk_page(request, caller, "desk_officers.html", build, status=status)


def _show_budgets(request: Request, caller: Caller, form: Form, status: int) -> Response:
    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        require_roles(reading, caller, READERS)
        held = read_roles(connection, moment, caller.account)
        keys = read_programme_keys(connection, moment)
        found = read_budget_standings(connection, moment, keys)
        issuers = {
            each.account for each in list_officers(connection, moment) if each.role == "issuer"
        }
        places = places_of(held, TREASURERS)
        return {
            "form": form,
            "giving": form.text("act"),
            "budgets": found,
            "holders": _holders(reading, language, {each.issuer for each in found}),
            "issuers": sorted(issuers),
            "places": places,
            "is_everywhere": ALLIANCE_WIDE in places,
        }

    return desk_page(request, caller, "desk_budgets.html", build, status=status)


def _holders(reading: Reading, language: Language, accounts: set[bytes]) -> dict[bytes, Any]:
    """The names of the organisations that some of the accounts act for."""
    found = {}
    for account in accounts:
        own = read_controlled_by(reading.connection, reading.moment, account)
        if own is not None:
            found[account] = organisation_name(language, own.profile, own.org_id)
    return found
