"""Who may do what: appointing and dismissing officers, stopping the ledger and letting it go on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ledger.chain.addresses import show_address
from ledger.chain.contracts import authority
from ledger.domain.ids import MAX_PROGRAMME_ID, ProgrammeId
from ledger.domain.keys import encode_role
from ledger.outbox.records import Operation
from ledger.services.checks import check_range
from ledger.services.orders import Order


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
