"""Hears of new blocks from a node over a WebSocket, so that nobody has to keep asking for them.

A message is a hint to look and no more: nothing that it says is used. Where the connection is lost
the one who waits is told so by not being woken, and looks as often as without it; meanwhile the
subscription is tried again, ever more seldom. It follows no redirect and no proxy setting.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.exceptions import InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from ledger.errors import NodeAnswerUnreadable, NodeProblem, NodeRefused, NodeUnreachable

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_OPEN_SECONDS = 5.0
_PING_SECONDS = 10.0
_LOOK_ANYWAY = 1.0
"""How long one waits at most for a push: a connection may be dead without anybody knowing."""

_MESSAGE_SECONDS = 0.002
_LOOKS_AT_ONCE = 20
_LOOKS_EVERY = 0.05
"""A node that pushes without end costs one look in 50 ms, and next to nothing to hear."""

_MOST_BYTES = 1 << 20
_MOST_OF_A_REPLY = 4096
"""Of the reply to a subscription. What reads it goes as deep as it does, on a thread's stack."""

_METHOD = "eth_subscribe"


class HeadSubscription:
    """Pushed heads of one node, in a thread that ends with the context, or with the process.

    `on_change` is called with None when pushes begin, and with what ended them.
    """

    def __init__(
        self, url: str, *, on_change: Callable[[NodeProblem | None], None] = lambda _: None
    ) -> None:
        parts = urlsplit(url)
        self.shown_url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._looks = _Allowance(_LOOKS_AT_ONCE, _LOOKS_EVERY)
        self._url = url
        self._on_change = on_change
        self._pushed = threading.Event()
        self._ended = threading.Event()
        self._is_live = False
        self._connection: ClientConnection | None = None
        self._thread = threading.Thread(target=self._run, name="new heads", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        connection = self._connection
        if connection is not None:
            connection.close_socket()
        self._thread.join(_OPEN_SECONDS)

    @property
    def is_live(self) -> bool:
        """Whether new blocks are pushed at present."""
        return self._is_live

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Return at the next push or after `seconds`, a second where pushes come; or at `stop`.

        Also when pushes begin or end: what came before them was not pushed.
        """
        was_live = self._is_live
        left = max(seconds, _LOOK_ANYWAY) if was_live else seconds
        while left > 0 and self._is_live == was_live and not stop.is_set():
            piece = min(left, 0.1)
            if not was_live:
                stop.wait(piece)
            elif self._pushed.wait(piece):
                stop.wait(self._looks.take())
                break
            left -= piece
        self._pushed.clear()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        told = False
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                self._listen()
            except NodeProblem as problem:
                was_live, self._is_live = self._is_live, False
                self._pushed.set()
                if self._ended.is_set():
                    return
                if was_live:
                    told = False
                if time.monotonic() - began > _LONGEST_PAUSE:  # else it may be cut at once again
                    pause = _FIRST_PAUSE
                if not told:
                    told = True
                    self._on_change(problem)
            # Not all mirrors of a node come back to it at the same moment.
            _pause(self._ended, pause * (1 - 0.25 * random.random()))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _listen(self) -> None:
        """Subscribe and hear until it ends. Raises NodeProblem, always."""
        try:
            with connect(
                self._url,
                open_timeout=_OPEN_SECONDS,
                close_timeout=1.0,
                ping_interval=_PING_SECONDS,
                ping_timeout=_PING_SECONDS,
                max_size=_MOST_BYTES,
                compression=None,
                proxy=None,
            ) as connection:
                self._connection = connection
                self._subscribe(connection)
                self._is_live = True
                self._pushed.set()  # what came before the subscription
                self._on_change(None)
                for _ in connection:
                    self._pushed.set()
                    self._ended.wait(_MESSAGE_SECONDS)
        except InvalidURI as error:
            # Its words have the whole address, with what is secret in it.
            raise NodeUnreachable(url=self.shown_url, problem=error.msg) from None
        except (OSError, WebSocketException, ValueError) as error:
            problem = str(error) or type(error).__name__
            raise NodeUnreachable(url=self.shown_url, problem=problem) from error
        finally:
            self._connection = None
        raise NodeUnreachable(url=self.shown_url, problem="it closed the subscription")

    def _subscribe(self, connection: ClientConnection) -> None:
        request = {"jsonrpc": "2.0", "id": 1, "method": _METHOD, "params": ["newHeads"]}
        connection.send(json.dumps(request))
        try:
            reply = connection.recv(_OPEN_SECONDS)
            if len(reply) > _MOST_OF_A_REPLY:
                raise self._unreadable("it is far too long")
            answer: Any = json.loads(reply)
        except (ValueError, TimeoutError, RecursionError) as error:
            raise self._unreadable(str(error)) from error
        if not isinstance(answer, dict):
            raise self._unreadable("no object")
        if isinstance(answer.get("error"), dict):
            refusal = answer["error"]
            raise NodeRefused(
                url=self.shown_url,
                method=_METHOD,
                message=str(refusal.get("message", ""))[:1000],
                node_code=refusal.get("code", 0),
                data=None,
            )
        if "result" not in answer:
            raise self._unreadable("no subscription")

    def _unreadable(self, problem: str) -> NodeAnswerUnreadable:
        return NodeAnswerUnreadable(url=self.shown_url, method=_METHOD, problem=problem)


def _pause(ended: threading.Event, seconds: float) -> None:
    ended.wait(seconds)


class _Allowance:
    """So many at once, and then one in `every` seconds."""

    def __init__(self, at_once: int, every: float) -> None:
        self._ahead = (at_once - 1) * every
        self._every = every
        self._next = 0.0

    def take(self) -> float:
        """Take one; for how many seconds to wait before it is used."""
        now = time.monotonic()
        wait = max(0.0, self._next - now - self._ahead)
        self._next = max(now, self._next) + self._every
        return wait
