"""An application from the invitation to the decision, as people work on it.

What was decided is on the chain in the end; here is the way there: the form, its documents, what
was asked back and answered, who recommended what and who confirmed it. Nobody decides alone: who
recommends cannot confirm. A step that the state does not allow is refused, and every step stands
in the office's log. An applicant without an account follows it by a link, of which the hash alone
is kept. Nothing of a form is public, and nothing of it is in a webhook's message.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from ledger.domain.commitments import canonical_json
from ledger.domain.ids import OrgId
from ledger.errors import ApplicationElsewhere, InvalidValue, NotFound, SameOfficer
from ledger.office.applications import file_application
from ledger.office.contacts import Contact, replace_contacts
from ledger.office.evidence import Description, Evidence, EvidenceStore
from ledger.office.log import empty_steps, note_step, read_steps
from ledger.office.profiles import CREDIT_CODE, Profile, Subject, check_text
from ledger.office.rows import raise_revision
from ledger.office.webhooks.messages import Message, announce
from ledger.store.office_tables import application_cases as cases
from ledger.store.office_tables import application_documents

MAX_DOCUMENTS = 50
APPLICANT = "applicant"


class CaseState(StrEnum):
    """Where an application is."""

    INVITED = "invited"
    FILED = "filed"
    ASKED = "asked"
    """The registrar wants to know more; the applicant's turn."""
    RECOMMENDED = "recommended"
    """An officer says what should become of it; another officer's turn."""
    CONFIRMED = "confirmed"
    """Decided by two; what the chain needs is still to be done."""
    ADMITTED = "admitted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


_OPEN = (CaseState.FILED, CaseState.ASKED, CaseState.RECOMMENDED)
ENDED = (CaseState.ADMITTED, CaseState.DECLINED, CaseState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Form:
    """What an applicant says of itself; `kind` is what body it is."""

    name_zh: str
    name_en: str
    kind: str = "company"
    segment: str = ""
    note: str = ""
    credit_code: str = ""
    contact: Contact | None = None

    def profile(self, key: str) -> Profile:
        """What of it becomes public with the admission. Raises InvalidValue."""
        details = ((CREDIT_CODE, self.credit_code),) if self.credit_code else ()
        made = Profile(
            Subject.ORGANISATION, key, self.name_zh, self.name_en, self.segment, "", details
        )
        made.document()
        return made

    def encode(self) -> bytes:
        """The form as it is kept. Raises InvalidValue for what cannot be."""
        self.profile("applicant")
        check_text("note", self.note)
        check_text("kind", self.kind)
        if self.contact is not None:
            self.contact.check()
        values: dict[str, Any] = msgspec.to_builtins(self)
        return canonical_json(values)


@dataclass(frozen=True, slots=True)
class Case:
    """An application. Times are seconds since 1970 UTC; `form` is None before it is filed."""

    application_id: bytes
    programme: str
    state: CaseState
    org_id: OrgId | None
    controller: bytes | None
    form: Form | None
    evidence: bytes | None
    tier: int | None
    expires_at: int | None
    reason: str
    recommended_by: str
    confirmed_by: str
    consent_until: int | None
    consent: bytes | None
    opened_at: int
    updated_at: int

    @property
    def shown(self) -> str:
        """Its id for people."""
        return "0x" + self.application_id.hex()


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
            link=_hash(secret),
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
    kept = store.keep(connection, io.BytesIO(encoded), described, added_at=now, private=True)
    _attach(connection, application_id, kept.commitment)
    changes: dict[str, Any] = {"form": encoded, "evidence": kept.commitment}
    if controller is not None:
        changes["controller"] = controller
    if case.org_id is not None:
        file_application(connection, case.org_id, case.programme, filed_at=now)
    return _move(connection, case, CaseState.FILED, by=by, now=now, **changes)


def attach_document(
    connection: Connection,
    store: EvidenceStore,
    application_id: bytes,
    content: BinaryIO,
    description: Description,
    *,
    by: str,
    now: int,
) -> Evidence:
    """Add a document, private to applicant and officers. Raises what `EvidenceStore.keep` does."""
    allowed = (CaseState.INVITED, CaseState.FILED, CaseState.ASKED)
    case = _require(connection, application_id, allowed, "given documents")
    if len(documents_of(connection, application_id)) >= MAX_DOCUMENTS:
        raise InvalidValue(
            field="document", value=description.title_en, expected=f"one of {MAX_DOCUMENTS} at most"
        )
    kept = store.keep(
        connection, content, description, added_at=now, private=True, from_outside=True
    )
    _attach(connection, application_id, kept.commitment)
    note_step(connection, _subject(case), "attached", actor=by, at=now)
    return kept


def ask_back(
    connection: Connection, application_id: bytes, question: str, *, by: str, now: int
) -> Case:
    """Ask the applicant for more. Raises ApplicationElsewhere, InvalidValue, NotFound."""
    case = _require(connection, application_id, _OPEN, "asked about")
    _check_said("question", question)
    cleared: dict[str, Any] = {"recommended_by": "", "tier": None, "expires_at": None, "reason": ""}
    return _move(connection, case, CaseState.ASKED, by=by, now=now, detail=question, **cleared)


def answer(connection: Connection, application_id: bytes, text: str, *, by: str, now: int) -> Case:
    """Answer what was asked. Raises ApplicationElsewhere, InvalidValue, NotFound."""
    case = _require(connection, application_id, (CaseState.ASKED,), "answered")
    _check_said("answer", text)
    return _move(connection, case, CaseState.FILED, by=by, now=now, detail=text)


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
    changes: dict[str, Any] = {
        "tier": tier,
        "expires_at": expires_at,
        "reason": "",
        "recommended_by": by,
    }
    return _move(connection, case, CaseState.RECOMMENDED, by=by, now=now, **changes)


def recommend_decline(
    connection: Connection, application_id: bytes, *, reason: str, by: str, now: int
) -> Case:
    """Say that it should be declined, and for which reason, a key such as `documents.missing`."""
    case = _require(connection, application_id, (CaseState.FILED,), "recommended")
    if not reason:
        raise InvalidValue(field="reason", value="", expected="a key such as documents.missing")
    changes: dict[str, Any] = {
        "tier": None,
        "expires_at": None,
        "reason": reason,
        "recommended_by": by,
    }
    return _move(connection, case, CaseState.RECOMMENDED, by=by, now=now, detail=reason, **changes)


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
    cleared: dict[str, Any] = {"recommended_by": "", "tier": None, "expires_at": None, "reason": ""}
    return _move(connection, case, CaseState.FILED, by=by, now=now, detail=why, **cleared)


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
    """Say which account acts for the applicant; void is a consent that another one signed."""
    states = (CaseState.INVITED, *_OPEN, CaseState.CONFIRMED)
    case = _require(connection, application_id, states, "given an account")
    if case.org_id is not None and case.state is CaseState.CONFIRMED:
        raise ApplicationElsewhere(
            application=case.shown, state="registered", wanted="given another account"
        )
    changes: dict[str, Any] = {"controller": controller, "consent": None, "consent_until": None}
    return _move(connection, case, case.state, by=by, now=now, action="controller", **changes)


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
    """Erase form, account, documents and what was said; the files to discard after the commit.

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


def read_case(connection: Connection, application_id: bytes) -> Case:
    """One application. Raises NotFound."""
    row = connection.execute(
        select(cases).where(cases.c.application_id == application_id)
    ).one_or_none()
    if row is None:
        raise NotFound(what="application", key="0x" + application_id.hex())
    return _case(row)


def follow_link(connection: Connection, secret: str) -> Case:
    """The application behind an applicant's link. Raises NotFound, without the secret."""
    row = connection.execute(select(cases).where(cases.c.link == _hash(secret))).one_or_none()
    if row is None:
        raise NotFound(what="application", key="of this link")
    return _case(row)


def list_cases(
    connection: Connection,
    *,
    state: CaseState | None = None,
    programme: str = "",
    org_id: OrgId | None = None,
    limit: int = 1000,
) -> list[Case]:
    """Applications, oldest first."""
    query = select(cases).order_by(cases.c.opened_at, cases.c.application_id).limit(limit)
    if state is not None:
        query = query.where(cases.c.state == state.value)
    if programme:
        query = query.where(cases.c.programme == programme)
    if org_id is not None:
        query = query.where(cases.c.org_id == org_id)
    return [_case(row) for row in connection.execute(query)]


def documents_of(connection: Connection, application_id: bytes) -> list[bytes]:
    """The commitments of an application's documents, the form's among them."""
    table = application_documents
    query = select(table.c.commitment).where(table.c.application_id == application_id)
    return sorted(bytes(found) for found in connection.execute(query).scalars())


def profile_key(case: Case) -> str:
    """The key of the profile that an applicant gets."""
    return f"applicant-{case.application_id.hex()[:16]}"


def _require(
    connection: Connection, application_id: bytes, states: Sequence[CaseState], wanted: str
) -> Case:
    raise_revision(connection)  # taken first, so that two officers' steps come one after the other
    case = read_case(connection, application_id)
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
    number = len(read_steps(connection, _subject(case)))
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


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8")).digest()


def _case(row: Row[Any]) -> Case:
    return Case(
        bytes(row.application_id),
        row.programme,
        CaseState(row.state),
        row.org_id,
        None if row.controller is None else bytes(row.controller),
        msgspec.json.decode(bytes(row.form), type=Form) if row.form else None,
        None if row.evidence is None else bytes(row.evidence),
        row.tier,
        row.expires_at,
        row.reason,
        row.recommended_by,
        row.confirmed_by,
        row.consent_until,
        None if row.consent is None else bytes(row.consent),
        row.opened_at,
        row.updated_at,
    )
