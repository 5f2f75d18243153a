"""Who held which office, from block to block: each appointment with the dismissal that ended it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from ledger.domain.ids import BlockNumber, ProgrammeId
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import blocks, programme_versions, role_changes


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the Authority that gave or took an office: where, when (seconds since 1970 UTC) and
    by whom. `sequence` is the line's number in its journal."""

    block: BlockNumber
    time: int
    sequence: int
    actor: bytes


@dataclass(frozen=True, slots=True)
class Term:
    """An account in an office; `ended` is None while it holds it. An empty `programme` is the
    alliance."""

    account: bytes
    role: str
    programme_id: ProgrammeId
    programme: str
    begun: Change
    ended: Change | None


_R, _P = role_changes, programme_versions
_ORDER = (_R.c.programme_id, _R.c.role, _R.c.account)
_AFTER = [_R.c[name] for name in ("block_number", "log_index")]


def _next(name: str) -> object:
    """What the next line on the same account in the same office says."""
    return func.lead(_R.c[name]).over(partition_by=_ORDER, order_by=_AFTER).label(f"next_{name}")


_LINES = (
    select(
        *(_R.c[name] for name in ("account", "role", "programme_id", "held")),
        *(_R.c[name] for name in ("block_number", "log_index", "sequence", "actor")),
        *(_next(name) for name in ("block_number", "sequence", "actor")),
    )
    .where(_R.c.block_number <= AT)
    .subquery()
)
_BEGAN, _ENDED = blocks.alias(), blocks.alias()
_TERMS = (
    select(_LINES, _P.c.key, _BEGAN.c.timestamp, _ENDED.c.timestamp.label("next_timestamp"))
    .select_from(_LINES)
    .outerjoin(
        _P,
        and_(
            _P.c.programme_id == _LINES.c.programme_id,
            is_last_version(_P, "programme_id"),
        ),
    )
    .join(_BEGAN, _BEGAN.c.number == _LINES.c.block_number)
    .outerjoin(_ENDED, _ENDED.c.number == _LINES.c.next_block_number)
    .where(_LINES.c.held == 1)
    .order_by(_LINES.c.block_number.desc(), _LINES.c.log_index.desc())
)


def list_terms(connection: Connection, moment: Moment, *, limit: int) -> tuple[Term, ...]:
    """The terms in all offices up to a moment, the one that began last first."""
    found = connection.execute(_TERMS.limit(limit), true_at(moment))
    return tuple(
        Term(
            account=bytes(row.account),
            role=row.role,
            programme_id=row.programme_id,
            programme=row.key or "",
            begun=Change(row.block_number, row.timestamp, row.sequence, bytes(row.actor)),
            ended=None
            if row.next_block_number is None
            else Change(
                row.next_block_number, row.next_timestamp, row.next_sequence, bytes(row.next_actor)
            ),
        )
        for row in found
    )
