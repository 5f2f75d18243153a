"""Who acts for an organisation whose key is lost, and what becomes of one that is no more.

All of it is the whole alliance's council to do, but for two: the account that acts for an
organisation objects to its recovery, and a programme's own council carries balances over after a
merger. An account names its successor by itself, with its own key: see `/v1/typed-data`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import COUNCIL
from api.kinds import Kind
from api.rights import stand_for
from api.routes.named import programme_named
from api.schemas.commands import commitment_of
from api.schemas.control import (
    CarryOversCommand,
    MergerCommand,
    OrganisationCommand,
    ProvenCommand,
    RecoveryCommand,
    RetirementCommand,
)
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.ids import OrgId
from ledger.errors import EvidenceMissing
from ledger.outbox.records import Operation
from ledger.services import credits as crediting
from ledger.services import organisations
from ledger.services.orders import Order


def _recover(_request: Request, _reading: Reading, body: RecoveryCommand) -> Asking:
    org_id, evidence = OrgId(body.organisation), _evidence_of(body)
    successor = parse_address(body.successor, "successor")
    return Asking(
        "begin-recovery",
        COUNCIL,
        lambda order: organisations.begin_recovery(order, org_id, successor, evidence),
    )


def _object(_request: Request, _reading: Reading, body: OrganisationCommand) -> Asking:
    org_id = OrgId(body.organisation)
    return Asking(
        "stop-recovery",
        (),
        lambda order: organisations.stop_recovery(order, org_id),
        stand=lambda now, caller, signers: stand_for(now, caller, org_id, signers),
    )


def _by_council(
    name: str,
    operation_id: str,
    command: str,
    service: Callable[[Order, OrgId], Operation],
    description: str,
) -> Kind[OrganisationCommand]:
    """A kind that names an organisation and nothing else about it."""

    def prepare(_request: Request, _reading: Reading, body: OrganisationCommand) -> Asking:
        org_id = OrgId(body.organisation)
        return Asking(command, COUNCIL, lambda order: service(order, org_id))

    return Kind(name, operation_id, OrganisationCommand, Scope.CONTROL, description, prepare)


def _retire(_request: Request, _reading: Reading, body: RetirementCommand) -> Asking:
    retire = partial(
        organisations.retire, org_id=OrgId(body.organisation), evidence=_evidence_of(body)
    )
    return Asking("retire", COUNCIL, retire)


def _merge(_request: Request, _reading: Reading, body: MergerCommand) -> Asking:
    org_id, into, evidence = OrgId(body.organisation), OrgId(body.into), _evidence_of(body)
    return Asking(
        "merge", COUNCIL, lambda order: organisations.retire(order, org_id, into, evidence)
    )


def _succeed(_request: Request, _reading: Reading, body: MergerCommand) -> Asking:
    org_id, into, evidence = OrgId(body.organisation), OrgId(body.into), _evidence_of(body)
    return Asking(
        "name-successor",
        COUNCIL,
        lambda order: organisations.name_successor(order, org_id, into, evidence),
    )


def _carry_over(_request: Request, reading: Reading, body: CarryOversCommand) -> Asking:
    evidence = _evidence_of(body)
    org_ids = [OrgId(each) for each in body.organisations]
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(
        "carry-over",
        COUNCIL,
        lambda order: crediting.carry_over(order, programme_id, org_ids, evidence),
        programme_id,
    )


def _evidence_of(body: ProvenCommand) -> bytes:
    """The commitment to what shows why. Raises EvidenceMissing."""
    if not body.no_evidence and body.evidence is None:
        raise EvidenceMissing
    return commitment_of(body.evidence)


OBJECTIONS = "objections"

KINDS: tuple[Kind[Any], ...] = (
    Kind(
        "recoveries",
        "createRecoveries",
        RecoveryCommand,
        Scope.CONTROL,
        "Begin to give an organisation whose key is lost to another account. The account that acts "
        "for it now can object until the delay is over. For the alliance's council.",
        _recover,
    ),
    Kind(
        OBJECTIONS,
        "createObjections",
        OrganisationCommand,
        Scope.CONTROL,
        "Object to a recovery, which ends it. For the account that acts for the organisation, "
        "where the server has its key; who has a wallet signs a message (/v1/typed-data).",
        _object,
    ),
    _by_council(
        "recovery-withdrawals",
        "createRecoveryWithdrawals",
        "stop-recovery",
        organisations.stop_recovery,
        "Withdraw a recovery that is under way. For the alliance's council.",
    ),
    _by_council(
        "recovery-completions",
        "createRecoveryCompletions",
        "finish-recovery",
        organisations.finish_recovery,
        "Give the organisation to the account that its recovery named, once the time to object is "
        "over. For the alliance's council.",
    ),
    Kind(
        "retirements",
        "createRetirements",
        RetirementCommand,
        Scope.CONTROL,
        "Retire an organisation that is no more and part of no other, for good; its memberships "
        "are revoked before. For the alliance's council.",
        _retire,
    ),
    Kind(
        "mergers",
        "createMergers",
        MergerCommand,
        Scope.CONTROL,
        "Retire an organisation that is part of another now, for good; its memberships are revoked "
        "before, its balances carried over after (/v1/carry-overs). For the alliance's council.",
        _merge,
    ),
    Kind(
        "successions",
        "createSuccessions",
        MergerCommand,
        Scope.CONTROL,
        "Say what an organisation that was retired alone is part of after all, once and for good. "
        "For the alliance's council.",
        _succeed,
    ),
    Kind(
        "carry-overs",
        "createCarryOvers",
        CarryOversCommand,
        Scope.CREDITS,
        "Carry the balances of organisations that were merged over to what they are part of, all "
        "or none. For the council.",
        _carry_over,
    ),
)
