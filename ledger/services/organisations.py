"""The register: entering organisations, and changing what is known about one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ledger.chain.addresses import show_address
from ledger.chain.contracts import organisations
from ledger.domain.commands import Registration
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
