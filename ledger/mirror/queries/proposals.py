"""Councils' proposals at a moment: their state, their approvals, and the calls that they hold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger.domain.events import Call, ProposalStatus
from ledger.domain.ids import ProgrammeId, ProposalId
from ledger.errors import NotFound
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import proposal_approvals, proposal_calls, proposal_versions


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal; times are seconds since 1970 UTC, `programme_id` 0 is the whole alliance.

    `approvals` were given, by `councillors` in this order; one that was dismissed since counts no
    longer when it is executed. An open one past `expires_at` has expired.
    """

    proposal_id: ProposalId
    programme_id: ProgrammeId
    status: ProposalStatus
    expired: bool
    maker: bytes
    made_at: int
    expires_at: int
    approvals_needed: int
    councillors: tuple[bytes, ...]
    calls_hash: bytes
    evidence: bytes
    calls: tuple[Call, ...]

    @property
    def standing(self) -> str:
        """What it is, in one word."""
        return "expired" if self.expired else self.status.name.lower()


_PROPOSALS = (
    select(proposal_versions)
    .where(is_last_version(proposal_versions, "proposal_id"))
    .order_by(proposal_versions.c.proposal_id.desc())
)
_CALLS = (
    select(proposal_calls)
    .where(proposal_calls.c.block_number <= AT)
    .order_by(proposal_calls.c.proposal_id, proposal_calls.c.position)
)
_APPROVALS = (
    select(proposal_approvals)
    .where(proposal_approvals.c.block_number <= AT)
    .order_by(proposal_approvals.c.proposal_id, proposal_approvals.c.number)
)


def read_proposals(connection: Connection, moment: Moment) -> tuple[Proposal, ...]:
    """All proposals, the newest first."""
    at = true_at(moment)
    calls: dict[int, list[Call]] = defaultdict(list)
    for row in connection.execute(_CALLS, at):
        calls[row.proposal_id].append(Call(bytes(row.target), bytes(row.data)))
    councillors: dict[int, list[bytes]] = defaultdict(list)
    for row in connection.execute(_APPROVALS, at):
        councillors[row.proposal_id].append(bytes(row.councillor))
    return tuple(
        _proposal(row, moment, councillors[row.proposal_id], calls[row.proposal_id])
        for row in connection.execute(_PROPOSALS, at)
    )


def read_proposal(connection: Connection, moment: Moment, proposal_id: ProposalId) -> Proposal:
    """One proposal. Raises NotFound."""
    for found in read_proposals(connection, moment):
        if found.proposal_id == proposal_id:
            return found
    raise NotFound(what="proposal", key=proposal_id)


def _proposal(
    row: Row[Any], moment: Moment, councillors: list[bytes], calls: list[Call]
) -> Proposal:
    status = ProposalStatus(row.status)
    return Proposal(
        proposal_id=ProposalId(row.proposal_id),
        programme_id=ProgrammeId(row.programme_id),
        status=status,
        expired=status is ProposalStatus.OPEN and moment.timestamp >= row.expires_at,
        maker=bytes(row.maker),
        made_at=row.made_at,
        expires_at=row.expires_at,
        approvals_needed=row.approvals_needed,
        councillors=tuple(councillors),
        calls_hash=bytes(row.calls_hash),
        evidence=bytes(row.evidence),
        calls=tuple(calls),
    )
