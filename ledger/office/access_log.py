"""The log of privileged acts, calls and steps of the office alike, kept where nobody edits it by
accident.

A line is in the transaction of what it tells, or before what it announces, so that nothing
privileged happens without one. Lines are added one after the other: whoever adds one holds the row
that names the last. It is never cut here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from ledger.domain.access import NO_HASH, AccessLine, check_lines, hash_line, seal_words
from ledger.domain.commitments import new_salt
from ledger.office.rows import insert_ignoring
from ledger.store.office_tables import access_log, access_log_end

_AT_ONCE = 1000


def add_line(
    connection: Connection,
    *,
    at: int,
    account: str,
    via: str,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
    said: str = "",
) -> AccessLine:
    """Add a line in the caller's transaction; `at` is in milliseconds since 1970 UTC.

    `said` are words that may have to be erased: the line's hash covers a salted commitment to them.
    """
    insert_ignoring(connection, access_log_end, {"id": 1, "number": 0, "hash": NO_HASH})
    # Takes the row, so that two who add at once do it one after the other.
    connection.execute(
        update(access_log_end).values(number=access_log_end.c.number + 1).where(_ONLY)
    )
    end = connection.execute(select(access_log_end).where(_ONLY)).one()
    text = json.dumps(detail or {}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    line = AccessLine(end.number, at, account, via, action, subject, text, bytes(end.hash), NO_HASH)
    if said:
        salt = new_salt()
        line = replace(line, said=said, salt=salt, sealed=seal_words(salt, said))
    line = replace(line, hash=hash_line(line))
    connection.execute(insert(access_log), asdict(line))
    connection.execute(update(access_log_end).values(hash=line.hash).where(_ONLY))
    return line


def read_lines(
    connection: Connection, *, after: int = 0, limit: int | None = None
) -> Iterator[AccessLine]:
    """The lines after a number, in their order."""
    left = limit
    while left is None or left > 0:
        count = _AT_ONCE if left is None else min(_AT_ONCE, left)
        query = (
            select(access_log)
            .where(access_log.c.number > after)
            .order_by(access_log.c.number)
            .limit(count)
        )
        rows = connection.execute(query).all()
        yield from map(_line, rows)
        if len(rows) < count:
            return
        after = rows[-1].number
        left = None if left is None else left - len(rows)


def list_newest(connection: Connection, *, before: int, limit: int) -> tuple[AccessLine, ...]:
    """At most `limit` lines below a number, the newest first."""
    query = (
        select(access_log)
        .where(access_log.c.number < before)
        .order_by(access_log.c.number.desc())
        .limit(limit)
    )
    return tuple(map(_line, connection.execute(query)))


def read_end(connection: Connection) -> tuple[int, bytes]:
    """The number and hash of the last line; whoever writes them down elsewhere finds out later
    whether anything before them was changed."""
    row = connection.execute(select(access_log_end)).one_or_none()
    return (0, NO_HASH) if row is None else (row.number, bytes(row.hash))


def verify_access_log(connection: Connection) -> int:
    """See that the log is as it was written; how many lines it has. Raises AccessLogBroken."""
    return check_lines(read_lines(connection), last=read_end(connection))


def _line(row: Row[Any]) -> AccessLine:
    values = dict(row._mapping)
    for name in ("previous", "hash", "sealed", "salt"):
        values[name] = None if values[name] is None else bytes(values[name])
    return AccessLine(**{**values, "said": row.said or ""})


def count_erased(connection: Connection) -> int:
    """Of how many lines the words were erased."""
    query = select(func.count()).select_from(access_log)
    was_said = (access_log.c.sealed.is_not(None), access_log.c.salt.is_(None))
    return int(connection.execute(query.where(*was_said)).scalar_one())


_ONLY = access_log_end.c.id == 1
