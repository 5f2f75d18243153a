"""`moonlake`: mounts the commands, and tells a person or a script what went wrong.

Exit codes: 0 done; 1 the answer is no; 2 wrong usage; 3 this machine or its settings lack
something; 4 node or chain; 5 a contract refused; 6 the mirror; 7 a transaction's fate is open;
130 interrupted.
"""

from __future__ import annotations

import json
import sys

import typer

from ledger.cli import contracts, deploy, devnet, keys, mirror
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

app = typer.Typer(
    name="moonlake",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A membership and contribution ledger whose truth is on a chain.",
)
app.add_typer(devnet.app, name="devnet")
app.add_typer(contracts.app, name="contracts")
app.add_typer(deploy.app)
app.add_typer(keys.app, name="keys")
app.add_typer(mirror.app, name="mirror")

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
        app(args=arguments, prog_name="moonlake")
    except LedgerError as error:
        report_error(error, as_json="--json" in arguments)
        return exit_code(error)
    return 0


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
