"""What the server takes from the wire: HTTP/1.1 by httptools, with what a ledger's server wants.

`curl 'http://…/v1/organisations?q=银河'` sends the name's bytes as they are, where RFC 9112 wants
them escaped. Most servers take them; a parser that refuses them greets a newcomer with "Invalid
HTTP request". Only the first line of a message is touched, and only between two messages, so that
the bounds of a message stay those that its sender and any proxy saw.

A head has a largest size, since uvicorn keeps all of it whatever comes, and what stands behind a
body (trailers) is no header: whoever checked the headers before us has not seen it.
"""

from __future__ import annotations

import asyncio
import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ledger.shared_counters import SharedCounters

MOST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers that are waited for."""

PATIENCE = 20.0
"""Seconds that a message may take to come in, and so many more as it has KiB; and that an answer
which nobody takes is kept for."""
LOOK_SECONDS = 5.0

_REQUEST_LINE = re.compile(rb"(?:GET|HEAD) [^\x00-\x20\x7f]+ HTTP/1\.[01]\r\n")
_HIGH = re.compile(rb"[\x80-\xff]")


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 that escapes the high bytes of a request's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._is_between = True
        self._is_head = False
        self._head = 0
        self._wait()
        self._unsent, self._unsent_since = 0, 0.0
        super().connection_made(transport)
        self._look_again = self.loop.call_later(LOOK_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._look_again.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        self._taken += len(data)
        super().data_received(escape_request_line(data) if self._is_between else data)
        self._head = self._head + len(data) if self._is_head else 0
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's headers are too long.")

    def _wait(self) -> None:
        """Begin to wait for a message, or for what is left of one."""
        self._waits, self._since, self._taken = True, self.loop.time(), 0

    def _look(self) -> None:
        """Give up who neither sends nor takes: a thousand of such would be all that we can have.

        Once in a while and not with each piece, which would cost every request.
        """
        now = self.loop.time()
        if self.flow.read_paused:
            self._wait()  # it is we who do not take it
        if self._waits and now - self._since > PATIENCE + self._taken / 1024:
            self.transport.abort()
            return
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since > PATIENCE:
            self.transport.abort()
            return
        self._look_again = self.loop.call_later(LOOK_SECONDS, self._look)

    def _should_upgrade(self) -> bool:
        """No other protocol is spoken here; who asks for one is answered in this one."""
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: a line of the log for each would be for who wants to fill it."""

    def on_message_begin(self) -> None:
        """A message's first byte is there."""
        self._is_between, self._is_head = False, True
        self._wait()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is there, or a trailer, which is left out."""
        if self._is_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._is_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body has ended."""
        self._is_between = True
        self._waits = False
        super().on_message_complete()


def counted(counters: SharedCounters, place: int) -> type[Protocol]:
    """The protocol of the process with this place, which says how many connections it has."""

    class Counted(Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            counters.running[place] = 1 + len(self.connections)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            counters.running[place] = 1 + len(self.connections)

    return Counted


def escape_request_line(data: bytes) -> bytes:
    """The data with high bytes of the request line, if it begins with one, as %XX."""
    line = _REQUEST_LINE.match(data)
    if line is None or line.group().isascii():
        return data
    escaped = _HIGH.sub(lambda found: b"%%%02X" % found.group()[0], line.group())
    return escaped + data[line.end() :]
