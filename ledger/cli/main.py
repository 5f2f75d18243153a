"""`moonlake`: mounts the commands, and tells a person or a script what went wrong.

Exit codes: 0 done; 1 the answer is no; 2 wrong usage or values; 3 this machine or its settings lack
something; 4 node or chain; 5 a contract refused; 6 the mirror; 7 a transaction's fate is open;
70 a fault of Moonlake's own; 130 interrupted. Of `moonlake audit`: 1 wrong, 2 incomplete.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ledger.cli.audit_certificate import find_certificate, verify_certificate_file
from ledger.disks import is_full
from ledger.errors import (
    AccessProblem,
    ApplicationElsewhere,
    AuditProblem,
    ChainProblem,
    ContractRefused,
    DiskFull,
    InputRefused,
    Interrupted,
    InvalidSetting,
    InvalidValue,
    IssuerKeyMissing,
    LedgerError,
    MembershipNotInForce,
    MirrorProblem,
    NodeProblem,
    OperationConflict,
    OperationOfAnother,
    ProofProblem,
    SameOfficer,
    SendingProblem,
    SetupProblem,
    Unforeseen,
)

if TYPE_CHECKING:
    import typer

# ruff: noqa: PLC0415  Typer takes longer to import than a certificate takes to verify

_COMMANDS = {
    "up": "up",
    "doctor": "doctor",
    "programme": "programme",
    "org": "org",
    "membership": "membership",
    "credit": "credit",
    "expiry": "expiry",
    "benefit": "benefit",
    "distribution": "distribution",
    "proposal": "proposal",
    "voucher": "voucher",
    "role": "role",
    "operation": "operation",
    "import": "imports",
    "devnet": "devnet",
    "contracts": "contracts",
    "deploy": "deploy",
    "keys": "keys",
    "credential-key": "credential_key",
    "mirror": "mirror",
    "audit": "audit",
    "serve": "serve",
    "api-key": "api_key",
    "application": "application",
    "webhook": "webhook",
    "notice": "notice",
    "backup": "backup",
    "restore": "restore",
}
"""The module of each command, in the order in which `--help` shows them."""

_OUTPUT = ("utf-8", "backslashreplace")
"""A value that was refused need not be text."""

_NO_GROUPS = frozenset({"up", "doctor", "deploy", "serve", "backup", "restore"})
"""Commands without commands of their own."""

_BACKGROUND = "--background"

LOG_FOLDER = "logs"
"""Where in the data folder the traceback of an unforeseen fault is kept."""

_EXIT_CODES: tuple[tuple[type[LedgerError], int], ...] = (
    (InputRefused, 2),
    (AuditProblem, 2),
    (SetupProblem, 3),
    (NodeProblem, 4),
    (ChainProblem, 4),
    (ProofProblem, 4),
    (ContractRefused, 5),
    (MirrorProblem, 6),
    (ApplicationElsewhere, 1),
    (SameOfficer, 1),
    (IssuerKeyMissing, 3),
    (MembershipNotInForce, 1),
    (OperationConflict, 2),
    (OperationOfAnother, 2),
    (SendingProblem, 7),
    (AccessProblem, 1),
    (Unforeseen, 70),
    (Interrupted, 130),
)


def main() -> int:
    """Run the command line; the exit code, unless a command ended the process with its own."""
    arguments = sys.argv[1:]
    try:
        with _interrupted_by_any_signal():
            return _obey(arguments)
    except LedgerError as error:
        return _fail(error, arguments)
    except KeyboardInterrupt:
        return _fail(Interrupted(), arguments)
    except Exception as error:  # noqa: BLE001  an entry point; nobody is shown a traceback
        return _fail(_meaning_of(error, arguments), arguments)


def _obey(arguments: list[str]) -> int:
    _check_arguments(arguments)
    certificate = find_certificate(arguments)
    if certificate is not None:
        return verify_certificate_file(*certificate)
    if _BACKGROUND not in arguments:  # whoever started it has said it
        _warn_of_unknown_settings()
    return _run(make_app(arguments[0] if arguments else ""), arguments)


@contextmanager
def _interrupted_by_any_signal() -> Iterator[None]:
    """Within this, who ends the process or closes the terminal interrupts it as ctrl-C does.

    So it leaves no file half written and says where it was. A command that has its own way to end
    sets its own; what a shell has the process ignore (nohup) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = [
        each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL
    ]
    for each in usual:
        signal.signal(each, _interrupt)
    try:
        yield
    finally:
        for each in usual:
            signal.signal(each, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command; with `--json`, what is wrong with its arguments is an answer, too.

    Raises InvalidValue for that, and whatever the command raises.
    """
    from typer import Abort

    if "--json" not in arguments:
        app(args=arguments, prog_name="moonlake")
        return 0
    try:
        return int(app(args=arguments, prog_name="moonlake", standalone_mode=False) or 0)
    except Exception as error:
        if isinstance(error, Abort):
            return 1
        if not hasattr(error, "format_message"):
            raise
        problem = " ".join(str(error.format_message()).split()).rstrip(".")
        expected = f"as the command takes them ({problem})"
        raise InvalidValue(
            field="arguments", value=" ".join(arguments), expected=expected
        ) from error


def _meaning_of(error: Exception, arguments: list[str]) -> LedgerError:
    """What an exception that nothing foresaw is told as; its traceback is kept where it can be."""
    if isinstance(error, OSError) and is_full(error):
        return DiskFull(what=error.filename or _home(arguments))
    problem = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
    return Unforeseen(problem=problem, path=_write_traceback(error, _home(arguments)))


def make_app(command: str = "") -> typer.Typer:
    """The command line with one command, or with all where the name is not that of one.

    Importing all of them takes over a second.
    """
    import typer

    from ledger.cli.interruption import Commands

    app = typer.Typer(
        name="moonlake",
        cls=Commands,
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
    import typer

    if as_json:
        values = {key: _plain(value) for key, value in error.facts.items()}
        document = {
            "code": error.code,
            "sentence": str(error),
            "advice": error.advice,
            "values": values,
        }
        typer.echo(json.dumps({"error": document}, indent=2, ensure_ascii=False).encode(*_OUTPUT))
    else:
        line = f"error: {error} {error.advice}".rstrip() + f" [{error.code}]"
        typer.echo(line.encode(*_OUTPUT), err=True)


def _check_arguments(arguments: list[str]) -> None:
    """Raise InvalidValue for bytes that are no text, which no SQL, JSON or chain could hold."""
    for argument in arguments:
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError as error:
            expected = "text in UTF-8"
            raise InvalidValue(field="argument", value=argument, expected=expected) from error


def _warn_of_unknown_settings() -> None:
    """One line on stderr for each name that begins as ours and is no setting."""
    import typer

    from ledger.config import unknown_settings  # after the arguments are seen

    try:
        found = unknown_settings()
    except InvalidSetting:
        return  # a command that needs a setting says it
    for name, nearest in found:
        line = f"warning: {name} is no setting and is passed over; did you mean {nearest}?"
        typer.echo(line.encode(*_OUTPUT), err=True)


def _fail(error: LedgerError, arguments: list[str]) -> int:
    report_error(error, as_json="--json" in arguments)
    return exit_code(error)


def _home(arguments: list[str]) -> Path:
    """The data folder, as far as it can be known where a command has failed."""
    from ledger.config import load_settings  # only where a command has failed

    given = None
    for place, argument in enumerate(arguments):
        if argument == "--home":
            given = arguments[place + 1] if place + 1 < len(arguments) else None
        elif argument.startswith("--home="):
            given = argument.removeprefix("--home=")
    try:
        return load_settings(home=given).home
    except LedgerError:
        return Path(tempfile.gettempdir())


def _write_traceback(error: Exception, home: Path) -> Path | str:
    """Append the traceback to a log, for its owner alone: in the data folder if it can be.

    Where no disk takes it, the line of the program at which it happened stands for it.
    """
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"{when}\n{''.join(traceback.format_exception(error))}\n"
    for make in (functools.partial(_open_log, home), _open_elsewhere):
        try:
            handle, path = make()
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
        except OSError:
            continue
        return path
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{place.filename}, line {place.lineno},"


def _open_log(home: Path) -> tuple[int, Path]:
    path = home / LOG_FOLDER / "unforeseen.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), path


def _open_elsewhere() -> tuple[int, Path]:
    handle, name = tempfile.mkstemp(prefix="moonlake-", suffix=".log")
    return handle, Path(name)


def _plain(value: object) -> object:
    return value if isinstance(value, int | str | bool | dict | list) else str(value)
