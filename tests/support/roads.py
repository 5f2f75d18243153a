"""A way to a server on which what is sent may get lost, without a word to either end."""

from __future__ import annotations

import asyncio
from typing import Self


class Road:
    """Takes connections on a free port of loopback and passes them on to a server."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._lost: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._carriers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for end in self._open:
            end.close()
        await asyncio.gather(*self._carriers)

    def lose_all(self) -> None:
        """Lose from now on what comes from either end of the connections that there are."""
        self._lost |= self._open

    async def _take(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection(*self._to)
        self._open |= {to_near, to_far}
        for each in (self._carry(near, to_far), self._carry(far, to_near)):
            task = asyncio.ensure_future(each)
            self._carriers.add(task)

    async def _carry(self, here: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        try:
            while some := await here.read(65536):
                if there not in self._lost:
                    there.write(some)
                    await there.drain()
        except OSError:
            pass  # one end has gone, as a socket that is cut
        there.close()
