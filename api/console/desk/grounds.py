"""What an act rests on, and whom it is about: documents and organisations, as people name them."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from fastapi import Request

from api.answers import Reading
from api.callers import Caller
from api.console.desk.acting import missing
from api.console.desk.forms import Form
from api.console.languages import Language
from api.console.names import organisation_name
from api.formats import parse_digest, show_bytes
from api.routes.evidence import keep_document
from ledger.domain.ids import OrgId
from ledger.errors import EvidenceMissing, InvalidValue, NotFound
from ledger.mirror.queries.organisations import (
    Organisation,
    OrganisationFilter,
    list_organisations,
    read_organisation,
)
from ledger.office.evidence import Description

MOST_LISTED = 400
MOST_REASON = 400
_MOST_TITLE = 60
_FIRST_NUMBER = re.compile(r"(?:№\s*)?([1-9][0-9]{0,9})(?:\s.*)?")
_CANDIDATES = 5


def check_ground(form: Form) -> None:
    """See that the form says what an act rests on; nothing is kept of it yet.

    Raises EvidenceMissing, InvalidValue.
    """
    ground = form.text("ground")
    if ground == "written":
        for name in ("reason_zh", "reason_en"):
            _reason(form, name)
    elif ground == "kept":
        if not int.from_bytes(parse_digest("commitment", form.text("commitment"))):
            expected = "the commitment of a kept document"
            raise InvalidValue(field="commitment", value="0x0", expected=expected)
    elif ground != "none":
        raise EvidenceMissing


def evidence_of(request: Request, caller: Caller, form: Form) -> tuple[str | None, bool]:
    """The commitment that an act shall rest on, and whether it is meant to rest on none.

    A reason that is written in the form is kept as a document of its own, for everybody to read;
    the same words have the commitment that they had. Raises EvidenceMissing, InvalidValue.
    """
    ground = form.text("ground")
    if ground == "none":
        return None, True
    if ground == "kept":
        return form.text("commitment"), False
    if ground != "written":
        raise EvidenceMissing
    zh, en = (_reason(form, name) for name in ("reason_zh", "reason_en"))
    content = io.BytesIO(f"{zh}\n\n{en}\n".encode())
    described = Description(_title(zh), _title(en), "text/markdown")
    return show_bytes(keep_document(request, caller, content, described)), False


def _reason(form: Form, name: str) -> str:
    text = form.text(name)
    if not text or len(text) > MOST_REASON or any(ord(each) < 32 for each in text):
        expected = f"1 to {MOST_REASON} characters in one line, in both languages"
        raise InvalidValue(field="reason_zh", value=text[:40], expected=expected)
    return text


def _title(text: str) -> str:
    return text if len(text) <= _MOST_TITLE else text[: _MOST_TITLE - 1].rstrip() + "…"


def organisation_of(reading: Reading, text: str) -> Organisation:
    """The organisation that somebody means by its number, or by a name that only one has.

    Raises InvalidValue, which names the few that it may be.
    """
    if not text:
        raise missing("organisation", "an organisation")
    match = _FIRST_NUMBER.fullmatch(text)
    if match is not None:
        try:
            return read_organisation(reading.connection, reading.moment, OrgId(int(match[1])))
        except NotFound as error:
            expected = "an organisation on the register"
            raise InvalidValue(field="organisation", value=text, expected=expected) from error
    wanted = OrganisationFilter(search=text)
    found = list_organisations(
        reading.connection, reading.moment, wanted, after=OrgId(0), limit=_CANDIDATES + 1
    )
    if len(found) == 1:
        return found[0]
    same = [each for each in found if text in _names(each)]
    if len(same) == 1:
        return same[0]
    named = "; ".join(f"{each.org_id} {' '.join(_names(each))}" for each in found[:_CANDIDATES])
    expected = f"one of several: {named}" if found else "an organisation on the register"
    raise InvalidValue(field="organisation", value=text[:40], expected=expected)


def organisations_to_offer(reading: Reading, language: Language) -> Sequence[tuple[int, str]]:
    """The first organisations of the register, to be chosen from as one writes."""
    found = list_organisations(
        reading.connection,
        reading.moment,
        OrganisationFilter(),
        after=OrgId(0),
        limit=MOST_LISTED,
    )
    return [
        (each.org_id, organisation_name(language, each.profile, each.org_id).main)
        for each in found
        if not each.retired
    ]


def _names(organisation: Organisation) -> list[str]:
    profile = organisation.profile
    return [] if profile is None else [each for each in (profile.name_zh, profile.name_en) if each]
