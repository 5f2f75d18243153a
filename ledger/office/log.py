"""Who did what in the office, and when: appended in the transaction that did it, never changed.

Only an erasure touches a line again: what was said in it is emptied, that it was said stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from ledger.office.rows import raise_revision
from ledger.store.office_tables import office_log


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the log; `at` is in seconds since 1970 UTC."""

    subject: str
    number: int
    at: int
    actor: str
    action: str
    detail: str


def note_step(
    connection: Connection, subject: str, action: str, *, actor: str, at: int, detail: str = ""
) -> None:
    """Append a line about a subject (`organisation:7`)."""
    raise_revision(connection)  # which also makes two writers wait for each other
    newest = connection.execute(
        select(func.max(office_log.c.number)).where(office_log.c.subject == subject)
    ).scalar_one()
    connection.execute(
        insert(office_log).values(
            subject=subject,
            number=(newest or 0) + 1,
            at=at,
            actor=actor,
            action=action,
            detail=detail,
        )
    )


def read_steps(connection: Connection, subject: str) -> list[Step]:
    """All lines about a subject, oldest first."""
    rows = connection.execute(
        select(office_log).where(office_log.c.subject == subject).order_by(office_log.c.number)
    )
    return [
        Step(row.subject, row.number, row.at, row.actor, row.action, row.detail) for row in rows
    ]


def empty_steps(connection: Connection, subject: str) -> None:
    """Take away what was said in the lines about a subject."""
    raise_revision(connection)
    connection.execute(update(office_log).where(office_log.c.subject == subject).values(detail=""))
