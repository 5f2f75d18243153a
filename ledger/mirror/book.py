"""What handlers write into and look things up in: the rows of a batch, and the latest before them.

Rows stay in memory until `write`, which puts them into the database in bulk. The latest version of
each subject is kept in memory from batch to batch, so that a long history is read back seldom. The
book must be forgotten when a batch was not committed: its memory would be ahead of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, bindparam, select, tuple_

from ledger.domain.events import EntryKind
from ledger.mirror.rows import (
    TABLES,
    BalanceRow,
    BudgetVersion,
    CategoryVersion,
    EntryRow,
    EpochBoundary,
    MembershipVersion,
    OrganisationVersion,
    Pause,
    ProgrammeVersion,
    RoleChange,
    TierVersion,
)
from ledger.store.bulk import insert_rows, upsert_rows
from ledger.store.mirror_tables import balances, entries

R = TypeVar("R", bound=tuple[Any, ...])
Key = tuple[Any, ...]

_MOST_KEPT = 50_000
"""Subjects of one kind kept in memory; beyond it they are forgotten and looked up again."""

_ASKED_AT_ONCE = 500


class Contradiction(Exception):
    """An event that cannot follow from the events before it; the message says why."""


class Place(NamedTuple):
    """Where an event stands: its block, its log, and the block's time (seconds since 1970 UTC)."""

    block_number: int
    log_index: int
    timestamp: int


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
        self._known[tuple([row[place] for place in self._places])] = row
        self._new.append(row)

    def write(self, connection: Connection) -> None:
        """Put the new rows into the database."""
        insert_rows(connection, self._table, self._new)
        self._new = []
        if len(self._known) > _MOST_KEPT:
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


class Accounts:
    """The credit journal's rows, and the balances summed from them."""

    def __init__(self) -> None:
        self._balances: dict[tuple[int, int], BalanceRow] = {}
        self._moved: set[tuple[int, int]] = set()
        self._new: list[EntryRow] = []
        self._reversed: set[int] = set()
        self._complete = False

    def load(self, connection: Connection, keys: Iterable[tuple[int, int]]) -> None:
        """Read the balances of (programme, organisation) that a batch will move, all at once."""
        if self._complete:
            return
        missing = [key for key in set(keys) if key not in self._balances]
        subject = tuple_(balances.c.programme_id, balances.c.org_id)
        for start in range(0, len(missing), _ASKED_AT_ONCE):
            part = missing[start : start + _ASKED_AT_ONCE]
            for row in connection.execute(select(balances).where(subject.in_(part))):
                self._balances[row[0], row[1]] = BalanceRow(*row)

    def balance(self, programme_id: int, org_id: int) -> BalanceRow:
        """The balance so far, zero where there is none. It must have been loaded."""
        row = self._balances.get((programme_id, org_id))
        return row if row is not None else BalanceRow(programme_id, org_id, 0, 0, 0)

    def post(self, entry: EntryRow, before: BalanceRow) -> None:
        """Add an entry after the balance `before`."""
        key = (entry.programme_id, entry.org_id)
        self._balances[key] = BalanceRow(
            *key, entry.balance_after, before.entry_count + 1, entry.entry_id
        )
        self._moved.add(key)
        self._new.append(entry)
        if entry.kind == EntryKind.REVERSAL:
            self._reversed.add(entry.refers_to)

    def entry(self, connection: Connection, entry_id: int) -> EntryRow | None:
        """An entry of this batch or of the database, None where there is none."""
        if self._new and entry_id >= self._new[0].entry_id:
            place = entry_id - self._new[0].entry_id
            return self._new[place] if place < len(self._new) else None
        found = connection.execute(select(entries).where(entries.c.entry_id == entry_id))
        row = found.one_or_none()
        return None if row is None else EntryRow(*row)

    def is_reversed(self, connection: Connection, entry_id: int) -> bool:
        """Whether a reversal of the entry was posted."""
        if entry_id in self._reversed:
            return True
        statement = select(entries.c.entry_id).where(
            entries.c.refers_to == entry_id, entries.c.kind == EntryKind.REVERSAL
        )
        return connection.execute(statement.limit(1)).one_or_none() is not None

    def write(self, connection: Connection) -> None:
        """Put entries and moved balances into the database."""
        insert_rows(connection, entries, self._new)
        upsert_rows(connection, balances, [self._balances[key] for key in self._moved])
        self._new, self._moved, self._reversed = [], set(), set()
        if len(self._balances) > _MOST_KEPT:
            self.forget()

    def forget(self, *, table_is_empty: bool = False) -> None:
        """Start again from what the database holds."""
        self._balances, self._moved = {}, set()
        self._new, self._reversed = [], set()
        self._complete = table_is_empty


class Book:
    """All that a batch writes. `open` it on the batch's connection before it is written into."""

    def __init__(self) -> None:
        self.connection: Connection
        self.roles = History(RoleChange, "account", "role", "programme_id")
        self.pauses = History(Pause)
        self.programmes = History(ProgrammeVersion, "programme_id")
        self.tiers = History(TierVersion, "programme_id", "tier")
        self.categories = History(CategoryVersion, "programme_id", "category")
        self.boundaries = History(EpochBoundary, "programme_id")
        self.budgets = History(BudgetVersion, "programme_id", "issuer")
        self.organisations = History(OrganisationVersion, "org_id")
        self.memberships = History(MembershipVersion, "org_id", "programme_id")
        self.accounts = Accounts()
        self._plain: dict[type[tuple[Any, ...]], list[tuple[Any, ...]]] = {}

    def open(self, connection: Connection) -> None:
        """Write into this connection's transaction from now on."""
        self.connection = connection

    def add(self, row: tuple[Any, ...]) -> None:
        """Add a row that no later event is compared with."""
        self._plain.setdefault(type(row), []).append(row)

    def write(self) -> None:
        """Put everything into the database, in the transaction of the connection."""
        for row_type, rows in self._plain.items():
            insert_rows(self.connection, TABLES[row_type], rows)
        self._plain = {}
        for part in self._parts():
            part.write(self.connection)

    def forget(self, *, database_is_empty: bool = False) -> None:
        """Drop what was not written and what is remembered; the database is asked again.

        Of an empty database nothing need be asked.
        """
        self._plain = {}
        for part in self._parts():
            part.forget(table_is_empty=database_is_empty)

    def _parts(self) -> tuple[History[Any] | Accounts, ...]:
        return (
            self.roles,
            self.pauses,
            self.programmes,
            self.tiers,
            self.categories,
            self.boundaries,
            self.budgets,
            self.organisations,
            self.memberships,
            self.accounts,
        )


Handler = Callable[[Book, Place, Any], None]
"""Writes into the book what an event means; the event is of the class it is registered for."""
