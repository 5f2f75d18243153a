"""The default admin's office: who holds it, who is to hold it next, and how long that one waits.

Part of `moonlake role`. The functions are OpenZeppelin's and take no operation id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.addresses import show_address
from ledger.cli.ordering import account_of_name
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.view import plain, show_time
from ledger.config import Settings

if TYPE_CHECKING:
    from ledger.chain.contracts.authority import Handover
    from ledger.services.desk import Desk

app = typer.Typer()

# ruff: noqa: PLC0415  services take a second to import; --help must not wait for them

_ADMIN = "the default admin"


@app.command("handover")
@with_settings(*SENDING)
def show_handover(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Who is the default admin, who was named to be next, and from when that one can accept."""
    from ledger.wiring import opened_chain

    with opened_chain(settings) as chain:
        at = chain.node.block_number()
        authority = chain.contracts.authority
        admin = authority.default_admin(at=at)
        delay, found = authority.admin_delay(at=at), authority.handover(at=at)
    values = {"at_block": at, "admin": show_address(admin), "delay": delay, "announced": None}
    values["announced"] = plain(found)
    lines = [f"Default admin: {show_address(admin)}", f"Delay of a handover: {delay} s"]
    lines += _announced(found)
    show(values, "\n".join(lines), as_json=as_json)


@app.command("begin-handover")
@sends("admin", "Authority.beginDefaultAdminTransfer", who=_ADMIN)
def begin_handover(
    successor: Annotated[
        str, typer.Argument(help="Who shall be the default admin: an account, or a key's name.")
    ],
    *,
    sending: Sending,
) -> None:
    """Name the next default admin, who can accept once the delay is over."""
    from ledger.services import roles

    account = account_of_name(sending.settings, successor, "successor")
    with sending.ordering() as desktop:
        operation = roles.begin_handover(desktop.order, account)
        found = _handover(desktop.desk)
    sending.show_done(operation, text="\n".join(_announced(found)), announced=found)


@app.command("accept-handover")
@sends("admin", "Authority.acceptDefaultAdminTransfer", who="the account that was named")
def accept_handover(*, sending: Sending) -> None:
    """Become the default admin, as the account that was named (`--as`)."""
    from ledger.services import roles

    with sending.ordering() as desktop:
        operation = roles.accept_handover(desktop.order)
    sending.show_done(operation)


@app.command("cancel-handover")
@sends("admin", "Authority.cancelDefaultAdminTransfer", who=_ADMIN)
def cancel_handover(*, sending: Sending) -> None:
    """Withdraw who was named as the next default admin."""
    from ledger.services import roles

    with sending.ordering() as desktop:
        operation = roles.cancel_handover(desktop.order)
    sending.show_done(operation)


@app.command("handover-delay")
@sends("admin", "Authority.changeDefaultAdminDelay", who=_ADMIN)
def change_handover_delay(
    seconds: Annotated[int, typer.Argument(help="Seconds, at most a year.", min=0)],
    *,
    sending: Sending,
) -> None:
    """Announce how long a next default admin waits; it is in force after a while."""
    from ledger.services import roles

    with sending.ordering() as desktop:
        operation = roles.change_handover_delay(desktop.order, seconds)
        found = _handover(desktop.desk)
    sending.show_done(operation, text="\n".join(_announced(found)), announced=found)


@app.command("cancel-handover-delay")
@sends("admin", "Authority.rollbackDefaultAdminDelay", who=_ADMIN)
def cancel_handover_delay(*, sending: Sending) -> None:
    """Withdraw an announced delay that is not yet in force."""
    from ledger.services import roles

    with sending.ordering() as desktop:
        operation = roles.cancel_handover_delay(desktop.order)
    sending.show_done(operation)


def _handover(desk: Desk) -> Handover:
    return desk.contracts.authority.handover(at="latest")


def _announced(found: Handover) -> list[str]:
    lines = []
    if found.acceptable_from:
        since = show_time(found.acceptable_from)
        lines.append(f"Next: {show_address(found.successor)}, who can accept from {since} on")
    if found.delay_from:
        lines.append(f"Delay from {show_time(found.delay_from)} on: {found.next_delay} s")
    return lines
