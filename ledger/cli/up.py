"""`moonlake up`: the whole ledger from one command, until ctrl-C.

It starts the devnet (or uses the node that the settings name), deploys the contracts where they
are missing, runs the mirror and the server beside itself, and with `--demo` records the made-up
season. What was left by a crash is brought to its end first. It never deletes anything: `--fresh`
moves what is there aside.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import EVERY, with_settings
from ledger.cli.stack import Interrupted, Stack, require_startable
from ledger.config import Settings

app = typer.Typer()

INTERRUPTED = 130

DemoOption = Annotated[
    bool, typer.Option("--demo", help="Bring the sample roster and a made-up season.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Move what the data folder holds aside, and begin anew.")
]


@app.command("up")
@with_settings(*EVERY)
def up(
    *,
    demo: DemoOption = False,
    fresh: FreshOption = False,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Start everything, say where to look, and stay until ctrl-C."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    if fresh:
        require_startable(settings)
        _move_aside(settings)
    stack = Stack(settings, stopping=stopping, report=_report, progress=_progress)
    try:
        ready = stack.start(demo=demo)
        show(ready.values(), ready.text(), as_json=as_json)
        sys.stdout.flush()
        stack.watch()
    except Interrupted:
        _report("Stopped before it was ready; the next start goes on from there.")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        stack.stop()
    _report("Everything is stopped.")


def _move_aside(settings: Settings) -> None:
    from ledger.cli.fresh import move_aside  # noqa: PLC0415  seldom needed

    aside = move_aside(settings)
    _report(f"What was here is kept in {aside}." if aside is not None else "There was nothing yet.")


def _report(line: str) -> None:
    """On stderr, so that stdout holds the answer alone."""
    typer.echo(line, err=True)


def _progress(done: int, total: int) -> None:
    """One line that counts on a terminal; elsewhere a line now and then."""
    line = f"Recording the season: {done} of {total} steps."
    if sys.stderr.isatty():
        typer.echo("\r" + line, err=True, nl=done == total)
    elif done == total or done % 20 == 0:
        typer.echo(line, err=True)
