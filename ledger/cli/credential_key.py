"""`moonlake credential-key`: the keys that membership credentials are signed with."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger.chain.keystores import key_folder, read_password, scrypt_cost
from ledger.cli.output import JsonOption, show
from ledger.cli.passwords import ask_new_password, ask_password
from ledger.cli.settings_options import with_settings
from ledger.cli.view import show_time, table
from ledger.config import Settings

app = typer.Typer(
    no_args_is_help=True, help="Make, list and withdraw the keys of membership credentials."
)

# ruff: noqa: PLC0415  --help must not wait for the cryptography


@app.command()
@with_settings("home", "rpc_url", "key_password_file")
def create(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Make a key, which signs from now on; what older ones signed can still be checked."""
    from ledger.office.credentials.keys import (
        create_issuer_key,
        issuer_key_folder,
        list_issuer_keys,
        open_issuer_key,
    )

    folder = issuer_key_folder(key_folder(settings))
    older = list_issuer_keys(folder)
    password = read_password(settings, ask_password if older else ask_new_password)
    if older:
        open_issuer_key(older[0], password)  # one password opens all that the server signs with
    made = create_issuer_key(folder, password, cost=scrypt_cost(settings))
    text = f"{made.kid} signs credentials from now on; it is kept in {made.path}."
    if older:
        text += f" What {older[0].kid} signed can still be checked."
    show({"kid": made.kid, "path": str(made.path)}, text, as_json=as_json)


@app.command("list")
@with_settings("home")
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Every key that is published, the one that signs first."""
    from ledger.office.credentials.keys import issuer_key_folder, list_issuer_keys

    keys = list_issuer_keys(issuer_key_folder(key_folder(settings)))
    values: list[dict[str, Any]] = [
        {"kid": key.kid, "created_at": show_time(key.created_at // 1000), "signs": key is keys[0]}
        for key in keys
    ]
    rows = [
        (each["kid"], each["created_at"], "signs" if each["signs"] else "checks") for each in values
    ]
    text = table(("key", "made", "use"), rows) if rows else "None yet."
    show({"keys": values}, text, as_json=as_json)


@app.command()
@with_settings("home")
def remove(
    kid: Annotated[str, typer.Argument(help="The key, as `list` shows it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a key, such as a stolen one: nothing that it signed can be checked any more.

    Its file is moved aside, and nothing is deleted.
    """
    from ledger.office.credentials.keys import issuer_key_folder, set_issuer_key_aside

    if not yes:
        question = f"Withdraw {kid}, and with it every credential that it signed?"
        typer.confirm(question, abort=True, err=True)
    aside = set_issuer_key_aside(issuer_key_folder(key_folder(settings)), kid)
    text = f"{kid} is withdrawn; its file is {aside}."
    show({"kid": kid, "path": str(aside)}, text, as_json=as_json)
