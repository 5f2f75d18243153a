"""What officers do: each a record that is asked for, and an operation that answers it.

The routes are one family and stand together: a body, the offices that it takes, and the service of
the command line that does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.answers import Reading
from api.asking import Asking, IdempotencyKey, ask
from api.callers import Caller, Needs
from api.formats import parse_time
from api.office import writing_office
from api.rights import Ceiling, Standing, check_budget, check_own_awards
from api.routes.declared import problems
from api.routes.named import programme_named
from api.schemas.commands import (
    AdmissionsCommand,
    AwardsCommand,
    BudgetCommand,
    GroundedCommand,
    OfficeCommand,
    RegistrationsCommand,
    RenewalsCommand,
    ReversalsCommand,
    StandingCommand,
    TierChangesCommand,
    commitment_of,
)
from api.schemas.operations import OperationAnswer
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.commands import (
    Admission,
    Award,
    Budget,
    Registration,
    Renewal,
    Reversal,
    TierChange,
)
from ledger.domain.ids import ALLIANCE_WIDE, EntryId, OrgId, ProgrammeId, TierId
from ledger.errors import EvidenceMissing
from ledger.mirror.queries.entries import read_entry
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.outbox.records import Operation
from ledger.services import credits as crediting
from ledger.services import memberships, organisations, programmes, roles
from ledger.services.memberships import Ground
from ledger.services.orders import Order

router = APIRouter(tags=["commands"])

ISSUERS = ("issuer", "council")
REGISTRARS = ("registrar", "council")
TREASURERS = ("treasurer", "council")
ADMIN = ("admin",)

ACCEPTED = {
    202: {
        "description": "It is checked and kept, and will be done; `Location` is where to look.",
        "model": OperationAnswer,
    },
    **problems(
        s401="Nobody is signed in, or the credential is good for nothing.",
        s403="The account lacks the office, or the key the scope.",
        s404="What it is about is not there.",
        s409="A contract refuses it, or the same request is worked on now.",
        s413="The body is too large.",
        s422="A value cannot be used, or the Idempotency-Key was used for another request.",
        s429="Too many requests.",
        s500="The server met an error that it does not know.",
        s502="The chain's node does not answer as it should.",
        s503="The mirror does not follow the chain, or the server has no key for it.",
    ),
}


@router.post("/awards", operation_id="createAwards", status_code=202, responses=ACCEPTED)
def create_awards(
    request: Request,
    body: AwardsCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.CREDITS))],
) -> Response:
    """Award credits for contributions, with the evidence of them. For issuers and the council."""
    if not body.no_evidence and not all(each.evidence for each in body.awards):
        raise EvidenceMissing
    awards = [
        Award(OrgId(each.organisation), each.amount, each.category, commitment_of(each.evidence))
        for each in body.awards
    ]
    amounts = [each.amount for each in awards]

    def prepare(reading: Reading) -> Asking:
        programme_id = programme_named(reading, body.programme).programme_id

        def check(standing: Standing) -> Ceiling | None:
            return check_budget(reading, standing, amounts)

        return Asking(
            "award",
            ISSUERS,
            lambda order: crediting.award(order, programme_id, awards),
            programme_id,
            sum(amounts),
            check,
        )

    return ask(request, caller, key, body, prepare)


@router.post("/reversals", operation_id="createReversals", status_code=202, responses=ACCEPTED)
def create_reversals(
    request: Request,
    body: ReversalsCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.CREDITS))],
) -> Response:
    """Take awards back. For the issuer that made them, and for the council."""
    if not body.no_evidence and body.evidence is None:
        raise EvidenceMissing
    corrections = [
        crediting.Correction(EntryId(each), commitment_of(body.evidence)) for each in body.entries
    ]

    def prepare(reading: Reading) -> Asking:
        found = [
            read_entry(reading.connection, reading.moment, each.entry_id) for each in corrections
        ]
        reversals: list[Reversal] = []

        def check(standing: Standing) -> None:
            check_own_awards(reading, standing, [each.operation_id for each in found])
            # Proving takes the whole journal after an entry; nobody else is to set it off.
            reversals.extend(crediting.prove_awards(reading.connection, corrections))

        return Asking(
            "reverse",
            ISSUERS,
            lambda order: crediting.reverse(order, reversals),
            found[0].programme_id,
            check=check,
        )

    return ask(request, caller, key, body, prepare)


@router.post("/admissions", operation_id="createAdmissions", status_code=202, responses=ACCEPTED)
def create_admissions(
    request: Request,
    body: AdmissionsCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.MEMBERS))],
) -> Response:
    """Admit organisations to a programme. For registrars and the council."""
    ends = parse_time("expires_at", body.expires_at)
    evidence = commitment_of(body.evidence)
    admissions = [
        Admission(OrgId(each), TierId(body.tier), ends, evidence) for each in body.organisations
    ]

    def place(order: Order, programme_id: ProgrammeId) -> Operation:
        return memberships.admit(order, programme_id, admissions, reason=body.reason or "")

    return _change(request, body, key, caller, command="admit", place=place)


@router.post("/renewals", operation_id="createRenewals", status_code=202, responses=ACCEPTED)
def create_renewals(
    request: Request,
    body: RenewalsCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.MEMBERS))],
) -> Response:
    """Prolong memberships. For registrars and the council."""
    ends = parse_time("expires_at", body.expires_at)
    renewals = [Renewal(OrgId(each), ends) for each in body.organisations]

    def place(order: Order, programme_id: ProgrammeId) -> Operation:
        return memberships.renew(order, programme_id, renewals, _ground(body))

    return _change(request, body, key, caller, command="renew", place=place)


@router.post("/tier-changes", operation_id="createTierChanges", status_code=202, responses=ACCEPTED)
def create_tier_changes(
    request: Request,
    body: TierChangesCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.MEMBERS))],
) -> Response:
    """Move memberships into another tier. For registrars and the council."""
    changes = [TierChange(OrgId(each), TierId(body.tier)) for each in body.organisations]

    def place(order: Order, programme_id: ProgrammeId) -> Operation:
        return memberships.change_tier(order, programme_id, changes, _ground(body))

    return _change(request, body, key, caller, command="tier", place=place)


def _add_standing_route(
    path: str,
    name: str,
    command: str,
    service: Callable[[Order, ProgrammeId, Sequence[OrgId], Ground], Operation],
    description: str,
) -> None:
    """A route that names organisations and nothing else about them."""

    @router.post(
        path, operation_id=name, status_code=202, responses=ACCEPTED, description=description
    )
    def create(
        request: Request,
        body: StandingCommand,
        key: IdempotencyKey,
        caller: Annotated[Caller, Depends(Needs(Scope.MEMBERS))],
    ) -> Response:
        org_ids = [OrgId(each) for each in body.organisations]

        def place(order: Order, programme_id: ProgrammeId) -> Operation:
            return service(order, programme_id, org_ids, _ground(body))

        return _change(request, body, key, caller, command=command, place=place)


_add_standing_route(
    "/suspensions",
    "createSuspensions",
    "suspend",
    memberships.suspend,
    "Suspend active memberships, lapsed ones too. For registrars and the council.",
)
_add_standing_route(
    "/resumptions",
    "createResumptions",
    "resume",
    memberships.resume,
    "End suspensions. For registrars and the council.",
)
_add_standing_route(
    "/revocations",
    "createRevocations",
    "revoke",
    memberships.revoke,
    "End memberships; only a new admission undoes it. For registrars and the council.",
)
_add_standing_route(
    "/declines",
    "createDeclines",
    "decline",
    memberships.decline,
    "Record that applications were declined. For registrars and the council.",
)


@router.post(
    "/organisations", operation_id="createOrganisations", status_code=202, responses=ACCEPTED
)
def create_organisations(
    request: Request,
    body: RegistrationsCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.MEMBERS))],
) -> Response:
    """Register organisations. For alliance-wide registrars."""

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

    asking = Asking("register", ("registrar",), place)
    return ask(request, caller, key, body, lambda _reading: asking)


@router.post("/budgets", operation_id="createBudgets", status_code=202, responses=ACCEPTED)
def create_budgets(
    request: Request,
    body: BudgetCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.RULES))],
) -> Response:
    """Give an issuer a budget, or take it away. For treasurers and the council."""
    budget = Budget(body.per_award, body.per_epoch)
    issuer = parse_address(body.issuer)

    def prepare(reading: Reading) -> Asking:
        programme_id = programme_named(reading, body.programme).programme_id
        return Asking(
            "set-budget",
            TREASURERS,
            lambda order: programmes.set_budget(order, programme_id, issuer, budget),
            programme_id,
        )

    return ask(request, caller, key, body, prepare)


@router.post(
    "/appointments", operation_id="createAppointments", status_code=202, responses=ACCEPTED
)
def create_appointments(
    request: Request,
    body: OfficeCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.OFFICERS))],
) -> Response:
    """Give an account an office. For the default admin."""
    return _change_office(request, body, key, caller, command="appoint", service=roles.appoint)


@router.post("/dismissals", operation_id="createDismissals", status_code=202, responses=ACCEPTED)
def create_dismissals(
    request: Request,
    body: OfficeCommand,
    key: IdempotencyKey,
    caller: Annotated[Caller, Depends(Needs(Scope.OFFICERS))],
) -> Response:
    """Take an office from an account. For the default admin."""
    return _change_office(request, body, key, caller, command="dismiss", service=roles.dismiss)


def _change(
    request: Request,
    body: GroundedCommand,
    key: str,
    caller: Caller,
    *,
    command: str,
    place: Callable[[Order, ProgrammeId], Operation],
) -> Response:
    def prepare(reading: Reading) -> Asking:
        programme_id = programme_named(reading, body.programme).programme_id
        return Asking(command, REGISTRARS, lambda order: place(order, programme_id), programme_id)

    return ask(request, caller, key, body, prepare)


def _change_office(
    request: Request,
    body: OfficeCommand,
    key: str,
    caller: Caller,
    *,
    command: str,
    service: Callable[[Order, roles.Office], Operation],
) -> Response:
    def prepare(reading: Reading) -> Asking:
        programme_id = ALLIANCE_WIDE
        if body.programme is not None:
            programme_id = programme_named(reading, body.programme).programme_id
        office = roles.Office(body.role, programme_id, parse_address(body.account))
        # Only the default admin gives offices, in any programme.
        return Asking(command, ADMIN, lambda order: service(order, office))

    return ask(request, caller, key, body, prepare)


def _ground(body: GroundedCommand) -> Ground:
    return Ground(body.reason or "", commitment_of(body.evidence))
