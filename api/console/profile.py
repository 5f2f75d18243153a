"""What is kept of a member's organisation: what of it is public, what stays in the office, and whom
the office turns to, which the member changes itself.

The public part is not changed here: the chain commits to it, and the server has no key of the
member's to sign that with, so it is the office's registrar who does it. Nor is anything erased
here, which is the office's as well; both are said, with what would happen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.answers import Reading, answers_of
from api.callers import Caller, require_caller
from api.console.desk.acting import UNUSABLE
from api.console.desk.forms import Form, Trouble, read_form, refused
from api.console.languages import Language
from api.console.me import nothing, visitor
from api.console.names import organisation_name
from api.console.pages import own_page
from api.keeping import NOT_KEPT
from api.problems import status_of
from api.routes.profiles import change_contacts, key_of
from api.schemas.applications import ContactBody
from api.schemas.profiles import ContactsCommand
from ledger.errors import AccessDenied, LedgerError, NotSignedIn
from ledger.mirror.queries.organisations import Organisation, read_controlled_by
from ledger.office.contacts import MAX_CONTACTS, read_contacts
from ledger.office.profiles import Subject, read_document
from ledger.office.sessions import csrf_token_of

router = APIRouter(include_in_schema=False)

PUBLIC = ("name_zh", "name_en", "segment", "uscc", "website", "note")
CONTACT = {
    "duty": "role",
    "person": "person",
    "email": "email",
    "phone": "phone",
    "address": "address",
}
"""What a contact's fields are called in the form, with a row's number, and in the API."""


def _require_member(
    request: Request,
    form: Annotated[Form, Depends(read_form)],  # noqa: ARG001  its token is looked at before
) -> Caller:
    caller = require_caller(request)
    if not caller.has_session:
        raise NotSignedIn(problem="an API key is not enough")
    return caller


@router.get("/me/profile")
def profile(request: Request) -> Response:
    """What is kept of the reader's organisation."""
    return _show(request, visitor(request), Form(), 200)


@router.post("/me/profile")
def change(
    request: Request,
    form: Annotated[Form, Depends(read_form)],
    caller: Annotated[Caller, Depends(_require_member)],
) -> Response:
    """Say whom the office turns to from now on, in place of all before."""

    def find(reading: Reading) -> Organisation | None:
        return read_controlled_by(reading.connection, reading.moment, caller.account)

    own = answers_of(request).read(find)
    if own is None:
        raise AccessDenied(account=caller.address, needed="it acts for no organisation")
    troubles: list[Trouble] = []
    contacts = []
    for row in range(MAX_CONTACTS):
        texts = {name: form.text(f"{field}_{row}") for field, name in CONTACT.items()}
        if not any(texts.values()):
            continue
        try:
            contacts.append(ContactBody.model_validate(texts))
            contacts[-1].contact()
        except (LedgerError, ValidationError) as error:
            fields = {name: f"{field}_{row}" for field, name in CONTACT.items()}
            troubles += refused(error, {**fields, "contact": f"person_{row}"})
    if troubles:
        return _show(request, caller, form.wrong(*troubles), UNUSABLE)
    try:
        change_contacts(request, own.org_id, ContactsCommand(contacts=contacts), form.key, caller)
    except LedgerError as error:
        wrong = form.wrong(*refused(error, {}))
        return _show(request, caller, wrong, int(status_of(type(error))))
    return RedirectResponse("/me/profile?saved=contacts", 303, headers=NOT_KEPT)


def _show(request: Request, caller: Caller | None, form: Form, status: int) -> Response:
    def values(reading: Reading, language: Language) -> Mapping[str, Any]:
        if caller is None:
            return {"caller": None, **nothing(request, language)}
        own = read_controlled_by(reading.connection, reading.moment, caller.account)
        if own is None:
            return {"caller": caller, "own": None}
        return {
            "caller": caller,
            "own": own,
            "own_name": organisation_name(language, own.profile, own.org_id),
            "csrf": csrf_token_of(caller.token) if caller.has_session else "",
            "is_saved": request.query_params.get("saved") == "contacts",
            **_kept(reading, own, form),
        }

    return own_page(request, "profile.html", values, status=status)


def _kept(reading: Reading, own: Organisation, form: Form) -> dict[str, Any]:
    connection = reading.connection
    document = read_document(connection, own.profile_commitment)
    texts = {} if document is None else json.loads(document)
    contacts = read_contacts(connection, Subject.ORGANISATION, key_of(own))
    values = dict(form.values) or {
        f"{field}_{row}": getattr(contact, name)
        for row, contact in enumerate(contacts)
        for field, name in CONTACT.items()
    }
    sent = 1 + max((int(name.rpartition("_")[2]) for name in values if _is_row(name)), default=-1)
    return {
        "form": Form(values, form.key, form.troubles),
        "public": [(name, texts.get(name, "")) for name in PUBLIC],
        "has_document": document is not None,
        "rows": range(min(max(sent, len(contacts) + 1), MAX_CONTACTS)),
        "contact_fields": tuple(CONTACT),
        "known": [each.field for each in form.troubles if _is_row(each.field)],
    }


def _is_row(name: str) -> bool:
    field, _, row = name.rpartition("_")
    return field in CONTACT and row.isascii() and row.isdigit() and int(row) < MAX_CONTACTS
