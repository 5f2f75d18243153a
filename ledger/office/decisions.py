"""Decisions that were asked for and are carried out behind the request: kept until they are done.

Registering and admitting takes several blocks; nobody holds a request open for that long. A
decision is taken on by moving its due time on, so that one whose process died is taken on by the
next, and two processes do not work on one at once. It names applications and no person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from ledger.errors import NotFound
from ledger.store.office_tables import decided_applications, decisions

TAKEN_ON_MS = 120_000
"""How long one that is worked on is left alone: longer than its transactions take as a rule."""

WAITING, DONE, FAILED = "waiting", "done", "failed"

_D = decisions
_A = decided_applications


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision; times are seconds since 1970 UTC. `waits_for` is by application, in order."""

    decision_id: bytes
    account: bytes
    signer: bytes
    asked_at: int
    state: str
    ended_at: int | None
    problem: str
    waits_for: Mapping[bytes, str]

    @property
    def application_ids(self) -> tuple[bytes, ...]:
        """What it is about."""
        return tuple(self.waits_for)


def ask_for_decision(
    connection: Connection,
    decision_id: bytes,
    application_ids: Sequence[bytes],
    *,
    account: bytes,
    signer: bytes,
    now: int,
) -> None:
    """Keep a decision, to be carried out by whoever holds the signer's key."""
    connection.execute(
        insert(_D).values(
            decision_id=decision_id,
            account=account,
            signer=signer,
            asked_at=now,
            state=WAITING,
            due_at=now * 1000,
            ended_at=None,
            problem="",
        )
    )
    rows = [
        {"decision_id": decision_id, "application_id": each, "waits_for": ""}
        for each in application_ids
    ]
    connection.execute(insert(_A), rows)


def is_decision_due(connection: Connection, signers: Sequence[bytes], *, now_ms: int) -> bool:
    """Whether there is one to take on; a look that hinders no writer."""
    query = select(_D.c.decision_id).where(
        _D.c.state == WAITING, _D.c.due_at <= now_ms, _D.c.signer.in_(signers)
    )
    return connection.execute(query.limit(1)).first() is not None


def take_decision(
    connection: Connection, signers: Sequence[bytes], *, now_ms: int
) -> Decision | None:
    """Take the oldest one on that these keys can sign; None where there is none."""
    query = (
        select(_D.c.decision_id)
        .where(_D.c.state == WAITING, _D.c.due_at <= now_ms, _D.c.signer.in_(signers))
        .order_by(_D.c.asked_at, _D.c.decision_id)
        .limit(1)
    )
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        return None
    taken = connection.execute(
        update(_D)
        .where(_D.c.decision_id == found, _D.c.state == WAITING, _D.c.due_at <= now_ms)
        .values(due_at=now_ms + TAKEN_ON_MS)
    )
    return read_decision(connection, bytes(found)) if taken.rowcount == 1 else None


def put_off(connection: Connection, decision_id: bytes, problem: str, *, until_ms: int) -> None:
    """Try it again later; what was wrong stands with it meanwhile."""
    connection.execute(
        update(_D).where(_D.c.decision_id == decision_id).values(due_at=until_ms, problem=problem)
    )


def end_decision(
    connection: Connection,
    decision_id: bytes,
    waits_for: Mapping[bytes, str],
    *,
    problem: str = "",
    now: int,
) -> None:
    """Write down what became of it."""
    state = FAILED if problem else DONE
    connection.execute(
        update(_D)
        .where(_D.c.decision_id == decision_id)
        .values(state=state, ended_at=now, problem=problem)
    )
    for application_id, text in waits_for.items():
        connection.execute(
            update(_A)
            .where(_A.c.decision_id == decision_id, _A.c.application_id == application_id)
            .values(waits_for=text)
        )


def read_decision(connection: Connection, decision_id: bytes) -> Decision:
    """One decision. Raises NotFound."""
    row = connection.execute(select(_D).where(_D.c.decision_id == decision_id)).one_or_none()
    if row is None:
        raise NotFound(what="decision", key="0x" + decision_id.hex())
    parts = connection.execute(
        select(_A).where(_A.c.decision_id == decision_id).order_by(_A.c.application_id)
    )
    return Decision(
        bytes(row.decision_id),
        bytes(row.account),
        bytes(row.signer),
        row.asked_at,
        row.state,
        row.ended_at,
        row.problem,
        {bytes(each.application_id): each.waits_for for each in parts},
    )
