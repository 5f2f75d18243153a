"""Who may do what: appointing and dismissing officers, stopping the ledger and letting it go on,
and handing the default admin's office over.

The handover is OpenZeppelin's (AccessControlDefaultAdminRules), whose functions take no operation
id: that the same order is not carried out twice is for the outbox's database alone to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ledger.chain.addresses import show_address
from ledger.chain.contracts import authority
from ledger.domain.ids import MAX_PROGRAMME_ID, ProgrammeId
from ledger.domain.keys import encode_role
from ledger.errors import InvalidValue
from ledger.outbox.records import Operation
from ledger.services.checks import check_range, count_of
from ledger.services.orders import Order

MAX_ADMIN_DELAY = 365 * 86_400
"""Seconds, as in Authority.sol."""


@dataclass(frozen=True, slots=True)
class Office:
    """A role in a programme (0 for the whole alliance), and the account that is meant."""

    role: str
    programme_id: ProgrammeId
    account: bytes

    def check(self) -> None:
        """Raise InvalidValue where there can be no such office."""
        check_range("programme", self.programme_id, 0, MAX_PROGRAMME_ID)
        encode_role(self.role, self.programme_id)

    def __str__(self) -> str:
        where = f"programme {self.programme_id}" if self.programme_id else "the whole alliance"
        return f"{self.role} of {where}"


def appoint(order: Order, office: Office) -> Operation:
    """Give an account a role. Signed by the default admin."""
    office.check()
    encode = partial(authority.encode_appoint, office.role, office.programme_id, office.account)
    summary = f"Appoint {show_address(office.account)} as {office}."
    return order.place("Authority", "appoint", summary, encode)


def dismiss(order: Order, office: Office) -> Operation:
    """Take a role from an account. Signed by the default admin."""
    office.check()
    encode = partial(authority.encode_dismiss, office.role, office.programme_id, office.account)
    summary = f"Dismiss {show_address(office.account)} as {office}."
    return order.place("Authority", "dismiss", summary, encode)


def pause_ledger(order: Order) -> Operation:
    """Stop the ledger. Signed by an alliance-wide guardian or the default admin."""
    return order.place("Authority", "pause", "Stop the ledger.", authority.encode_pause)


def resume_ledger(order: Order) -> Operation:
    """Let the ledger go on. Signed by the default admin."""
    return order.place(
        "Authority", "resume-ledger", "Let the ledger go on.", authority.encode_resume
    )


def begin_handover(order: Order, successor: bytes) -> Operation:
    """Name who shall be the default admin, and can accept after the delay. Signed by the default
    admin. Takes the place of who was named before."""
    if not any(successor):
        expected = "an account: an office that nobody holds is given to nobody again"
        raise InvalidValue(field="successor", value=show_address(successor), expected=expected)
    summary = f"Name {show_address(successor)} as the next default admin."
    return order.place(
        "Authority",
        "begin-handover",
        summary,
        lambda _: authority.encode_begin_admin_transfer(successor),
    )


def accept_handover(order: Order) -> Operation:
    """Become the default admin. Signed by who was named, once the delay is over."""
    summary = f"Make {show_address(order.signer.address)} the default admin."
    return order.place(
        "Authority", "accept-handover", summary, lambda _: authority.encode_accept_admin_transfer()
    )


def cancel_handover(order: Order) -> Operation:
    """Withdraw who was named. Signed by the default admin."""
    return order.place(
        "Authority",
        "cancel-handover",
        "Withdraw who was named as the next default admin.",
        lambda _: authority.encode_cancel_admin_transfer(),
    )


def change_handover_delay(order: Order, seconds: int) -> Operation:
    """Announce another delay of handovers; it is in force later. Signed by the default admin."""
    check_range("delay", seconds, 0, MAX_ADMIN_DELAY)
    return order.place(
        "Authority",
        "change-handover-delay",
        f"Let the next default admin wait {count_of(seconds, 'second')}.",
        lambda _: authority.encode_change_admin_delay(seconds),
    )


def cancel_handover_delay(order: Order) -> Operation:
    """Withdraw an announced delay that is not yet in force. Signed by the default admin."""
    return order.place(
        "Authority",
        "cancel-handover-delay",
        "Withdraw the announced delay of handovers.",
        lambda _: authority.encode_cancel_admin_delay(),
    )
