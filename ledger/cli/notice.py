"""`moonlake notice`: e-mails to members, what became of them, and who wants none."""

from __future__ import annotations

import signal
import threading
import time
from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import show_time, table
from ledger.config import Settings
from ledger.errors import InvalidSetting, InvalidValue

app = typer.Typer(no_args_is_help=True, help="Tell members by e-mail what concerns them.")

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it


@app.command()
@with_settings(*READING, "smtp_url", "smtp_from", "public_url")
def send(
    *,
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, and end.")] = False,
    settings: Settings,
) -> None:
    """Send what is new and what is due, until ctrl-C."""
    from ledger.services.notices.sending import MailServer, NoticeSender
    from ledger.wiring import opened_database

    for name, value in (("SMTP_URL", settings.smtp_url), ("SMTP_FROM", settings.smtp_from)):
        if not value:
            raise InvalidSetting(setting=f"MOONLAKE_{name}", problem="it names nothing")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with opened_database(settings) as engine:
        sender = NoticeSender(engine, MailServer.of(settings))
        if once:
            sender.drain()
        else:
            sender.run(stop)


@app.command("list")
@with_settings(*READING)
def list_command(
    *,
    state: Annotated[str, typer.Option(help="waiting, sent or dead.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """What was told to whom, newest first."""
    from ledger.office.notices import list_notices
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    if state not in {"", "waiting", "sent", "dead"}:
        raise InvalidValue(field="state", value=state, expected="waiting, sent or dead")
    with opened_database(settings) as engine, reading(engine) as connection:
        found = list_notices(connection, state=state, limit=limit)
    rows = [
        (show_time(each.updated_at // 1000), each.state, each.kind, each.recipient, each.problem)
        for each in found
    ]
    text = table(("at", "state", "kind", "to", "problem"), rows) if rows else "None yet."
    values = [
        {
            "notice_id": each.notice_id,
            "kind": each.kind,
            "org_id": each.org_id,
            "recipient": each.recipient,
            "state": each.state,
            "tries": each.tries,
            "problem": each.problem,
        }
        for each in found
    ]
    show({"notices": values}, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def retry(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Send again what was given up."""
    from ledger.office.notices import retry_dead
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, writing(engine) as connection:
        count = retry_dead(connection, now=int(time.time() * 1000))
    show({"retried": count}, f"{count} will be sent again.", as_json=as_json)


@app.command("choose")
@with_settings(*READING)
def choose_command(
    recipient: Annotated[str, typer.Argument(help="An e-mail address.")],
    *,
    mute: Annotated[
        str, typer.Option(help="Kinds that it does not want, comma-separated; * for all.")
    ] = "",
    notices_in: Annotated[str, typer.Option(help="zh-CN or en; both if unset.")] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Say what an address wants not to be told, and in which language it wants the rest."""
    from ledger.office.notices import choose
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    muted = tuple(each.strip() for each in mute.split(",") if each.strip())
    with opened_database(settings) as engine, writing(engine) as connection:
        now = int(time.time())
        choose(connection, recipient, muted=muted, language=notices_in, now=now)
    values = {"recipient": recipient, "muted": list(muted), "language": notices_in}
    show(values, f"Kept for {recipient}.", as_json=as_json)
