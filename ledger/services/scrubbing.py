"""Takes what was deleted out of the database's own files, and says what it cannot reach.

A deleted row stays readable in free pages and write-ahead logs, and its values in PostgreSQL's
samples of columns. It refuses to claim more than it did: what another transaction still sees, a
server's log, or what needs a superuser, is a sentence of the answer.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ledger.store.engine import POSTGRESQL
from ledger.store.import_tables import import_lines, import_rows
from ledger.store.office_tables import (
    access_log,
    application_cases,
    application_documents,
    applications,
    asked_operations,
    asked_writes,
    contacts,
    evidence_files,
    notice_choices,
    notices,
    private_evidence,
    profiles,
)

_TABLES = (
    profiles,
    contacts,
    applications,
    application_cases,
    application_documents,
    evidence_files,
    private_evidence,
    access_log,
    notices,
    notice_choices,
    import_lines,
    import_rows,
    asked_operations,
    asked_writes,
)
_PATIENCE = 30.0
_WAL = (
    "PostgreSQL's write-ahead log holds the rows in segments that it keeps to be used again, as do "
    "its archives and standbys; docs/office.md says how a superuser ends that"
)
_FOR_SUPERUSERS = (
    ("VACUUM FULL pg_catalog.pg_statistic", "the planner's old statistics"),
    ("SELECT pg_switch_wal()", "the segment of the log that is written now"),
    ("CHECKPOINT", "files that PostgreSQL deletes at its next checkpoint"),
)
_FORGET_SAMPLES = (
    "DELETE FROM pg_catalog.pg_statistic"  # noqa: S608  the names are ours
    " WHERE starelid IN (SELECT oid FROM pg_catalog.pg_class"
    " WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relname IN ("
    + ", ".join(f"'{table.name}'" for table in _TABLES)
    + "))"
)
_SAMPLES_KEPT = f"samples of values for the planner: a superuser must run `{_FORGET_SAMPLES}`"
_TABLE_HELD = "a table that somebody is reading could not be written anew; run the command again"
_NOT_OURS = "the table {0}: its owner must run `VACUUM FULL {0}`"
_OTHERS_HIDDEN = (
    "sessions of other roles, whose transactions this one may not see and may be keeping rows: run "
    "the command as a member of pg_read_all_stats"
)
_OLD_ROWS_SEEN = (
    "a transaction that began before is still open, and PostgreSQL keeps for it what it can see; "
    "run the command again"
)


def scrub(engine: Engine) -> tuple[str, ...]:
    """Take deleted rows out of the database's files; what may still hold them, in sentences."""
    if engine.dialect.name == POSTGRESQL:
        return _scrub_postgresql(engine)
    return _scrub_sqlite(engine)


def _scrub_sqlite(engine: Engine) -> tuple[str, ...]:
    """Write the file anew and empty its log; the index of the log holds no rows."""
    pooled = engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        deadline = time.monotonic() + _PATIENCE
        problem = ""
        while True:
            try:
                driver.execute("VACUUM")
                busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                busy, problem = 1, str(error)
            if not busy:
                return ()
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
    finally:
        pooled.close()
    why = problem or "another process is reading"
    return (f"SQLite's file and log could not be written anew ({why}); run the command again",)


def _scrub_postgresql(engine: Engine) -> tuple[str, ...]:
    """Write the tables anew, one after the other, so that each is locked for a moment only."""
    remaining = []
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        if not _wait_for_readers(connection):
            remaining.append(_OLD_ROWS_SEEN)
        connection.execute(text(f"SET lock_timeout = {int(_PATIENCE * 1000)}"))
        try:
            # Samples of values stand in the planner's statistics, and stay there where a table is
            # empty: ANALYZE passes it over.
            remaining += _try(connection, _FORGET_SAMPLES, _SAMPLES_KEPT)
            for table in _TABLES:
                remaining += _write_anew(connection, table.name)
                remaining += _try(connection, f"ANALYZE {table.name}", _TABLE_HELD)
            if not _wait_for_readers(connection):
                remaining.append(_OLD_ROWS_SEEN)
            if connection.execute(_HIDDEN).scalar_one():
                remaining.append(_OTHERS_HIDDEN)
            for statement, what in _FOR_SUPERUSERS:
                sentence = f"{what}: a superuser must run `{statement}`"
                remaining += _try(connection, statement, sentence)
        finally:
            connection.execute(text("RESET lock_timeout"))
        if remaining or not _deletes_its_log(connection):
            remaining.append(_WAL)
    return tuple(dict.fromkeys(remaining))


def _write_anew(connection: Connection, name: str) -> tuple[str, ...]:
    """PostgreSQL passes over a table of another owner with no more than a warning."""
    file = text("SELECT pg_relation_filenode(CAST(:name AS regclass))")
    before = connection.execute(file, {"name": name}).scalar_one()
    found = _try(connection, f"VACUUM FULL {name}", _TABLE_HELD)
    if not found and connection.execute(file, {"name": name}).scalar_one() == before:
        return (_NOT_OURS.format(name),)
    return found


def _try(connection: Connection, statement: str, otherwise: str) -> tuple[str, ...]:
    """Nothing, or what is to be said where the server does not do it."""
    try:
        connection.execute(text(statement))
    except DBAPIError:
        return (otherwise,)
    return ()


def _wait_for_readers(connection: Connection) -> bool:
    """Whether nobody sees the deleted rows any more; what somebody sees would be written anew."""
    mine = connection.execute(text("SELECT pg_current_xact_id()::xid::text")).scalar_one()
    deadline = time.monotonic() + _PATIENCE
    while connection.execute(_SEEING, {"mine": mine}).first() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


_SEEING = text(
    "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    " AND datname = current_database() AND age(backend_xmin) > age(CAST(:mine AS xid))"
    " UNION ALL SELECT 1 FROM pg_replication_slots WHERE age(xmin) > age(CAST(:mine AS xid))"
    " UNION ALL SELECT 1 FROM pg_prepared_xacts"
    " WHERE database = current_database() AND age(transaction) > age(CAST(:mine AS xid))"
)


_HIDDEN = text(
    "SELECT NOT pg_has_role('pg_read_all_stats', 'USAGE') AND EXISTS (SELECT 1 FROM"
    " pg_stat_activity WHERE datname = current_database() AND NOT pg_has_role(usesysid, 'USAGE'))"
)


def _deletes_its_log(connection: Connection) -> bool:
    """Whether a checkpoint has deleted all that the log held, and nobody else has a copy.

    Segments that wait to be used again, from before `wal_recycle` was off, hold what they held.
    """
    query = text(
        "SELECT current_setting('wal_recycle') = 'off' AND current_setting('archive_mode') = 'off'"
        " AND current_setting('wal_keep_size') IN ('0', '0MB')"
        " AND NOT EXISTS (SELECT 1 FROM pg_replication_slots)"
        " AND NOT EXISTS (SELECT 1 FROM pg_stat_replication)"
        " AND NOT EXISTS (SELECT 1 FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'"
        " AND name > pg_walfile_name(pg_current_wal_lsn()))"
    )
    return bool(connection.execute(query).scalar_one())
