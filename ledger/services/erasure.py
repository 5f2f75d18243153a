"""Erases what is known of an organisation, and hands it out before (GDPR articles 15 to 20, PIPL 45
and 47).

The chain keeps its commitments, which mean nothing without salt and document, and the audit of it
stays what it was. What is deleted is then taken out of the database's files too, and whatever
cannot be is said, never left out: a database server's log, copies on other machines.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, or_, select

from ledger.domain.ids import OrgId
from ledger.office.asked import forget_bodies
from ledger.office.cases import (
    ENDED,
    Case,
    documents_of,
    list_cases,
    list_unregistered,
    profile_key,
)
from ledger.office.casework import erase_case, withdraw_for_erasure
from ledger.office.contacts import read_contacts
from ledger.office.evidence import EvidenceStore
from ledger.office.log import empty_steps, note_step, read_steps
from ledger.office.notices import erase_notices
from ledger.office.profiles import CREDIT_CODE, LOGO, Subject
from ledger.office.repeats import forget_asked
from ledger.office.rows import raise_revision
from ledger.services.imports.forgetting import forget_organisation, read_traces
from ledger.services.scrubbing import scrub
from ledger.store.engine import POSTGRESQL, writing
from ledger.store.mirror_tables import (
    application_declines,
    entries,
    membership_versions,
    organisation_versions,
)
from ledger.store.office_tables import (
    applications,
    asked_operations,
    contacts,
    evidence_files,
    profiles,
)
from ledger.store.outbox_tables import operations

_RESTING_ON = (entries, membership_versions, application_declines, organisation_versions)
"""Facts that name evidence and an organisation."""

_NAMING = ("register", "change-profile")
"""What is asked for over HTTP with names in its body."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind are gone, and what may still hold a trace, in sentences."""

    profiles: int
    contacts: int
    applications: int
    documents: int
    remaining: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Holding:
    """What is kept of an organisation."""

    keys: frozenset[str]
    commitments: frozenset[bytes]
    documents: frozenset[bytes]


def erase_organisation(
    engine: Engine,
    store: EvidenceStore,
    org_id: OrgId,
    *,
    actor: str,
    with_evidence: bool = False,
    now: int,
) -> Erased:
    """Erase profiles, contacts, applications, logo, and what imports say of it.

    `with_evidence` also its documents.
    Those are the documents that this organisation's facts rest on, and no other's. Done again, it
    finds nothing to erase, and cleans the files again. Raises what the evidence store raises.
    """
    with writing(engine) as connection:
        if engine.dialect.name != POSTGRESQL:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        raise_revision(connection)
        held = _holding(connection, org_id)
        files = [
            store.erase(connection, each)
            for each in sorted(held.documents if with_evidence else _logos(connection, held))
        ]
        cases = _cases_of(connection, org_id)
        _erase_notices(connection, org_id, held, cases)
        _forget_requests(connection, org_id, cases)
        for case in cases:
            if case.state not in ENDED:
                withdraw_for_erasure(connection, case, by=actor, now=now)
            files += erase_case(connection, store, case.application_id)
        forget_organisation(connection, org_id, _words_of(connection, held))
        counts = _delete_rows(connection, org_id, held)
        subject = f"organisation:{org_id}"
        empty_steps(connection, subject)
        note_step(connection, subject, "erased", actor=actor, at=now)
        # Before the commit: a file that cannot be deleted must not be without a row that finds it.
        for content_hash in files:
            if content_hash is not None:
                store.discard(content_hash)
    return Erased(*counts, documents=len(files), remaining=scrub(engine))


def export_organisation(connection: Connection, org_id: OrgId) -> dict[str, Any]:
    """All that the office keeps of an organisation, as JSON holds it."""
    held = _holding(connection, org_id)
    words = _words_of(connection, held)
    rows = connection.execute(
        select(profiles)
        .where(profiles.c.commitment.in_(held.commitments))
        .order_by(profiles.c.commitment)
    )
    documents = connection.execute(
        select(evidence_files).where(evidence_files.c.commitment.in_(held.documents))
    )
    filed = connection.execute(select(applications).where(applications.c.org_id == org_id))
    return {
        "org_id": org_id,
        "profiles": [
            {
                "commitment": _hex(row.commitment),
                "salt": _hex(row.salt),
                "document": json.loads(bytes(row.document)),
            }
            for row in rows
        ],
        "contacts": [
            {
                "role": each.role,
                "person": each.person,
                "email": each.email,
                "phone": each.phone,
                "address": each.address,
            }
            for key in sorted(held.keys)
            for each in read_contacts(connection, Subject.ORGANISATION, key)
        ],
        "applications": [
            {"programme": row.programme, "filed_at": row.filed_at, "note": row.note}
            for row in filed
        ],
        "documents": [
            {
                "commitment": _hex(row.commitment),
                "salt": _hex(row.salt),
                "sha256": _hex(row.content_hash),
                "title_zh": row.title_zh,
                "title_en": row.title_en,
                "media_type": row.media_type,
                "size": row.size,
            }
            for row in documents
        ],
        "cases": [
            {
                "application_id": case.shown,
                "programme": case.programme,
                "state": case.state.value,
                "form": None if case.form is None else asdict(case.form),
                "documents": [_hex(each) for each in documents_of(connection, case.application_id)],
                "steps": [
                    {"at": each.at, "actor": each.actor, "action": each.action, "said": each.detail}
                    for each in read_steps(connection, f"application:{case.shown}")
                ],
            }
            for case in _cases_of(connection, org_id)
        ],
        "imports": [asdict(each) for each in read_traces(connection, org_id, words)],
        "log": [
            {"at": each.at, "actor": each.actor, "action": each.action, "detail": each.detail}
            for each in read_steps(connection, f"organisation:{org_id}")
        ],
    }


def _holding(connection: Connection, org_id: OrgId) -> _Holding:
    table = organisation_versions
    mine = _distinct(connection, select(table.c.profile).where(table.c.org_id == org_id))
    others = _distinct(connection, select(table.c.profile).where(table.c.org_id != org_id))
    about = profiles.c.subject == Subject.ORGANISATION.value
    known = select(profiles.c.key).where(about, profiles.c.commitment.in_(mine))
    cases = _cases_of(connection, org_id)
    keys = frozenset(connection.execute(known).scalars()) | {profile_key(each) for each in cases}
    same_key = select(profiles.c.commitment).where(about, profiles.c.key.in_(keys))
    commitments = (_distinct(connection, same_key) - others) | (mine - others)
    commitments |= _never_recorded(connection, commitments)
    documents = _documents_of(connection, org_id) | _logos_of(connection, commitments)
    for case in cases:  # these are erased with them, whatever is asked for
        documents -= set(documents_of(connection, case.application_id))
    return _Holding(keys, frozenset(commitments), frozenset(documents))


def _never_recorded(connection: Connection, commitments: Collection[bytes]) -> set[bytes]:
    """Profiles of the same names that no chain ever committed to: what was asked for and failed."""
    named = select(profiles.c.name_zh, profiles.c.name_en).where(
        profiles.c.commitment.in_(commitments)
    )
    rows = list(connection.execute(named))
    same = or_(
        profiles.c.name_zh.in_({row.name_zh for row in rows} - {""}),
        profiles.c.name_en.in_({row.name_en for row in rows} - {""}),
    )
    query = select(profiles.c.commitment).where(
        profiles.c.subject == Subject.ORGANISATION.value,
        same,
        profiles.c.commitment.not_in(select(organisation_versions.c.profile)),
    )
    return _distinct(connection, query)


def _cases_of(connection: Connection, org_id: OrgId) -> list[Case]:
    """Its applications: those that led to it, and earlier ones by an account that acted for it and
    for nobody else, or with its credit code."""
    table = organisation_versions
    mine = _distinct(connection, select(table.c.controller).where(table.c.org_id == org_id))
    mine -= _distinct(connection, select(table.c.controller).where(table.c.org_id != org_id))
    own = select(profiles.c.document).join(table, table.c.profile == profiles.c.commitment)
    documents = connection.execute(own.where(table.c.org_id == org_id)).scalars()
    codes = {json.loads(bytes(each)).get(CREDIT_CODE, "") for each in documents}
    found = list_cases(connection, org_id=org_id)
    codes |= {each.form.credit_code for each in found if each.form is not None}
    return found + [
        each
        for each in list_unregistered(connection)
        if each.controller in mine
        or (each.form is not None and each.form.credit_code in codes - {""})
    ]


def _forget_requests(connection: Connection, org_id: OrgId, cases: Sequence[Case]) -> None:
    """The hashes over bodies that named it: of what was recorded, and of what came to nothing."""
    table = organisation_versions
    recorded = select(table.c.operation_id).where(table.c.org_id == org_id)
    failed = (
        select(asked_operations.c.operation_id)
        .join(operations, operations.c.operation_id == asked_operations.c.operation_id)
        .where(
            asked_operations.c.command.in_(_NAMING), operations.c.state.in_(("failed", "cancelled"))
        )
    )
    forget_bodies(connection, _distinct(connection, recorded) | _distinct(connection, failed))
    forget_asked(connection, [str(org_id), *(each.shown for each in cases)])


def _erase_notices(
    connection: Connection, org_id: OrgId, held: _Holding, own: Sequence[Case]
) -> None:
    """What its people were told by e-mail, and what they chose not to be."""
    people = {
        each.email
        for key in held.keys
        for each in read_contacts(connection, Subject.ORGANISATION, key)
    }
    forms = [case.form for case in own if case.form is not None]
    people |= {form.contact.email for form in forms if form.contact is not None}
    ids = [case.application_id for case in own]
    erase_notices(connection, org_id, ids, people - {""})


def _documents_of(connection: Connection, org_id: OrgId) -> set[bytes]:
    """The kept documents that facts of this organisation rest on, and no other's."""
    mine: set[bytes] = set()
    for table in _RESTING_ON:
        own = select(table.c.evidence).where(table.c.org_id == org_id)
        mine |= _distinct(connection, own)
    if not mine:
        return set()
    for table in _RESTING_ON:
        shared = select(table.c.evidence).where(
            table.c.org_id != org_id, table.c.evidence.in_(mine)
        )
        mine -= _distinct(connection, shared)
    kept = select(evidence_files.c.commitment).where(evidence_files.c.commitment.in_(mine))
    return _distinct(connection, kept)


def _words_of(connection: Connection, held: _Holding) -> frozenset[str]:
    """By what it is called: its keys, names and code."""
    rows = connection.execute(
        select(profiles.c.document).where(profiles.c.commitment.in_(held.commitments))
    ).scalars()
    documents = [json.loads(bytes(row)) for row in rows]
    named = {each.get(name, "") for each in documents for name in ("name_zh", "name_en", "uscc")}
    return frozenset((held.keys | named) - {""})


def _logos(connection: Connection, held: _Holding) -> set[bytes]:
    return _logos_of(connection, held.commitments)


def _logos_of(
    connection: Connection, commitments: Sequence[bytes] | frozenset[bytes] | set[bytes]
) -> set[bytes]:
    rows = connection.execute(
        select(profiles.c.document).where(profiles.c.commitment.in_(commitments))
    ).scalars()
    named = {json.loads(bytes(row)).get(LOGO, "") for row in rows} - {""}
    wanted = [bytes.fromhex(each[2:]) for each in named]
    kept = select(evidence_files.c.commitment).where(evidence_files.c.commitment.in_(wanted))
    return _distinct(connection, kept)


def _delete_rows(connection: Connection, org_id: OrgId, held: _Holding) -> tuple[int, int, int]:
    of_contacts = (
        contacts.c.subject == Subject.ORGANISATION.value,
        or_(contacts.c.key.in_(held.keys), contacts.c.key == f"organisation-{org_id}"),
    )
    counts = []
    for table, condition in (
        (profiles, (profiles.c.commitment.in_(held.commitments),)),
        (contacts, of_contacts),
        (applications, (applications.c.org_id == org_id,)),
    ):
        gone = connection.execute(
            delete(table).where(*condition).returning(next(iter(table.primary_key)))
        )
        counts.append(len(gone.all()))
    return counts[0], counts[1], counts[2]


def _distinct(connection: Connection, query: Any) -> set[bytes]:
    rows = connection.execute(query.distinct()).scalars()
    return {bytes(found) for found in rows if found is not None}


def _hex(value: bytes) -> str:
    return "0x" + bytes(value).hex()
