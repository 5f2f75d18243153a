"""`moonlake serve`: answer over HTTP from the database, until it is asked to end.

It reads the database alone and needs no node. One process serves; it writes no access log, since
whoever stands before it (a proxy) does.
"""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.settings_options import READING, with_settings
from ledger.config import Settings
from ledger.processes import unusable_port

app = typer.Typer()

GRACE_SECONDS = 5
"""Seconds that requests which are under way may take once the server was asked to end."""

_BACKLOG = 2048

NotReadyOption = Annotated[
    Path | None,
    typer.Option(help="Answer 503 at /readyz while this file is there; `moonlake up` uses it."),
]


@app.command("serve")
@with_settings(*READING, "host", "port", "stale_after", "language")
def serve_command(*, not_ready_while: NotReadyOption = None, settings: Settings) -> None:
    """Serve the API and the console."""
    with listen(settings) as listener:
        serve(settings, listener, not_ready_while=not_ready_while)


def listen(settings: Settings) -> socket.socket:
    """A socket on the server's address. Raises PortInUse and InvalidSetting."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's delay off, 40 ms an answer, where it sees that the socket is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        problem = unusable_port(error, settings.host, settings.port, "MOONLAKE_PORT")
        raise problem from error
    return listener


def serve(
    settings: Settings, listener: socket.socket, *, not_ready_while: Path | None = None
) -> None:
    """Answer requests until SIGINT or SIGTERM, then end those under way."""
    import uvicorn  # noqa: PLC0415  a port in use is said before a second of importing

    from api.app import create_app  # noqa: PLC0415
    from api.wire import Protocol  # noqa: PLC0415
    from ledger.wiring import opened_database  # noqa: PLC0415

    with opened_database(settings):
        pass  # the schema is there before the first request
    config = uvicorn.Config(
        create_app(settings, not_ready_while=not_ready_while),
        http=Protocol,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    # The server listens to these while it runs, and raises them once more when it has ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
