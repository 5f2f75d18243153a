"""A SQLite file asked directly: it is at hand, so that who asks is answered at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Engine

from ledger.store.direct import DirectConnections, Row
from ledger.store.engine import file_identity, sqlite_file

_CACHE_KILOBYTES = 64_000
"""Of SQLite's pages: rows of an organisation lie all over their table, and to fetch a page again
takes as long as to read what is on it."""

_LOOK_SECONDS = 0.1
"""How long the file at a path is taken for the one that was there."""


class FileConnections(DirectConnections):
    """One connection, to the file that is at the engine's path now."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        self._path = sqlite_file(engine)
        self._driver: sqlite3.Connection | None = None
        self._file: object = None
        self._look_again = 0.0

    async def _read(self, statement: str, values: Sequence[str | int]) -> list[Row]:
        try:
            return self._at_present().execute(statement, values).fetchall()
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def _at_present(self) -> sqlite3.Connection:
        now = self._clock()
        if now >= self._look_again:
            self._look_again, was = now + _LOOK_SECONDS, self._file
            self._file = file_identity(self._path)
            if was != self._file:
                self.close()  # another file is at its path: a backup was put back
        if self._driver is None:
            self._driver = _to_file(self._path)
        return self._driver


def _to_file(path: Path) -> sqlite3.Connection:
    """A connection that waits for nobody, since all who are served wait for its answer meanwhile,
    and that neither makes a file nor writes."""
    driver = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=0,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        driver.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
        driver.execute("PRAGMA query_only = ON")
    except sqlite3.Error:
        driver.close()
        raise
    return driver
