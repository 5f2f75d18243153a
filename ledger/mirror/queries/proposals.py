"""Proposals of councils at a moment: what they call, who approved, and who still may.

Which approvals count follows from the Authority's journal, as in `Council`: those of councillors
that were appointed before the proposal was made and are councillors still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from ledger.domain.events import Call, ProposalStatus
from ledger.domain.ids import ALLIANCE_WIDE, BlockNumber, ProgrammeId, ProposalId
from ledger.errors import NotFound
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, NOW, is_last_version, true_at
from ledger.store.mirror_tables import (
    blocks,
    programme_versions,
    proposal_approvals,
    proposal_calls,
    proposal_versions,
    role_changes,
)
from ledger.store.office_tables import evidence_files

COUNCILLOR = "councillor"


class ProposalStanding(StrEnum):
    """What became of a proposal; expired is open and past its end: derived, never stored."""

    OPEN = "open"
    EXPIRED = "expired"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval; `counts` while its councillor is the one that it was at the proposing."""

    councillor: bytes
    block_number: BlockNumber
    timestamp: int
    counts: bool


@dataclass(frozen=True, slots=True)
class MadeProposal:
    """A proposal; `programme_id` 0 and an empty `programme` are the whole alliance.

    `may_approve` are the councillors that have not approved and may, none unless it is open; it can
    be carried out where it is `executable`. Actor, operation and block are those of its last
    change. Times are seconds since 1970 UTC.
    """

    proposal_id: ProposalId
    programme_id: ProgrammeId
    programme: str
    standing: ProposalStanding
    maker: bytes
    maker_counts: bool
    made_at: int
    expires_at: int
    evidence: bytes
    document: Document | None
    calls_hash: bytes
    calls: tuple[Call, ...]
    approvals_needed: int
    approvals: tuple[Approval, ...]
    may_approve: tuple[bytes, ...]
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    timestamp: int

    @property
    def approvals_counting(self) -> int:
        """How many approvals count now."""
        return sum(each.counts for each in self.approvals)

    @property
    def executable(self) -> bool:
        """Whether a councillor can have it carried out now."""
        is_open = self.standing is ProposalStanding.OPEN and self.maker_counts
        return is_open and self.approvals_counting >= self.approvals_needed


_V, _P, _R, _A, _C = (
    proposal_versions,
    programme_versions,
    role_changes,
    proposal_approvals,
    proposal_calls,
)
_PROPOSALS = (
    select(_V, _P.c.key.label("programme"), blocks.c.timestamp, *DOCUMENT_COLUMNS)
    .select_from(_V)
    .join(blocks, blocks.c.number == _V.c.block_number)
    .outerjoin(
        _P,
        and_(_P.c.programme_id == _V.c.programme_id, is_last_version(_P, "programme_id")),
    )
    .outerjoin(evidence_files, evidence_files.c.commitment == _V.c.evidence)
    .where(is_last_version(_V, "proposal_id"))
)
_COUNCILLORS = select(_R.c.account, _R.c.programme_id, _R.c.sequence).where(
    is_last_version(_R, "account", "role", "programme_id"),
    _R.c.role == COUNCILLOR,
    _R.c.held == 1,
)
_OPEN = _V.c.status == int(ProposalStatus.OPEN)
_STANDING: dict[ProposalStanding, ColumnElement[bool]] = {
    ProposalStanding.OPEN: and_(_OPEN, _V.c.expires_at > NOW),
    ProposalStanding.EXPIRED: and_(_OPEN, _V.c.expires_at <= NOW),
    ProposalStanding.EXECUTED: _V.c.status == int(ProposalStatus.EXECUTED),
    ProposalStanding.CANCELLED: _V.c.status == int(ProposalStatus.CANCELLED),
}


def list_proposals(
    connection: Connection,
    moment: Moment,
    *,
    programme_id: ProgrammeId | None = None,
    standing: ProposalStanding | None = None,
    before: ProposalId,
    limit: int,
) -> tuple[MadeProposal, ...]:
    """At most `limit` proposals, the latest first, those before `before`.

    `programme_id` 0 asks for those of the whole alliance.
    """
    query = _PROPOSALS.where(_V.c.proposal_id < before)
    if programme_id is not None:
        query = query.where(_V.c.programme_id == programme_id)
    if standing is not None:
        query = query.where(_STANDING[standing])
    rows = connection.execute(
        query.order_by(_V.c.proposal_id.desc()).limit(limit), true_at(moment)
    ).all()
    return _with_details(connection, moment, rows)


def read_proposal(connection: Connection, moment: Moment, proposal_id: ProposalId) -> MadeProposal:
    """One proposal. Raises NotFound."""
    query = _PROPOSALS.where(_V.c.proposal_id == proposal_id)
    found = _with_details(connection, moment, connection.execute(query, true_at(moment)).all())
    if not found:
        raise NotFound(what="proposal", key=proposal_id)
    return found[0]


@dataclass(frozen=True, slots=True)
class _Councillors:
    """Who is a councillor of which programme, by the Authority's line of the appointment."""

    appointed: dict[int, dict[bytes, int]]

    def since(self, row: Row[Any]) -> set[bytes]:
        """Those that were councillors when the proposal was made, and still are."""
        return {
            account
            for programme_id in {int(ALLIANCE_WIDE), row.programme_id}
            for account, line in self.appointed.get(programme_id, {}).items()
            if line <= row.authority_sequence
        }


def _with_details(
    connection: Connection, moment: Moment, rows: Sequence[Row[Any]]
) -> tuple[MadeProposal, ...]:
    ids = [row.proposal_id for row in rows]
    if not ids:
        return ()
    at = true_at(moment)
    appointed: dict[int, dict[bytes, int]] = defaultdict(dict)
    for row in connection.execute(_COUNCILLORS, at):
        appointed[row.programme_id][bytes(row.account)] = row.sequence
    councillors = _Councillors(appointed)
    calls: dict[int, list[Call]] = defaultdict(list)
    for row in connection.execute(
        select(_C).where(_C.c.proposal_id.in_(ids)).order_by(_C.c.proposal_id, _C.c.position)
    ):
        calls[row.proposal_id].append(Call(bytes(row.target), bytes(row.data)))
    given: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(
        select(_A, blocks.c.timestamp)
        .join(blocks, blocks.c.number == _A.c.block_number)
        .where(_A.c.proposal_id.in_(ids), _A.c.block_number <= AT)
        .order_by(_A.c.proposal_id, _A.c.number),
        at,
    ):
        given[row.proposal_id].append(row)
    return tuple(
        _proposal(row, moment, calls[row.proposal_id], given[row.proposal_id], councillors)
        for row in rows
    )


def _proposal(
    row: Row[Any],
    moment: Moment,
    calls: Iterable[Call],
    given: Iterable[Any],
    councillors: _Councillors,
) -> MadeProposal:
    since, maker = councillors.since(row), bytes(row.maker)
    approvals = tuple(
        Approval(
            bytes(each.councillor),
            each.block_number,
            each.timestamp,
            bytes(each.councillor) in since,
        )
        for each in given
    )
    standing = _standing(row, moment)
    can_be_approved = standing is ProposalStanding.OPEN and maker in since
    may = since - {maker} - {each.councillor for each in approvals} if can_be_approved else set()
    return MadeProposal(
        proposal_id=row.proposal_id,
        programme_id=row.programme_id,
        programme=row.programme or "",
        standing=standing,
        maker=maker,
        maker_counts=maker in since,
        made_at=row.made_at,
        expires_at=row.expires_at,
        evidence=bytes(row.evidence),
        document=document_of(row),
        calls_hash=bytes(row.calls_hash),
        calls=tuple(calls),
        approvals_needed=row.approvals_needed,
        approvals=approvals,
        may_approve=tuple(sorted(may)),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        timestamp=row.timestamp,
    )


def _standing(row: Row[Any], moment: Moment) -> ProposalStanding:
    if row.status == ProposalStatus.OPEN:
        is_over = row.expires_at <= moment.timestamp
        return ProposalStanding.EXPIRED if is_over else ProposalStanding.OPEN
    return ProposalStanding[ProposalStatus(row.status).name]
