"""`moonlake application`: applications from the invitation to the decision.

Who works on one is named with --by; two different officers decide. `decide` signs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import parse_address, show_address
from ledger.cli.ordering import media_type_of, open_document
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, SENDING, with_settings
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

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ledger.domain.ids import ProgrammeId
    from ledger.office.cases import Case
    from ledger.services.applications import Decider

app = typer.Typer(no_args_is_help=True, help="Work on applications for membership.")

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it

ApplicationArgument = Annotated[str, typer.Argument(help="An application's id, 0x….")]
ByOption = Annotated[str, typer.Option(help="Who does this, as the log shall name them.")]
Several = Annotated[list[str], typer.Argument(help="Applications' ids, 0x….")]
_ID = re.compile(r"0x[0-9a-fA-F]{64}")


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
    key = _key_of(settings, programme)
    with _writing(settings) as connection:
        case, secret = open_case(
            connection, key, by=by, now=_now(), org_id=org_id, controller=account
        )
    text = f"Application {case.shown}.\nThe applicant's secret, shown once: {secret}"
    show({"application": _described(case), "secret": secret}, text, as_json=as_json)


@app.command("file")
@with_settings(*READING, "evidence_url", "evidence_scan", "evidence_max_mib")
def file_command(
    application: ApplicationArgument,
    *,
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    kind: Annotated[str, typer.Option(help="company, association, investor ….")] = "company",
    segment: Annotated[str, typer.Option(help="Its segment of the industry.")] = "",
    note: Annotated[str, typer.Option(help="Why it applies.")] = "",
    uscc: Annotated[str, typer.Option(help="Its unified social credit code.")] = "",
    person: Annotated[str, typer.Option(help="Whom to ask for.")] = "",
    email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
    phone: Annotated[str, typer.Option(help="Their phone number.")] = "",
    controller: Annotated[str, typer.Option(help="The account that acts for it.")] = "",
    document: Annotated[list[Path] | None, typer.Option(help="A document, kept private.")] = None,
    by: ByOption = "applicant",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """File the form with its documents, or file it anew where more was asked."""
    from ledger.office.cases import Form
    from ledger.office.casework import attach_document, file_form
    from ledger.office.contacts import Contact
    from ledger.office.evidence import Description
    from ledger.office.profiles import check_credit_code
    from ledger.wiring import open_evidence

    contact = Contact("", person, email, phone)
    form = Form(
        name_zh,
        name_en,
        kind,
        segment,
        note,
        check_credit_code(uscc) if uscc else "",
        contact if contact != Contact() else None,
    )
    account = parse_address(controller, "controller") if controller else None
    store, application_id = open_evidence(settings), _parse(application)
    with _writing(settings) as connection:
        for path in document or []:
            described = Description("", path.name, media_type_of(path))
            with open_document(path) as content:
                attach_document(
                    connection, store, application_id, content, described, by=by, now=_now()
                )
        case = file_form(
            connection, store, application_id, form, by=by, now=_now(), controller=account
        )
    _show_case(case, "filed", as_json=as_json)


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
        (show_time(case.opened_at), case.state.value, case.programme, _name(case), case.shown)
        for case in found
    ]
    heads = ("opened", "state", "programme", "who", "application")
    text = table(heads, rows) if rows else "None yet."
    show({"applications": [_described(case) for case in found]}, text, as_json=as_json)


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
        if _ID.fullmatch(application):
            case = read_case(connection, _parse(application))
        else:
            case = follow_link(connection, application)
        documents = documents_of(connection, case.application_id)
        steps = read_steps(connection, f"application:{case.shown}")
    rows = [(show_time(each.at), each.actor, each.action, each.detail) for each in steps]
    lines = [f"{_name(case)}: {case.state.value}", table(("at", "who", "what", "said"), rows)]
    values = {
        "application": _described(case),
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

    with _writing(settings) as connection:
        case = ask_back(connection, _parse(application), question, by=by, now=_now())
    _show_case(case, "asked", as_json=as_json)


@app.command("answer")
@with_settings(*READING)
def answer_command(
    application: ApplicationArgument,
    text: Annotated[str, typer.Argument(help="The answer.")],
    *,
    by: ByOption = "applicant",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Answer what was asked."""
    from ledger.office.casework import answer

    with _writing(settings) as connection:
        case = answer(connection, _parse(application), text, by=by, now=_now())
    _show_case(case, "answered", as_json=as_json)


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
    with _reading(settings) as connection:
        keys = {each: read_case(connection, _parse(each)).programme for each in applications}
    tiers = {
        key: tier_id_of(settings, programme_id_of(settings, key), tier)
        for key in (set(keys.values()) if tier else ())
    }
    with _writing(settings) as connection:
        for each in applications:
            given: dict[str, Any] = {"by": by, "now": _now()}
            if decline:
                case = recommend_decline(connection, _parse(each), reason=decline, **given)
            else:
                case = recommend_admission(
                    connection, _parse(each), tier=tiers[keys[each]], expires_at=ends, **given
                )
            done.append(case)
    _show_cases(done, "recommended", as_json=as_json)


@app.command("confirm")
@with_settings(*READING)
def confirm_command(
    applications: Several, *, by: ByOption, settings: Settings, as_json: JsonOption = False
) -> None:
    """Confirm what another officer recommended, for one or many; all or none of them."""
    from ledger.office.casework import confirm

    with _writing(settings) as connection:
        done = [confirm(connection, _parse(each), by=by, now=_now()) for each in applications]
    _show_cases(done, "confirmed", as_json=as_json)


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

    with _writing(settings) as connection:
        case = send_back(connection, _parse(application), why, by=by, now=_now())
    _show_case(case, "sent back", as_json=as_json)


@app.command("withdraw")
@with_settings(*READING)
def withdraw_command(
    application: ApplicationArgument,
    *,
    by: ByOption = "applicant",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Take an application back, as long as it is not decided."""
    from ledger.office.casework import withdraw

    with _writing(settings) as connection:
        case = withdraw(connection, _parse(application), by=by, now=_now())
    _show_case(case, "withdrawn", as_json=as_json)


@app.command("controller")
@with_settings(*READING)
def controller_command(
    application: ApplicationArgument,
    account: Annotated[str, typer.Argument(help="The account that acts for the applicant.")],
    *,
    by: ByOption = "applicant",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Name the account of an applicant that had none."""
    from ledger.office.casework import name_controller

    raw = parse_address(account, "account")
    with _writing(settings) as connection:
        case = name_controller(connection, _parse(application), raw, by=by, now=_now())
    _show_case(case, "given an account", as_json=as_json)


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
    with _reading(settings) as connection:
        if applications:
            cases = [read_case(connection, _parse(each)) for each in applications]
        else:
            cases = list_cases(connection, state=CaseState.CONFIRMED)
    ids = _programmes(settings, cases)
    with sending.ordering() as desktop:
        decider = Decider(desktop.desk, desktop.order, by or sending.key, _now())
        done = decider.decide([case.application_id for case in cases], ids)
    rows = [
        (each.state.value, str(each.org_id or ""), each.waits_for, "0x" + each.application_id.hex())
        for each in done
    ]
    heads = ("state", "organisation", "waits for", "application")
    text = table(heads, rows) if rows else "Nothing is confirmed."
    show({"applications": plain(done)}, text, as_json=sending.as_json)


@app.command()
@with_settings(*SENDING)
def message(
    application: ApplicationArgument,
    *,
    days: Annotated[int, typer.Option(min=1, max=179, help="How long it is good.")] = 30,
    settings: Settings,
) -> None:
    """The message that the applicant's wallet signs (EIP-712), as JSON."""
    import json

    from ledger.wiring import opened_desk

    with _reading(settings) as connection:
        from ledger.office.cases import read_case

        case = read_case(connection, _parse(application))
    programme_id = _programmes(settings, [case])[case.programme]
    with opened_desk(settings) as desk:
        decider = _reader(desk)
        found = decider.message_for(case, programme_id, deadline=decider.now + days * 86400)
    typer.echo(json.dumps(found.to_json(), indent=2))


@app.command()
@with_settings(*SENDING)
def consent(
    application: ApplicationArgument,
    signature: Annotated[str, typer.Argument(help="The wallet's signature, 0x….")],
    deadline: Annotated[int, typer.Argument(help="The deadline in the signed message.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Keep the applicant's signature; `decide` admits by it."""
    from ledger.office.cases import read_case
    from ledger.wiring import opened_desk

    application_id = _parse(application)
    with _reading(settings) as connection:
        case = read_case(connection, application_id)
    programme_id = _programmes(settings, [case])[case.programme]
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        raise InvalidValue(field="signature", value=signature, expected="0x hex") from None
    with opened_desk(settings) as desk:
        case = _reader(desk).take_consent(application_id, programme_id, raw, deadline)
    _show_case(case, "consented to", as_json=as_json)


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
            files = erase_case(connection, store, _parse(application))
            subject = f"application:{application}"
            note_step(connection, subject, "erased", actor="command line", at=int(time.time()))
        for content_hash in files:
            store.discard(content_hash)
        remaining = scrub(engine)
    lines = [f"Application {application} is erased.", *(f"Left: {each}." for each in remaining)]
    values = {"application_id": application, "remaining": list(remaining)}
    show(values, "\n".join(lines), as_json=as_json)


@contextmanager
def _writing(settings: Settings) -> Iterator[Connection]:
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, writing(engine) as connection:
        yield connection


@contextmanager
def _reading(settings: Settings) -> Iterator[Connection]:
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        yield connection


def _reader(desk: Any) -> Decider:
    """One that signs nothing: consents are kept and messages written without a key."""
    from ledger.services.applications import Decider

    return Decider(desk, None, "command line", _now())


def _programmes(settings: Settings, cases: Sequence[Case]) -> dict[str, ProgrammeId]:
    return {key: programme_id_of(settings, key) for key in {case.programme for case in cases}}


def _key_of(settings: Settings, programme: str) -> str:
    from ledger.mirror.queries.programmes import read_programme_keys

    with viewing(settings) as view:
        programme_id = view.programme(programme)
        return read_programme_keys(view.connection, view.moment)[programme_id]


def _parse(text: str) -> bytes:
    if not _ID.fullmatch(text):
        raise InvalidValue(field="application", value=text, expected="0x and 64 hex digits")
    return bytes.fromhex(text[2:])


def _now() -> int:
    return int(time.time())


def _name(case: Case) -> str:
    if case.form is None:
        return f"organisation {case.org_id}" if case.org_id is not None else ""
    return " ".join(each for each in (case.form.name_zh, case.form.name_en) if each)


def _described(case: Case) -> dict[str, Any]:
    return {
        "application_id": case.shown,
        "programme": case.programme,
        "state": case.state.value,
        "org_id": case.org_id,
        "controller": None if case.controller is None else show_address(case.controller),
        "name": _name(case),
        "tier": case.tier,
        "expires_at": None if case.expires_at is None else show_time(case.expires_at),
        "reason": case.reason,
        "recommended_by": case.recommended_by,
        "confirmed_by": case.confirmed_by,
        "has_consent": case.consent is not None,
        "opened_at": show_time(case.opened_at),
        "updated_at": show_time(case.updated_at),
    }


def _show_case(case: Case, done: str, *, as_json: bool) -> None:
    text = f"Application {case.shown} is {done}."
    show({"application": _described(case)}, text, as_json=as_json)


def _show_cases(cases: Sequence[Case], done: str, *, as_json: bool) -> None:
    text = "\n".join(f"Application {case.shown} is {done}." for case in cases)
    show({"applications": [_described(case) for case in cases]}, text, as_json=as_json)
