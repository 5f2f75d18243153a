"""Tells PostgreSQL's planner what is in the mirror's tables, once they have grown a lot.

It looks by itself only a minute after, and until then takes a table of a million rows for an empty
one: a balance took ten times as long. SQLite's planner goes by the indexes alone.

A mirror without them is slow, and no worse: what keeps them from being taken (somebody who vacuums
the table, a bound on how long a statement takes, a role that may not) never keeps the mirror.
"""

from __future__ import annotations

import contextlib

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ledger.errors import DatabaseUnusable, DiskFull
from ledger.store.engine import POSTGRESQL, writing
from ledger.store.mirror_tables import DERIVED_TABLES, RAW_TABLES

BLOCKS_BETWEEN = 256
"""So many blocks are applied before it is looked again."""

_GROWN = text("""
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
AND c.relkind = 'r' AND c.relname = ANY(:names)
AND pg_relation_size(c.oid) / current_setting('block_size')::bigint > 16 + 1.5 * c.relpages
""")

_NOT_LONG = text("SET LOCAL lock_timeout = '1s'")
"""The mirror stands still meanwhile: whoever holds a table is not waited for."""


class Statistics:
    """Looks after the statistics of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_needed = engine.dialect.name == POSTGRESQL
        self._looked_at: int | None = None

    def refresh(self, block: int) -> tuple[str, ...]:
        """Take those of tables that have grown by half since; the names of those that it took.

        `block` is the last one applied. What cannot be taken now is looked at again after the next
        BLOCKS_BETWEEN.
        """
        last = self._looked_at
        if not self._is_needed or (last is not None and 0 <= block - last < BLOCKS_BETWEEN):
            return ()
        self._looked_at = block
        return tuple(name for name in self._grown() if self._take(name))

    def _grown(self) -> list[str]:
        names = [table.name for table in (*RAW_TABLES, *DERIVED_TABLES)]
        with _given_up(), writing(self._engine) as connection:
            connection.execute(_NOT_LONG)
            return sorted(connection.execute(_GROWN, {"names": names}).scalars())
        return []

    def _take(self, name: str) -> bool:
        """Each table by itself, so that none stays locked until the last is done."""
        with _given_up(), writing(self._engine) as connection:
            connection.execute(_NOT_LONG)
            connection.execute(text(f"ANALYZE {name}"))
            return True
        return False


def _given_up() -> contextlib.suppress:
    """Leaves out what the database refuses; one that is gone is found out by the next look."""
    return contextlib.suppress(DBAPIError, DatabaseUnusable, DiskFull)
