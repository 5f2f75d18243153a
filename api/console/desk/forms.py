"""What an officer's form holds, and what is wrong with it, field by field.

A form is sent as a browser sends it, with the session's token in a field of its own. Nothing of it
is believed here: what it is made into is checked by what checks a program's request.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import ValidationError

from api.callers import Caller, has_office, require_caller
from api.problems import problem_of
from ledger.errors import AccessDenied, InvalidValue, LedgerError, NotSignedIn

URLENCODED = "application/x-www-form-urlencoded"
EDIT, PREVIEW, SEND = "edit", "preview", "send"

_MOST_FIELDS = 300
_KEY = re.compile(r"[\x21-\x7e]{8,128}")
_NUMBER = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a field, or with the whole form where `field` is empty.

    `name` is what a contract calls its refusal; `expected` is what a value is to be, in English.
    """

    field: str
    code: str
    detail: str = ""
    advice: str = ""
    name: str = ""
    expected: str = ""

    @classmethod
    def of(cls, error: LedgerError, fields: Mapping[str, str]) -> Trouble:
        """What an error says of a form; `fields` are the form's names of a body's values."""
        problem = problem_of(error)
        named = str(error.values.get("field", "")) if isinstance(error, InvalidValue) else ""
        return cls(
            fields.get(named, named),
            problem.code,
            problem.detail,
            problem.advice,
            str(error.values.get("name", "")) if error.code == "contract.refused" else "",
            str(error.values.get("expected", "")),
        )


@dataclass(frozen=True, slots=True)
class Form:
    """A form's values, as they were sent or as it begins with. `key` names what it sends."""

    values: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    troubles: tuple[Trouble, ...] = ()

    @property
    def step(self) -> str:
        """What the pressed button asks for; a preview where it says nothing."""
        return self.values.get("step") or PREVIEW

    @property
    def sent(self) -> Mapping[str, str]:
        """What its next step repeats: all but what each page sends of its own."""
        return {name: text for name, text in self.values.items() if name not in _OF_A_PAGE}

    def text(self, name: str) -> str:
        """A value without spaces around it."""
        return self.values.get(name, "").strip()

    def number(self, name: str) -> Any:
        """A whole number, however its digits are written; what is none is left as it is."""
        text = unicodedata.normalize("NFKC", self.text(name))
        plain = text.replace(",", "").replace(" ", "")
        return int(plain) if _NUMBER.fullmatch(plain) else self.text(name)

    def day(self, name: str) -> str:
        """The beginning of a day, in UTC; what is no day is left as it is."""
        text = self.text(name)
        return f"{text}T00:00:00Z" if text else ""

    def trouble(self, name: str) -> Trouble | None:
        """What is wrong with a field."""
        return next((each for each in self.troubles if each.field == name), None)

    def wrong(self, *troubles: Trouble) -> Form:
        """The same form, with what is wrong with it."""
        return replace(self, troubles=troubles)


_OF_A_PAGE = frozenset({"csrf", "form_key", "step"})


def refused(error: LedgerError | ValidationError, fields: Mapping[str, str]) -> list[Trouble]:
    """What is to be said about a form that was refused."""
    if isinstance(error, LedgerError):
        return [Trouble.of(error, fields)]
    found = {}
    for each in error.errors():
        place = ".".join(str(part) for part in each["loc"])
        name = fields.get(place, place)
        found[name] = Trouble(name, InvalidValue.code, str(each["msg"]))
    return list(found.values())


async def read_form(request: Request) -> Form:
    """The form that a request sends. Raises InvalidValue."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != URLENCODED:
        raise InvalidValue(field="Content-Type", value=kind[:100], expected=URLENCODED)
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise InvalidValue(field="body", value="", expected="a form in UTF-8") from error
    return form_of(request, pairs)


def form_of(request: Request, pairs: Sequence[tuple[str, str]]) -> Form:
    """A form of these fields; its token is where `api.callers` looks for it."""
    values = dict(pairs)
    request.state.csrf_field = values.get("csrf", "")
    key = values.get("form_key", "")
    if not _KEY.fullmatch(key):
        raise InvalidValue(field="form_key", value=key[:40], expected="the key of the form")
    return Form(values, key)


def require_officer(request: Request) -> Caller:
    """Whoever is signed in and holds an office. Raises NotSignedIn and AccessDenied."""
    caller = require_caller(request)
    if not caller.has_session:
        raise NotSignedIn(problem="an API key is not enough")
    if not has_office(request, caller):
        raise AccessDenied(account=caller.address, needed="the desk is for officers")
    return caller


def _require_sender(
    request: Request,
    form: Annotated[Form, Depends(read_form)],  # noqa: ARG001  its token is looked at before
) -> Caller:
    return require_officer(request)


SentForm = Annotated[Form, Depends(read_form)]
Officer = Annotated[Caller, Depends(require_officer)]
Sender = Annotated[Caller, Depends(_require_sender)]
"""The officer whose form it is; to be taken by every route that changes something."""
