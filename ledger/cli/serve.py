"""`moonlake serve`: answer over HTTP from the database, until it is asked to end.

It reads the database alone and needs no node, but where it may sign. Of requests it writes no lines
unless it is asked for JSON, since whoever stands before it (a proxy) does.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer

from ledger.chain.keyring import find_named_key
from ledger.cli.settings_options import SERVING, with_settings
from ledger.config import Settings
from ledger.errors import KeyMissing
from ledger.processes import unusable_port
from ledger.shared_counters import MOST_PROCESSES, Listener, SharedCounters

app = typer.Typer()

GRACE_SECONDS = 5
"""Seconds that requests which are under way may take once the server was asked to end."""

_LIVED_LONG = 10.0
_PAUSE = 1.0
_LOOK = 0.2

NotReadyOption = Annotated[
    Path | None,
    typer.Option(help="Answer 503 at /readyz while this file is there; `moonlake up` uses it."),
]


@app.command("serve")
@with_settings(*SERVING)
def serve_command(*, not_ready_while: NotReadyOption = None, settings: Settings) -> None:
    """Serve the API and the console."""
    for name in settings.serve_keys:
        try:
            find_named_key(settings, name)
        except KeyMissing as error:  # it may still come: `moonlake up` makes keys after this
            typer.echo(f"{error} Nothing is signed before it is there.", err=True)
    with listen(settings) as listener:
        serve(settings, listener, not_ready_while=not_ready_while)


def listen(settings: Settings) -> Listener:
    """A socket on the server's address. Raises PortInUse and InvalidSetting."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's delay off, 40 ms an answer, where it sees that the socket is TCP.
    listener = Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen()
    except OSError as error:
        listener.close()
        problem = unusable_port(error, settings.host, settings.port, "MOONLAKE_PORT")
        raise problem from error
    return listener


def serve(settings: Settings, listener: Listener, *, not_ready_while: Path | None = None) -> None:
    """Answer requests until SIGINT or SIGTERM, then end those under way.

    With several processes this one starts them, starts again which dies, and ends with them.
    """
    from ledger.wiring import opened_database  # noqa: PLC0415

    with opened_database(settings):
        pass  # the schema is there before the first request
    if settings.serve_processes == 1:
        _answer(settings, listener, not_ready_while)
        return
    listener.counters = counters = SharedCounters()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    children: dict[int, float] = {}
    places: dict[int, int] = {}
    while children or not stopping.is_set():
        while len(children) < settings.serve_processes and not stopping.is_set():
            listener.place = next(
                each for each in range(MOST_PROCESSES) if each not in places.values()
            )
            counters.running[listener.place] = 0
            pid = _fork(settings, listener, not_ready_while)
            children[pid], places[pid] = time.monotonic(), listener.place
        if not children:
            break  # asked to stop before there was one
        ended, _status = os.waitpid(-1, os.WNOHANG)
        if ended:
            lived = time.monotonic() - children.pop(ended)
            counters.running[places.pop(ended)] = 0
            if lived < _LIVED_LONG:
                stopping.wait(_PAUSE)  # what kills it at once would fill the machine
            continue
        if stopping.is_set():
            # Again and again, since one that only begins may not listen yet.
            for pid in children:
                os.kill(pid, signal.SIGTERM)
        time.sleep(_LOOK)


def _fork(settings: Settings, listener: Listener, not_ready_while: Path | None) -> int:
    """Start a process that serves the same socket; its number. Nothing else runs in this one."""
    pid = os.fork()
    if pid:
        return pid
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # as long as there is nothing to end gently
    code = 1
    try:
        _answer(settings, listener, not_ready_while)
        code = 0
    except Exception:  # noqa: BLE001  the process' own entry point
        traceback.print_exc()
    finally:
        os._exit(code)


def _answer(settings: Settings, listener: Listener, not_ready_while: Path | None) -> None:
    import uvicorn  # noqa: PLC0415  a port in use is said before a second of importing

    from api.app import create_app  # noqa: PLC0415
    from api.edge import REQUEST_ID  # noqa: PLC0415
    from api.logs import write_json_lines  # noqa: PLC0415
    from api.wire import Protocol, counted  # noqa: PLC0415

    is_json = settings.log_format == "json"
    if is_json:
        write_json_lines(REQUEST_ID)
    servers: list[uvicorn.Server] = []
    app = create_app(
        settings,
        not_ready_while=not_ready_while,
        is_stopping=lambda: any(each.should_exit for each in servers),
        counters=listener.counters,
    )
    config = uvicorn.Config(
        app,
        http=Protocol if listener.counters is None else counted(listener.counters, listener.place),
        ws="none",
        access_log=False,
        log_level="warning",
        log_config=None if is_json else uvicorn.config.LOGGING_CONFIG,
        server_header=False,
        backlog=1,  # connections taken in one turn
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    servers.append(uvicorn.Server(config))
    # The server listens to these while it runs, and raises them once more when it has ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    if listener.counters is not None:
        listener.counters.running[listener.place] = 1
    servers[0].run(sockets=[listener])
