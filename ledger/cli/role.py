"""`moonlake role`: who may do what, appointing and dismissing officers, stopping the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.addresses import show_address
from ledger.chain.keyring import list_named_keys
from ledger.cli.ordering import account_of_name
from ledger.cli.output import JsonOption, show
from ledger.cli.role_handover import app as handover
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import plain, programme_id_of, show_day, table, viewing
from ledger.config import Settings
from ledger.domain.ids import ALLIANCE_WIDE

if TYPE_CHECKING:
    from ledger.services.roles import Office

app = typer.Typer(no_args_is_help=True, help="Appoint and dismiss officers.")
app.registered_commands += handover.registered_commands

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

RoleArgument = Annotated[
    str, typer.Argument(help="registrar, issuer, treasurer, council, councillor or guardian.")
]
AccountArgument = Annotated[str, typer.Argument(help="An account (0x…), or the name of a key.")]
ProgrammeOption = Annotated[
    str, typer.Option(help="A programme's id or key; the whole alliance if unset.")
]


@app.command("list")
@with_settings(*READING)
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Every role that is held, and by whom."""
    from ledger.mirror.queries.accounts import list_officers, read_budgets

    names = {key.address: key.name for key in list_named_keys(settings)}
    with viewing(settings) as view:
        found = list_officers(view.connection, view.moment)
        budgets = {
            each.account: read_budgets(view.connection, view.moment, each.account) for each in found
        }
        answer = view.answer(officers=found)
    for row, officer in zip(answer["officers"], found, strict=True):
        row["key"] = names.get(officer.account)
        row["budgets"] = plain(budgets[officer.account])
    rows = [
        (
            each.role,
            each.programme or "the whole alliance",
            show_address(each.account),
            names.get(each.account, ""),
            show_day(each.since),
        )
        for each in found
    ]
    show(answer, table(("role", "programme", "account", "key", "since"), rows), as_json=as_json)


@app.command()
@sends("admin", "Authority.appoint", who="the default admin")
def appoint(
    role: RoleArgument,
    account: AccountArgument,
    *,
    programme: ProgrammeOption = "",
    sending: Sending,
) -> None:
    """Give an account a role."""
    from ledger.services import roles

    office = _office(sending.settings, role, programme, account)
    with sending.ordering() as desktop:
        operation = roles.appoint(desktop.order, office)
    sending.show_done(operation)


@app.command()
@sends("admin", "Authority.dismiss", who="the default admin")
def dismiss(
    role: RoleArgument,
    account: AccountArgument,
    *,
    programme: ProgrammeOption = "",
    sending: Sending,
) -> None:
    """Take a role from an account."""
    from ledger.services import roles

    office = _office(sending.settings, role, programme, account)
    with sending.ordering() as desktop:
        operation = roles.dismiss(desktop.order, office)
    sending.show_done(operation)


@app.command()
@sends("guardian", "Authority.pause", who="an alliance-wide guardian, or the default admin")
def pause(
    *,
    sending: Sending,
) -> None:
    """Stop the ledger: no contract of it changes anything until it resumes."""
    from ledger.services import roles

    with sending.ordering() as desktop:
        operation = roles.pause_ledger(desktop.order)
    sending.show_done(operation)


@app.command()
@sends("admin", "Authority.resume", who="the default admin")
def resume(
    *,
    sending: Sending,
) -> None:
    """Let the ledger go on."""
    from ledger.services import roles

    with sending.ordering() as desktop:
        operation = roles.resume_ledger(desktop.order)
    sending.show_done(operation)


def _office(settings: Settings, role: str, programme: str, account: str) -> Office:
    """The office that is meant. Raises InvalidValue, NotFound and KeyMissing."""
    from ledger.services.roles import Office

    programme_id = programme_id_of(settings, programme) if programme else ALLIANCE_WIDE
    return Office(role, programme_id, account_of_name(settings, account, "account"))
