"""Organisations, and their memberships from admission to revocation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import REGISTRARS
from api.formats import parse_time
from api.kinds import Kind
from api.office import writing_office
from api.routes.named import programme_named
from api.schemas.commands import (
    AdmissionsCommand,
    GroundedCommand,
    RegistrationsCommand,
    RenewalsCommand,
    StandingCommand,
    TierChangesCommand,
    commitment_of,
)
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.commands import Admission, Registration, Renewal, TierChange
from ledger.domain.ids import OrgId, ProgrammeId, TierId
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.outbox.records import Operation
from ledger.services import memberships, organisations
from ledger.services.memberships import Ground
from ledger.services.orders import Order

Place = Callable[[Order, ProgrammeId], Operation]


def _admit(_request: Request, reading: Reading, body: AdmissionsCommand) -> Asking:
    ends = parse_time("expires_at", body.expires_at)
    evidence = commitment_of(body.evidence)
    admissions = [
        Admission(OrgId(each), TierId(body.tier), ends, evidence) for each in body.organisations
    ]

    def place(order: Order, programme_id: ProgrammeId) -> Operation:
        return memberships.admit(order, programme_id, admissions, reason=body.reason or "")

    return _change(reading, body, "admit", place)


def _renew(_request: Request, reading: Reading, body: RenewalsCommand) -> Asking:
    ends = parse_time("expires_at", body.expires_at)
    renewals = [Renewal(OrgId(each), ends) for each in body.organisations]

    def place(order: Order, programme_id: ProgrammeId) -> Operation:
        return memberships.renew(order, programme_id, renewals, _ground(body))

    return _change(reading, body, "renew", place)


def _change_tier(_request: Request, reading: Reading, body: TierChangesCommand) -> Asking:
    changes = [TierChange(OrgId(each), TierId(body.tier)) for each in body.organisations]

    def place(order: Order, programme_id: ProgrammeId) -> Operation:
        return memberships.change_tier(order, programme_id, changes, _ground(body))

    return _change(reading, body, "tier", place)


def _standing(
    name: str,
    operation_id: str,
    command: str,
    service: Callable[[Order, ProgrammeId, Sequence[OrgId], Ground], Operation],
    description: str,
) -> Kind[StandingCommand]:
    """A kind that names organisations and nothing else about them."""

    def prepare(_request: Request, reading: Reading, body: StandingCommand) -> Asking:
        org_ids = [OrgId(each) for each in body.organisations]

        def place(order: Order, programme_id: ProgrammeId) -> Operation:
            return service(order, programme_id, org_ids, _ground(body))

        return _change(reading, body, command, place)

    return Kind(name, operation_id, StandingCommand, Scope.MEMBERS, description, prepare)


def _register(request: Request, _reading: Reading, body: RegistrationsCommand) -> Asking:
    def place(order: Order) -> Operation:
        # The documents are kept before anything commits to them, and found again by a repetition.
        with writing_office(request) as connection:
            registrations = [
                Registration(
                    parse_address(each.controller),
                    each.kind,
                    keep_profile(
                        connection,
                        Profile(
                            Subject.ORGANISATION,
                            each.key,
                            each.name_zh,
                            each.name_en,
                            each.segment,
                            each.note,
                        ),
                    ),
                )
                for each in body.organisations
            ]
        return organisations.register(order, registrations)[0]

    return Asking("register", ("registrar",), place)


def _change(reading: Reading, body: GroundedCommand, command: str, place: Place) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(command, REGISTRARS, lambda order: place(order, programme_id), programme_id)


def _ground(body: GroundedCommand) -> Ground:
    return Ground(body.reason or "", commitment_of(body.evidence))


KINDS = (
    Kind(
        "admissions",
        "createAdmissions",
        AdmissionsCommand,
        Scope.MEMBERS,
        "Admit organisations to a programme. For registrars and the council.",
        _admit,
    ),
    Kind(
        "renewals",
        "createRenewals",
        RenewalsCommand,
        Scope.MEMBERS,
        "Prolong memberships. For registrars and the council.",
        _renew,
    ),
    Kind(
        "tier-changes",
        "createTierChanges",
        TierChangesCommand,
        Scope.MEMBERS,
        "Move memberships into another tier. For registrars and the council.",
        _change_tier,
    ),
    _standing(
        "suspensions",
        "createSuspensions",
        "suspend",
        memberships.suspend,
        "Suspend active memberships, lapsed ones too. For registrars and the council.",
    ),
    _standing(
        "resumptions",
        "createResumptions",
        "resume",
        memberships.resume,
        "End suspensions. For registrars and the council.",
    ),
    _standing(
        "revocations",
        "createRevocations",
        "revoke",
        memberships.revoke,
        "End memberships; only a new admission undoes it. For registrars and the council.",
    ),
    _standing(
        "declines",
        "createDeclines",
        "decline",
        memberships.decline,
        "Record that applications were declined. For registrars and the council.",
    ),
    Kind(
        "organisations",
        "createOrganisations",
        RegistrationsCommand,
        Scope.MEMBERS,
        "Register organisations. For alliance-wide registrars.",
        _register,
    ),
)
