"""Databases with this release's schema and no row, for tests that are not about making tables.

To migrate one takes half a second of a processor, to copy one that was migrated next to nothing.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from sqlalchemy import make_url

from ledger.store.engine import SQLITE, open_engine
from ledger.store.schema import upgrade_schema


def migrate(url: str) -> None:
    """Make the tables. At the end nobody is connected, and SQLite's file is whole by itself."""
    engine = open_engine(url, durable=False)
    upgrade_schema(engine)
    if engine.dialect.name == SQLITE:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def copy_migrated(url: str) -> None:
    """Have a SQLite database that is not there yet begin as such a copy; leave any other alone."""
    parsed = make_url(url)
    if parsed.get_backend_name() != SQLITE:
        return
    path = Path(parsed.database or "")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated_file())


@functools.cache
def _migrated_file() -> bytes:
    """The content of one: seven hundred kilobytes, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.sqlite3"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()
