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
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ledger.disks import folder_unusable
from ledger.store.engine import POSTGRESQL, database_unusable, sqlite_file

_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that belongs to a database: how its file ends on SQLite, its number on PostgreSQL."""

    ending: str
    number: int


_LEASE = Lock(".mirror-lock", 0x4D4D4952)  # "MMIR"

BUILDING = Lock(".rebuild-lock", 0x4D524542)  # "MREB"
"""Held by whoever builds new tables; a mirror may follow meanwhile."""


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
    with holding(engine, _LEASE, stop, on_wait):
        yield


@contextmanager
def holding(
    engine: Engine, lock: Lock, stop: threading.Event, on_wait: Callable[[], None]
) -> Iterator[None]:
    """Hold a lock, after waiting for it. Raises Stopped where `stop` is set while it waits."""
    with ExitStack() as held:
        try_lock = take_lock(engine, held, lock)
        if not try_lock():
            on_wait()
            while not try_lock():
                if stop.wait(_LOOK_SECONDS):
                    raise Stopped
        yield


def take_lock(engine: Engine, held: ExitStack, lock: Lock) -> Callable[[], bool]:
    """What tries to take a lock, and says whether it is ours now; it is until `held` closes.

    Raises DatabaseUnusable, FolderUnusable and DiskFull.
    """
    if engine.dialect.name == POSTGRESQL:
        return _try_advisory_lock(engine, held, lock)
    return _try_file_lock(lock_file(engine, lock), held)


def lock_file(engine: Engine, lock: Lock) -> Path:
    """Where a lock of a SQLite database is."""
    database = sqlite_file(engine)
    return database.with_name(database.name + lock.ending)


def _try_file_lock(path: Path, held: ExitStack) -> Callable[[], bool]:
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


def _try_advisory_lock(engine: Engine, held: ExitStack, lock: Lock) -> Callable[[], bool]:
    connection = _own_connection(engine, held)
    # A rebuild stands in a schema of its own, and so has a lease of its own.
    statement = text("SELECT pg_try_advisory_lock(:lock, hashtext(current_schema()))")

    def try_lock() -> bool:
        try:
            return bool(connection.execute(statement, {"lock": lock.number}).scalar_one())
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
