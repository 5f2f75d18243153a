"""`moonlake keys`: make, import, look at and restrict the keys that sign.

A secret comes from the terminal, from a file that others cannot read, or from the environment, and
never from the command line; and none is ever printed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.chain.keyring import Kind, NamedKey, find_named_key, list_named_keys
from ledger.chain.keystores import (
    DEVNET_PASSWORD,
    KeyInfo,
    create_key,
    find_key,
    import_key,
    key_folder,
    read_password,
    scrypt_cost,
    set_key_aside,
    uses_devnets_password,
)
from ledger.chain.policies import Policy, policy_path, read_policy, write_policy
from ledger.chain.usual_policies import USUAL_CALLS
from ledger.cli.key_checks import check_key
from ledger.cli.output import JsonOption, show
from ledger.cli.passwords import ask_new_password, ask_password, read_private_key
from ledger.cli.settings_options import with_settings
from ledger.cli.view import table
from ledger.config import Settings
from ledger.errors import InvalidValue, NotFound

app = typer.Typer(no_args_is_help=True, help="Make, import and restrict the keys that sign.")

NameArgument = Annotated[
    str, typer.Argument(help="The key's name, such as issuer, registrar or treasurer.")
]
OpenOption = Annotated[bool, typer.Option("--open", help="Also try whether it can sign now.")]
CallsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Credits.award, a message such as Credits.AwardBatch, Shares.*, deploy."),
]

NAMED = ("home", "signers")
"""What a command needs that looks keys up."""

OPENING = ("home", "devnet_port", "rpc_url", "key_password_file", "signers", "max_fee_gwei")
"""What a command needs that opens them."""


@app.command()
@with_settings("home", "rpc_url", "key_password_file")
def create(name: NameArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """Make a random key and keep it encrypted under the password of the settings."""
    password = read_password(settings, ask_new_password)
    made = create_key(key_folder(settings), name, password, cost=scrypt_cost(settings))
    _show_kept(settings, made, as_json=as_json)


app.command("new", hidden=True)(create)  # its name before there was an import


@app.command("import")
@with_settings("home", "rpc_url", "key_password_file")
def import_command(
    name: NameArgument,
    *,
    keystore: Annotated[
        Path | None, typer.Option(help="A keystore file (Web3 Secret Storage, version 3).")
    ] = None,
    keystore_password_file: Annotated[
        Path | None, typer.Option(help="A file whose first line opens that keystore.")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="A file whose first line is the key: 64 hex digits.")
    ] = None,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Keep a key that was made elsewhere. What no file holds is asked for at the terminal."""
    private_key = read_private_key(keystore, keystore_password_file, secret_file)
    password = read_password(settings, ask_new_password)
    cost = scrypt_cost(settings)
    made = import_key(key_folder(settings), name, private_key, password, cost=cost)
    _show_kept(settings, made, as_json=as_json)


@app.command("list")
@with_settings(*NAMED)
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Every key of the data folder and of the settings, and what each may sign."""
    keys = list_named_keys(settings)
    rows = [
        (key.name, show_address(key.address), str(key.kind), _summary(key.policy)) for key in keys
    ]
    text = table(("key", "address", "held by", "may sign"), rows)
    show(
        {"keys": [_describe(key) for key in keys]},
        text if keys else f"No keys in {key_folder(settings)}.",
        as_json=as_json,
    )


@app.command("show")
@with_settings(*OPENING)
def show_command(
    name: NameArgument,
    *,
    try_open: OpenOption = False,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """A key's address, where it is held, and what it may sign."""
    _show_key(settings, name, try_open=try_open, as_json=as_json)


@app.command()
@with_settings(*OPENING)
def check(name: NameArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """See whether a key can sign now: its password or its remote signer, its policy, its coin."""
    _show_key(settings, name, try_open=True, as_json=as_json)


@app.command()
@with_settings(*NAMED)
def address(name: NameArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """A key's address alone, for scripts."""
    shown = show_address(find_named_key(settings, name).address)
    show({"name": name, "address": shown}, shown, as_json=as_json)


@app.command()
@with_settings("home")
def remove(
    name: NameArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Take a keystore out of use: it is moved aside, and nothing is deleted."""
    folder = key_folder(settings)
    found = find_key(folder, name)
    if not yes:
        question = f"Take {name} ({show_address(found.address)}) out of use?"
        typer.confirm(question, abort=True, err=True)
    aside = set_key_aside(folder, name)
    text = (
        f"{name}: {show_address(found.address)} is out of use; its keystore is {aside}. "
        "Its roles on the chain stay until they are taken (`moonlake role dismiss`)."
    )
    if read_policy(folder, name) is not None:
        text += " Its policy stays for the next key of that name."
    values = {"name": name, "address": show_address(found.address), "path": str(aside)}
    show(values, text, as_json=as_json)


@app.command()
@with_settings(*NAMED)
def policy(
    name: NameArgument,
    *,
    lift: Annotated[
        bool, typer.Option("--lift", help="Take the policy away: the key may sign anything.")
    ] = False,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """What a key may sign."""
    found = find_named_key(settings, name).policy
    path = policy_path(key_folder(settings), name)
    if lift and found is not None:
        path.unlink()
        found = None
    _show_policy(settings, name, found, as_json=as_json)


@app.command()
@with_settings(*NAMED)
def allow(
    name: NameArgument,
    calls: CallsArgument = None,
    *,
    usual: Annotated[
        str, typer.Option(help=f"What this office usually signs: {', '.join(USUAL_CALLS)}.")
    ] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Let a key sign these calls; once it has a policy, it signs nothing else."""
    find_named_key(settings, name)
    folder = key_folder(settings)
    before = read_policy(folder, name) or Policy(())
    after = before.adding([*(calls or ()), *_usual(usual)])
    if not after.allow:
        raise InvalidValue(field="call", value="", expected="given, and no --usual is")
    write_policy(folder, name, after)
    _show_policy(settings, name, after, as_json=as_json)


@app.command()
@with_settings(*NAMED)
def disallow(
    name: NameArgument,
    calls: CallsArgument = None,
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Take calls out of a key's policy."""
    folder = key_folder(settings)
    before = find_named_key(settings, name).policy
    if before is None:
        raise NotFound(what="policy of key", key=name)
    after = before.without(calls or ())
    write_policy(folder, name, after)
    _show_policy(settings, name, after, as_json=as_json)


def _usual(office: str) -> Iterable[str]:
    if not office:
        return ()
    if office not in USUAL_CALLS:
        raise InvalidValue(field="usual", value=office, expected=f"one of {', '.join(USUAL_CALLS)}")
    return USUAL_CALLS[office]


def _show_kept(settings: Settings, made: KeyInfo, *, as_json: bool) -> None:
    text = f"{made.name}: {show_address(made.address)}, kept in {made.path}."
    if uses_devnets_password(settings):
        text += f"\nIt is for the devnet: its password lies beside it ({DEVNET_PASSWORD})."
    values = {"name": made.name, "address": show_address(made.address), "path": str(made.path)}
    show(values, text, as_json=as_json)


def _show_key(settings: Settings, name: str, *, try_open: bool, as_json: bool) -> None:
    key = find_named_key(settings, name)
    values = _describe(key)
    where = f"kept in {key.place}" if key.kind is Kind.KEYSTORE else f"{key.kind} {key.place}"
    text = f"{key.name}: {show_address(key.address)}, {where}. It may sign {_summary(key.policy)}."
    if try_open:
        checked = check_key(settings, key, ask_password)
        values |= checked.values
        text = "\n".join([text, *checked.lines])
    show(values, text, as_json=as_json)


def _show_policy(settings: Settings, name: str, found: Policy | None, *, as_json: bool) -> None:
    path = policy_path(key_folder(settings), name)
    values = {
        "name": name,
        "path": str(path) if found is not None else None,
        "allow": list(found.allow) if found is not None else None,
    }
    if found is None:
        text = f"{name} has no policy and may sign anything; `moonlake keys allow` makes one."
    elif not found.allow:
        text = f"{name} may sign nothing ({path})."
    else:
        text = "\n".join([f"{name} may sign these and nothing else ({path}):", *found.allow])
    show(values, text, as_json=as_json)


def _summary(found: Policy | None) -> str:
    if found is None:
        return "anything"
    if len(found.allow) <= 3:
        return ", ".join(found.allow) or "nothing"
    return f"{len(found.allow)} calls"


def _describe(key: NamedKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "address": show_address(key.address),
        "path": key.place if key.kind is Kind.KEYSTORE else None,
        "held_by": str(key.kind),
        "place": key.place,
        "allow": list(key.policy.allow) if key.policy is not None else None,
    }
