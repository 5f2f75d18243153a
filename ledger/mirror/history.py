"""The latest version of each subject of a table, kept in memory from batch to batch.

So a long history is read back seldom. It must be forgotten when a batch was not committed: its
memory would be ahead of the database.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Select, bindparam, select

from ledger.mirror.rows import TABLES
from ledger.store.bulk import insert_rows

R = TypeVar("R", bound=tuple[Any, ...])
Key = tuple[Any, ...]

MOST_KEPT = 50_000
"""Subjects of one kind kept in memory; beyond it they are forgotten and looked up again."""


class History(Generic[R]):
    """The latest version of each subject of one table.

    `subject` names the columns that say whose version a row is; none where there is one subject.
    """

    def __init__(self, row_type: type[R], *subject: str) -> None:
        self._row_type = row_type
        self._table = TABLES[row_type]
        fields = [column.name for column in self._table.columns]
        self._places = tuple(fields.index(name) for name in subject)
        self._statement = self._latest(subject)
        self._subject = subject
        self._known: dict[Key, R | None] = {}
        self._new: list[R] = []
        self._complete = False

    def latest(self, connection: Connection, *key: Any) -> R | None:
        """The subject's latest version, None where it has none."""
        try:
            return self._known[key]
        except KeyError:
            if self._complete:
                return None
        found = connection.execute(
            self._statement, dict(zip(self._subject, key, strict=True))
        ).one_or_none()
        row = None if found is None else self._row_type(*found)
        self._known[key] = row
        return row

    def append(self, row: R) -> None:
        """Add a version, the latest of its subject from now on."""
        self.note(row)
        self._new.append(row)

    def note(self, row: R) -> None:
        """Remember a version that another history of the same table writes."""
        self._known[tuple([row[place] for place in self._places])] = row

    def write(self, connection: Connection) -> None:
        """Put the new rows into the database."""
        insert_rows(connection, self._table, self._new)
        self._new = []
        if len(self._known) > MOST_KEPT:
            self.forget()

    def forget(self, *, table_is_empty: bool = False) -> None:
        """Start again from what the database holds."""
        self._known = {}
        self._new = []
        self._complete = table_is_empty

    def _latest(self, subject: tuple[str, ...]) -> Select[Any]:
        table = self._table
        return (
            select(table)
            .where(*(table.c[name] == bindparam(name) for name in subject))
            .order_by(table.c.block_number.desc(), table.c.log_index.desc())
            .limit(1)
        )
