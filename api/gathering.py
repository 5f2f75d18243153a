"""Asks a database that is a way off for all requests at once that have come in meanwhile.

Each request for itself would wait for the database's answer to another; of eight at a time, seven
wait while one is answered. What is read begins after all its requests came in, so that each is
answered as if it had been alone. Where the database is held up (by a table that somebody locked, a
server that went without a word) nobody waits for it longer than PATIENCE.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

MOST_AT_ONCE = 64
PATIENCE = 2.0
"""Seconds that a question waits for its answer."""

_Question = TypeVar("_Question")
_Told = TypeVar("_Told")


class NotSoon(Exception):
    """The database is held up, or no more is asked."""


class Gathering(Generic[_Question, _Told]):
    """Asks the questions of one event loop. `answer` is given different ones, and answers each."""

    def __init__(
        self,
        answer: Callable[[Sequence[_Question]], Awaitable[Mapping[_Question, _Told]]],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._answer = answer
        self._patience = patience
        self._waiting: list[tuple[_Question, asyncio.Future[_Told]]] = []
        self._task: asyncio.Task[None] | None = None
        self._began: float | None = None
        self._is_closed = False

    async def ask(self, question: _Question) -> _Told:
        """The answer. Raises what `answer` raised, and NotSoon."""
        loop = asyncio.get_running_loop()
        began = self._began
        if self._is_closed or (began is not None and loop.time() - began > self._patience):
            raise NotSoon
        future: asyncio.Future[_Told] = loop.create_future()
        self._waiting.append((question, future))
        if self._task is None:
            self._task = loop.create_task(self._run())
        late = loop.call_later(self._patience, _give_up, future)
        try:
            return await future
        finally:
            late.cancel()

    def close(self) -> None:
        """Ask no more; whoever waits is told."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        batch: list[tuple[_Question, asyncio.Future[_Told]]] = []
        try:
            while self._waiting:
                batch = self._waiting[:MOST_AT_ONCE]
                del self._waiting[:MOST_AT_ONCE]
                batch = [each for each in batch if not each[1].done()]  # the others have gone
                if batch:
                    self._began = asyncio.get_running_loop().time()
                    await self._tell(batch)
        finally:
            self._began = self._task = None
            for _, future in (*batch, *self._waiting):
                _give_up(future)
            self._waiting.clear()

    async def _tell(self, batch: Sequence[tuple[_Question, asyncio.Future[_Told]]]) -> None:
        try:
            told = await self._answer(list(dict.fromkeys(question for question, _ in batch)))
        except Exception as error:  # noqa: BLE001  told to each who asked
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for question, future in batch:
            if not future.done():
                future.set_result(told[question])


def _give_up(future: asyncio.Future[_Told]) -> None:
    if not future.done():
        future.set_exception(NotSoon())
