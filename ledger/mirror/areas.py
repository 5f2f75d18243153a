"""Places beside a database where new tables of the mirror grow until they are put in.

On SQLite an area is a file of its own, on PostgreSQL a schema of its own. No reader looks into it,
whatever is there after a crash is thrown away, and what is in it takes its place in one
transaction of the database.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.exc import DBAPIError

from ledger.store.engine import (
    POSTGRESQL,
    database_unusable,
    open_engine,
    sqlite_file,
    writing,
    writing_beside,
)
from ledger.store.mirror_tables import entries, metadata

AREA = "moonlake_rebuild"
"""The schema that new tables grow in, and the name that SQLite attaches their file by."""


_USED_BY_OTHERS = """
SELECT EXISTS (
    SELECT FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(:names) AND (
        c.relacl IS NOT NULL
        OR EXISTS (
            SELECT FROM pg_depend AS d WHERE d.refclassid = 'pg_class'::regclass
            AND d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass
        )
    )
)
"""

_NEEDED_BY_HANDLERS = {"ix_entries_refers_to"}
DEFERRED = tuple(index for index in entries.indexes if index.name not in _NEEDED_BY_HANDLERS)
"""Indexes of the longest table that only readers need: made at the end, they take half the time."""


@contextlib.contextmanager
def fresh_area(
    engine: Engine, tables: Iterable[Table], *, crash_safe: bool = True
) -> Iterator[Engine]:
    """An area of a database with these tables, empty; removed at the end.

    Who opens it must be the only one. Without `crash_safe` it fills faster: a transaction of it
    cannot be undone on SQLite, and the indexes of DEFERRED are left to `complete_indexes`.
    """
    _remove(engine)
    if engine.dialect.name == POSTGRESQL:
        with writing(engine) as connection:
            connection.execute(text(f"CREATE SCHEMA {AREA}"))
        url = engine.url.render_as_string(hide_password=False)
        area = open_engine(url, durable=False, search_path=AREA)
    else:
        area = open_engine(f"sqlite:///{_area_file(engine)}", durable=False, crash_safe=crash_safe)
    try:
        metadata.create_all(area, tables=list(tables), checkfirst=False)
        if not crash_safe:
            with area.begin() as connection:
                for index in DEFERRED:
                    index.drop(connection)
        yield area
    finally:
        area.dispose()
        _remove(engine)


def complete_indexes(area: Engine) -> None:
    """Make the deferred indexes, where they are not there yet, and tell PostgreSQL's planner what
    is in the tables: it would look by itself only a minute after they are put in."""
    with area.begin() as connection:
        for index in DEFERRED:
            index.create(connection, checkfirst=True)
        if area.dialect.name == POSTGRESQL:
            connection.execute(text("ANALYZE entries, balances"))


def _remove(engine: Engine) -> None:
    """Remove what this or an earlier work left."""
    if engine.dialect.name == POSTGRESQL:
        with writing(engine) as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {AREA} CASCADE"))
        return
    for suffix in ("", "-wal", "-shm", "-journal"):
        path = _area_file(engine)
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def putting_in(engine: Engine) -> Iterator[Connection]:
    """A transaction of the database in which the area can be read as the schema AREA."""
    if engine.dialect.name == POSTGRESQL:
        with writing(engine) as connection:
            yield connection
    else:
        with writing_beside(engine, _area_file(engine), AREA) as connection:
            yield connection


def is_used_by_others(connection: Connection, tables: Iterable[Table]) -> bool:
    """Whether somebody made views of tables on PostgreSQL, or lets other roles read them: neither
    would outlive the tables."""
    if connection.dialect.name != POSTGRESQL:
        return False
    names = [table.name for table in tables]
    return bool(connection.execute(text(_USED_BY_OTHERS), {"names": names}).scalar_one())


def replace_rows(connection: Connection, tables: Iterable[Table]) -> None:
    """Put the area's rows in place of those of tables of the same shape.

    Rows are deleted rather than tables exchanged: a reader that began before sees the old rows.
    """
    for table in tables:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608  our own tables' names
        connection.execute(
            text(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {AREA}.{table.name}")  # noqa: S608
        )


def replace_tables(connection: Connection, tables: Sequence[Table], retired: Iterable[str]) -> None:
    """Put the area's tables, which may be of another shape, in place of those that are there.

    On PostgreSQL a reader that began before could meet a new table; the caller has shut readers
    out. On SQLite such a reader sees the old tables to its end.
    """
    # SQLite would take the area's table where ours is missing.
    ours = "" if connection.dialect.name == POSTGRESQL else "main."
    for name in (*retired, *(table.name for table in tables)):
        connection.execute(text(f"DROP TABLE IF EXISTS {ours}{name}"))
    here = None
    if connection.dialect.name == POSTGRESQL:
        here = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    for table in tables:
        if here is not None:
            connection.execute(text(f"ALTER TABLE {AREA}.{table.name} SET SCHEMA {here}"))
        else:
            metadata.create_all(connection, tables=[table], checkfirst=False)
            # With nothing but the tables named SQLite copies whole pages, the indexes' too.
            connection.execute(
                text(f"INSERT INTO {table.name} SELECT * FROM {AREA}.{table.name}")  # noqa: S608
            )


@contextlib.contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Tell what a driver refuses by our errors."""
    try:
        yield
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
    except sqlite3.Error as error:  # of the statements that are given to the driver itself
        raise database_unusable(engine, DBAPIError("", None, error)) from error


def _area_file(engine: Engine) -> Path:
    path = sqlite_file(engine)
    return path.with_name(path.name + ".rebuild")
