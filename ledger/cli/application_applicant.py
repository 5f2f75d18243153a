"""What an applicant does: file the form, answer, name an account, consent, withdraw.

Part of `moonlake application`; an officer does it for one who writes on paper, named with --by.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import parse_address
from ledger.cli.application_cases import (
    ApplicationArgument,
    ByOption,
    now,
    parse_application,
    programme_ids_of,
    reading_cases,
    show_case,
    writing_cases,
)
from ledger.cli.ordering import media_type_of, open_document
from ledger.cli.output import JsonOption
from ledger.cli.settings_options import READING, SENDING, with_settings
from ledger.config import Settings
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.services.applications import Decider

app = typer.Typer()

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it


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
    from ledger.office.casework import attach_document, check_attachable, file_form
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
    store, application_id = open_evidence(settings), parse_application(application)
    taken = []
    for path in document or []:
        described = Description("", path.name, media_type_of(path))
        with writing_cases(settings) as connection:
            check_attachable(connection, application_id, described)
        with open_document(path) as content:  # a scan may take long: no transaction is open
            taken.append((store.receive(content, described), described))
    with writing_cases(settings) as connection:
        for received, described in taken:
            attach_document(
                connection, store, application_id, received, described, by=by, now=now()
            )
        case = file_form(
            connection, store, application_id, form, by=by, now=now(), controller=account
        )
    show_case(case, "filed", as_json=as_json)


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

    with writing_cases(settings) as connection:
        case = answer(connection, parse_application(application), text, by=by, now=now())
    show_case(case, "answered", as_json=as_json)


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

    with writing_cases(settings) as connection:
        case = withdraw(connection, parse_application(application), by=by, now=now())
    show_case(case, "withdrawn", as_json=as_json)


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
    with writing_cases(settings) as connection:
        case = name_controller(connection, parse_application(application), raw, by=by, now=now())
    show_case(case, "given an account", as_json=as_json)


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

    with reading_cases(settings) as connection:
        from ledger.office.cases import read_case

        case = read_case(connection, parse_application(application))
    programme_id = programme_ids_of(settings, [case])[case.programme]
    with opened_desk(settings) as desk:
        decider = _keyless_decider(desk)
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

    application_id = parse_application(application)
    with reading_cases(settings) as connection:
        case = read_case(connection, application_id)
    programme_id = programme_ids_of(settings, [case])[case.programme]
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        raise InvalidValue(field="signature", value=signature, expected="0x hex") from None
    with opened_desk(settings) as desk:
        case = _keyless_decider(desk).take_consent(application_id, programme_id, raw, deadline)
    show_case(case, "consented to", as_json=as_json)


def _keyless_decider(desk: Any) -> Decider:
    """One that signs nothing: consents are kept and messages written without a key."""
    from ledger.services.applications import Decider

    return Decider(desk, None, "command line", now())
