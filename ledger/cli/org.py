"""`moonlake org`: the register of organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.addresses import parse_address
from ledger.cli.org_control import app as control
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import name_of, show_day, table, viewing
from ledger.config import Settings
from ledger.domain.commands import Registration

if TYPE_CHECKING:
    from ledger.mirror.queries.organisations import Organisation

app = typer.Typer(no_args_is_help=True, help="Register organisations and look them up.")
app.registered_commands += control.registered_commands

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

OrganisationArgument = Annotated[str, typer.Argument(help="An organisation's id or key.")]
NameZhOption = Annotated[str, typer.Option(help="Its name in Chinese.")]
NameEnOption = Annotated[str, typer.Option(help="Its name in English.")]
SegmentOption = Annotated[str, typer.Option(help="Its segment of the industry.")]
NoteOption = Annotated[str, typer.Option(help="A sentence about it.")]


@app.command("list")
@with_settings(*READING)
def list_command(
    *,
    search: Annotated[str, typer.Option(help="Part of a name in either language, or a key.")] = "",
    programme: Annotated[str, typer.Option(help="Only its members.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """The organisations, by id."""
    from ledger.mirror.queries.organisations import (
        OrganisationFilter,
        ProgrammeFilter,
        list_organisations,
    )
    from ledger.mirror.queries.programmes import read_programme_keys

    with viewing(settings) as view:
        wanted = OrganisationFilter(search=search)
        if programme:
            programme_id = view.programme(programme)
            key = read_programme_keys(view.connection, view.moment)[programme_id]
            wanted = OrganisationFilter(search, ProgrammeFilter(programme_id, key))
        found = list_organisations(view.connection, view.moment, wanted, limit=limit)
        answer = view.answer(organisations=found)
    rows = [
        (
            each.org_id,
            each.profile.key if each.profile is not None else "",
            name_of(each.profile),
            each.kind,
            "retired"
            if each.retired
            else ", ".join(
                f"{held.programme} ({held.standing.value})" for held in each.memberships
            ),
        )
        for each in found
    ]
    text = table(("id#", "key", "name", "kind", "memberships"), rows) if rows else "None found."
    show(answer, text, as_json=as_json)


@app.command("show")
@with_settings(*READING)
def show_command(
    organisation: OrganisationArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """One organisation with its memberships and applications."""
    with viewing(settings) as view:
        found = view.organisation(organisation)
        answer = view.answer(organisation=found)
    show(answer, _text(found), as_json=as_json)


@app.command()
@sends("registrar", "Organisations.register", who="an alliance-wide registrar")
def register(
    key: Annotated[str, typer.Argument(help="A short name for it, such as galaxyspace.")],
    controller: Annotated[str, typer.Argument(help="The account that acts for it, 0x….")],
    *,
    name_zh: NameZhOption = "",
    name_en: NameEnOption = "",
    kind: Annotated[str, typer.Option(help="company, association, investor ….")] = "company",
    segment: SegmentOption = "",
    note: NoteOption = "",
    sending: Sending,
) -> None:
    """Register an organisation. Its names stay in this database; the chain commits to them."""
    from ledger.domain.keys import encode_key
    from ledger.office.profiles import Profile, Subject
    from ledger.services import organisations

    account = parse_address(controller, "controller")
    encode_key(key)
    profile = Profile(Subject.ORGANISATION, key, name_zh, name_en, segment, note)
    profile.document()
    with sending.ordering() as desktop:
        commitment = desktop.keep_profile(profile)
        registration = Registration(account, kind, commitment)
        operation, (org_id,) = organisations.register(desktop.order, [registration])
    sending.show_done(operation, text=f"Organisation {org_id}.", org_ids=[org_id])


@app.command("profile")
@sends(
    "registrar",
    "Organisations.changeProfile",
    who="the organisation's controller, or an alliance-wide registrar",
)
def change_profile(
    organisation: OrganisationArgument,
    *,
    name_zh: NameZhOption = "",
    name_en: NameEnOption = "",
    segment: SegmentOption = "",
    note: NoteOption = "",
    sending: Sending,
) -> None:
    """Change an organisation's names, segment or note; what is not given stays."""
    from ledger.office.profiles import Profile, Subject
    from ledger.services import organisations

    with viewing(sending.settings) as view:
        found = view.organisation(organisation)
    old = found.profile
    profile = Profile(
        Subject.ORGANISATION,
        old.key if old is not None else f"organisation-{found.org_id}",
        name_zh or (old.name_zh if old is not None else ""),
        name_en or (old.name_en if old is not None else ""),
        segment or (old.segment if old is not None else ""),
        note or (old.note if old is not None else ""),
    )
    profile.document()
    with sending.ordering() as desktop:
        commitment = desktop.keep_profile(profile)
        operation = organisations.change_profile(desktop.order, found.org_id, commitment)
    sending.show_done(operation)


def _acting(organisation: Organisation) -> str:
    from ledger.cli.view import plain

    if organisation.controller is not None:
        return f"Controller: {plain(organisation.controller)}"
    merged = f", merged into {organisation.successor_id}" if organisation.successor_id else ""
    return f"Retired{merged}"


def _text(organisation: Organisation) -> str:
    profile = organisation.profile
    lines = [
        f"{organisation.org_id} {name_of(profile)}",
        f"Kind: {organisation.kind}",
        _acting(organisation),
        f"Registered: {show_day(organisation.registered_at)}",
    ]
    if profile is not None and profile.note:
        lines.append(f"Note: {profile.note}")
    rows = [
        (
            held.programme,
            held.standing.value,
            held.tier_key,
            show_day(held.admitted_at),
            show_day(held.expires_at),
        )
        for held in organisation.memberships
    ]
    if rows:
        lines += ["", table(("programme", "standing", "tier", "admitted", "expires"), rows)]
    for filed in organisation.applications:
        outcome = "declined" if filed.declined else "pending"
        lines.append(f"Applied to {filed.programme} on {show_day(filed.filed_at)}: {outcome}")
    return "\n".join(lines)
