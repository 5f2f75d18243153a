"""What the mirror thinks of its nodes, kept where a person who looks at the database sees it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, select

from ledger.domain.ids import BlockNumber
from ledger.errors import NodeLagging
from ledger.mirror.standing import Standing
from ledger.mirror.state import now_in_milliseconds
from ledger.store.bulk import upsert_rows
from ledger.store.mirror_tables import mirror_nodes

_EVERY = 10.0
_AT_MOST_EVERY = 1.0
"""Seconds between two notes about the nodes, where nothing changed and where something did."""


class Condition(StrEnum):
    """How a node does: asked first, asked when that one fails, behind the others, or wrong."""

    IN_USE = "in_use"
    STANDING_BY = "standing_by"
    LAGGING = "lagging"
    PASSED_OVER = "passed_over"


@dataclass(frozen=True, slots=True)
class NodeNote:
    """A node as it was last noted. `at` is in milliseconds since 1970 UTC.

    `name` is its host and port. `code` and `problem` are those of the error that it was passed over
    for, with the evidence, empty for none. `head_number` is the latest block that it told.
    """

    position: int
    name: str
    condition: Condition
    code: str
    at: int
    head_number: BlockNumber | None
    problem: str


class NoteDue:
    """When the nodes are to be noted: soon where something changed, else now and then."""

    def __init__(self) -> None:
        self._noted = ""
        self._noted_at = -_EVERY

    def is_due(self, notes: Sequence[NodeNote]) -> bool:
        """Whether these notes should be written now."""
        pause = _EVERY if _gist_of(notes) == self._noted else _AT_MOST_EVERY
        return time.monotonic() - self._noted_at >= pause

    def wrote(self, notes: Sequence[NodeNote]) -> None:
        """They were."""
        self._noted, self._noted_at = _gist_of(notes), time.monotonic()


def _gist_of(notes: Sequence[NodeNote]) -> str:
    return " ".join(f"{each.name} {each.condition} {each.code}" for each in notes)


def describe_nodes(standings: Sequence[Standing], preferred: Standing) -> list[NodeNote]:
    """What is to be noted of a pool's nodes, in the order of the settings."""
    return [_describe(each, is_preferred=each is preferred) for each in standings]


def write_nodes(connection: Connection, notes: Sequence[NodeNote]) -> None:
    """Put these notes in place of those that are there."""
    connection.execute(delete(mirror_nodes).where(mirror_nodes.c.position >= len(notes)))
    rows = [
        (
            each.position,
            each.name,
            str(each.condition),
            each.code,
            each.at,
            each.head_number,
            each.problem,
        )
        for each in notes
    ]
    upsert_rows(connection, mirror_nodes, rows)


def read_nodes(connection: Connection) -> tuple[NodeNote, ...]:
    """The nodes as they were last noted, in the order of the settings."""
    rows = connection.execute(select(mirror_nodes).order_by(mirror_nodes.c.position))
    return tuple(
        NodeNote(
            row.position,
            row.name,
            Condition(row.condition),
            row.code,
            row.at,
            row.head_number,
            row.problem,
        )
        for row in rows
    )


def _describe(standing: Standing, *, is_preferred: bool) -> NodeNote:
    problem = standing.problem
    if isinstance(problem, NodeLagging):
        condition = Condition.LAGGING
    elif problem is not None:
        condition = Condition.PASSED_OVER
    else:
        condition = Condition.IN_USE if is_preferred else Condition.STANDING_BY
    return NodeNote(
        position=standing.position,
        name=urlsplit(standing.node.url).netloc.rpartition("@")[2],
        condition=condition,
        code=problem.code if problem is not None else "",
        at=standing.problem_at if problem is not None else now_in_milliseconds(),
        head_number=standing.head.number if standing.head is not None else None,
        problem=str(problem) if problem is not None else "",
    )
