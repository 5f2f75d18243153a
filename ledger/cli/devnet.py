"""`moonlake devnet`: run the local chain, look at it, stop it, begin another one."""

from __future__ import annotations

import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.chain.devnet import (
    DevnetOptions,
    DevnetStatus,
    check_startable,
    devnet_folder,
    devnet_status,
    reset_devnet,
    start_devnet,
    stop_devnet,
)
from ledger.cli.options import AnvilOption, DevnetPortOption, HomeOption
from ledger.cli.output import JsonOption, show
from ledger.config import Settings, load_settings
from ledger.errors import DevnetFailed
from ledger.processes import UNSHADOWED, ChildProcess, wait_until

app = typer.Typer(no_args_is_help=True, help="Run a local chain that keeps its history.")

_DETACHED = "import sys; from ledger.cli.main import main; sys.exit(main())"
_READY_WITHIN = 150.0

DetachOption = Annotated[
    bool, typer.Option("--detach", help="Return when it answers; `moonlake devnet stop` ends it.")
]
ChainIdOption = Annotated[
    int, typer.Option(help="The id of a chain that begins now; 31337 if unset.", min=0)
]
GenesisOption = Annotated[
    datetime | None,
    typer.Option(
        help="The time (UTC) of block 0 of a chain that begins now; the present if unset."
    ),
]
BlockTimeOption = Annotated[
    int | None, typer.Option(help="Also make a block every so many seconds; unset, none.", min=1)
]
ForkUrlOption = Annotated[
    str, typer.Option(help="Begin with the state of the chain at this URL; nothing is kept.")
]
ForkBlockOption = Annotated[
    int, typer.Option(help="The block to fork at; the latest if unset.", min=-1)
]
BackgroundOption = Annotated[bool, typer.Option("--background", hidden=True)]
"""How `--detach` starts the process that stays: it says only what `report` is told."""


@app.command()
def start(
    *,
    home: HomeOption = None,
    devnet_port: DevnetPortOption = None,
    anvil: AnvilOption = None,
    chain_id: ChainIdOption = 0,
    genesis_time: GenesisOption = None,
    block_time: BlockTimeOption = None,
    fork_url: ForkUrlOption = "",
    fork_block: ForkBlockOption = -1,
    detach: DetachOption = False,
    background: BackgroundOption = False,
    as_json: JsonOption = False,
) -> None:
    """Start the devnet and watch it until ctrl-C, or with --detach in the background."""
    settings = load_settings(home=home, devnet_port=devnet_port, anvil=anvil)
    begin = int(genesis_time.replace(tzinfo=UTC).timestamp()) if genesis_time is not None else 0
    options = DevnetOptions(
        chain_id=chain_id,
        genesis_time=begin,
        block_time=block_time or 0,
        fork_url=fork_url,
        fork_block=fork_block,
    )
    if detach:
        _start_detached(settings, options)
        _show_status(devnet_status(settings), as_json=as_json)
    else:
        _run(settings, options, as_json=as_json, background=background)


@app.command()
def stop(
    home: HomeOption = None, devnet_port: DevnetPortOption = None, as_json: JsonOption = False
) -> None:
    """Save the devnet's state and stop it; of a fork nothing is kept."""
    settings = load_settings(home=home, devnet_port=devnet_port)
    process = devnet_folder(settings).process
    stopped = stop_devnet(settings, report=_report)
    text = "No devnet was running."
    if stopped:
        text = _stopped(is_fork=process is not None and bool(process.fork_url))
    show({"stopped": stopped}, text, as_json=as_json)


@app.command()
def status(
    home: HomeOption = None, devnet_port: DevnetPortOption = None, as_json: JsonOption = False
) -> None:
    """Say whether the devnet runs and where its chain is. Ends with 1 if it does not run."""
    found = devnet_status(load_settings(home=home, devnet_port=devnet_port))
    _show_status(found, as_json=as_json)
    if found.condition != "running":
        raise typer.Exit(1)


@app.command()
def reset(
    home: HomeOption = None, devnet_port: DevnetPortOption = None, as_json: JsonOption = False
) -> None:
    """Set the chain aside, so that the next start begins a new one. Deletes nothing."""
    aside = reset_devnet(load_settings(home=home, devnet_port=devnet_port))
    text = "There was no chain to reset."
    if aside is not None:
        text = (
            f"What belonged to the chain is kept in {aside}.\n"
            "The next `moonlake devnet start` begins a new chain; after `moonlake deploy`, "
            "`moonlake mirror rebuild` mirrors it. A demonstration begins anew with "
            "`moonlake up --demo --fresh`."
        )
    show({"set_aside": str(aside) if aside is not None else None}, text, as_json=as_json)


def _run(settings: Settings, options: DevnetOptions, *, as_json: bool, background: bool) -> None:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    with start_devnet(settings, options, report=_report) as devnet:
        if not background:
            _show_status(devnet_status(settings), as_json=as_json)
        if not (background or as_json):
            typer.echo("Ctrl-C stops it.")
        while not stopping.wait(0.2):
            devnet.check()
    if not (background or as_json):
        typer.echo(_stopped(is_fork=bool(options.fork_url)))


def _stopped(*, is_fork: bool) -> str:
    if is_fork:
        return "The fork is stopped; nothing of it is kept."
    return "The devnet is stopped; its state is saved."


def _start_detached(settings: Settings, options: DevnetOptions) -> None:
    """Start this same command in a session of its own and wait until its chain answers."""
    check_startable(settings, report=_report)
    log = devnet_folder(settings).supervisor_log
    command = [sys.executable, *UNSHADOWED, "-c", _DETACHED, *_command_line(settings, options)]
    child = ChildProcess("devnet", command, folder=Path.cwd(), log=log, at_parents_end=None)
    ready = wait_until(
        lambda: child.has_ended or devnet_status(settings).condition == "running",
        seconds=_READY_WITHIN,
        pause=0.05,
    )
    if ready and not child.has_ended:
        _report(child.output())
    else:
        child.kill()
        raise _failure(child, log)


def _failure(child: ChildProcess, log: Path) -> DevnetFailed:
    """Why the process that should have stayed did not; it tells its error as JSON."""
    before, brace, after = child.output().rpartition('{\n  "error"')
    _report(before if brace else "")
    try:
        told = json.loads(brace + after)["error"]
    except ValueError:
        said = child.last_words().rstrip(".")
        return DevnetFailed(problem=said or f"its process {child.ending}", log=log)
    if told["code"] == DevnetFailed.code:
        return DevnetFailed(**told["values"])
    return DevnetFailed(problem=told["sentence"].rstrip("."), log=log)


def _command_line(settings: Settings, options: DevnetOptions) -> list[str]:
    line = ["devnet", "start", "--background", "--json", "--home", str(settings.home)]
    line += ["--devnet-port", str(settings.devnet_port), "--chain-id", str(options.chain_id)]
    line += ["--fork-block", str(options.fork_block)]
    if options.block_time:
        line += ["--block-time", str(options.block_time)]
    if settings.anvil is not None:
        line += ["--anvil", str(settings.anvil)]
    if options.fork_url:
        line += ["--fork-url", options.fork_url]
    if options.genesis_time:
        line += ["--genesis-time", f"{_time(options.genesis_time):%Y-%m-%dT%H:%M:%S}"]
    return line


def _show_status(found: DevnetStatus, *, as_json: bool) -> None:
    show(_status_values(found), _status_text(found), as_json=as_json)


def _status_values(found: DevnetStatus) -> dict[str, Any]:
    process, head, saved = found.process, found.head, found.saved
    return {
        "condition": found.condition,
        "folder": str(found.folder),
        "url": found.url,
        "chain_id": found.chain_id or None,
        "owner": process.owner if process is not None else None,
        "supervisor_pid": process.supervisor.pid if process is not None else None,
        "anvil_pid": process.anvil.pid if process is not None else None,
        "fork_url": process.fork_url or None if process is not None else None,
        "head": {
            "number": head.number,
            "hash": "0x" + head.block_hash.hex(),
            "timestamp": _time(head.timestamp).isoformat().replace("+00:00", "Z"),
        }
        if head is not None
        else None,
        "saved": {
            "number": saved.number,
            "hash": saved.block_hash,
            "saved_at": _time(saved.saved_at).isoformat().replace("+00:00", "Z"),
        }
        if saved is not None
        else None,
    }


def _status_text(found: DevnetStatus) -> str:
    lines = []
    if found.process is not None and found.head is not None:
        kind = f"A fork of {found.process.fork_url}" if found.process.fork_url else "The devnet"
        lines.append(
            f"{kind} is {found.condition} at {found.url}: chain {found.chain_id}, "
            f"block {found.head.number} of {_time(found.head.timestamp):%Y-%m-%d %H:%M:%S} UTC "
            f"(anvil is process {found.process.anvil.pid}, started by `{found.process.owner}`)."
        )
    elif found.process is not None:
        lines.append(f"The devnet is {found.condition} at {found.url}; it does not answer yet.")
    else:
        lines.append(f"The devnet of {found.folder} is stopped.")
    if found.saved is not None:
        lines.append(
            f"Saved up to block {found.saved.number}, "
            f"at {_time(found.saved.saved_at):%Y-%m-%d %H:%M:%S} UTC."
        )
    return "\n".join(lines)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _report(text: str) -> None:
    if text:
        typer.echo(text.rstrip(), err=True)
