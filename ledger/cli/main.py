"""`moonlake`: mounts the commands, and tells a person or a script what went wrong.

Exit codes: 0 done; 1 the answer is no; 2 wrong usage; 3 this machine or its settings lack
something; 4 node or chain; 5 a contract refused; 6 the mirror; 7 a transaction's fate is open;
130 interrupted.
"""

from __future__ import annotations

import importlib
import json
import sys

import typer

from ledger.errors import (
    ChainProblem,
    ContractRefused,
    LedgerError,
    MirrorProblem,
    NodeProblem,
    ProofProblem,
    SendingProblem,
    SetupProblem,
)

_COMMANDS = {
    "up": "up",
    "doctor": "doctor",
    "programme": "programme",
    "org": "org",
    "membership": "membership",
    "credit": "credit",
    "role": "role",
    "operation": "operation",
    "import": "import_roster",
    "devnet": "devnet",
    "contracts": "contracts",
    "deploy": "deploy",
    "keys": "keys",
    "mirror": "mirror",
    "serve": "serve",
}
"""The module of each command, in the order in which `--help` shows them."""

_NO_GROUPS = frozenset({"up", "doctor", "deploy", "serve"})
"""Commands without commands of their own."""

_EXIT_CODES: tuple[tuple[type[LedgerError], int], ...] = (
    (SetupProblem, 3),
    (NodeProblem, 4),
    (ChainProblem, 4),
    (ProofProblem, 4),
    (ContractRefused, 5),
    (MirrorProblem, 6),
    (SendingProblem, 7),
)


def main() -> int:
    """Run the command line; the exit code, unless a command ended the process with its own."""
    arguments = sys.argv[1:]
    try:
        make_app(arguments[0] if arguments else "")(args=arguments, prog_name="moonlake")
    except LedgerError as error:
        report_error(error, as_json="--json" in arguments)
        return exit_code(error)
    return 0


def make_app(command: str = "") -> typer.Typer:
    """The command line with one command, or with all where the name is not that of one.

    Importing all of them takes over a second.
    """
    app = typer.Typer(
        name="moonlake",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="A membership and contribution ledger whose truth is on a chain.",
    )
    app.callback()(lambda: None)  # keeps a command's name needed where it is the only one
    for name in (command,) if command in _COMMANDS else _COMMANDS:
        module = importlib.import_module(f"ledger.cli.{_COMMANDS[name]}")
        app.add_typer(module.app, name=None if name in _NO_GROUPS else name)
    return app


def exit_code(error: LedgerError) -> int:
    """The documented exit code of an error."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)


def report_error(error: LedgerError, *, as_json: bool) -> None:
    """One line on stderr; with `--json` one JSON document on stdout."""
    if as_json:
        values = {key: _plain(value) for key, value in error.values.items()}
        document = {
            "code": error.code,
            "sentence": str(error),
            "advice": error.advice,
            "values": values,
        }
        typer.echo(json.dumps({"error": document}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"error: {error} {error.advice}".rstrip() + f" [{error.code}]", err=True)


def _plain(value: object) -> object:
    return value if isinstance(value, int | str | bool | dict | list) else str(value)
