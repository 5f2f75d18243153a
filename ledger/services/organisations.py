"""The register: entering organisations, changing what is known about one, and who acts for it.

An organisation outlives its keys. Its controller names another and that one accepts; where the key
is lost, the council begins a recovery that the present controller can object to until it is
finished; and one that is no more is retired, into the one that it became part of or alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ledger.chain.addresses import show_address
from ledger.chain.contracts import organisations
from ledger.chain.contracts.organisations import NO_SUCCESSOR, NOBODY
from ledger.domain.commands import NO_COMMITMENT, Registration
from ledger.domain.ids import OrgId
from ledger.outbox.records import Operation
from ledger.services.checks import check_distinct, check_organisation, check_some, count_of
from ledger.services.orders import Order

MAX_REGISTRATIONS = 100
"""As in Organisations.sol: the most in one transaction."""


def register(
    order: Order, registrations: Sequence[Registration]
) -> tuple[Operation, tuple[OrgId, ...]]:
    """Register organisations; the ids that they got, in the order given.

    Signed by an alliance-wide registrar.
    """
    check_some("organisations", registrations)
    check_distinct("controller", (show_address(given.controller) for given in registrations))
    operation = order.place(
        "Organisations",
        "register",
        f"Register {count_of(len(registrations), 'organisation')}.",
        partial(organisations.encode_register, registrations),
    )
    return operation, tuple(OrgId(number) for number in order.outbox.subjects_of(operation))


def change_profile(order: Order, org_id: OrgId, profile: bytes) -> Operation:
    """Commit to another profile. Signed by the controller, or by an alliance-wide registrar."""
    check_organisation(org_id)
    encode = partial(organisations.encode_change_profile, org_id, profile)
    summary = f"Change the profile of organisation {org_id}."
    return order.place("Organisations", "change-profile", summary, encode)


def nominate(order: Order, org_id: OrgId, successor: bytes) -> Operation:
    """Name the account that shall act next; NOBODY withdraws. Signed by the controller.

    The account takes over once it accepts.
    """
    check_organisation(org_id)
    encode = partial(organisations.encode_nominate, org_id, successor)
    summary = (
        f"Withdraw who was named to act for organisation {org_id} next."
        if successor == NOBODY
        else f"Name {show_address(successor)} to act for organisation {org_id} next."
    )
    return order.place("Organisations", "rotate", summary, encode)


def accept_control(order: Order, org_id: OrgId) -> Operation:
    """Take over, as the account that was named; a recovery under way ends. Signed by it."""
    check_organisation(org_id)
    encode = partial(organisations.encode_accept_control, org_id)
    summary = f"Act for organisation {org_id} from now on."
    return order.place("Organisations", "accept-control", summary, encode)


def begin_recovery(
    order: Order, org_id: OrgId, successor: bytes, evidence: bytes = NO_COMMITMENT
) -> Operation:
    """Begin to give an organisation whose key is lost to another account.

    Signed by a council officer of the whole alliance.
    """
    check_organisation(org_id)
    encode = partial(organisations.encode_begin_recovery, org_id, successor, evidence=evidence)
    summary = f"Begin the recovery of organisation {org_id} by {show_address(successor)}."
    return order.place("Organisations", "begin-recovery", summary, encode)


def stop_recovery(order: Order, org_id: OrgId) -> Operation:
    """Object to a recovery, as the controller; or withdraw it, as the whole alliance's council."""
    check_organisation(org_id)
    encode = partial(organisations.encode_stop_recovery, org_id)
    summary = f"Stop the recovery of organisation {org_id}."
    return order.place("Organisations", "stop-recovery", summary, encode)


def finish_recovery(order: Order, org_id: OrgId) -> Operation:
    """Give the organisation to its successor, once the time to object is over.

    Signed by a council officer of the whole alliance.
    """
    check_organisation(org_id)
    encode = partial(organisations.encode_finish_recovery, org_id)
    summary = f"Finish the recovery of organisation {org_id}."
    return order.place("Organisations", "finish-recovery", summary, encode)


def retire(
    order: Order,
    org_id: OrgId,
    successor_id: OrgId = NO_SUCCESSOR,
    evidence: bytes = NO_COMMITMENT,
) -> Operation:
    """Retire an organisation that holds no membership, for good; merged into another or not.

    Signed by a council officer of the whole alliance.
    """
    check_organisation(org_id)
    if successor_id != NO_SUCCESSOR:
        check_organisation(successor_id)
        check_distinct("organisation", (org_id, successor_id))
    encode = partial(
        organisations.encode_retire, org_id, successor_id=successor_id, evidence=evidence
    )
    merged = f", merged into organisation {successor_id}" if successor_id else ""
    summary = f"Retire organisation {org_id}{merged}."
    return order.place("Organisations", "merge" if successor_id else "retire", summary, encode)


def name_successor(
    order: Order, org_id: OrgId, successor_id: OrgId, evidence: bytes = NO_COMMITMENT
) -> Operation:
    """Say what an organisation that was retired alone is part of, once and for good.

    Signed by a council officer of the whole alliance.
    """
    check_organisation(org_id)
    check_organisation(successor_id)
    check_distinct("organisation", (org_id, successor_id))
    encode = partial(organisations.encode_name_successor, org_id, successor_id, evidence=evidence)
    summary = f"Name organisation {successor_id} as what the retired {org_id} is part of."
    return order.place("Organisations", "name-successor", summary, encode)
