"""`moonlake api-key`: keys for programs that use the HTTP API in an account's name.

A key is shown once, when it is made. Whoever runs this can read the database, and so is trusted
with it; what a key may do is bounded by its scopes and by the account's offices on the chain.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import parse_address, show_address
from ledger.chain.keyring import find_named_key
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import plain, show_day, table
from ledger.config import Settings
from ledger.domain.access import Scope
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.office.api_keys import ApiKey

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys for the HTTP API.")

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it

AccountArgument = Annotated[
    str, typer.Argument(help="The account (0x…) whose rights it has, or the name of its key.")
]
ScopeOption = Annotated[
    list[str],
    typer.Option(
        "--scope", help=f"What it is good for: {', '.join(Scope)}; may be given several times."
    ),
]


@app.command()
@with_settings(*READING)
def create(
    account: AccountArgument,
    name: Annotated[str, typer.Argument(help="Who uses it, for people.")],
    *,
    scope: ScopeOption,
    days: Annotated[int, typer.Option(help="How long it is good.")] = 90,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Make a key. It is shown this once."""
    from ledger.office.access_log import add_line
    from ledger.office.api_keys import create_api_key
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    scopes = [_scope(each) for each in scope]
    whose = _account(settings, account)
    now = time.time()
    with opened_database(settings) as engine, writing(engine) as connection:
        key, text = create_api_key(connection, whose, name, scopes, days=days, now=now)
        add_line(
            connection,
            at=int(now * 1000),
            account="0x" + whose.hex(),
            via="command line",
            action="api_key.created",
            subject=key.prefix,
            detail={"scopes": sorted(key.scopes)},
        )
    told = f"{text}\n\nKeep it: it is shown this once. It is good until {show_day(key.expires_at)}."
    show({"key": text, "api_key": _described(key)}, told, as_json=as_json)


@app.command("list")
@with_settings(*READING)
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """All keys, the newest first."""
    from ledger.office.api_keys import list_api_keys
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        found = list_api_keys(connection)
    now = time.time()
    rows = [
        (
            each.prefix,
            each.name,
            show_address(each.account),
            " ".join(sorted(each.scopes)),
            show_day(each.expires_at),
            "good" if each.is_good(now) else "revoked" if each.revoked_at else "expired",
        )
        for each in found
    ]
    columns = ("key", "name", "account", "scopes", "until", "state")
    text = table(columns, rows) if rows else "None yet."
    show({"api_keys": [_described(each) for each in found]}, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def revoke(
    prefix: Annotated[str, typer.Argument(help="The key, by its first eight letters.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key: it opens nothing from now on."""
    from ledger.office.access_log import add_line
    from ledger.office.api_keys import revoke_api_key
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    now = time.time()
    with opened_database(settings) as engine, writing(engine) as connection:
        key = revoke_api_key(connection, prefix, now=now)
        add_line(
            connection,
            at=int(now * 1000),
            account="0x" + key.account.hex(),
            via="command line",
            action="api_key.revoked",
            subject=prefix,
        )
    show({"api_key": _described(key)}, f"{prefix} is revoked.", as_json=as_json)


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "account": show_address(key.account),
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": plain(key.created_at, "created_at"),
        "expires_at": plain(key.expires_at, "expires_at"),
        "last_used_at": plain(key.last_used_at, "last_used_at") if key.last_used_at else None,
        "revoked_at": plain(key.revoked_at, "revoked_at") if key.revoked_at else None,
    }


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError as error:
        expected = "one of " + ", ".join(each.value for each in Scope)
        raise InvalidValue(field="scope", value=text, expected=expected) from error


def _account(settings: Settings, text: str) -> bytes:
    if text.startswith("0x"):
        return parse_address(text, "account")
    return find_named_key(settings, text).address
