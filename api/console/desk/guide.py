"""First steps at an empty ledger, as a list that reads from the ledger what is done.

Each step is one form, and can be taken again later: that is also how programmes get more tiers and
categories, officers are appointed, and issuers get their budgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.answers import Reading
from api.callers import Caller
from api.commanding import officers, rules
from api.commanding.offices import COUNCIL
from api.console.desk.acting import Act, carry_on, desk_page, missing, require_roles
from api.console.desk.forms import Form, Officer, Sender, SentForm
from api.console.languages import Language
from api.desk import ServerDesk
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.mirror.queries.accounts import list_budgeted, list_officers, read_roles
from ledger.mirror.queries.organisations import OrganisationFilter, count_organisations
from ledger.mirror.queries.programmes import read_programmes

router = APIRouter(include_in_schema=False)

READERS = ("admin", "council", "treasurer")
ROLES = ("registrar", "issuer", "treasurer", "council", "councillor", "guardian")
_SUGGESTED = {"council": "council", "officers": "registrar"}


class Step(StrEnum):
    """A step, in the order in which a new ledger needs them."""

    COUNCIL = "council"
    PROGRAMME = "programme"
    TIERS = "tiers"
    CATEGORIES = "categories"
    EPOCHS = "epochs"
    OFFICERS = "officers"
    BUDGET = "budget"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class State:
    """A step, whether it is done, and how much of it there is."""

    step: Step
    is_done: bool
    count: int


_KINDS = {kind.name: kind for kind in (*officers.KINDS, *rules.KINDS)}
_KIND_OF = {
    Step.COUNCIL: "appointments",
    Step.PROGRAMME: "programmes",
    Step.TIERS: "tiers",
    Step.CATEGORIES: "category-openings",
    Step.EPOCHS: "epoch-boundaries",
    Step.OFFICERS: "appointments",
    Step.BUDGET: "budgets",
}
_FIELDS = {
    **{
        f"{place}.0.{name}": name
        for place in ("tiers", "categories")
        for name in ("key", "name_zh", "name_en")
    },
    "boundaries.0": "begins",
    "boundaries.1": "ends",
    "boundaries": "begins",
    "issuer": "account",
}
_UNDOING = {Step.COUNCIL: "dismissal", Step.OFFICERS: "dismissal", Step.BUDGET: "again"}

StepPath = Annotated[Step, Path()]


@router.get("/desk/guide")
def guide(request: Request, caller: Officer) -> Response:
    """What a new ledger needs, and what of it is done."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        require_roles(reading, caller, READERS)
        states = states_of(reading)
        following = next((each.step for each in states if not each.is_done), None)
        signs = _signs(request, reading, caller)
        return {"states": states, "following": following, "signs": signs}

    return desk_page(request, caller, "desk_guide.html", build)


@router.get("/desk/guide/{step}")
def one_step(request: Request, step: StepPath, caller: Officer) -> Response:
    """The form of a step."""
    usual = {"role": _SUGGESTED.get(step.value, ""), "approvals_needed": "1"}
    if step is Step.COUNCIL:
        usual["account"] = caller.address
    return _show(request, caller, step, Form(usual), 200)


@router.post("/desk/guide/{step}")
def take_step(request: Request, step: StepPath, form: SentForm, caller: Sender) -> Response:
    """Preview a step, or take it."""
    if step is Step.MEMBERS:
        raise missing("step", "one with a form")

    def make() -> Mapping[str, Any]:
        return _body(step, form)

    act = Act(
        _KINDS[_KIND_OF[step]],
        make,
        lambda shown, status: _show(request, caller, step, shown, status),
        _FIELDS,
        "/desk/guide",
        _UNDOING.get(step, ""),
    )
    return carry_on(request, caller, form, act)


def states_of(reading: Reading) -> list[State]:
    """What the ledger has of each step."""
    connection, moment = reading.connection, reading.moment
    held = list_officers(connection, moment)
    programmes = read_programmes(connection, moment)
    issuers = {each.account for each in held if each.role == "issuer"}
    registrars = {each.account for each in held if each.role == "registrar"}
    wide = [each for each in held if (each.role, each.programme_id) == (COUNCIL[0], ALLIANCE_WIDE)]
    budgets = sum(
        not each.category
        for programme in programmes
        for each in list_budgeted(connection, moment, programme.programme_id)
    )
    members = count_organisations(connection, moment, OrganisationFilter())

    def each_has(name: str) -> State:
        counts = [len(getattr(programme.rules, name)) for programme in programmes]
        return State(Step(name), bool(counts) and all(counts), sum(counts))

    return [
        State(Step.COUNCIL, bool(wide), len(wide)),
        State(Step.PROGRAMME, bool(programmes), len(programmes)),
        each_has("tiers"),
        each_has("categories"),
        each_has("epochs"),
        State(Step.OFFICERS, bool(issuers and registrars), len({each.account for each in held})),
        State(Step.BUDGET, budgets > 0, budgets),
        State(Step.MEMBERS, members > 0, members),
    ]


def _signs(request: Request, reading: Reading, caller: Caller) -> bool:
    """Whether this server has a key that may sign for the caller: its own, or of such an office."""
    desk: ServerDesk = request.app.state.desk
    signers = desk.signers()
    if caller.account in signers:
        return True

    own = _offices(reading, caller.account)
    for account in signers:
        held = _offices(reading, account)
        powers = {place for place in held if place[0] == COUNCIL[0]}
        # As `api.rights.stand` has it: a key with the council's powers signs for those alone
        # who have them, too.
        if own & held and (own & powers or not powers):
            return True
    return False


def _offices(reading: Reading, account: bytes) -> set[tuple[str, int]]:
    held = read_roles(reading.connection, reading.moment, account)
    return {(each.role, each.programme_id) for each in held}


def _body(step: Step, form: Form) -> dict[str, Any]:
    """What a step's form asks for."""
    if step in (Step.COUNCIL, Step.OFFICERS):
        programme = form.text("programme") or None
        return {"account": form.text("account"), "role": form.text("role"), "programme": programme}
    if step is Step.BUDGET:
        return {
            "programme": form.text("programme"),
            "issuer": form.text("account"),
            "per_award": form.number("per_award"),
            "per_epoch": form.number("per_epoch"),
        }
    if step is Step.EPOCHS:
        begins, ends = form.day("begins"), form.day("ends")
        boundaries = [each for each in (begins, ends) if each]
        return {"programme": form.text("programme"), "boundaries": boundaries}
    named = {"key": form.text("key"), **_names(form)}
    if step is Step.PROGRAMME:
        cap = {"supply_cap": form.number("supply_cap")} if form.text("supply_cap") else {}
        return {**named, **cap, "approvals_needed": form.number("approvals_needed")}
    place = "tiers" if step is Step.TIERS else "categories"
    return {"programme": form.text("programme"), place: [named]}


def _names(form: Form) -> dict[str, str]:
    names = {name: form.text(name) for name in ("name_zh", "name_en")}
    for name, text in names.items():
        if not text:
            raise missing(name, "a name in both languages")
    return names


def _show(request: Request, caller: Caller, step: Step, form: Form, status: int) -> Response:
    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        require_roles(reading, caller, READERS)
        held = list_officers(reading.connection, reading.moment)
        return {
            "form": form,
            "step": step.value,
            "roles": ROLES,
            "state": next(each for each in states_of(reading) if each.step is step),
            "issuers": sorted({each.account for each in held if each.role == "issuer"}),
            "signs": _signs(request, reading, caller),
        }

    return desk_page(request, caller, "desk_step.html", build, status=status)
