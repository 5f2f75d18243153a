"""Nodes that let pages of every site ask them: the devnet's own lets none (`--no-cors`)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

JSON = {"Content-Type": "application/json"}
POISON = {"jsonrpc": "2.0", "id": 1, "result": "<script>alert('moon')</script>" * 100}


@contextmanager
def nodes_behind_an_open_door(*urls: str) -> Iterator[str]:
    """The address of a server that hands `/0`, `/1` … on to nodes; others answer as none would.

    `/page` is a page, `/poison` gives markup for every value, `/silent` answers at the end.
    """
    ended = threading.Event()

    class Door(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self._answer(b"", {"Access-Control-Allow-Headers": "Content-Type"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/silent":
                ended.wait()
            elif self.path == "/page":
                self._answer(b"<h1>Moon</h1>")
            elif self.path == "/poison":
                self._answer(json.dumps(POISON).encode())
            else:
                assert "Cookie" not in self.headers
                assert "Referer" not in self.headers
                self._answer(
                    httpx.post(urls[int(self.path[1:])], content=body, headers=JSON).content
                )

        def _answer(self, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            ended.set()
            server.shutdown()
            thread.join()
