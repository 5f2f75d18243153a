"""Builds the mirror anew from the chain, while the old one goes on answering.

The new one grows beside it: on SQLite in a file of its own, on PostgreSQL in a schema of its own.
When it has reached the chain's head, one transaction empties the old tables and fills them from the
new ones, so that a reader sees the old mirror or the new one and nothing between. It touches only
the mirror's tables: what the outbox and the office keep cannot be taken from a chain.

A mirror that follows the same database meanwhile notices (`mirror_state.generation`) and goes on
from the new one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from ledger.mirror.follow import catch_up
from ledger.mirror.lease import lead
from ledger.mirror.look import Mirror
from ledger.mirror.reports import OtherLeads
from ledger.mirror.state import MirrorState, read_state
from ledger.store.engine import (
    POSTGRESQL,
    database_unusable,
    open_engine,
    reading,
    sqlite_file,
    writing,
)
from ledger.store.mirror_tables import metadata, mirror_state

_AREA = "moonlake_rebuild"
"""The schema that a new mirror grows in, and the name that SQLite attaches its file by."""


def rebuild(old: Mirror) -> MirrorState:
    """Mirror the chain from its first block into new tables, then put them in place of the old.

    Of two rebuilds at once the second waits, and then does it again. Raises what `sync` raises; the
    old mirror then stays as it is.
    """
    engine = old.engine
    with _database_errors(engine):
        area = _open_area(engine)
        mirror = old.in_database(area)
        with lead(area, mirror.stop, lambda: mirror.report(OtherLeads())):
            _clear(area)
            metadata.create_all(area)
            try:
                catch_up(mirror)
                area.dispose()
                _swap(engine)
            finally:
                _clear(area)
                area.dispose()
        with reading(engine) as connection:
            return read_state(connection)


def _open_area(engine: Engine) -> Engine:
    """A place for the new tables that no reader looks into; nothing in it is open yet."""
    if engine.dialect.name == POSTGRESQL:
        with writing(engine) as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_AREA}"))
        url = engine.url.render_as_string(hide_password=False)
        return open_engine(url, durable=False, search_path=_AREA)
    area = open_engine(f"sqlite:///{_area_file(engine)}", durable=False)
    area.dispose()
    return area


def _clear(area: Engine) -> None:
    """Remove what this or an earlier rebuild left."""
    if area.dialect.name == POSTGRESQL:
        metadata.drop_all(area)
        return
    area.dispose()
    for suffix in ("", "-wal", "-shm"):
        sqlite_file(area).with_name(sqlite_file(area).name + suffix).unlink(missing_ok=True)


def _area_file(engine: Engine) -> Path:
    path = sqlite_file(engine)
    return path.with_name(path.name + ".rebuild")


def _swap(engine: Engine) -> None:
    if engine.dialect.name == POSTGRESQL:
        _swap_schemas(engine)
    else:
        _swap_files(engine)


def _swap_schemas(engine: Engine) -> None:
    with writing(engine) as connection:
        # Readers go on; whoever writes the mirror waits, and then finds another generation.
        connection.execute(text(f"LOCK TABLE {mirror_state.name} IN EXCLUSIVE MODE"))
        generation = connection.execute(select(mirror_state.c.generation)).scalar_one_or_none()
        for statement in _replacements(generation):
            connection.execute(text(statement))


def _swap_files(engine: Engine) -> None:
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection
    try:
        # A database cannot be attached within a transaction, so this one is ours from end to end.
        driver.execute(f"ATTACH DATABASE ? AS {_AREA}", (str(_area_file(engine)),))
        driver.execute("BEGIN IMMEDIATE")
        row = driver.execute(f"SELECT generation FROM {mirror_state.name}").fetchone()  # noqa: S608
        for statement in _replacements(row[0] if row is not None else None):
            driver.execute(statement)
        driver.execute("COMMIT")
    finally:
        # The connection has a database attached, and after an error an open transaction.
        pooled.invalidate()
        pooled.close()


def _replacements(generation: int | None) -> Iterator[str]:
    """The statements that put the new rows in place of the old, in one transaction.

    Rows are deleted rather than tables exchanged: a reader that began before sees the old rows.
    """
    for table in metadata.tables.values():
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        yield f"DELETE FROM {table.name}"  # noqa: S608  names of our own tables
        yield (
            f"INSERT INTO {table.name} ({columns}) "  # noqa: S608
            f"SELECT {columns} FROM {_AREA}.{table.name}"
        )
    if generation is not None:
        yield f"UPDATE {mirror_state.name} SET generation = {generation + 1}"  # noqa: S608


@contextlib.contextmanager
def _database_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
    except sqlite3.Error as error:  # of the statements that are given to the driver itself
        raise database_unusable(engine, DBAPIError("", None, error)) from error
