"""Posts a message to an address that was let through, within bounds of time and size.

The connection goes to the very address that was judged; the certificate is checked against the
name. A redirect is an answer like any other, and is not followed. A receiver that answers a byte a
second, or without end, takes no longer than `SECONDS` and no more than `MOST_BYTES`. Settings of
the environment (proxies) are not read: a proxy would resolve the name again.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpcore

from ledger.errors import AddressRefused
from ledger.office.webhooks.addresses import Gate, Target

SECONDS = 15.0
"""What one attempt may take in all; the standard advises 15 to 30 seconds."""

MOST_BYTES = 64 * 1024
"""What is read of an answer; nothing in it is used but the status and Retry-After."""

_MOST_RECEIVED = 16 * MOST_BYTES
"""What comes in at all, headers and interim answers (1xx) included, of which there is no end."""

_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: a status, or none and the problem in words.

    `retry_after` is in seconds, 0 where the receiver asked for none.
    """

    status: int | None
    problem: str
    took_ms: int
    retry_after: int = 0

    @property
    def is_delivered(self) -> bool:
        """Any 2xx; a redirect is not."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more messages (410, as the standard has it)."""
        return self.status == HTTPStatus.GONE


def post(
    gate: Gate,
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
    *,
    seconds: float = SECONDS,
    context: ssl.SSLContext | None = None,
) -> Outcome:
    """Post the body; never raises for what the receiver or the network does."""
    began = time.monotonic()
    status, problem, retry_after = None, "", 0
    try:
        status, retry_after = _exchange(
            _Backend(gate, target, began + seconds), target, headers, body, context
        )
    except AddressRefused as error:
        problem = str(error)
    except TimeoutError:
        problem = f"it took more than {seconds:g} seconds"
    except (OSError, httpcore.NetworkError, httpcore.ProtocolError) as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    if status is not None and not HTTPStatus(200) <= status < HTTPStatus(300):
        problem = f"it answered {status}"
        if HTTPStatus(300) <= status < HTTPStatus(400):
            problem += "; redirects are not followed"
    return Outcome(status, problem, int((time.monotonic() - began) * 1000), retry_after)


def _exchange(
    backend: _Backend,
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
    context: ssl.SSLContext | None,
) -> tuple[int, int]:
    """The answer's status, and the seconds of its Retry-After."""
    url = httpcore.URL(
        scheme=target.scheme.encode(),
        host=target.host.encode(),
        port=target.port,
        target=target.path.encode(),
    )
    sent = {
        "Host": target.authority,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept": "*/*",
        "Connection": "close",
        **headers,
    }
    with (
        httpcore.ConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            network_backend=backend,
            max_keepalive_connections=0,
        ) as pool,
        pool.stream("POST", url, headers=list(sent.items()), content=body) as answer,
    ):
        read = 0
        for chunk in answer.iter_stream():
            read += len(chunk)
            if read > MOST_BYTES:
                break  # what is told by then is told; leaving closes the connection
        return answer.status, _retry_after(answer.headers)


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> int:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 7:
            return int(value)
    return 0


class _Backend(httpcore.NetworkBackend):
    """Connects to what the gate lets through, and to nothing else."""

    def __init__(self, gate: Gate, target: Target, deadline: float) -> None:
        self._gate = gate
        self._target = target
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline is for all of it
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        problem: OSError | None = None
        for address in self._gate.addresses_of(self._target):
            seconds = min(_CONNECT_SECONDS, _left(self._deadline))
            try:
                connected = socket.create_connection((address, port), seconds)
            except OSError as error:
                problem = error
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Stream(connected, self._deadline)
        raise problem or OSError(f"{host} has no address")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        raise OSError(f"{path} is no address of a webhook")


class _Stream(httpcore.NetworkStream):
    """A connection that ends at a moment, however slowly the other side goes on."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline
        self._received = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._socket.settimeout(_left(self._deadline))
        content = self._socket.recv(max_bytes)
        self._received += len(content)
        if self._received > _MOST_RECEIVED:
            raise OSError(f"it sent more than {_MOST_RECEIVED} bytes and no answer")
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        rest = memoryview(buffer)
        while rest:
            self._socket.settimeout(_left(self._deadline))
            rest = rest[self._socket.send(rest) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(_left(self._deadline))
        try:
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except OSError:
            self.close()
            raise
        return _Stream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == "socket" else None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
