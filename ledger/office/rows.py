"""One way to write a row that may be there already, on both databases.

Two processes may file the same thing at once (an import and the console), so what is missing is
decided by the database's own constraint and not by an earlier look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from ledger.store.office_tables import office_state


def insert_if_absent(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row unless one with its primary key is there; whether it was inserted."""
    raise_revision(connection)
    statement = _insert(connection, table).values(**row).on_conflict_do_nothing()
    # The count of rows is not to be had from every driver; a row that comes back is.
    returned = connection.execute(statement.returning(*table.primary_key))
    return returned.one_or_none() is not None


def insert_ignoring(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """As `insert_if_absent`, for what no answer shows: readers keep the answers that they have."""
    statement = _insert(connection, table).values(**row).on_conflict_do_nothing()
    returned = connection.execute(statement.returning(*table.primary_key))
    return returned.one_or_none() is not None


def insert_or_replace(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert the row, or give the one with its primary key these values."""
    raise_revision(connection)
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    statement = _insert(connection, table).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def raise_revision(connection: Connection) -> None:
    """Count a change of the office, so that no reader keeps an answer from before it.

    What changes or erases a row by other means than the two above calls this first in its
    transaction: writers that take this row before any other cannot lock each other out.
    """
    statement = _insert(connection, office_state).values(id=1, revision=1)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"revision": office_state.c.revision + 1}
        )
    )


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
