"""Receivers of webhooks on loopback, as good or as bad as a test wants them."""

from __future__ import annotations

import contextlib
import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with `status` and `headers`, or by `answer` where one is given."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[http.server.BaseHTTPRequestHandler], None] | None = None
    requests: list[Received] = field(default_factory=list)


@contextlib.contextmanager
def running_receiver(**given: Any) -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""
    receiver = Receiver(**given)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Received(self.path, headers, body))
            if receiver.answer is not None:
                with contextlib.suppress(OSError):
                    receiver.answer(self)
                self.close_connection = True
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_watching: list[list[Any]] = []


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        for seen in _watching:
            seen.append(arguments[1])


@contextlib.contextmanager
def connections_made() -> Iterator[list[Any]]:
    """The addresses that any thread of this process connects to meanwhile."""
    if not getattr(_notice, "installed", False):
        sys.addaudithook(_notice)  # which Python never takes out again
        _notice.installed = True  # type: ignore[attr-defined]
    seen: list[Any] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)
