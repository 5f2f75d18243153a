"""What registrars do with a membership: renew, move to another tier, suspend, resume, end it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.answers import Reading
from api.callers import Caller
from api.commanding import members
from api.commanding.offices import REGISTRARS
from api.console.asked import asked_choice
from api.console.desk.acting import Act, carry_on, desk_page, missing, require_roles
from api.console.desk.forms import Form, Officer, Sender, SentForm
from api.console.languages import Language
from api.console.names import organisation_name
from api.parameters import OrganisationPath
from api.routes.named import programme_named
from ledger.domain.ids import ALLIANCE_WIDE, OrgId
from ledger.domain.keys import KEY_PATTERN
from ledger.errors import AccessDenied, InvalidValue, NotFound
from ledger.mirror.queries.memberships import Membership, Standing
from ledger.mirror.queries.organisations import read_organisation
from ledger.mirror.queries.programmes import read_programme

router = APIRouter(include_in_schema=False)

ProgrammePath = Annotated[str, Path(pattern=f"^{KEY_PATTERN.pattern}$", max_length=31)]
REASONS = ("fee.unpaid", "report.overdue", "report.received", "term.ended")
_YEAR = 365 * 86_400


class Doing(StrEnum):
    """What can be done with a membership; the value is the name of its kind."""

    RENEW = "renewals"
    TIER = "tier-changes"
    SUSPEND = "suspensions"
    RESUME = "resumptions"
    REVOKE = "revocations"


_KINDS = {kind.name: kind for kind in members.KINDS}
_FIELDS = {"expires_at": "until", "tier": "tier", "reason": "reason"}
_UNDOING = {Doing.REVOKE: "", Doing.SUSPEND: "resume", Doing.RENEW: ""}
_OF_HELD = (Doing.RENEW, Doing.TIER, Doing.SUSPEND, Doing.REVOKE)
_DOINGS = {
    Standing.ACTIVE: _OF_HELD,
    Standing.LAPSED: _OF_HELD,
    Standing.SUSPENDED: (Doing.RESUME, Doing.REVOKE),
    Standing.REVOKED: (),
}
_WITH_REASON = (Doing.SUSPEND, Doing.REVOKE)


@router.get("/desk/memberships/{programme}/{org_id}")
def membership(
    request: Request, programme: ProgrammePath, org_id: OrganisationPath, caller: Officer
) -> Response:
    """A membership, and a form for one of the things to do with it."""
    doing = asked_choice(request, "act", Doing)
    return _show(request, caller, (programme, OrgId(org_id)), Form({"act": doing or ""}), 200)


@router.post("/desk/memberships/{programme}/{org_id}")
def change(
    request: Request,
    programme: ProgrammePath,
    org_id: OrganisationPath,
    form: SentForm,
    caller: Sender,
) -> Response:
    """Preview a change of a membership, or send it."""
    doing = _doing_of(form)
    reason = form.text("reason") or None

    def make() -> Mapping[str, Any]:
        if doing in _WITH_REASON and reason is None:
            raise missing("reason", "a reason")
        body: dict[str, Any] = {
            "programme": programme,
            "organisations": [org_id],
            "reason": reason,
        }
        if doing is Doing.RENEW:
            body["expires_at"] = form.day("until")
        if doing is Doing.TIER:
            body["tier"] = form.number("tier")
        return body

    act = Act(
        _KINDS[doing.value],
        make,
        lambda shown, status: _show(request, caller, (programme, OrgId(org_id)), shown, status),
        _FIELDS,
        f"/desk/memberships/{programme}/{org_id}",
        _UNDOING.get(doing, "again"),
    )
    return carry_on(request, caller, form, act)


def _doing_of(form: Form) -> Doing:
    try:
        return Doing(form.text("act"))
    except ValueError as error:
        expected = "one of " + ", ".join(Doing)
        raise InvalidValue(field="act", value=form.text("act")[:40], expected=expected) from error


def _show(
    request: Request, caller: Caller, which: tuple[str, OrgId], form: Form, status: int
) -> Response:
    programme, org_id = which

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        places = require_roles(reading, caller, REGISTRARS)
        named = programme_named(reading, programme)
        if not places & {ALLIANCE_WIDE, named.programme_id}:
            needed = f"it takes the office of registrar or council in {named.key}"
            raise AccessDenied(account=caller.address, needed=needed)
        found = read_organisation(connection, moment, org_id)
        held = _membership_in(found.memberships, named.key)
        if held is None:
            raise NotFound(what="membership", key=f"{named.key}/{org_id}")
        doings = _DOINGS[held.standing]
        chosen = form.text("act") or (doings[0].value if doings else "")
        rules = read_programme(connection, moment, named.key).rules
        later = max(held.expires_at, moment.timestamp) + _YEAR
        usual = {"until": datetime.fromtimestamp(later, UTC).strftime("%Y-%m-%d")}
        return {
            "form": Form({**usual, **form.values}, form.key, form.troubles),
            "organisation": found,
            "name": organisation_name(language, found.profile, found.org_id),
            "membership": held,
            "tiers": rules.tiers,
            "doings": doings,
            "doing": chosen if chosen in doings else "",
            "reasons": REASONS,
            "needs_reason": chosen in _WITH_REASON,
        }

    return desk_page(request, caller, "desk_membership.html", build, status=status)


def _membership_in(memberships: tuple[Membership, ...], programme: str) -> Membership | None:
    return next((each for each in memberships if each.programme == programme), None)
