"""A node that lies, stalls and stumbles: JSON-RPC over real HTTP, in threads, on loopback.

It answers from what a test sets, or passes on what a real node says and alters it:

    with FakeNode(upstream=anvil.url) as node:
        node.lies["eth_getBlockReceipts"] = lambda params, result: result[1:]
        node.faults.append(Status(429))       # the next request only
        Node(node.url).receipts(...)

Set what it says before asking; `asked` lists every call that it saw, in order; `paths`
and `headers` those of every request.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import urllib.parse
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Status:
    """Answers a request with an HTTP status, and headers if any."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"busy"


@dataclass(frozen=True)
class Cut:
    """Promises the whole answer, sends `share` of it and closes the connection."""

    share: float = 0.5


@dataclass(frozen=True)
class Body:
    """Answers with this body instead, as if all were well."""

    body: bytes


@dataclass(frozen=True)
class Hang:
    """Says nothing until the node is stopped."""


@dataclass(frozen=True)
class HangUp:
    """Closes the connection without a word."""


@dataclass(frozen=True)
class Chunked:
    """Sends the true answer in chunks of `size`, as proxies do."""

    size: int


@dataclass(frozen=True)
class Refusal:
    """What a method or a lie returns in order to answer with a JSON-RPC error."""

    code: int
    message: str
    data: Any = None


@dataclass(frozen=True)
class Endless:
    """Sends `first` and then `again` without end, every few milliseconds."""

    first: bytes
    again: bytes


Fault = Status | Cut | Body | Hang | HangUp | Chunked | Endless


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up in the middle of an answer is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FakeNode:
    """A context manager; `url` is where it listens meanwhile."""

    def __init__(self, upstream: str | None = None) -> None:
        self.upstream = upstream
        self.methods: dict[str, Callable[[list[Any]], Any]] = {}
        self.lies: dict[str, Callable[[list[Any], Any], Any]] = {}
        self.faults: deque[Fault] = deque()
        self.asked: list[tuple[str, list[Any]]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def requests(self) -> int:
        """How many requests it got, whatever became of them."""
        return len(self.paths)

    def answer(self, call: Any) -> dict[str, Any]:
        """The answer to one call of a request."""
        method, params = call["method"], call["params"]
        self.asked.append((method, params))
        if method in self.methods:
            result = self.methods[method](params)
        elif self.upstream is not None:
            result = self._pass_on(call)
        else:
            result = Refusal(-32601, "Method not found")
        if method in self.lies and not isinstance(result, Refusal):
            result = self.lies[method](params, result)
        answer = {"jsonrpc": "2.0", "id": call["id"]}
        if isinstance(result, Refusal):
            error = {"code": result.code, "message": result.message}
            if result.data is not None:
                error["data"] = result.data
            return answer | {"error": error}
        return answer | {"result": result}

    def reply_to_batch(self, request: list[Any]) -> Any:
        """The answer to a request of several calls."""
        return [self.answer(call) for call in request]

    def _pass_on(self, call: Any) -> Any:
        parts = urllib.parse.urlsplit(self.upstream or "")
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/", json.dumps(call).encode(), headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            error = answer["error"]
            return Refusal(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                node.connections += 1

            def log_message(self, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                node.paths.append(self.path)
                node.headers.append(dict(self.headers))
                fault = node.faults.popleft() if node.faults else None
                if isinstance(fault, Status):
                    self.reply(fault.body, fault.status, fault.headers)
                elif isinstance(fault, Hang):
                    node._stopped.wait()
                    self.close_connection = True
                elif isinstance(fault, HangUp):
                    self.close_connection = True
                elif isinstance(fault, Body):
                    self.reply(fault.body)
                elif isinstance(fault, Endless):
                    self.wfile.write(fault.first)
                    while not node._stopped.wait(0.005):
                        self.wfile.write(fault.again)
                else:
                    self.tell(request, fault)

            def tell(self, request: Any, fault: Cut | Chunked | None) -> None:
                if isinstance(request, list):
                    said: Any = node.reply_to_batch(request)
                else:
                    said = node.answer(request)
                body = json.dumps(said).encode()
                if isinstance(fault, Cut):
                    self.head(200, {"Content-Length": str(len(body))})
                    self.wfile.write(body[: int(len(body) * fault.share)])
                    self.close_connection = True
                elif isinstance(fault, Chunked):
                    self.head(200, {"Transfer-Encoding": "chunked"})
                    for start in range(0, len(body), fault.size):
                        piece = body[start : start + fault.size]
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")
                else:
                    self.reply(body)

            def reply(
                self, body: bytes, status: int = 200, headers: dict[str, str] | None = None
            ) -> None:
                self.head(status, {"Content-Length": str(len(body)), **(headers or {})})
                self.wfile.write(body)

            def head(self, status: int, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

        return Handler
