"""What was done to an application or an organisation: lines of the one log of privileged acts.

A step is written in the transaction that did it. What was said in it is sealed: the line's hash
covers a salted commitment to the words, so that an erasure takes words and salt away, and the log
holds together as before.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from ledger.office.access_log import add_line
from ledger.office.rows import raise_revision
from ledger.store.office_tables import access_log

VIA = "office"
"""How a step's line says that it is one."""

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """What was done; `number` counts its subject's steps, `at` is in seconds since 1970 UTC."""

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
    raise_revision(connection)  # first, as everywhere, so that two writers cannot block each other
    add_line(
        connection,
        at=at * _MILLISECONDS,
        account=actor,
        via=VIA,
        action=f"{_kind(subject)}.{action}",
        subject=subject,
        said=detail,
    )


def read_steps(connection: Connection, subject: str) -> list[Step]:
    """All steps of a subject, oldest first."""
    rows = connection.execute(
        select(access_log).where(access_log.c.subject == subject).order_by(access_log.c.number)
    )
    prefix = f"{_kind(subject)}."
    return [
        Step(
            subject,
            number,
            row.at // _MILLISECONDS,
            row.account,
            row.action.removeprefix(prefix),
            row.said or "",
        )
        for number, row in enumerate(rows, 1)
    ]


def count_steps(connection: Connection, subject: str) -> int:
    """How many steps there are of a subject."""
    query = select(func.count()).where(access_log.c.subject == subject)
    return int(connection.execute(query.select_from(access_log)).scalar_one())


def empty_steps(connection: Connection, subject: str) -> None:
    """Take away what was said in the steps of a subject, for good."""
    raise_revision(connection)
    connection.execute(
        update(access_log).where(access_log.c.subject == subject).values(said="", salt=None)
    )


def _kind(subject: str) -> str:
    return subject.partition(":")[0]
