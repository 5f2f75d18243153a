"""`moonlake keys`: make and list the keys of the data folder. A secret is never printed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.chain.keystores import (
    DEVNET_PASSWORD,
    KeyInfo,
    create_key,
    find_key,
    key_folder,
    list_keys,
    open_signer,
    read_password,
    scrypt_cost,
)
from ledger.cli.options import HomeOption, KeyPasswordFileOption, RpcUrlOption
from ledger.cli.output import JsonOption, show
from ledger.config import load_settings

app = typer.Typer(no_args_is_help=True, help="Make and list the keys that sign.")

NameArgument = Annotated[
    str, typer.Argument(help="The key's name, such as issuer, registrar or treasurer.")
]
OpenOption = Annotated[bool, typer.Option("--open", help="Also try whether the password opens it.")]


@app.command()
def new(
    name: NameArgument,
    *,
    home: HomeOption = None,
    rpc_url: RpcUrlOption = None,
    key_password_file: KeyPasswordFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a random key and keep it encrypted under the password of the settings."""
    settings = load_settings(home=home, rpc_url=rpc_url, key_password_file=key_password_file)
    made = create_key(
        key_folder(settings), name, read_password(settings), cost=scrypt_cost(settings)
    )
    text = f"{made.name}: {show_address(made.address)}, kept in {made.path}."
    if settings.uses_devnet and settings.key_password_file is None:
        text += f"\nIt is for the devnet: its password lies beside it ({DEVNET_PASSWORD})."
    show(_describe(made), text, as_json=as_json)


@app.command("list")
def list_command(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The keys of the data folder and their addresses."""
    settings = load_settings(home=home)
    keys = list_keys(key_folder(settings))
    text = "\n".join(f"{key.name:<14} {show_address(key.address)}" for key in keys)
    show(
        {"keys": [_describe(key) for key in keys]},
        text or f"No keys in {key_folder(settings)}.",
        as_json=as_json,
    )


@app.command("show")
def show_command(
    name: NameArgument,
    *,
    home: HomeOption = None,
    rpc_url: RpcUrlOption = None,
    key_password_file: KeyPasswordFileOption = None,
    try_open: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """A key's address and file."""
    settings = load_settings(home=home, rpc_url=rpc_url, key_password_file=key_password_file)
    key = find_key(key_folder(settings), name)
    values = _describe(key)
    text = f"{key.name}: {show_address(key.address)}, kept in {key.path}."
    if try_open:
        open_signer(key_folder(settings), name, read_password(settings))
        values["opens"] = True
        text += " Its password opens it."
    show(values, text, as_json=as_json)


def _describe(key: KeyInfo) -> dict[str, Any]:
    return {"name": key.name, "address": show_address(key.address), "path": str(key.path)}
