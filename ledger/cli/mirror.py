"""`moonlake mirror`: bring the database to the chain's head, keep it there, look at it.

`sync`, `follow` and `rebuild --from-chain` ask the chain; `status`, `digest` and `rebuild` need the
database alone.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.deployments import (
    Deployment,
    deployment_path,
    only_deployment_path,
    read_deployment,
)
from ledger.chain.rpc import Node
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import MIRRORING, READING, with_settings
from ledger.config import Settings
from ledger.errors import InvalidSetting

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ledger.mirror.look import Mirror
    from ledger.mirror.overview import Overview
    from ledger.mirror.reports import Reporter

FromChainOption = Annotated[
    bool,
    typer.Option("--from-chain", help="Ask the node for all facts again, and prove them again."),
]

app = typer.Typer(no_args_is_help=True, help="Mirror the chain, proved block by block, into SQL.")

HALTED = 6
INTERRUPTED = 130


@app.command()
@with_settings(*MIRRORING, "stale_after")
def sync(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Bring the database to the chain's head, and end."""
    from ledger.mirror import follow as following  # noqa: PLC0415  SQLAlchemy takes a second

    with progress(as_json=as_json) as report, opened(settings, report) as mirror:
        following.sync(mirror)
        overview = _look_over(mirror.engine)
    _show(overview, settings, as_json=as_json)


@app.command()
@with_settings(*MIRRORING, "poll_interval", "subscribe_url")
def follow(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Keep the database at the chain's head until ctrl-C; with --json one line of JSON a change."""
    from ledger.cli.mirror_proofs import keeping_proofs  # noqa: PLC0415
    from ledger.cli.mirror_reports import LineReporter  # noqa: PLC0415
    from ledger.mirror import follow as following  # noqa: PLC0415  SQLAlchemy takes a second
    from ledger.wiring import opened_waiter  # noqa: PLC0415

    report = LineReporter(as_json=as_json)
    with (
        opened(settings, report) as mirror,
        opened_waiter(settings, report) as waiter,
        keeping_proofs(settings, mirror.engine),
    ):
        following.follow(mirror, poll_interval=settings.poll_interval, waiter=waiter)


@app.command()
@with_settings(*MIRRORING, "stale_after")
def rebuild(
    *, from_chain: FromChainOption = False, settings: Settings, as_json: JsonOption = False
) -> None:
    """Build the mirror anew, and put that in place of the old one in one step.

    From the facts that it stores, which takes seconds and no node, if it holds this ledger's.
    """
    from ledger.mirror import rebuild as rebuilding  # noqa: PLC0415  SQLAlchemy takes a second

    with progress(as_json=as_json) as report, opened(settings, report) as mirror:
        rebuilding.rebuild(mirror, from_chain=from_chain)
        overview = _look_over(mirror.engine)
    _show(overview, settings, as_json=as_json)


@app.command()
@with_settings(*READING, "stale_after")
def status(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Say how far the mirror is. Ends with 6 if it is empty, halted or of another chain."""
    from ledger.wiring import genesis_here, opened_database  # noqa: PLC0415  as above

    with opened_database(settings) as engine:
        overview = _look_over(engine)
    here = genesis_here(settings)
    is_other = here not in (None, overview.state.genesis_hash)
    _show(overview, settings, as_json=as_json, is_other=is_other)
    if overview.state.halt is not None or is_other:
        raise typer.Exit(HALTED)


@app.command()
@with_settings(*READING)
def digest(*, settings: Settings, as_json: JsonOption = False) -> None:
    """One hash over all mirrored facts, the same on every database that mirrors the same block."""
    from ledger.mirror.digest import compute_digest  # noqa: PLC0415  SQLAlchemy takes a second
    from ledger.mirror.state import read_state  # noqa: PLC0415
    from ledger.store.engine import reading  # noqa: PLC0415
    from ledger.wiring import opened_database  # noqa: PLC0415

    with opened_database(settings) as engine, reading(engine) as connection:
        cursor = read_state(connection).cursor
        found = compute_digest(connection).hex()
    values = {
        "digest": "0x" + found,
        "block_number": cursor.number,
        "block_hash": "0x" + cursor.hash.hex(),
    }
    show(values, f"0x{found}  block {cursor.number}", as_json=as_json)


@contextmanager
def opened(settings: Settings, report: Reporter) -> Iterator[Mirror]:
    """The mirror of the settings; SIGTERM and ctrl-C ask it to end, a second ctrl-C ends it."""
    from ledger.mirror.lease import Stopped  # noqa: PLC0415  SQLAlchemy takes a second
    from ledger.wiring import opened_mirror  # noqa: PLC0415

    stop = threading.Event()
    _stop_on_signals(stop)
    found = find_deployment(settings)
    with opened_mirror(settings, found, stop=stop, report=report) as mirror:
        try:
            yield mirror
        except Stopped:
            raise typer.Exit(INTERRUPTED) from None


def find_deployment(settings: Settings) -> Deployment:
    """The deployment to mirror: the one named, the only one there is, or that of the node's chain.

    Raises NotDeployed, DeploymentUnreadable, and NodeUnreachable where a node has to be asked.
    """
    try:
        path = only_deployment_path(settings)
    except InvalidSetting:
        node = Node(settings.nodes[0])
        try:
            path = deployment_path(settings, node.chain_id())
        finally:
            node.close()
    return read_deployment(path)


@contextmanager
def progress(*, as_json: bool) -> Iterator[Reporter]:
    """Shows on stderr how far a mirror has come: a bar on a terminal, else a line now and then."""
    from ledger.cli.mirror_reports import BarReporter, LineReporter  # noqa: PLC0415

    if as_json or not sys.stderr.isatty():
        yield LineReporter(as_json=False, quiet=as_json)
        return
    with BarReporter() as bar:
        yield bar


def _look_over(engine: Engine) -> Overview:
    from ledger.mirror.overview import read_overview  # noqa: PLC0415  SQLAlchemy takes a second
    from ledger.store.engine import reading  # noqa: PLC0415

    with reading(engine) as connection:
        return read_overview(connection)


def _show(overview: Overview, settings: Settings, *, as_json: bool, is_other: bool = False) -> None:
    """`is_other` says that what is mirrored is of another chain than the one that is here."""
    from ledger.cli.mirror_status import describe, sentences  # noqa: PLC0415  as above

    now = time.time()
    values = describe(overview, now) | {"of_other_chain": is_other}
    lines = sentences(overview, now, stale_after=settings.stale_after, is_other=is_other)
    show(values, "\n".join(lines), as_json=as_json)


def _stop_on_signals(stop: threading.Event) -> None:
    def ask_to_stop(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
