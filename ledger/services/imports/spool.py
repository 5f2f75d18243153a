"""A file's rows while they are judged, put aside into a database of their own that nobody keeps.

A million rows are compared with each other and with the chain in memory that does not grow; SQLite
takes what it cannot hold to a temporary file, which is gone with this process. Whoever shows a
preview page by page names a file instead, and takes it away himself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from ledger.domain.operations import derive_operation_id
from ledger.errors import DiskFull
from ledger.services.imports.kinds import Item
from ledger.services.spreadsheets.tables import Problem

AT_ONCE = 1000
"""Rows that are looked at together."""


class Action(StrEnum):
    """What an import does about a row."""

    SEND = "send"
    WAITING = "waiting"
    """It stands in a batch that was written down before, and is sent with that."""
    DONE = "done"
    """An import brought it before."""
    THERE = "there"
    """What it asks for is so already."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it was judged. `problems` say why it is wrong, `note` what is worth knowing."""

    line: int
    reference: str
    shown: str
    action: Action
    note: str
    problems: tuple[Problem, ...]
    row_key: bytes | None


_SCHEMA = """
CREATE TABLE lines (
    line INTEGER PRIMARY KEY, reference TEXT, shown TEXT, base BLOB, row_key BLOB, content BLOB,
    alone TEXT, alone_in TEXT, grp TEXT, vals TEXT, action TEXT, note TEXT, problems TEXT,
    batch INTEGER, position INTEGER
)
"""
_ITEM = "line, reference, shown, grp, vals, row_key, content, alone, alone_in"


class Spool:
    """The rows of one file. To be closed."""

    def __init__(self, path: Path | None = None) -> None:
        place = "" if path is None else str(path)  # empty: temporary, on the disk
        self._sql = sqlite3.connect(place, isolation_level=None)
        self._sql.execute("PRAGMA journal_mode = OFF")
        self._sql.execute("PRAGMA synchronous = OFF")
        self._sql.execute("PRAGMA cache_size = -16384")
        self._sql.execute(_SCHEMA)

    @classmethod
    def reopened(cls, path: Path) -> Spool:
        """The rows that were judged into a file, to be read. Raises sqlite3.OperationalError."""
        spool = cls.__new__(cls)
        spool._sql = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        return spool

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close it. Raises DiskFull where an error said that there is no room for it."""
        self.close()
        if isinstance(error, sqlite3.OperationalError) and _is_full(error):
            raise DiskFull(what="the folder for temporary files (TMPDIR)") from error

    def close(self) -> None:
        """Forget it all."""
        self._sql.close()

    # --- filling ---

    def add(self, items: Sequence[Item]) -> None:
        """Put items aside, to be sent unless something speaks against it."""
        rows = [
            (
                *(each.line, each.reference, each.shown, each.base, each.base, each.content),
                *(each.alone, each.alone_in, each.group, json.dumps(each.values)),
                *(Action.SEND.value, "", None, None, None),
            )
            for each in items
        ]
        self._many("INSERT INTO lines VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)

    def add_wrong(self, rows: Sequence[tuple[int, str, list[Problem]]]) -> None:
        """Put rows aside that mean nothing: their line, reference, and problems."""
        self._many(
            "INSERT INTO lines (line, reference, shown, action, note, problems) "
            "VALUES (?, ?, '', 'wrong', '', ?)",
            [(line, reference, _dump(problems)) for line, reference, problems in rows],
        )

    def refuse(self, problems: Iterable[tuple[int, Problem]]) -> None:
        """Say that lines are wrong."""
        self._many(
            "UPDATE lines SET action = 'wrong', problems = ?, batch = NULL WHERE line = ?",
            [(_dump([problem]), line) for line, problem in problems],
        )

    def decide(self, action: Action, notes: Iterable[tuple[int, str]]) -> None:
        """Say what is done about lines, and why."""
        self._many(
            "UPDATE lines SET action = ?, note = ?, batch = NULL WHERE line = ?",
            [(action.value, note, line) for line, note in notes],
        )

    def number_equal_rows(self, *, refuse: bool) -> None:
        """Tell rows apart that ask for the same: by their order among them, or not at all."""
        self._sql.execute("CREATE INDEX by_base ON lines (base, line)")
        self._sql.execute("CREATE INDEX by_alone ON lines (alone, line) WHERE alone <> ''")
        self._refuse_second("alone", "alone <> ''")
        self._refuse_second("base", "reference <> ''")
        if refuse:
            self._refuse_second("base", "reference = ''")
            return
        later = self._sql.execute(
            "SELECT line, base, place FROM (SELECT line, base, row_number() OVER "
            "(PARTITION BY base ORDER BY line) - 1 AS place FROM lines "
            "WHERE base IS NOT NULL AND reference = '') WHERE place > 0"
        )
        while some := later.fetchmany(AT_ONCE):
            self._many(
                "UPDATE lines SET row_key = ? WHERE line = ?",
                [(_numbered(base, place), line) for line, base, place in some],
            )

    def _refuse_second(self, column: str, which: str) -> None:
        found = self._sql.execute(
            f"SELECT line, reference, alone, alone_in, first FROM (SELECT line, reference, alone, "  # noqa: S608  names of our own
            f"alone_in, min(line) OVER (PARTITION BY {column}) AS first FROM lines "
            f"WHERE {column} IS NOT NULL AND {which}) WHERE line > first"
        )
        while some := found.fetchmany(AT_ONCE):
            self.refuse((each[0], _second(column, *each[1:])) for each in some)

    # --- packing ---

    def groups(self, action: Action = Action.SEND) -> list[str]:
        """The groups of the rows of which this is done, in the order of the file."""
        rows = self._sql.execute(
            "SELECT grp FROM lines WHERE action = ? GROUP BY grp ORDER BY min(line)",
            (action.value,),
        )
        return [row[0] for row in rows]

    def count_to_send(self, group: str) -> int:
        """How many rows of a group are to be sent."""
        query = "SELECT count(*) FROM lines WHERE action = ? AND grp = ?"
        return int(self._sql.execute(query, (Action.SEND.value, group)).fetchone()[0])

    def place(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Put lines into batches: the batch, the place in it, the line."""
        self._many("UPDATE lines SET batch = ?, position = ? WHERE line = ?", rows)

    def index_batches(self) -> None:
        """Make batches quick to read."""
        self._sql.execute("CREATE INDEX IF NOT EXISTS by_batch ON lines (batch, position)")

    def batches(self) -> Iterator[list[Item]]:
        """The batches in their order, each with its items."""
        numbers = self._sql.execute(
            "SELECT DISTINCT batch FROM lines WHERE batch IS NOT NULL ORDER BY batch"
        ).fetchall()
        for (number,) in numbers:
            rows = self._sql.execute(
                f"SELECT {_ITEM} FROM lines WHERE batch = ? ORDER BY position",  # noqa: S608  names of our own
                (number,),
            )
            yield [_item(row) for row in rows]

    # --- reading ---

    def to_send(self, group: str | None = None) -> Iterator[list[Item]]:
        """The items that are to be sent, some at a time, in the order of the file."""
        after = -1
        which = "" if group is None else "AND grp = ?"
        while True:
            given = (Action.SEND.value, after, *(() if group is None else (group,)), AT_ONCE)
            rows = self._sql.execute(
                f"SELECT {_ITEM} FROM lines WHERE action = ? AND line > ? {which} "  # noqa: S608  names of our own
                "ORDER BY line LIMIT ?",
                given,
            ).fetchall()
            if not rows:
                return
            yield [_item(row) for row in rows]
            after = rows[-1][0]

    def lines(self, *actions: Action, limit: int = -1, after: int = -1) -> Iterator[Line]:
        """Lines as they were judged, in their order; all, or those of some actions, or behind a
        line."""
        which = ", ".join(f"'{action.value}'" for action in actions or Action)
        left = limit
        while left:
            rows = self._sql.execute(
                "SELECT line, reference, shown, action, note, problems, row_key FROM lines "  # noqa: S608  values of our own
                f"WHERE line > ? AND action IN ({which}) ORDER BY line LIMIT ?",
                (after, AT_ONCE if left < 0 else min(left, AT_ONCE)),
            ).fetchall()
            if not rows:
                return
            for row in rows:
                line, reference, shown, action, note, problems, key = row
                told = _load(problems)
                yield Line(line, reference, shown, Action(action), note, told, key)
            after = rows[-1][0]
            left -= len(rows) if left > 0 else 0

    def counts(self) -> dict[Action, int]:
        """How many lines there are of each action."""
        found = dict(self._sql.execute("SELECT action, count(*) FROM lines GROUP BY action"))
        return {action: int(found.get(action.value, 0)) for action in Action}

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._sql.execute("BEGIN")
        self._sql.executemany(statement, rows)
        self._sql.execute("COMMIT")


def _is_full(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def _second(column: str, reference: str, alone: str, alone_in: str, first: int) -> Problem:
    if column == "alone":
        value = alone.rpartition(" ")[2]
        return Problem(alone_in, value, f"in the file once: it was in line {first}")
    if reference:
        return Problem("reference", reference, f"in the file once: it was in line {first}")
    expected = (
        f"another than line {first}, which asks for the same; give both a reference, or say "
        "--allow-equal-rows if both are meant"
    )
    return Problem("row", "the same again", expected)


def _numbered(base: bytes, place: int) -> bytes:

    return derive_operation_id("moonlake.import.equal-row.1", base, place.to_bytes(8, "big"))


def _item(row: Sequence[Any]) -> Item:
    line, reference, shown, group, values, row_key, content, alone, alone_in = row
    return Item(
        line, reference, shown, group, tuple(json.loads(values)), row_key, content, alone, alone_in
    )


def _dump(problems: Sequence[Problem]) -> str:
    return json.dumps(
        [(each.field, each.value, each.expected, each.sentence) for each in problems],
        ensure_ascii=False,
    )


def _load(text: str | None) -> tuple[Problem, ...]:
    return tuple(Problem(*each) for each in json.loads(text)) if text else ()
