"""`moonlake programme`: the programmes and their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.programme_budgets import ProgrammeArgument
from ledger.cli.programme_budgets import app as budgets
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import (
    name_of,
    parse_time,
    plain,
    programme_id_of,
    show_day,
    table,
    tier_id_of,
    viewing,
)
from ledger.config import Settings
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.mirror.queries.programmes import Programme

app = typer.Typer(no_args_is_help=True, help="Found programmes and set their rules.")

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

MAX_CREDITS = 2**53 - 1

_COUNCIL = "a council officer of the programme"

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
@sends("council", "Programmes.addTiers", who=_COUNCIL)
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
@sends("council", "Programmes.openCategories", who=_COUNCIL)
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
@sends("council", "Programmes.closeCategories", who=_COUNCIL)
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
@sends("council", "Programmes.appendBoundaries", who=_COUNCIL)
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


@app.command("cap")
@sends("council", "Programmes.changeSupplyCap", who=_COUNCIL)
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


@app.command("approvals")
@sends("council", "Programmes.changeApprovalsNeeded", who=_COUNCIL)
def change_approvals_needed(
    programme: ProgrammeArgument,
    approvals: Annotated[int, typer.Argument(help="Beside the maker's, 1 to 16.")],
    *,
    sending: Sending,
) -> None:
    """Change how many approvals proposals of the programme's council need."""
    from ledger.services import programmes

    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.change_approvals_needed(desktop.order, programme_id, approvals)
    sending.show_done(operation)


@app.command("profile")
@sends("council", "Programmes.changeProfile", who=_COUNCIL)
def change_profile(
    programme: ProgrammeArgument,
    *,
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    note: Annotated[str, typer.Option(help="A sentence about it.")] = "",
    sending: Sending,
) -> None:
    """Change a programme's names or note; what is not given stays."""
    from ledger.mirror.queries.programmes import read_programme
    from ledger.office.profiles import Profile, Subject
    from ledger.services import programmes

    with viewing(sending.settings) as view:
        found = read_programme(view.connection, view.moment, programme)
    old = found.profile
    profile = Profile(
        Subject.PROGRAMME,
        found.key,
        name_zh or (old.name_zh if old is not None else ""),
        name_en or (old.name_en if old is not None else ""),
        old.segment if old is not None else "",
        note or (old.note if old is not None else ""),
    )
    with sending.ordering() as desktop:
        commitment = desktop.keep_profile(profile)
        operation = programmes.change_profile(desktop.order, found.programme_id, commitment)
    sending.show_done(operation)


def _add_tier_command(name: str, description: str, *, is_open: bool) -> None:
    @app.command(name, help=description)
    @sends("council", "Programmes.setTierOpen", who=_COUNCIL)
    def set_tier_open(
        programme: ProgrammeArgument,
        tier: Annotated[str, typer.Argument(help="A tier's number or key.")],
        *,
        sending: Sending,
    ) -> None:
        from ledger.services import programmes

        programme_id = programme_id_of(sending.settings, programme)
        tier_id = tier_id_of(sending.settings, programme_id, tier)
        with sending.ordering() as desktop:
            operation = programmes.set_tier_open(
                desktop.order, programme_id, tier_id, is_open=is_open
            )
        sending.show_done(operation)


_add_tier_command("close-tier", "Close a tier to new admissions.", is_open=False)
_add_tier_command("open-tier", "Open a tier to admissions again.", is_open=True)


@app.command("label")
@with_settings(*READING)
def label(
    programme: ProgrammeArgument,
    what: Annotated[str, typer.Argument(help="tier, category, reason or benefit.")],
    key: Annotated[str, typer.Argument(help="Its key.")],
    *,
    name_zh: Annotated[str, typer.Option(help="What it is called in Chinese.")] = "",
    name_en: Annotated[str, typer.Option(help="What it is called in English.")] = "",
    side: Annotated[str, typer.Option(help="The side of the industry it belongs to.")] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Say what people call a tier, a category, a reason or a benefit; only this database knows."""
    from ledger.domain.keys import encode_key
    from ledger.mirror.queries.programmes import read_programme
    from ledger.office.labels import Label, Labelled, keep_label
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    if what not in [each.value for each in Labelled]:
        expected = "one of " + ", ".join(each.value for each in Labelled)
        raise InvalidValue(field="what", value=what, expected=expected)
    encode_key(key, what)
    with viewing(settings) as view:
        found = read_programme(view.connection, view.moment, programme)
    given = Label(found.key, Labelled(what), key, name_zh, name_en, side)
    with opened_database(settings) as engine, writing(engine) as connection:
        keep_label(connection, given)
    text = f"The {what} {key} of {found.key} is called {name_zh} {name_en}".rstrip() + "."
    show({"label": plain(given)}, text, as_json=as_json)


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


app.registered_commands += budgets.registered_commands
