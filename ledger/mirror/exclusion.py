"""Keeps readers out for the moment in which tables of PostgreSQL are exchanged.

A transaction there sees rows as of its beginning, but tables by their names of now: one that began
before the new tables were filled and comes to them later would find them empty. So tables are
exchanged only where nobody is at them and where no open transaction is older than their last row.
Nobody is ended for it: where that moment does not come, the exchange is given up and tried again.

Transactions of other roles are seen only by a role that may (`pg_read_all_stats`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import OperationalError

from ledger.store.engine import POSTGRESQL
from ledger.store.mirror_tables import mirror_state

LONGEST_SECONDS = 2.0
"""For how long readers are kept waiting at most."""

_LOOK_SECONDS = 0.005
_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, appendix A

_OLDER = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND age(backend_xmin) >= age(CAST(:filled AS xid))
)
"""


class ReadersStay(Exception):
    """Somebody reads for long."""


def number_of_transaction(connection: Connection) -> str:
    """The number of the connection's transaction, empty on SQLite, which has none."""
    if connection.dialect.name != POSTGRESQL:
        return ""
    found = connection.execute(text("SELECT CAST(CAST(pg_current_xact_id() AS xid) AS text)"))
    return str(found.scalar_one())


def shut_out(connection: Connection, tables: Iterable[Table], filled: str) -> None:
    """Shut readers out of `tables` until the transaction ends.

    `filled` is the transaction, committed by now, that filled what comes in their place. Raises
    ReadersStay; nobody waits any more then.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    # Whoever begins from now on sees what was filled, so that this need not be asked again.
    _wait_until(deadline, lambda: not _is_anybody_older(connection, filled))
    try:
        connection.execute(text(f"SET LOCAL lock_timeout = {int(LONGEST_SECONDS * 1000)}"))
        connection.execute(text(f"LOCK TABLE {mirror_state.name} IN ACCESS EXCLUSIVE MODE"))
    except OperationalError as error:
        if not _is_held(error):
            raise
        raise ReadersStay from error
    names = _names_of(connection, tables)
    _wait_until(deadline, lambda: _has_locked(connection, names))


def _wait_until(deadline: float, is_so: Callable[[], bool]) -> None:
    while not is_so():
        if time.monotonic() > deadline:
            raise ReadersStay
        time.sleep(_LOOK_SECONDS)


def _is_anybody_older(connection: Connection, filled: str) -> bool:
    return bool(connection.execute(text(_OLDER), {"filled": filled}).scalar_one())


def _names_of(connection: Connection, tables: Iterable[Table]) -> str:
    """Those that are there: an earlier release may not have had them all."""
    found = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relkind = 'r' AND relname = ANY(:names)"
        ),
        {"names": [table.name for table in tables]},
    )
    return ", ".join(found.scalars())


def _has_locked(connection: Connection, names: str) -> bool:
    """Whether the tables are ours now, all of them. It waits for none: a reader may be at one of
    them and want another."""
    try:
        with connection.begin_nested():
            connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE NOWAIT"))
    except OperationalError as error:
        if not _is_held(error):
            raise
        return False
    return True


def _is_held(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE
