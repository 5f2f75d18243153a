"""The page of whoever reads it: signing in, and then what the account is and asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.callers import Caller, find_caller
from api.console.languages import Language
from api.console.menu import menu_of
from api.console.names import organisation_name
from api.console.pages import own_page
from ledger.errors import NotSignedIn
from ledger.mirror.queries.accounts import read_budgets, read_roles
from ledger.mirror.queries.balances import read_balances
from ledger.mirror.queries.organisations import read_controlled_by
from ledger.office.asked import list_asked_by
from ledger.outbox.records import Operation, list_of

router = APIRouter(include_in_schema=False)

_REQUESTS_SHOWN = 20


@router.get("/me")
def me(request: Request) -> Response:
    """Whoever is signed in; for others, how to sign in."""
    try:
        caller = find_caller(request)
    except NotSignedIn:  # a session that has ended
        caller = None

    is_open = request.app.state.settings.read_policy == "open"

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        if caller is None:
            return {"caller": None, **({} if is_open else _nothing(language))}
        return {"caller": caller, **_about(reading, language, caller)}

    return own_page(request, "me.html", build)


def _nothing(language: Language) -> dict[str, Any]:
    """What those see of the ledger who may not read it."""
    return {"reading": None, "programmes": (), "named": {}, "menu": menu_of(language)}


def _about(reading: Reading, language: Language, caller: Caller) -> dict[str, Any]:
    connection, moment = reading.connection, reading.moment
    own = read_controlled_by(connection, moment, caller.account)
    budgets = read_budgets(connection, moment, caller.account)
    return {
        "own": own,
        "name": organisation_name(language, own.profile, own.org_id) if own else None,
        "balances": read_balances(connection, moment, own.org_id) if own else (),
        "roles": read_roles(connection, moment, caller.account),
        "budgets": {budget.programme_id: budget for budget in budgets},
        "requests": _requests(reading, caller.account),
        "followed": {"organisation": own.org_id} if own else {},
    }


def _requests(reading: Reading, account: bytes) -> Sequence[Operation]:
    asked = list_asked_by(reading.connection, account, limit=_REQUESTS_SHOWN)
    kept = list_of(reading.connection, asked)
    return [kept[each] for each in asked if each in kept]
