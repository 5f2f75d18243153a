"""One mirror at a time writes a database: the others wait.

The lease ends with the process that holds it, however it ends: on SQLite it is a lock of a file
beside the database, on PostgreSQL a lock of a connection. It spares two mirrors each other's work
and no more; what keeps rows right where a lease was lost is that a commit names the cursor that it
was made for (`state.advance`).
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ledger.disks import folder_unusable
from ledger.store.engine import POSTGRESQL, database_unusable, sqlite_file

_LOOK_SECONDS = 0.2
_LOCK = 0x4D4D4952  # "MMIR"


class Stopped(Exception):
    """The process was asked to end."""


def interruptible_sleep(stop: threading.Event) -> Callable[[float], None]:
    """A `time.sleep` that ends with Stopped once `stop` is set."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    return sleep


@contextmanager
def lead(
    engine: Engine, stop: threading.Event, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the database's lease. `on_wait` is called once where another mirror holds it.

    Raises Stopped where `stop` is set while it waits.
    """
    with ExitStack() as held:
        try_lock = _try_lock(engine, held)
        if not try_lock():
            on_wait()
            while not try_lock():
                if stop.wait(_LOOK_SECONDS):
                    raise Stopped
        yield


def _try_lock(engine: Engine, held: ExitStack) -> Callable[[], bool]:
    if engine.dialect.name == POSTGRESQL:
        return _try_advisory_lock(engine, held)
    return _try_file_lock(sqlite_file(engine), held)


def _try_file_lock(database: Path, held: ExitStack) -> Callable[[], bool]:
    path = database.with_name(database.name + ".mirror-lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    held.callback(os.close, descriptor)

    def try_lock() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    return try_lock


def _try_advisory_lock(engine: Engine, held: ExitStack) -> Callable[[], bool]:
    connection = _own_connection(engine, held)
    # A rebuild stands in a schema of its own, and so has a lease of its own.
    statement = text("SELECT pg_try_advisory_lock(:lock, hashtext(current_schema()))")

    def try_lock() -> bool:
        try:
            return bool(connection.execute(statement, {"lock": _LOCK}).scalar_one())
        except DBAPIError as error:
            raise database_unusable(engine, error) from error

    return try_lock


def _own_connection(engine: Engine, held: ExitStack) -> Connection:
    """A connection outside transactions; closed for good at the end, since its locks go with it."""
    try:
        connection = held.enter_context(engine.connect())
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
    held.callback(connection.invalidate)
    connection.execution_options(isolation_level="AUTOCOMMIT")
    return connection
