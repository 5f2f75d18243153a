"""`moonlake programme`: the programmes and their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.addresses import parse_address
from ledger.chain.keyring import find_named_key
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import name_of, parse_time, programme_id_of, show_day, table, viewing
from ledger.config import Settings
from ledger.domain.commands import Budget

if TYPE_CHECKING:
    from ledger.mirror.queries.programmes import Programme

app = typer.Typer(no_args_is_help=True, help="Found programmes and set their rules.")

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

MAX_CREDITS = 2**53 - 1

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
CategoriesArgument = Annotated[list[str], typer.Argument(help="Categories: data.acquire ….")]


@app.command("list")
@with_settings(*READING)
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """All programmes."""
    from ledger.mirror.queries.programmes import read_programmes

    with viewing(settings) as view:
        found = read_programmes(view.connection, view.moment)
        answer = view.answer(programmes=found)
    rows = [
        (
            each.programme_id,
            each.key,
            name_of(each.profile),
            each.members.active,
            each.members.held,
            each.outstanding.credits,
        )
        for each in found
    ]
    columns = ("id#", "key", "name", "active#", "members#", "outstanding#")
    show(answer, table(columns, rows) if rows else "None yet.", as_json=as_json)


@app.command("show")
@with_settings(*READING)
def show_command(
    programme: ProgrammeArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """One programme with its tiers, categories and epochs."""
    from ledger.mirror.queries.programmes import read_programme

    with viewing(settings) as view:
        found = read_programme(view.connection, view.moment, programme)
        answer = view.answer(programme=found)
    show(answer, _text(found), as_json=as_json)


@app.command()
@sends("council", "Programmes.createProgramme", who="a council officer of the whole alliance")
def create(
    key: Annotated[str, typer.Argument(help="A short name for it, such as community.")],
    *,
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    supply_cap: Annotated[
        int, typer.Option(help="The most credits that may be outstanding at once.")
    ] = MAX_CREDITS,
    approvals: Annotated[
        int,
        typer.Option(
            help="Approvals that a proposal of its council needs beside its maker's, 1 to 16."
        ),
    ] = 1,
    sending: Sending,
) -> None:
    """Found a programme."""
    from ledger.domain.keys import encode_key
    from ledger.office.profiles import Profile, Subject
    from ledger.services import programmes

    encode_key(key)
    profile = Profile(Subject.PROGRAMME, key, name_zh, name_en)
    profile.document()
    with sending.ordering() as desktop:
        commitment = desktop.keep_profile(profile)
        founding = programmes.Founding(key, commitment, supply_cap, approvals)
        operation, programme_id = programmes.create_programme(desktop.order, founding)
    text = f"Programme {programme_id}."
    sending.show_done(operation, text=text, programme_id=programme_id)


@app.command("add-tiers")
@sends("council", "Programmes.addTiers", who="a council officer of the programme")
def add_tiers(
    programme: ProgrammeArgument,
    tiers: Annotated[list[str], typer.Argument(help="Their keys, in order.")],
    *,
    sending: Sending,
) -> None:
    """Add tiers, numbered on from the last one."""
    from ledger.services import programmes

    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.add_tiers(desktop.order, programme_id, tiers)
    sending.show_done(operation)


@app.command("open")
@sends("council", "Programmes.openCategories", who="a council officer of the programme")
def open_categories(
    programme: ProgrammeArgument,
    categories: CategoriesArgument,
    *,
    sending: Sending,
) -> None:
    """Open categories to awards."""
    from ledger.services import programmes

    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.open_categories(desktop.order, programme_id, categories)
    sending.show_done(operation)


@app.command("close")
@sends("council", "Programmes.closeCategories", who="a council officer of the programme")
def close_categories(
    programme: ProgrammeArgument,
    categories: CategoriesArgument,
    *,
    sending: Sending,
) -> None:
    """Close categories to awards."""
    from ledger.services import programmes

    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.close_categories(desktop.order, programme_id, categories)
    sending.show_done(operation)


@app.command("epochs")
@sends("council", "Programmes.appendBoundaries", who="a council officer of the programme")
def append_boundaries(
    programme: ProgrammeArgument,
    boundaries: Annotated[
        list[str], typer.Argument(help="Days or times in growing order: 2027-01-01 2027-04-01.")
    ],
    *,
    sending: Sending,
) -> None:
    """Append epoch boundaries; they are never moved."""
    from ledger.services import programmes

    times = [parse_time("boundary", each) for each in boundaries]
    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.append_boundaries(desktop.order, programme_id, times)
    sending.show_done(operation)


@app.command("budget")
@sends("treasurer", "Programmes.setBudget", who="a treasurer or council officer of the programme")
def set_budget(
    programme: ProgrammeArgument,
    issuer: Annotated[
        str, typer.Argument(help="An account (0x…), or the name of a key of the data folder.")
    ],
    *,
    per_award: Annotated[int, typer.Option(help="The most credits in one award.")],
    per_epoch: Annotated[int, typer.Option(help="The most credits in one epoch.")],
    sending: Sending,
) -> None:
    """Give an issuer a budget; 0 and 0 take it away."""
    from ledger.services import programmes

    if issuer.startswith("0x"):
        account = parse_address(issuer, "issuer")
    else:
        account = find_named_key(sending.settings, issuer).address
    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        budget = Budget(per_award, per_epoch)
        operation = programmes.set_budget(desktop.order, programme_id, account, budget)
    sending.show_done(operation)


@app.command("cap")
@sends("council", "Programmes.changeSupplyCap", who="a council officer of the programme")
def change_supply_cap(
    programme: ProgrammeArgument,
    supply_cap: Annotated[int, typer.Argument(help="Credits.")],
    *,
    sending: Sending,
) -> None:
    """Change the most credits that may be outstanding at once."""
    from ledger.services import programmes

    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.change_supply_cap(desktop.order, programme_id, supply_cap)
    sending.show_done(operation)


def _text(programme: Programme) -> str:
    rules = programme.rules
    tiers = [
        (tier.tier, tier.key, tier.label.name_en if tier.label else "", _state(tier.open))
        for tier in rules.tiers
    ]
    categories = [
        (each.category, each.label.name_en if each.label else "", _state(each.open))
        for each in rules.categories
    ]
    members = programme.members
    lines = [
        f"{programme.programme_id} {programme.key} {name_of(programme.profile)}",
        f"Members: {members.active} active, {members.lapsed} lapsed, {members.suspended} suspended",
        f"Outstanding: {programme.outstanding.credits} of at most {programme.supply_cap} credits",
    ]
    lines += [
        f"Epoch {epoch.number}: {show_day(epoch.begins_at)} to {show_day(epoch.ends_at)}"
        for epoch in rules.epochs
        if epoch.number == programme.current_epoch
    ]
    lines += ["", table(("tier#", "key", "name", "state"), tiers)]
    lines += ["", table(("category", "name", "state"), categories)]
    return "\n".join(lines)


def _state(is_open: bool) -> str:
    return "open" if is_open else "closed"
