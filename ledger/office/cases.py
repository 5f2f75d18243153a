"""What an application is, and how one is found: by its id, by the applicant's link, in a queue.

Who may see it is not for here: a form names persons, so whoever shows one asks for the right first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, select, tuple_

from ledger.domain.commitments import canonical_json
from ledger.domain.ids import OrgId
from ledger.errors import NotFound
from ledger.office.contacts import Contact
from ledger.office.profiles import CREDIT_CODE, Profile, Subject, check_text
from ledger.store.office_tables import application_cases as cases
from ledger.store.office_tables import application_documents


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
    def is_in_review(self) -> bool:
        """Whether officers have begun to decide it."""
        return self.state in (CaseState.RECOMMENDED, CaseState.CONFIRMED)

    @property
    def is_told(self) -> bool:
        """Whether its applicant may know what was decided: it is to consent, or it is done."""
        is_admission = self.state is CaseState.CONFIRMED and not self.reason
        return self.state in ENDED or is_admission

    @property
    def shown(self) -> str:
        """Its id for people."""
        return "0x" + self.application_id.hex()


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
    row = connection.execute(select(cases).where(cases.c.link == hash_link(secret))).one_or_none()
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


def list_unregistered(connection: Connection) -> list[Case]:
    """Applications whose applicant was never registered by them."""
    return [_case(row) for row in connection.execute(select(cases).where(cases.c.org_id.is_(None)))]


def list_decided(connection: Connection, *, since: int) -> list[Case]:
    """Applications that were admitted or declined at or after a second, oldest first."""
    decided = (CaseState.ADMITTED.value, CaseState.DECLINED.value)
    rows = connection.execute(
        select(cases)
        .where(cases.c.state.in_(decided), cases.c.updated_at >= since)
        .order_by(cases.c.updated_at, cases.c.application_id)
    )
    return [_case(row) for row in rows]


def has_open_case(connection: Connection, programme: str, controller: bytes) -> bool:
    """Whether an account has an application to a programme that has not ended."""
    query = select(cases.c.application_id).where(
        cases.c.programme == programme,
        cases.c.controller == controller,
        cases.c.state.not_in([each.value for each in ENDED]),
    )
    return connection.execute(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Queue:
    """Which applications somebody wants to see; what is empty or None does not restrict.

    `programmes` are the keys of those that he may see, None where he may see all.
    """

    states: tuple[CaseState, ...] = ()
    programme: str = ""
    org_id: OrgId | None = None
    programmes: frozenset[str] | None = None

    def conditions(self, *, with_states: bool = True) -> list[ColumnElement[bool]]:
        """As SQL."""
        found: list[ColumnElement[bool]] = []
        if self.states and with_states:
            found.append(cases.c.state.in_([each.value for each in self.states]))
        if self.programme:
            found.append(cases.c.programme == self.programme)
        if self.org_id is not None:
            found.append(cases.c.org_id == self.org_id)
        if self.programmes is not None:
            found.append(cases.c.programme.in_(sorted(self.programmes)))
        return found


def list_queue(
    connection: Connection, wanted: Queue, *, after: tuple[int, bytes], limit: int
) -> list[Case]:
    """Applications after a place (when it was opened, its id), oldest first."""
    place = tuple_(cases.c.opened_at, cases.c.application_id)
    rows = connection.execute(
        select(cases)
        .where(*wanted.conditions(), place > tuple_(*after))
        .order_by(cases.c.opened_at, cases.c.application_id)
        .limit(limit)
    )
    return [_case(row) for row in rows]


def count_queue(connection: Connection, wanted: Queue) -> dict[CaseState, int]:
    """How many applications are in each state, whatever states are wanted."""
    rows = connection.execute(
        select(cases.c.state, func.count())
        .where(*wanted.conditions(with_states=False))
        .group_by(cases.c.state)
    )
    found = {CaseState(state): int(count) for state, count in rows}
    return {state: found.get(state, 0) for state in CaseState}


def documents_of(connection: Connection, application_id: bytes) -> list[bytes]:
    """The commitments of an application's documents, the form's among them."""
    table = application_documents
    query = select(table.c.commitment).where(table.c.application_id == application_id)
    return sorted(bytes(found) for found in connection.execute(query).scalars())


def profile_key(case: Case) -> str:
    """The key of the profile that an applicant gets."""
    return f"applicant-{case.application_id.hex()[:16]}"


def link_of(connection: Connection, application_id: bytes) -> bytes | None:
    """The hash of the secret that opens an application; None where none does."""
    query = select(cases.c.link).where(cases.c.application_id == application_id)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def hash_link(secret: str) -> bytes:
    """What is kept of the secret in an applicant's link."""
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
