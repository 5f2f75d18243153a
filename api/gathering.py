"""Takes what requests ask of the database to one thread, all that have come in meanwhile at once.

Each request for itself would wait for a thread and for a database that is a way off; of eight at a
time, seven wait while one is answered. What is read begins after all its requests came in, so that
each is answered as if it had been alone. Where the thread is held up (by a table that somebody
locked, a server that went without a word) nobody waits for it longer than PATIENCE.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

MOST_AT_ONCE = 64
PATIENCE = 2.0
"""Seconds that a question waits for its answer."""

_Question = TypeVar("_Question")
_Told = TypeVar("_Told")
_Waiting = tuple[_Question, "asyncio.Future[_Told]", asyncio.AbstractEventLoop]


class NotSoon(Exception):
    """The thread is held up, or has ended."""


class Gathering(Generic[_Question, _Told]):
    """Answers questions in a thread. `answer` is given different ones, each of which it answers."""

    def __init__(
        self,
        answer: Callable[[Sequence[_Question]], Mapping[_Question, _Told]],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._answer = answer
        self._patience = patience
        self._waiting: SimpleQueue[_Waiting[_Question, _Told] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._began: float | None = None

    async def ask(self, question: _Question) -> _Told:
        """The answer. Raises what `answer` raised, and NotSoon."""
        began = self._began
        if began is not None and time.monotonic() - began > self._patience:
            raise NotSoon
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Told] = loop.create_future()
        with self._lock:
            if self._is_closed:
                raise NotSoon
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gathering", daemon=True)
                self._thread.start()
            self._waiting.put((question, future, loop))
        late = loop.call_later(self._patience, _give_up, future)
        try:
            return await future
        finally:
            late.cancel()

    def close(self) -> None:
        """End the thread, once what was asked is answered; one that is held up is left behind."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._is_closed = True
        if thread is not None:
            self._waiting.put(None)
            thread.join(self._patience)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            is_last = False
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    is_last = True
                    break
                batch.append(following)
            self._began = time.monotonic()
            self._tell([each for each in batch if not each[1].done()])
            self._began = None
            if is_last:
                return

    def _tell(self, batch: Sequence[_Waiting[_Question, _Told]]) -> None:
        if not batch:
            return  # all who asked have gone
        told: Mapping[_Question, _Told] | Exception
        try:
            told = self._answer(list(dict.fromkeys(question for question, _, _ in batch)))
        except Exception as error:  # noqa: BLE001  told to each who asked
            told = error
        by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting[_Question, _Told]]] = {}
        for each in batch:
            by_loop.setdefault(each[2], []).append(each)
        for loop, asked in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop was closed, and nobody waits there
                loop.call_soon_threadsafe(_resolve, asked, told)


def _give_up(future: asyncio.Future[_Told]) -> None:
    if not future.done():
        future.set_exception(NotSoon())


def _resolve(
    asked: Sequence[_Waiting[_Question, _Told]], told: Mapping[_Question, _Told] | Exception
) -> None:
    for question, future, _ in asked:
        if future.done():
            continue  # who asked has gone
        if isinstance(told, Exception):
            future.set_exception(told)
        else:
            future.set_result(told[question])
