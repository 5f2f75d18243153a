"""The mirror's own collection of tables, and how each is stored."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.schema import SchemaItem

from ledger.store.columns import new_metadata

metadata = new_metadata()


def define(name: str, *parts: SchemaItem) -> Table:
    """A table kept in the order of its key: SQLite would else keep the key a second time."""
    return Table(name, metadata, *parts, sqlite_with_rowid=False)
