"""A database asked by the driver itself, for what is asked thousands of times a second.

SQLAlchemy needs a tenth of a millisecond for a statement before the database sees it, which is
several times what the database needs to answer one that finds a few rows by an index.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

Row = tuple[Any, ...]

PAUSE_SECONDS = 1.0
"""After a failure nothing is tried for so long: a database that is gone delays nobody twice."""


class NotDirect(Exception):
    """It is not answered in this way: the ordinary one has to, which also tells what is wrong."""


class DirectConnections(ABC):
    """The connections to one database of one event loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._not_before = 0.0

    async def read(self, statement: str, *values: str | int) -> list[Row]:
        """The rows of a statement, whose values are named by their places. Raises NotDirect."""
        if self._clock() < self._not_before:
            raise NotDirect
        try:
            return await self._read(statement, values)
        except Exception as error:  # whatever drivers raise: the ordinary way finds out what it is
            self._not_before = self._clock() + PAUSE_SECONDS
            raise NotDirect from error

    @abstractmethod
    async def _read(self, statement: str, values: Sequence[str | int]) -> list[Row]: ...

    @abstractmethod
    def close(self) -> None:
        """Close the connections; nothing is asked afterwards."""
