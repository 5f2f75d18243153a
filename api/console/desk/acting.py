"""From a form to an operation: what would be done is told first, and then done once.

The sentence is read from the very call that would be signed, after the chain was asked whether it
takes it; so it cannot say anything else than what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.answers import Reading
from api.asking import Asking, find_taken, rehearse, take_in
from api.callers import Caller
from api.console.desk.forms import EDIT, SEND, Form, refused
from api.console.languages import Language
from api.console.pages import own_page
from api.formats import show_bytes
from api.keeping import NOT_KEPT
from api.kinds import Kind
from api.naming import contracts_of, names_by_language
from api.problems import status_of
from ledger.domain.events import Call
from ledger.errors import AccessDenied, InvalidValue, LedgerError
from ledger.mirror.queries.accounts import RoleHeld, read_roles
from ledger.mirror.queries.moments import Condition
from ledger.office.sessions import csrf_token_of
from ledger.outbox.records import Request as Intent
from ledger.services.proposals.reading import Reading as Told
from ledger.services.proposals.reading import read_calls

UNUSABLE = 422


@dataclass(frozen=True, slots=True)
class Act:
    """What a form is for.

    `make` makes the body of a request from it, whose values' names by their path are `fields` in
    the form; `show` is the page with the form, and a status. `undoing` says what takes it back: a
    word that the preview has a sentence for; `back` is where one goes who leaves it.
    """

    kind: Kind[Any]
    make: Callable[[], Mapping[str, Any]]
    show: Callable[[Form, int], Response]
    fields: Mapping[str, str]
    back: str
    undoing: str = ""


def carry_on(request: Request, caller: Caller, form: Form, act: Act) -> Response:
    """Take the step that the form asks for: the form again, what would be done, or do it."""
    if form.step == EDIT:
        return act.show(form, 200)
    try:
        taken = find_taken(request, caller, form.key)
        if taken is not None and form.step != SEND:
            return to_operation(taken)
        body = act.kind.body.model_validate(act.make())

        def prepare(reading: Reading) -> Asking:
            return act.kind.prepare(request, reading, body)

        if form.step == SEND:
            return to_operation(take_in(request, caller, form.key, body, prepare).operation_id)
        standing, operation = rehearse(request, caller, form.key, prepare)
    except (LedgerError, ValidationError) as error:
        status = int(status_of(type(error))) if isinstance(error, LedgerError) else UNUSABLE
        return act.show(form.wrong(*refused(error, act.fields)), status)

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        return {
            "says": tell(reading, language, [operation.request])[0],
            "form": form,
            "undoing": act.undoing,
            "back": act.back,
            "signer": standing.signer.address,
            "is_own_key": standing.is_own_key,
        }

    return desk_page(request, caller, "desk_preview.html", build)


def desk_page(
    request: Request,
    caller: Caller,
    template: str,
    build: Callable[[Reading, Language], Mapping[str, Any]],
    *,
    status: int = 200,
) -> Response:
    """A page of the desk, for one officer."""

    def whole(reading: Reading, language: Language) -> Mapping[str, Any]:
        held = read_roles(reading.connection, reading.moment, caller.account)
        return {
            "caller": caller,
            "csrf": csrf_token_of(caller.token),
            "held": held,
            "follows": reading.condition is Condition.FOLLOWING,
            **build(reading, language),
        }

    return own_page(request, template, whole, status=status)


def tell(reading: Reading, language: Language, asked: Sequence[Intent]) -> list[Told]:
    """What operations do, in the reader's language."""
    names, contracts = names_by_language(reading)[language.tag], contracts_of(reading)
    addresses = {name: address for address, name in contracts.items()}
    calls = [Call(addresses.get(each.contract, bytes(20)), each.calldata) for each in asked]
    return list(read_calls(calls, contracts, names, language.tag))


def to(path: str) -> Response:
    """Have the browser ask for a page, so that loading it again sends nothing."""
    return RedirectResponse(path, 303, headers=NOT_KEPT)


def to_operation(operation_id: bytes) -> Response:
    """To the page that follows an operation."""
    return to(f"/desk/operations/{show_bytes(operation_id)}")


def places_of(held: Sequence[RoleHeld], roles: Sequence[str]) -> frozenset[int]:
    """Where one of the roles is held: the ids of programmes, 0 for the whole alliance."""
    return frozenset(each.programme_id for each in held if each.role in roles)


def require_roles(reading: Reading, caller: Caller, roles: Sequence[str]) -> frozenset[int]:
    """Where the caller holds one of the roles. Raises AccessDenied where nowhere."""
    places = places_of(read_roles(reading.connection, reading.moment, caller.account), roles)
    if not places:
        needed = f"it takes the office of {' or '.join(roles)}"
        raise AccessDenied(account=caller.address, needed=needed)
    return places


def missing(field: str, expected: str) -> InvalidValue:
    """What is raised for a field that was left empty."""
    return InvalidValue(field=field, value="", expected=expected)
