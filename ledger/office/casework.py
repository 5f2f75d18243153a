"""An application from the invitation to the decision, as people work on it.

What was decided is on the chain in the end; here is the way there: the form, its documents, what
was asked back and answered, who recommended what and who confirmed it. Nobody decides alone: who
recommends cannot confirm. A step that the state does not allow is refused, and every step stands
in the log of privileged acts. An applicant without an account follows it by a link, of which the
hash alone is kept. Nothing of a form is public, and nothing of it is in a webhook's message.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from ledger.domain.ids import OrgId
from ledger.errors import ApplicationElsewhere, InvalidValue, SameOfficer
from ledger.office.applications import file_application
from ledger.office.cases import (
    ENDED,
    Case,
    CaseState,
    Form,
    documents_of,
    hash_link,
    profile_key,
    read_case,
)
from ledger.office.contacts import replace_contacts
from ledger.office.evidence import Description, Evidence, EvidenceStore, Received
from ledger.office.log import count_steps, empty_steps, note_step
from ledger.office.profiles import Subject, check_text
from ledger.office.rows import raise_revision
from ledger.office.webhooks.messages import Message, announce
from ledger.store.office_tables import application_cases as cases
from ledger.store.office_tables import application_documents

MAX_DOCUMENTS = 50
APPLICANT = "applicant"

_OPEN = (CaseState.FILED, CaseState.ASKED, CaseState.RECOMMENDED)
_UNDECIDED: dict[str, Any] = {
    "recommended_by": "",
    "confirmed_by": "",
    "tier": None,
    "expires_at": None,
    "reason": "",
}


def open_case(
    connection: Connection,
    programme: str,
    *,
    by: str,
    now: int,
    org_id: OrgId | None = None,
    controller: bytes | None = None,
) -> tuple[Case, str]:
    """Open an application: it, and the secret for the link by which the applicant follows it.

    For somebody without an account it is an invitation; `controller` is the account of one that
    has signed in.
    """
    application_id, secret = secrets.token_bytes(32), secrets.token_urlsafe(32)
    raise_revision(connection)
    connection.execute(
        insert(cases).values(
            application_id=application_id,
            programme=programme,
            state=CaseState.INVITED.value,
            org_id=org_id,
            controller=controller,
            link=hash_link(secret),
            form=b"",
            evidence=None,
            tier=None,
            expires_at=None,
            reason="",
            recommended_by="",
            confirmed_by="",
            consent_until=None,
            consent=None,
            opened_at=now,
            updated_at=now,
        )
    )
    case = read_case(connection, application_id)
    note_step(connection, _subject(case), "opened", actor=by, at=now)
    return case, secret


def renew_link(connection: Connection, application_id: bytes, *, by: str, now: int) -> str:
    """Make another secret for the applicant's link; the one before opens nothing any more."""
    states = tuple(each for each in CaseState if each not in ENDED)
    case = _require(connection, application_id, states, "given another link")
    secret = secrets.token_urlsafe(32)
    connection.execute(
        update(cases)
        .where(cases.c.application_id == application_id)
        .values(link=hash_link(secret), updated_at=now)
    )
    note_step(connection, _subject(case), "link_renewed", actor=by, at=now)
    return secret


def file_form(
    connection: Connection,
    store: EvidenceStore,
    application_id: bytes,
    form: Form,
    *,
    by: str,
    now: int,
    controller: bytes | None = None,
) -> Case:
    """File the form, or file it anew where more was asked. Its copy is a private document.

    Raises ApplicationElsewhere, InvalidValue, NotFound.
    """
    case = _require(
        connection, application_id, (CaseState.INVITED, CaseState.FILED, CaseState.ASKED), "filed"
    )
    encoded = form.encode()
    described = Description("申请表", "Application form", "application/json")
    kept = store.keep(
        connection, io.BytesIO(encoded), described, added_at=now, private=True, is_ours=True
    )
    _attach(connection, application_id, kept.commitment)
    changes: dict[str, Any] = {"form": encoded, "evidence": kept.commitment}
    if controller is not None:
        changes["controller"] = controller
    if case.org_id is not None:
        file_application(connection, case.org_id, case.programme, filed_at=now)
    return _move(connection, case, CaseState.FILED, by=by, now=now, **changes)


def check_attachable(
    connection: Connection, application_id: bytes, description: Description
) -> Case:
    """See that a document can be added, before it is taken in. Raises ApplicationElsewhere,
    InvalidValue, NotFound."""
    allowed = (CaseState.INVITED, CaseState.FILED, CaseState.ASKED)
    case = _require_state(read_case(connection, application_id), allowed, "given documents")
    if len(documents_of(connection, application_id)) >= MAX_DOCUMENTS:
        raise InvalidValue(
            field="document", value=description.title_en, expected=f"one of {MAX_DOCUMENTS} at most"
        )
    return case


def attach_document(
    connection: Connection,
    store: EvidenceStore,
    application_id: bytes,
    received: Received,
    description: Description,
    *,
    by: str,
    now: int,
) -> Evidence:
    """Add a document that `EvidenceStore.receive` took in, private to applicant and officers.

    Raises as `check_attachable`.
    """
    raise_revision(connection)  # as `_require` does
    case = check_attachable(connection, application_id, description)
    kept = store.record(connection, received, description, added_at=now, private=True)
    _attach(connection, application_id, kept.commitment)
    note_step(connection, _subject(case), "attached", actor=by, at=now)
    return kept


def ask_back(
    connection: Connection, application_id: bytes, question: str, *, by: str, now: int
) -> Case:
    """Ask the applicant for more. Raises ApplicationElsewhere, InvalidValue, NotFound."""
    case = _require(connection, application_id, _OPEN, "asked about")
    _check_said("question", question)
    return _move(connection, case, CaseState.ASKED, by=by, now=now, detail=question, **_UNDECIDED)


def answer(connection: Connection, application_id: bytes, text: str, *, by: str, now: int) -> Case:
    """Answer what was asked. Raises ApplicationElsewhere, InvalidValue, NotFound."""
    case = _require(connection, application_id, (CaseState.ASKED,), "answered")
    _check_said("answer", text)
    return _move(connection, case, CaseState.FILED, by=by, now=now, action="answered", detail=text)


def recommend_admission(
    connection: Connection,
    application_id: bytes,
    *,
    tier: int,
    expires_at: int,
    by: str,
    now: int,
) -> Case:
    """Say that it should be admitted, into which tier and until when."""
    case = _require(connection, application_id, (CaseState.FILED,), "recommended")
    said: dict[str, Any] = {**_UNDECIDED, "tier": tier, "expires_at": expires_at}
    said["recommended_by"] = by
    return _move(connection, case, CaseState.RECOMMENDED, by=by, now=now, **said)


def recommend_decline(
    connection: Connection, application_id: bytes, *, reason: str, by: str, now: int
) -> Case:
    """Say that it should be declined, and for which reason, a key such as `documents.missing`."""
    case = _require(connection, application_id, (CaseState.FILED,), "recommended")
    if not reason:
        raise InvalidValue(field="reason", value="", expected="a key such as documents.missing")
    said: dict[str, Any] = {**_UNDECIDED, "reason": reason, "recommended_by": by}
    return _move(connection, case, CaseState.RECOMMENDED, by=by, now=now, detail=reason, **said)


def confirm(connection: Connection, application_id: bytes, *, by: str, now: int) -> Case:
    """Confirm what another officer recommended. Raises SameOfficer, ApplicationElsewhere."""
    case = _require(connection, application_id, (CaseState.RECOMMENDED,), "confirmed")
    if case.recommended_by == by:
        raise SameOfficer(officer=by)
    return _move(connection, case, CaseState.CONFIRMED, by=by, now=now, confirmed_by=by)


def send_back(
    connection: Connection, application_id: bytes, why: str, *, by: str, now: int
) -> Case:
    """Send a recommendation back to be thought over. Raises ApplicationElsewhere."""
    case = _require(connection, application_id, (CaseState.RECOMMENDED,), "sent back")
    _check_said("why", why)
    return _move(
        connection,
        case,
        CaseState.FILED,
        by=by,
        now=now,
        action="sent_back",
        detail=why,
        **_UNDECIDED,
    )


def withdraw(connection: Connection, application_id: bytes, *, by: str, now: int) -> Case:
    """The applicant takes it back, as long as it is not decided. Raises ApplicationElsewhere."""
    states = (CaseState.INVITED, *_OPEN)
    case = _require(connection, application_id, states, "withdrawn")
    return _move(connection, case, CaseState.WITHDRAWN, by=by, now=now)


def withdraw_for_erasure(connection: Connection, case: Case, *, by: str, now: int) -> Case:
    """End an application whose organisation is erased, however far it is."""
    return _move(connection, case, CaseState.WITHDRAWN, by=by, now=now)


def name_controller(
    connection: Connection, application_id: bytes, controller: bytes, *, by: str, now: int
) -> Case:
    """Say which account acts for the applicant; void is a consent that another one signed.

    Officers who recommended one account did not recommend another: where there was one, what they
    decided is void, too.
    """
    states = (CaseState.INVITED, *_OPEN, CaseState.CONFIRMED)
    case = _require(connection, application_id, states, "given an account")
    if case.org_id is not None and case.state is CaseState.CONFIRMED:
        raise ApplicationElsewhere(
            application=case.shown, state="registered", wanted="given another account"
        )
    changes: dict[str, Any] = {"controller": controller, "consent": None, "consent_until": None}
    state = case.state
    if case.is_in_review and case.controller not in (None, controller):
        state = CaseState.FILED
        changes |= _UNDECIDED
    return _move(connection, case, state, by=by, now=now, action="controller", **changes)


def keep_consent(
    connection: Connection,
    application_id: bytes,
    signature: bytes,
    until: int,
    *,
    by: str,
    now: int,
) -> Case:
    """Keep the applicant's signature; whether it is one, `ledger.services.applications` checks."""
    case = _require(connection, application_id, (CaseState.CONFIRMED,), "consented to")
    changes: dict[str, Any] = {"consent": signature, "consent_until": until}
    return _move(connection, case, case.state, by=by, now=now, action="consented", **changes)


def note_registered(
    connection: Connection, application_id: bytes, org_id: OrgId, *, by: str, now: int
) -> Case:
    """The organisation is on the register; its contact and its application stand there, too."""
    case = read_case(connection, application_id)
    if case.form is not None and case.form.contact is not None:
        key = profile_key(case)
        replace_contacts(connection, Subject.ORGANISATION, key, [case.form.contact])
    file_application(connection, org_id, case.programme, filed_at=case.opened_at)
    return _move(connection, case, case.state, by=by, now=now, action="registered", org_id=org_id)


def note_decided(
    connection: Connection, application_id: bytes, state: CaseState, *, by: str, now: int
) -> Case:
    """The chain has it. What stands so already is left as it is."""
    case = read_case(connection, application_id)
    if case.state is state:
        return case
    _require(connection, application_id, (CaseState.CONFIRMED,), state.value)
    return _move(connection, case, state, by=by, now=now, detail=case.reason)


def erase_case(connection: Connection, store: EvidenceStore, application_id: bytes) -> list[bytes]:
    """Erase form, account, documents and what was said; the files to discard before the commit.

    Raises ApplicationElsewhere for one that is still worked on, NotFound.
    """
    case = _require(connection, application_id, ENDED, "erased")
    files = []
    for commitment in documents_of(connection, application_id):
        content_hash = store.erase(connection, commitment)
        if content_hash is not None:
            files.append(content_hash)
    table = application_documents
    connection.execute(delete(table).where(table.c.application_id == application_id))
    connection.execute(
        update(cases)
        .where(cases.c.application_id == application_id)
        .values(form=b"", evidence=None, controller=None, link=None, consent=None)
    )
    empty_steps(connection, _subject(case))
    return files


def _require(
    connection: Connection, application_id: bytes, states: Sequence[CaseState], wanted: str
) -> Case:
    raise_revision(connection)  # taken first, so that two officers' steps come one after the other
    return _require_state(read_case(connection, application_id), states, wanted)


def _require_state(case: Case, states: Sequence[CaseState], wanted: str) -> Case:
    if case.state not in states:
        raise ApplicationElsewhere(application=case.shown, state=case.state.value, wanted=wanted)
    return case


def _move(
    connection: Connection,
    case: Case,
    state: CaseState,
    *,
    by: str,
    now: int,
    action: str = "",
    detail: str = "",
    **changes: Any,
) -> Case:
    """Write a step: the case's new state, a line of the log, a message for whoever is told."""
    connection.execute(
        update(cases)
        .where(cases.c.application_id == case.application_id)
        .values(state=state.value, updated_at=now, **changes)
    )
    done = action or state.value
    note_step(connection, _subject(case), done, actor=by, at=now, detail=detail)
    moved = read_case(connection, case.application_id)
    number = count_steps(connection, _subject(case))
    data = {
        "application_id": case.shown,
        "programme": case.programme,
        "org_id": moved.org_id,
        "state": state.value,
    }
    message = Message(f"application.{done}", now, (case.application_id, number), data)
    announce(connection, [message], now=now * 1000)
    return moved


def _attach(connection: Connection, application_id: bytes, commitment: bytes) -> None:
    connection.execute(
        insert(application_documents).values(application_id=application_id, commitment=commitment)
    )


def _check_said(field: str, text: str) -> None:
    check_text(field, text)
    if not text:
        raise InvalidValue(field=field, value="", expected="a sentence")


def _subject(case: Case) -> str:
    return f"application:{case.shown}"
