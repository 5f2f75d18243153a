"""What the server takes from the wire beyond the letter of HTTP: an address typed as it is read.

`curl 'http://…/v1/organisations?q=银河'` sends the name's bytes as they are, where RFC 9112 wants
them escaped. Most servers take them; a parser that refuses them greets a newcomer with "Invalid
HTTP request". Only the first line of a message is touched, and only between two messages, so that
the bounds of a message stay those that its sender and any proxy saw.
"""

from __future__ import annotations

import re

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_REQUEST_LINE = re.compile(rb"(?:GET|HEAD) [^\x00-\x20\x7f]+ HTTP/1\.[01]\r\n")
_HIGH = re.compile(rb"[\x80-\xff]")


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1 that escapes the high bytes of a request's address."""

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        is_between = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        super().data_received(escape_request_line(data) if is_between else data)


def escape_request_line(data: bytes) -> bytes:
    """The data with high bytes of the request line, if it begins with one, as %XX."""
    line = _REQUEST_LINE.match(data)
    if line is None or line.group().isascii():
        return data
    escaped = _HIGH.sub(lambda found: b"%%%02X" % found.group()[0], line.group())
    return escaped + data[line.end() :]
