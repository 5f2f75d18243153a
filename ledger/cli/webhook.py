"""`moonlake webhook`: who is told what happened, and what became of the telling."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import parse_time, show_time, table
from ledger.config import Settings
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.office.webhooks.deliveries import Delivery
    from ledger.office.webhooks.endpoints import Endpoint

app = typer.Typer(
    no_args_is_help=True, help="Tell others what happened, by signed requests (Standard Webhooks)."
)

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it

EndpointArgument = Annotated[str, typer.Argument(help="The webhook's id, ep_….")]
_SHOWN_ONCE = "It is not shown again: keep it where the receiver reads it."


@app.command()
@with_settings(*READING, "webhook_networks")
def add(
    url: Annotated[str, typer.Argument(help="An https URL.")],
    *,
    types: Annotated[
        str, typer.Option(help="Types, comma-separated: entry.posted, membership.*; all if unset.")
    ] = "",
    description: Annotated[str, typer.Option(help="Whose it is.")] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Send what becomes final from now on to a URL, and show the secret that signs it, once."""
    from ledger.office.webhooks.endpoints import add_endpoint, list_endpoints
    from ledger.services.webhooks.collecting import begin
    from ledger.store.engine import writing
    from ledger.wiring import open_gate, opened_database

    now = time.time()
    wanted = tuple(each.strip() for each in types.split(",") if each.strip())
    with opened_database(settings) as engine, writing(engine) as connection:
        if not list_endpoints(connection):
            begin(connection, now=int(now * 1000))
        made, secret = add_endpoint(
            connection,
            open_gate(settings),
            url,
            types=wanted,
            description=description,
            now=int(now),
        )
    text = f"Webhook {made.endpoint_id}.\nSecret {secret}\n{_SHOWN_ONCE}"
    show({"webhook": _described(made), "secret": secret}, text, as_json=as_json)


@app.command("list")
@with_settings(*READING)
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """The webhooks, oldest first."""
    from ledger.office.webhooks.endpoints import list_endpoints
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        found = list_endpoints(connection)
    rows = [
        (each.endpoint_id, _state(each), ",".join(each.types) or "all", each.url) for each in found
    ]
    text = table(("webhook", "state", "types", "URL"), rows) if rows else "None yet."
    show({"webhooks": [_described(each) for each in found]}, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def rotate(
    endpoint: EndpointArgument,
    *,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="How long the present secret signs beside it.")
    ] = 24,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Make a new secret; until the overlap ends, messages carry a signature of each."""
    from ledger.office.webhooks.endpoints import rotate_secret
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    now = int(time.time())
    with opened_database(settings) as engine, writing(engine) as connection:
        secret = rotate_secret(connection, endpoint, overlap=overlap_hours * 3600, now=now)
    ends_at = now + overlap_hours * 3600
    text = f"Secret {secret}\n{_SHOWN_ONCE} The one before signs until {show_time(ends_at)}."
    values = {"endpoint_id": endpoint, "secret": secret, "previous_ends_at": show_time(ends_at)}
    show(values, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def disable(endpoint: EndpointArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """Send nothing to it any more. What comes meanwhile is kept, to be replayed."""
    from ledger.office.webhooks.endpoints import disable_endpoint, read_endpoint
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, writing(engine) as connection:
        disable_endpoint(connection, endpoint, because="by hand", now=int(time.time()))
        found = read_endpoint(connection, endpoint)
    show({"webhook": _described(found)}, f"Webhook {endpoint} is disabled.", as_json=as_json)


@app.command()
@with_settings(*READING)
def enable(endpoint: EndpointArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """Use it again; `replay --dead` sends what it missed."""
    from ledger.office.webhooks.endpoints import enable_endpoint, read_endpoint
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, writing(engine) as connection:
        enable_endpoint(connection, endpoint)
        found = read_endpoint(connection, endpoint)
    show({"webhook": _described(found)}, f"Webhook {endpoint} is in use.", as_json=as_json)


@app.command()
@with_settings(*READING)
def remove(endpoint: EndpointArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """Forget it, its secrets and its log."""
    from ledger.office.webhooks.endpoints import remove_endpoint
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, writing(engine) as connection:
        remove_endpoint(connection, endpoint)
    show({"removed": endpoint}, f"Webhook {endpoint} is forgotten.", as_json=as_json)


@app.command()
@with_settings(*READING)
def deliveries(
    endpoint: Annotated[str, typer.Argument(help="The webhook's id; of all if unset.")] = "",
    *,
    state: Annotated[str, typer.Option(help="waiting, delivered or dead.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """What was sent, how often, and what was answered, newest first."""
    from ledger.office.webhooks.deliveries import list_deliveries
    from ledger.office.webhooks.endpoints import read_endpoint
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    if state not in {"", "waiting", "delivered", "dead"}:
        raise InvalidValue(field="state", value=state, expected="waiting, delivered or dead")
    with opened_database(settings) as engine, reading(engine) as connection:
        if endpoint:
            read_endpoint(connection, endpoint)
        found = list_deliveries(connection, endpoint_id=endpoint, state=state, limit=limit)
    rows = [
        (
            show_time(each.updated_at // 1000),
            each.state,
            each.kind,
            str(each.attempts),
            each.last_problem or ("" if each.last_status is None else str(each.last_status)),
            each.message_id,
        )
        for each in found
    ]
    heads = ("at", "state", "type", "attempts", "answer", "message")
    text = table(heads, rows) if rows else "None yet."
    show({"deliveries": [_delivery(each) for each in found]}, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def replay(
    endpoint: EndpointArgument,
    message: Annotated[str, typer.Argument(help="A message's id, msg_….")] = "",
    *,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    since: Annotated[str, typer.Option(help="All made since a day or a time.")] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Send again, under the same ids: one message, the dead ones, or all since a time."""
    from ledger.office.webhooks import deliveries as kept
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    if not (message or dead or since):
        expected = "a message's id, --dead or --since"
        raise InvalidValue(field="message", value="nothing", expected=expected)
    with opened_database(settings) as engine, writing(engine) as connection:
        count = kept.replay(
            connection,
            endpoint,
            now=int(time.time() * 1000),
            message_id=message,
            dead=dead,
            since=parse_time("since", since) if since else None,
        )
    show({"replayed": count}, f"{count} will be sent again.", as_json=as_json)


@app.command("test")
@with_settings(*READING, "webhook_networks")
def try_command(
    endpoint: EndpointArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """Send a `webhook.test` now, and say what was answered; 1 where it did not arrive."""
    from ledger.services.webhooks.sending import WebhookSender
    from ledger.wiring import open_gate, opened_database

    with opened_database(settings) as engine:
        outcome = WebhookSender(engine, open_gate(settings)).test(endpoint)
    answer = outcome.problem or f"it answered {outcome.status}"
    text = f"{'Delivered' if outcome.is_delivered else 'Not delivered'}: {answer}."
    values = {"delivered": outcome.is_delivered, "status": outcome.status}
    show({**values, "problem": outcome.problem, "took_ms": outcome.took_ms}, text, as_json=as_json)
    if not outcome.is_delivered:
        raise typer.Exit(1)


@app.command()
@with_settings(*READING, "webhook_networks")
def send(
    *,
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, and end.")] = False,
    settings: Settings,
) -> None:
    """Deliver until ctrl-C; `moonlake up` runs it."""
    from ledger.services.webhooks.sending import WebhookSender
    from ledger.wiring import open_gate, opened_database

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with opened_database(settings) as engine:
        sender = WebhookSender(engine, open_gate(settings))
        if once:
            sender.drain()
        else:
            sender.run(stop)


def _state(endpoint: Endpoint) -> str:
    if endpoint.disabled_at is not None:
        return f"disabled: {endpoint.disabled_because}"
    if endpoint.failing_since is not None:
        return f"failing since {show_time(endpoint.failing_since // 1000)}"
    return "in use"


def _described(endpoint: Endpoint) -> dict[str, Any]:
    since = endpoint.failing_since
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "types": list(endpoint.types),
        "state": "in_use" if endpoint.disabled_at is None else "disabled",
        "created_at": show_time(endpoint.created_at),
        "disabled_at": None if endpoint.disabled_at is None else show_time(endpoint.disabled_at),
        "disabled_because": endpoint.disabled_because,
        "failing_since": None if since is None else show_time(since // 1000),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "endpoint_id": delivery.endpoint_id,
        "message_id": delivery.message_id,
        "type": delivery.kind,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "due_at": show_time(delivery.due_at // 1000),
        "updated_at": show_time(delivery.updated_at // 1000),
        "last_status": delivery.last_status,
        "last_problem": delivery.last_problem,
    }
