"""`moonlake application`: applications from the invitation to the decision.

Here is what officers do; what the applicant does is in `application_applicant`. Who works on one is
named with --by; two different officers decide. `decide` signs.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger.chain.addresses import parse_address
from ledger.cli.application_applicant import app as applicant
from ledger.cli.application_cases import (
    APPLICATION_ID,
    ApplicationArgument,
    ByOption,
    describe_case,
    name_of_applicant,
    now,
    parse_application,
    programme_ids_of,
    reading_cases,
    show_case,
    show_cases,
    writing_cases,
)
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import (
    org_ids_of,
    parse_time,
    plain,
    programme_id_of,
    show_time,
    table,
    tier_id_of,
    viewing,
)
from ledger.config import Settings
from ledger.errors import InvalidValue

app = typer.Typer(no_args_is_help=True, help="Work on applications for membership.")

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it

Several = Annotated[list[str], typer.Argument(help="Applications' ids, 0x….")]


@app.command("open")
@with_settings(*READING)
def open_command(
    programme: Annotated[str, typer.Argument(help="The programme's key or id.")],
    *,
    organisation: Annotated[str, typer.Option(help="Its id or key, if registered.")] = "",
    controller: Annotated[str, typer.Option(help="The account that acts for it.")] = "",
    by: ByOption = "registrar",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Open an application, and show the secret of the link by which the applicant follows it."""
    from ledger.office.casework import open_case

    org_id = org_ids_of(settings, [organisation])[0] if organisation else None
    account = parse_address(controller, "controller") if controller else None
    key = _programme_key(settings, programme)
    with writing_cases(settings) as connection:
        case, secret = open_case(
            connection, key, by=by, now=now(), org_id=org_id, controller=account
        )
    text = f"Application {case.shown}.\nThe applicant's secret, shown once: {secret}"
    show({"application": describe_case(case), "secret": secret}, text, as_json=as_json)


@app.command("list")
@with_settings(*READING)
def list_command(
    *,
    state: Annotated[str, typer.Option(help="filed, asked, recommended, confirmed ….")] = "",
    programme: Annotated[str, typer.Option(help="Only those to this programme's key.")] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """The applications, oldest first."""
    from ledger.office.cases import CaseState, list_cases
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    if state and state not in [each.value for each in CaseState]:
        expected = "one of " + ", ".join(each.value for each in CaseState)
        raise InvalidValue(field="state", value=state, expected=expected)
    wanted = CaseState(state) if state else None
    with opened_database(settings) as engine, reading(engine) as connection:
        found = list_cases(connection, state=wanted, programme=programme)
    rows = [
        (
            show_time(case.opened_at),
            case.state.value,
            case.programme,
            name_of_applicant(case),
            case.shown,
        )
        for case in found
    ]
    heads = ("opened", "state", "programme", "who", "application")
    text = table(heads, rows) if rows else "None yet."
    show({"applications": [describe_case(case) for case in found]}, text, as_json=as_json)


@app.command("show")
@with_settings(*READING)
def show_command(
    application: Annotated[str, typer.Argument(help="An application's id, or a link's secret.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """One application: its form, its documents, and every step."""
    from ledger.office.cases import documents_of, follow_link, read_case
    from ledger.office.log import read_steps
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        if APPLICATION_ID.fullmatch(application):
            case = read_case(connection, parse_application(application))
        else:
            case = follow_link(connection, application)
        documents = documents_of(connection, case.application_id)
        steps = read_steps(connection, f"application:{case.shown}")
    rows = [(show_time(each.at), each.actor, each.action, each.detail) for each in steps]
    lines = [
        f"{name_of_applicant(case)}: {case.state.value}",
        table(("at", "who", "what", "said"), rows),
    ]
    values = {
        "application": describe_case(case),
        "form": plain(case.form) if case.form is not None else None,
        "documents": plain(documents),
        "steps": [
            {
                "at": show_time(each.at),
                "actor": each.actor,
                "action": each.action,
                "detail": each.detail,
            }
            for each in steps
        ],
    }
    show(values, "\n".join(lines), as_json=as_json)


@app.command()
@with_settings(*READING)
def ask(
    application: ApplicationArgument,
    question: Annotated[str, typer.Argument(help="What the applicant is to answer.")],
    *,
    by: ByOption = "registrar",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Ask the applicant for more."""
    from ledger.office.casework import ask_back

    with writing_cases(settings) as connection:
        case = ask_back(connection, parse_application(application), question, by=by, now=now())
    show_case(case, "asked", as_json=as_json)


@app.command()
@with_settings(*READING)
def recommend(
    applications: Several,
    *,
    tier: Annotated[str, typer.Option(help="Admit into this tier (key or number).")] = "",
    expires: Annotated[str, typer.Option(help="Admit until this day.")] = "",
    decline: Annotated[str, typer.Option(help="Decline, for a reason such as fee.unpaid.")] = "",
    by: ByOption,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Recommend what should become of one or many: admission or a refusal; all or none of them."""
    from ledger.domain.keys import encode_key
    from ledger.office.cases import read_case
    from ledger.office.casework import recommend_admission, recommend_decline

    if bool(decline) == bool(tier and expires):
        expected = "--tier with --expires, or --decline"
        raise InvalidValue(field="recommendation", value=decline or tier, expected=expected)
    if decline:
        encode_key(decline, "reason")
    done = []
    ends = parse_time("expires", expires) if expires else 0
    with reading_cases(settings) as connection:
        keys = {
            each: read_case(connection, parse_application(each)).programme for each in applications
        }
    tiers = {
        key: tier_id_of(settings, programme_id_of(settings, key), tier)
        for key in (set(keys.values()) if tier else ())
    }
    with writing_cases(settings) as connection:
        for each in applications:
            given: dict[str, Any] = {"by": by, "now": now()}
            if decline:
                case = recommend_decline(
                    connection, parse_application(each), reason=decline, **given
                )
            else:
                case = recommend_admission(
                    connection,
                    parse_application(each),
                    tier=tiers[keys[each]],
                    expires_at=ends,
                    **given,
                )
            done.append(case)
    show_cases(done, "recommended", as_json=as_json)


@app.command("confirm")
@with_settings(*READING)
def confirm_command(
    applications: Several, *, by: ByOption, settings: Settings, as_json: JsonOption = False
) -> None:
    """Confirm what another officer recommended, for one or many; all or none of them."""
    from ledger.office.casework import confirm

    with writing_cases(settings) as connection:
        done = [
            confirm(connection, parse_application(each), by=by, now=now()) for each in applications
        ]
    show_cases(done, "confirmed", as_json=as_json)


@app.command("send-back")
@with_settings(*READING)
def send_back_command(
    application: ApplicationArgument,
    why: Annotated[str, typer.Argument(help="What is to be thought over.")],
    *,
    by: ByOption,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Send a recommendation back."""
    from ledger.office.casework import send_back

    with writing_cases(settings) as connection:
        case = send_back(connection, parse_application(application), why, by=by, now=now())
    show_case(case, "sent back", as_json=as_json)


@app.command()
@sends(
    "registrar",
    "Organisations.register",
    "Memberships.admit",
    "Memberships.decline",
    who="an alliance-wide registrar",
    several=True,
)
def decide(
    applications: Annotated[
        list[str] | None, typer.Argument(help="Applications' ids; all that are confirmed if unset.")
    ] = None,
    *,
    by: ByOption = "",
    sending: Sending,
) -> None:
    """Carry confirmed applications out: register and admit, or decline. May be run again."""
    from ledger.office.cases import CaseState, list_cases, read_case
    from ledger.services.applications import Decider

    settings = sending.settings
    with reading_cases(settings) as connection:
        if applications:
            cases = [read_case(connection, parse_application(each)) for each in applications]
        else:
            cases = list_cases(connection, state=CaseState.CONFIRMED)
    ids = programme_ids_of(settings, cases)
    with sending.ordering() as desktop:
        decider = Decider(desktop.desk, desktop.order, by or sending.key, now())
        done = decider.decide([case.application_id for case in cases], ids)
    rows = [
        (each.state.value, str(each.org_id or ""), each.waits_for, "0x" + each.application_id.hex())
        for each in done
    ]
    heads = ("state", "organisation", "waits for", "application")
    text = table(heads, rows) if rows else "Nothing is confirmed."
    show({"applications": plain(done)}, text, as_json=sending.as_json)


@app.command()
@with_settings(*READING, "evidence_url")
def erase(
    application: ApplicationArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """Erase the form, documents and words of an application that has ended, for good."""
    from ledger.office.casework import erase_case
    from ledger.office.log import note_step
    from ledger.services.scrubbing import scrub
    from ledger.store.engine import writing
    from ledger.wiring import open_evidence, opened_database

    store = open_evidence(settings)
    with opened_database(settings) as engine:
        with writing(engine) as connection:
            files = erase_case(connection, store, parse_application(application))
            subject = f"application:{application}"
            note_step(connection, subject, "erased", actor="command line", at=now())
            for content_hash in files:
                store.discard(content_hash)
        remaining = scrub(engine)
    lines = [f"Application {application} is erased.", *(f"Left: {each}." for each in remaining)]
    values = {"application_id": application, "remaining": list(remaining)}
    show(values, "\n".join(lines), as_json=as_json)


def _programme_key(settings: Settings, programme: str) -> str:
    from ledger.mirror.queries.programmes import read_programme_keys

    with viewing(settings) as view:
        programme_id = view.programme(programme)
        return read_programme_keys(view.connection, view.moment)[programme_id]


app.registered_commands += applicant.registered_commands
