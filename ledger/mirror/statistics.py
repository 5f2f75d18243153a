"""Tells PostgreSQL's planner what is in the mirror's tables, once they have grown a lot.

It looks by itself only a minute after, and until then takes a table of a million rows for an empty
one: a balance took ten times as long. SQLite's planner goes by the indexes alone.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from ledger.store.engine import POSTGRESQL, writing
from ledger.store.mirror_tables import DERIVED_TABLES, RAW_TABLES

BLOCKS_BETWEEN = 256
"""So many blocks are applied before it is looked again."""

_GROWN = text("""
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(:names)
AND pg_relation_size(c.oid) / current_setting('block_size')::bigint > 16 + 1.5 * c.relpages
""")


class Statistics:
    """Looks after the statistics of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_needed = engine.dialect.name == POSTGRESQL
        self._looked_at: int | None = None

    def refresh(self, block: int) -> tuple[str, ...]:
        """Take those of tables that have grown by half since; the tables' names.

        `block` is the last one applied. Raises DBAPIError.
        """
        last = self._looked_at
        if not self._is_needed or (last is not None and 0 <= block - last < BLOCKS_BETWEEN):
            return ()
        self._looked_at = block
        names = [table.name for table in (*RAW_TABLES, *DERIVED_TABLES)]
        with writing(self._engine) as connection:
            grown = sorted(connection.execute(_GROWN, {"names": names}).scalars())
            for name in grown:
                connection.execute(text(f"ANALYZE {name}"))
        return tuple(grown)
