"""The driver's own connections, for statements that are asked thousands of times a second.

SQLAlchemy needs a tenth of a millisecond for a statement before the database sees it, which is
more than the database then needs. What is read here are single statements: nothing is in a
transaction, and nothing is written.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ledger.store.engine import POSTGRESQL, file_identity, sqlite_file

Row = tuple[Any, ...]

_CACHE_KILOBYTES = 64_000
"""Of SQLite's pages: rows of an organisation lie all over their table, and to fetch a page again
takes as long as to read what is on it."""

_LOOK_SECONDS = 0.1
"""How long the file at a path is taken for the one that was there."""

PAUSE_SECONDS = 1.0
"""After a failure nothing is tried for so long: a database that is gone delays nobody twice."""


class NotDirect(Exception):
    """It is not answered in this way: the ordinary one has to, which also tells what is wrong."""


class DirectConnections:
    """Connections to one database, as many as are used at once."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_remote = engine.dialect.name == POSTGRESQL
        self._path = None if self._is_remote else sqlite_file(engine)
        # Its own places: whoever asks here does not wait until a route gives one back.
        self._pool = engine.pool.recreate()
        self._lock = threading.Lock()
        self._idle: list[tuple[Any, object]] = []
        self._not_before = 0.0
        self._is_closed = False
        self._look_again = 0.0
        self._file: object = None

    def read(self, statement: str, values: Mapping[str, Any]) -> list[Row]:
        """The statement's rows. Raises NotDirect."""
        driver: Any = None
        try:
            identity = self._identity()
            driver = self._idle_one(identity)
            if driver is None:
                driver = self._connect()
            rows = self._execute(driver, statement, values)
        except NotDirect:
            raise
        except Exception as error:  # whatever drivers raise: the ordinary way finds out what it is
            self._not_before = self._clock() + PAUSE_SECONDS
            if driver is not None:
                driver.close()
            raise NotDirect from error
        with self._lock:
            if not self._is_closed:
                self._idle.append((driver, identity))
                return rows
        driver.close()
        return rows

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop()[0].close()

    def _idle_one(self, identity: object) -> Any:
        """An idle connection to the file that is there now; None where there is none."""
        with self._lock:
            while self._idle:
                driver, of = self._idle.pop()
                if of == identity:
                    return driver
                driver.close()  # another file is at its path: a backup was put back
        return None

    def _identity(self) -> object:
        """Which file is at SQLite's path."""
        now = self._clock()
        if self._path is not None and now >= self._look_again:
            self._look_again, self._file = now + _LOOK_SECONDS, file_identity(self._path)
        return self._file

    def _connect(self) -> Any:
        if self._clock() < self._not_before:
            raise NotDirect
        return _to_file(self._path) if self._path is not None else self._to_server()

    def _to_server(self) -> Any:
        raw = self._pool.connect()
        driver: Any = raw.driver_connection
        raw.detach()  # from the pool: it is this object's own
        try:
            driver.autocommit = True
            # The statements are few and their plans do not depend on whom they are asked for, while
            # to plan one takes as long as to answer it.
            driver.prepare_threshold = 0
            driver.execute("SET plan_cache_mode = force_generic_plan")
        except Exception:
            driver.close()
            raise
        return driver

    def _execute(self, driver: Any, statement: str, values: Mapping[str, Any]) -> list[Row]:
        if self._is_remote:
            found: list[Row] = driver.execute(statement, values, binary=True).fetchall()
        else:
            found = driver.execute(statement, values).fetchall()
        return found


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
