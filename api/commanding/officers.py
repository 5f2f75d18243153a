"""Who holds which office, and stopping the ledger."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import ADMIN
from api.kinds import Kind
from api.routes.named import programme_named
from api.schemas.commands import OfficeCommand, PauseCommand
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.outbox.records import Operation
from ledger.services import roles
from ledger.services.orders import Order


def _office(
    name: str,
    operation_id: str,
    command: str,
    service: Callable[[Order, roles.Office], Operation],
    description: str,
) -> Kind[OfficeCommand]:
    def prepare(_request: Request, reading: Reading, body: OfficeCommand) -> Asking:
        programme_id = ALLIANCE_WIDE
        if body.programme is not None:
            programme_id = programme_named(reading, body.programme).programme_id
        office = roles.Office(body.role, programme_id, parse_address(body.account))
        # Only the default admin gives offices, in any programme.
        return Asking(command, ADMIN, lambda order: service(order, office))

    return Kind(name, operation_id, OfficeCommand, Scope.OFFICERS, description, prepare)


def _pause(_request: Request, _reading: Reading, _body: PauseCommand) -> Asking:
    return Asking("pause", ("guardian", "admin"), roles.pause_ledger)


def _unpause(_request: Request, _reading: Reading, _body: PauseCommand) -> Asking:
    return Asking("resume-ledger", ADMIN, roles.resume_ledger)


KINDS = (
    _office(
        "appointments",
        "createAppointments",
        "appoint",
        roles.appoint,
        "Give an account an office. For the default admin.",
    ),
    _office(
        "dismissals",
        "createDismissals",
        "dismiss",
        roles.dismiss,
        "Take an office from an account. For the default admin.",
    ),
    Kind(
        "pauses",
        "createPauses",
        PauseCommand,
        Scope.OFFICERS,
        "Stop the ledger: nothing changes until it goes on. For alliance-wide guardians and the "
        "default admin.",
        _pause,
    ),
    Kind(
        "pause-ends",
        "createPauseEnds",
        PauseCommand,
        Scope.OFFICERS,
        "Let the ledger go on. For the default admin.",
        _unpause,
    ),
)
