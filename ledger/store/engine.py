"""Opens databases: SQLite beside the data, or PostgreSQL, with the same promises on both.

A read sees one moment of the database however many statements it takes, a write begins by taking
the right to write, and what was committed survives a crash. It refuses databases of other kinds
and SQLite in memory, where each connection would see a database of its own.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.disks import folder_unusable
from ledger.errors import (
    DatabaseDamaged,
    DatabaseUnusable,
    DiskFull,
    FolderUnusable,
    InvalidSetting,
)

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

BUSY_SECONDS = 10.0
"""How long a statement waits for another process that writes to the same SQLite file."""

_CONNECT_SECONDS = 5
_IDLE_SECONDS = 30
_LOG_KEPT_BYTES = 64 * 1024 * 1024  # what a large import leaves of the write-ahead log
_CACHE_KILOBYTES = 32_000
"""Kept of a database that a mirror writes. Entries come in no order of organisations, so that each
batch touches most pages of their index: 2 MB, the usual, cost 0.8 of 9 seconds."""
_BEGIN = "moonlake_begin"
_FILE = "moonlake_file"
_CARELESS = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384")
_POSTGRESQL_DISK_FULL = "53100"  # PostgreSQL, appendix A
_SQLITE_REMEDY = (
    "See that the file and its folder can be read and written and that their disk has room, then "
    "run the same command again."
)


def open_engine(
    url: str, *, durable: bool = True, crash_safe: bool = True, search_path: str = ""
) -> Engine:
    """An engine on the database of a SQLAlchemy URL; it connects when it is first used.

    `durable` keeps every commit through a loss of power. The mirror does without: its rows can be
    taken from the chain again, and the database stays whole either way (SQLite's `synchronous`
    NORMAL, PostgreSQL's `synchronous_commit` off). `search_path` is a schema of PostgreSQL to stand
    in instead of the usual one. Without `crash_safe` a file of SQLite is lost with the process that
    writes it, and a transaction of it cannot be undone.

    Raises InvalidSetting for a URL that is none or of another kind of database, FolderUnusable
    where SQLite's file cannot be written.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == SQLITE:
        return _open_sqlite(parsed, durable=durable, crash_safe=crash_safe)
    return _open_postgresql(parsed, durable=durable, search_path=search_path)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database and changes nothing."""
    with _connected(engine) as connection:
        if engine.dialect.name == POSTGRESQL:
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with _known_told(engine), connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that may write; committed at the end, undone by an error.

    On SQLite it takes the right to write at once (BEGIN IMMEDIATE): a transaction that reads first
    and writes later would be refused where another one wrote in between.
    """
    with _connected(engine) as connection:
        connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        with _known_told(engine), connection.begin():
            yield connection


@contextmanager
def writing_beside(engine: Engine, path: Path, name: str) -> Iterator[Connection]:
    """A transaction on SQLite with another file attached as `name`.

    The first statement must be one that writes. An immediate begin would take the other file too,
    which may still be filled.
    """
    with _connected(engine) as connection:
        driver: Any = connection.connection.driver_connection
        try:
            # A database cannot be attached within a transaction.
            driver.execute(f"ATTACH DATABASE ? AS {name}", (str(path),))
            # Debian's SQLite writes zeros over what is deleted; the mirror's rows are public, and
            # to drop its longest table took ten times as long.
            driver.execute("PRAGMA main.secure_delete = OFF")
            with _known_told(engine), connection.begin():
                yield connection
        finally:
            # The connection has a database attached: nobody else should get it.
            connection.invalidate()


def sqlite_file(engine: Engine) -> Path:
    """The file of a SQLite engine."""
    return Path(engine.url.database or "").absolute()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
    with connection:
        yield connection


@contextmanager
def _known_told(engine: Engine) -> Iterator[None]:
    """Tell damage, a full disk and a lost server by our errors; what else a driver says, the caller
    judges."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or _is_damage(error) or _is_full(engine, error):
            raise database_unusable(engine, error) from error
        raise


def database_unusable(
    engine: Engine, error: DBAPIError
) -> DatabaseUnusable | DatabaseDamaged | DiskFull:
    """What a driver's error means to a person: the database, without its password, and why."""
    # Further lines are a driver's own advice, which knows nothing of ours.
    problem = (str(error.orig).partition("\n")[0].strip() or type(error.orig).__name__).rstrip(".")
    if _is_damage(error):
        path = sqlite_file(engine)
        return DatabaseDamaged(path=path, name=path.name, problem=problem)
    url = engine.url.render_as_string(hide_password=True)
    if _is_full(engine, error):
        return DiskFull(what=f"the database {url}")
    if engine.dialect.name == SQLITE:
        return DatabaseUnusable(url=url, problem=problem, remedy=_SQLITE_REMEDY)
    return DatabaseUnusable(url=url, problem=problem)


def _is_damage(error: DBAPIError) -> bool:
    return _sqlite_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_full(engine: Engine, error: DBAPIError) -> bool:
    code = _sqlite_code(error)
    if code == sqlite3.SQLITE_IOERR:  # of a full disk too, where the index of the log has to grow
        return shutil.disk_usage(sqlite_file(engine).parent).free == 0
    return (
        code == sqlite3.SQLITE_FULL
        or getattr(error.orig, "sqlstate", None) == _POSTGRESQL_DISK_FULL
    )


def _sqlite_code(error: DBAPIError) -> int | None:
    # SQLite's extended codes keep the plain one in the low byte.
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else None


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise _unusable_url("it is not a SQLAlchemy URL") from error
    if backend in {POSTGRESQL, "postgres"}:
        return parsed.set(drivername=f"{POSTGRESQL}+psycopg")
    if backend != SQLITE:
        raise _unusable_url(f"it is of {backend}; Moonlake keeps to sqlite and postgresql")
    if parsed.database in {None, "", ":memory:"}:
        raise _unusable_url("SQLite in memory is not shared; name a file")
    return parsed.set(drivername=SQLITE)


def _unusable_url(problem: str) -> InvalidSetting:
    return InvalidSetting(setting="MOONLAKE_DATABASE_URL", problem=problem)


def _open_postgresql(url: URL, *, durable: bool, search_path: str) -> Engine:
    options = ["-c timezone=UTC"]
    if not durable:
        options.append("-c synchronous_commit=off")
        # A mirror that is paused in a transaction would hold the lease's row for ever.
        options.append(f"-c idle_in_transaction_session_timeout={_IDLE_SECONDS}s")
    if search_path:
        options.append(f"-c search_path={search_path}")
    arguments = {"connect_timeout": _CONNECT_SECONDS, "options": " ".join(options)}
    # An error that is logged would have the values of its statement in it, a name or a hash.
    return create_engine(url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)


def _open_sqlite(url: URL, *, durable: bool, crash_safe: bool) -> Engine:
    path = Path(url.database or "").absolute()
    _check_folder(path)
    engine = create_engine(
        url.set(database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
    )
    synchronous = "FULL" if durable else "NORMAL"
    if crash_safe:
        _keep_to_the_file(engine, path)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions by itself, and not before a SELECT.
        connection.isolation_level = None
        if not crash_safe:
            for setting in _CARELESS:
                connection.execute(f"PRAGMA {setting}")
            return
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT_BYTES}")
        if not durable:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except DBAPIError as error:
        engine.dispose()
        raise database_unusable(engine, error) from error
    return engine


def _keep_to_the_file(engine: Engine, path: Path) -> None:
    """Let no connection go on with a file that is no longer the one at its path.

    A file that was moved away, deleted or replaced by a backup goes on being written to by whoever
    had it open, seen by nobody else and lost at the end. Nor is a new one begun in its place.
    """
    was_there = False

    @event.listens_for(engine, "do_connect")
    def _refuse_where_it_is_gone(*_: object) -> None:
        if was_there and not path.exists():
            raise sqlite3.OperationalError(f"there is no file {path.name} any more")

    @event.listens_for(engine, "checkout")
    def _compare(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        nonlocal was_there
        now = file_identity(path)
        if record.info.setdefault(_FILE, now) != now:
            raise DisconnectionError("another file is at its path")
        was_there = True


def file_identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at a path from another that was put in its place; None for no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _check_folder(path: Path) -> None:
    """Make the file's folder where it is missing. Raises FolderUnusable."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_unusable(folder, error) from error
    # SQLite writes its log beside the file, so that even a reader needs the folder.
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderUnusable(path=str(folder), problem="it is not writable")
    if path.exists() and not os.access(path, os.W_OK):
        raise FolderUnusable(path=str(folder), problem=f"{path.name} in it is not writable")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log, so that readers and the writer do not wait for each other.

    The file remembers it. While another process makes the same change SQLite says "locked" at
    once, whatever the connection's timeout.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
