"""A PostgreSQL server asked directly, over connections that the event loop itself listens to.

A thread that waits for the server would take turns with the loop at the interpreter: for a question
of a tenth of a millisecond, that takes longer than to ask it and all that is done with its rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from psycopg import Connection, OperationalError
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine

from ledger.store.direct import DirectConnections, Row

_PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
}
"""The statements are few and their plans do not depend on whom they are asked for, while to plan
one takes as long as to answer it. Each finds a few rows of large tables by an index: guessing at
more, the planner would read a whole table for a hash. A plan is kept until its tables' statistics
are taken: made for tables that were almost empty, it read them whole when 200,000 entries had come
in, and a page took 660 ms in place of 6."""

ANSWER_SECONDS = 10.0
"""How long one statement is waited for. Longer than who asks waits, so that a database that is held
up is not asked again and again; but a connection whose answer was lost on the way, of which nobody
ever hears, must not be the last one that is used. The server gives up at the same time: what waits
for a lock there does not notice that nobody waits for it, and keeps its place."""


class ServerConnections(DirectConnections):
    """Connections to the engine's server, as many as are used at once."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        super().__init__(clock=clock)
        self._answer_seconds = answer_seconds
        # Its own places: whoever asks here does not wait until a route gives one back.
        self._pool = engine.pool.recreate()
        self._idle: list[_Line] = []
        self._is_closed = False

    async def _read(self, statement: str, values: Sequence[str | int]) -> list[Row]:
        line = self._idle_one() or await self._connect()
        rows = await self._ask(line, statement, values)
        if self._is_closed:
            line.close()
        else:
            self._idle.append(line)
        return rows

    def close(self) -> None:
        """Close the connections; one that is in use is closed after its answer."""
        self._is_closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _idle_one(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if not line.is_closed:
                return line
        return None

    async def _connect(self) -> _Line:
        line = _Line(await asyncio.to_thread(self._to_server), asyncio.get_running_loop())
        # Asked from here too: a thread would wait for ever for a server that went meanwhile.
        settings = {**_PLANS, "statement_timeout": round(self._answer_seconds * 1000)}
        set_all = ", ".join(f"set_config('{name}', '{to}', false)" for name, to in settings.items())
        await self._ask(line, f"SELECT {set_all}")
        return line

    async def _ask(
        self, line: _Line, statement: str, values: Sequence[str | int] = ()
    ) -> list[Row]:
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await line.read(statement, values)
        except BaseException as error:
            line.close()  # with what it was asked still under way it serves nobody else
            if isinstance(error, TimeoutError):
                self._close_idle()  # what one was lost by, the others may have been as well
            raise

    def _to_server(self) -> Connection[Any]:
        raw = self._pool.connect()
        driver: Connection[Any] = cast("Any", raw.driver_connection)
        raw.detach()  # from the pool: it is this object's own
        driver.autocommit = True
        return driver


class _Line:
    """A connection that is asked one statement at a time."""

    def __init__(self, driver: Connection[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.is_closed = False
        self._driver = driver
        self._loop = loop
        self._server = driver.pgconn
        self._server.nonblocking = 1
        self._socket = self._server.socket
        self._loader = Transformer(driver)
        self._names: dict[str, bytes] = {}
        self._awaited: asyncio.Future[PGresult | None] | None = None
        self._last: PGresult | None = None
        loop.add_reader(self._socket, self._receive)

    async def read(self, statement: str, values: Sequence[str | int]) -> list[Row]:
        """The statement's rows. Raises OperationalError."""
        name = self._names.get(statement)
        if name is None:
            name = f"direct_{len(self._names)}".encode()
            self._server.send_prepare(name, statement.encode())
            await self._end(ExecStatus.COMMAND_OK)
            self._names[statement] = name
        texts = [str(value).encode() for value in values]
        self._server.send_query_prepared(name, texts, result_format=Format.BINARY)
        result = await self._end(ExecStatus.TUPLES_OK)
        self._loader.set_pgresult(result)
        return self._loader.load_rows(0, result.ntuples, tuple)

    def close(self) -> None:
        """Close it."""
        if not self.is_closed:
            self.is_closed = True
            if not self._loop.is_closed():
                self._loop.remove_reader(self._socket)
                self._loop.remove_writer(self._socket)
            self._driver.close()

    async def _end(self, expected: ExecStatus) -> PGresult:
        """The result of what was sent, once the server has no more to say of it."""
        self._awaited = self._loop.create_future()
        if self._server.flush():
            self._loop.add_writer(self._socket, self._send)
        try:
            result = await self._awaited
        finally:
            self._awaited = None
        if result is None or result.status != expected:
            raise OperationalError("the server refused a statement")
        return result

    def _send(self) -> None:
        try:
            if not self._server.flush():
                self._loop.remove_writer(self._socket)
        except OperationalError as error:
            self._fail(error)

    def _receive(self) -> None:
        try:
            self._server.consume_input()
            while self._awaited is not None and not self._server.is_busy():
                result = self._server.get_result()
                if result is None:
                    self._tell()
                    return
                self._last = result
        except OperationalError as error:
            self._fail(error)

    def _tell(self) -> None:
        awaited, last = self._awaited, self._last
        self._awaited = self._last = None
        if awaited is not None and not awaited.done():
            awaited.set_result(last)

    def _fail(self, error: OperationalError) -> None:
        """The server has gone."""
        self.close()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(error)
