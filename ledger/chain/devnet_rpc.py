"""The devnet's own line to anvil: anvil's private methods, in answers of any size.

`ledger.chain.rpc` asks nodes that nobody trusts and bounds what they may answer. Here we ask the
program that we started ourselves, for a dump of its whole state among other things, so there is
no bound; and nothing but the standard library and msgspec, so that a start costs no imports.
"""

from __future__ import annotations

import http.client
import urllib.parse
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgspec

from ledger.errors import NodeRefused, NodeUnreachable


@dataclass(frozen=True, slots=True)
class Head:
    """A block's place: number, hash, and time in seconds."""

    number: int
    block_hash: bytes
    timestamp: int


class _Refusal(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Answer(msgspec.Struct):
    result: Any = None
    error: _Refusal | None = None


class DevnetRpc:
    """One kept-open connection to anvil, for one thread."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self.url = url
        parts = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port, timeout=timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of a method. Raises NodeUnreachable, or NodeRefused with anvil's words."""
        request = msgspec.json.encode(
            {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        )
        try:
            answer = msgspec.json.decode(self._post(request), type=_Answer)
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            self._connection.close()  # opened anew by the next request
            problem = str(error) or type(error).__name__
            raise NodeUnreachable(url=self.url, problem=problem) from error
        if answer.error is not None:
            raise NodeRefused(
                url=self.url,
                method=method,
                message=answer.error.message,
                node_code=answer.error.code,
            )
        return answer.result

    def _post(self, body: bytes) -> bytes:
        was_open = self._connection.sock is not None
        try:
            return self._post_once(body)
        except ConnectionError:
            if not was_open:
                raise
        # A kept-open connection outlives the anvil at its other end: it may run again by now.
        self._connection.close()
        return self._post_once(body)

    def _post_once(self, body: bytes) -> bytes:
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        return self._connection.getresponse().read()

    def head(self) -> Head:
        """The latest block."""
        return self.block("latest")

    def block(self, number: int | str) -> Head:
        """A block that is there, by number or tag."""
        named = hex(number) if isinstance(number, int) else number
        block = self.call("eth_getBlockByNumber", named, False)
        if block is None:
            raise NodeUnreachable(url=self.url, problem=f"it has no block {number}")
        return Head(
            number=int(block["number"], 16),
            block_hash=bytes.fromhex(block["hash"][2:]),
            timestamp=int(block["timestamp"], 16),
        )
