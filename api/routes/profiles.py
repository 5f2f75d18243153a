"""What the office keeps of an organisation: shown, changed, handed out and erased.

For the organisation itself (the account that acts for it) and for alliance-wide registrars and the
council; a change of the profile is a command of the chain, which commits to it, and an erasure is
the office's. Nothing of it is in the log of privileged calls but that it was done.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection, Engine

from api.answers import Reading, answers_of
from api.asking import Asking, IdempotencyKey, ask
from api.callers import Caller, Needs, clock_of
from api.formats import show_bytes, show_time
from api.kinds import ACCEPTED
from api.noting import Author, Change, answer, note
from api.office import reading_office, writing_office
from api.parameters import OrganisationPath
from api.parties import REGISTRARS
from api.rights import offices_of
from api.routes.declared import problems
from api.schemas.applications import ContactView
from api.schemas.profiles import (
    ContactsCommand,
    ErasureAnswer,
    ErasureCommand,
    ExportAnswer,
    ProfileAnswer,
    ProfileCommand,
)
from ledger.domain.access import Scope
from ledger.domain.ids import ALLIANCE_WIDE, OrgId
from ledger.errors import AccessDenied, InvalidValue
from ledger.mirror.queries.organisations import Organisation, read_organisation
from ledger.office.contacts import read_contacts, replace_contacts
from ledger.office.evidence import EvidenceStore
from ledger.office.log import note_step
from ledger.office.profiles import (
    CREDIT_CODE,
    WEBSITE,
    Profile,
    Subject,
    check_credit_code,
    keep_profile,
    read_document,
    read_salt,
)
from ledger.outbox.records import Operation
from ledger.services import organisations
from ledger.services.erasure import Erased, erase_organisation, export_organisation
from ledger.services.orders import Order

router = APIRouter(tags=["profiles"])

FAULTS = problems(
    s401="Nobody is signed in, or the credential is good for nothing.",
    s403="The account neither acts for the organisation nor holds the office.",
    s404="There is no such organisation.",
    s422="A value cannot be used, or the Idempotency-Key was used for another request.",
    s429="Too many requests.",
    s500="The server met an error that it does not know.",
    s503="The mirror does not follow the chain, or the database cannot be used.",
)

_NAMED = ("key", "name_zh", "name_en", "segment", "note")

Reader = Annotated[Caller, Depends(Needs(Scope.READ))]
Officer = Annotated[Caller, Depends(Needs(Scope.MEMBERS))]


@router.get(
    "/organisations/{org_id}/profile",
    operation_id="getProfile",
    response_model=ProfileAnswer,
    responses=FAULTS,
)
def get_profile(request: Request, org_id: OrganisationPath, caller: Reader) -> Response:
    """The organisation's profile with its salt, and its contacts. For the organisation, registrars
    and the council."""
    return answer(_profile(request, _entitled(request, caller, org_id)))


@router.post(
    "/organisations/{org_id}/profiles",
    operation_id="createProfile",
    status_code=202,
    responses=ACCEPTED,
)
def change_profile(
    request: Request,
    org_id: OrganisationPath,
    body: ProfileCommand,
    key: IdempotencyKey,
    caller: Officer,
) -> Response:
    """Change what is public of an organisation; the chain commits to it. For alliance-wide
    registrars."""

    def prepare(reading: Reading) -> Asking:
        found = read_organisation(reading.connection, reading.moment, OrgId(org_id))
        old = read_document(reading.connection, found.profile_commitment)
        profile = _changed(found, {} if old is None else json.loads(old), body)

        def place(order: Order) -> Operation:
            # Kept before anything commits to it, and found again by a repetition.
            with writing_office(request) as connection:
                commitment = keep_profile(connection, profile)
            return organisations.change_profile(order, found.org_id, commitment)

        return Asking("change-profile", ("registrar",), place)

    return ask(request, caller, key, body, prepare)


@router.post(
    "/organisations/{org_id}/contacts",
    operation_id="createContacts",
    status_code=201,
    response_model=ProfileAnswer,
    responses=FAULTS,
)
def change_contacts(
    request: Request,
    org_id: OrganisationPath,
    body: ContactsCommand,
    key: IdempotencyKey,
    caller: Officer,
) -> Response:
    """Say whom to call at an organisation, in place of all before. For the organisation, registrars
    and the council."""
    found = _entitled(request, caller, org_id)
    wanted = [each.contact() for each in body.contacts]
    author = Author.of(caller)

    def do(connection: Connection, now: int) -> str:
        replace_contacts(connection, Subject.ORGANISATION, key_of(found), wanted)
        subject = f"organisation:{found.org_id}"
        note_step(connection, subject, "contacts_changed", actor=author.name, at=now)
        return str(found.org_id)

    noted = note(request, author, key, body, Change("organisation.contacts_changed", do))
    return answer(_profile(request, found), 201, noted.headers)


@router.get(
    "/organisations/{org_id}/export",
    operation_id="getExport",
    response_model=ExportAnswer,
    responses=FAULTS,
)
def export(request: Request, org_id: OrganisationPath, caller: Reader) -> Response:
    """All that the office keeps of an organisation (GDPR 15 and 20, PIPL 45). For the organisation,
    registrars and the council."""
    found = _entitled(request, caller, org_id)
    with reading_office(request) as connection:
        held = export_organisation(connection, found.org_id)
    now = show_time(int(clock_of(request)()))
    return answer(ExportAnswer(org_id=found.org_id, exported_at=now, held=held))


@router.post(
    "/organisations/{org_id}/erasures",
    operation_id="createErasure",
    status_code=201,
    response_model=ErasureAnswer,
    responses=FAULTS,
)
def erase(
    request: Request,
    org_id: OrganisationPath,
    body: ErasureCommand,
    key: IdempotencyKey,
    caller: Officer,
) -> Response:
    """Erase what the office keeps of an organisation, and take it out of the database's files
    (GDPR 17, PIPL 47). The chain keeps its commitments, which mean nothing without it. Sent again,
    it cleans the files again. For alliance-wide registrars and the council."""
    found = _entitled(request, caller, org_id, for_itself=False)
    if body.organisation != found.org_id:
        expected = "the organisation that the path names"
        raise InvalidValue(field="organisation", value=body.organisation, expected=expected)
    author = Author.of(caller)

    def do(_connection: Connection, _now: int) -> str:
        return str(found.org_id)

    noted = note(request, author, key, body, Change("organisation.erased", do))
    engine: Engine = request.app.state.office
    store: EvidenceStore = request.app.state.evidence
    erased = erase_organisation(
        engine,
        store,
        found.org_id,
        actor=author.name,
        with_evidence=body.with_evidence,
        now=int(clock_of(request)()),
    )
    return answer(_erased(found.org_id, erased), 201, noted.headers)


def _entitled(
    request: Request, caller: Caller, org_id: int, *, for_itself: bool = True
) -> Organisation:
    """The organisation, if the caller may see all of it. Raises AccessDenied and NotFound."""

    def find(reading: Reading) -> Organisation:
        offices = offices_of(reading, caller.account, ALLIANCE_WIDE) & REGISTRARS
        found = read_organisation(reading.connection, reading.moment, OrgId(org_id))
        is_own = for_itself and found.controller == caller.account
        if not offices and not is_own:
            needed = "it takes the office of registrar or council in the whole alliance"
            raise AccessDenied(account=caller.address, needed=needed)
        return found

    return answers_of(request).read(find)


def _profile(request: Request, found: Organisation) -> ProfileAnswer:
    with reading_office(request) as connection:
        document = read_document(connection, found.profile_commitment)
        salt = read_salt(connection, found.profile_commitment)
        contacts = read_contacts(connection, Subject.ORGANISATION, key_of(found))
    return ProfileAnswer(
        org_id=found.org_id,
        commitment=show_bytes(found.profile_commitment),
        salt=None if salt is None else show_bytes(salt),
        document=None if document is None else json.loads(document),
        contacts=[ContactView.of(each) for each in contacts],
    )


def _changed(found: Organisation, old: dict[str, str], body: ProfileCommand) -> Profile:
    """The profile as it is to be. Raises InvalidValue."""
    details = {name: text for name, text in old.items() if name not in {*_NAMED, "subject"}}
    if body.uscc is not None:
        details[CREDIT_CODE] = check_credit_code(body.uscc) if body.uscc else ""
    if body.website is not None:
        details[WEBSITE] = body.website
    new = {
        "name_zh": body.name_zh,
        "name_en": body.name_en,
        "segment": body.segment,
        "note": body.note,
    }
    words = {name: old.get(name, "") if given is None else given for name, given in new.items()}
    profile = Profile(
        Subject.ORGANISATION,
        key_of(found),
        words["name_zh"],
        words["name_en"],
        words["segment"],
        words["note"],
    )
    kept = tuple(sorted((name, text) for name, text in details.items() if text))
    profile = replace(profile, details=kept)
    profile.document()
    return profile


def key_of(found: Organisation) -> str:
    """The key that the office keeps an organisation's contacts by."""
    return found.profile.key if found.profile is not None else f"organisation-{found.org_id}"


def _erased(org_id: OrgId, erased: Erased) -> ErasureAnswer:
    return ErasureAnswer(
        org_id=org_id,
        profiles=erased.profiles,
        contacts=erased.contacts,
        applications=erased.applications,
        documents=erased.documents,
        remaining=list(erased.remaining),
    )
