"""Proposals: who made and approved each, who counted, and what was carried out by which seat."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.place import Place
from ledger.audit.history.programmes import MAX_APPROVALS, ProgrammesBook
from ledger.domain import events
from ledger.domain.events import ProposalStatus

_LONGEST = 90 * 24 * 60 * 60


@dataclass(slots=True)
class Proposal:
    """A proposal, and who approved it."""

    programme_id: int
    maker: bytes
    calls_hash: bytes
    approvals_needed: int
    expires_at: int
    authority_sequence: int
    authority_only: bool = False
    status: ProposalStatus = ProposalStatus.OPEN
    approvers: list[bytes] = field(default_factory=list)


class CouncilBook:
    """All proposals, by id from 1. `authority_sequence` is told with each line."""

    def __init__(
        self, authority: AuthorityBook, programmes: ProgrammesBook, authority_address: bytes
    ) -> None:
        self._authority = authority
        self._programmes = programmes
        self._address = authority_address
        self.alliance_approvals = 0
        self.authority_sequence = 0
        self.all: dict[int, Proposal] = {}
        self._waiting_for_calls: int | None = None
        self._executing: Proposal | None = None

    def take(self, at: Place, event: object, seat: bytes) -> None:
        """The next line of the Council; `seat` is the alliance's."""
        match event:
            case events.ProposalMade():
                self._make(at, event)
            case events.ProposalApproved():
                self._approve(at, event)
            case events.ProposalExecuted():
                self._execute(at, event)
            case events.ProposalCancelled():
                self._cancel(at, event)
            case events.AllianceApprovalsChanged():
                first = self.alliance_approvals == 0
                if not first:
                    by_seat = event.actor == seat and self._executing is not None
                    at.require(by_seat, "council.only_seat")
                    self._authority.require_running(at)
                usable = 0 < event.approvals_needed <= MAX_APPROVALS or not first
                if self._executing is not None:
                    counted = self._counted(self._executing)
                    usable = 0 < event.approvals_needed <= counted
                at.require(usable, "council.approvals_unusable")
                self.alliance_approvals = event.approvals_needed

    def take_calls(self, at: Place, calls: events.ProposalCalls) -> None:
        """What a proposal would call, right after the line of its making."""
        found = self.all.get(calls.proposal_id)
        at.require(self._waiting_for_calls == calls.proposal_id, "council.calls")
        self._waiting_for_calls = None
        if found is None:
            return
        at.require(found.calls_hash == calls.calls_hash, "council.calls")
        found.authority_only = all(call.target == self._address for call in calls.calls)
        if not found.authority_only:
            self._authority.require_running(at)

    def end_of_transaction(self, at: Place) -> None:
        """Object to a proposal whose calls were not shown."""
        at.require(self._waiting_for_calls is None, "council.calls")
        self._waiting_for_calls = None
        self._executing = None

    def _make(self, at: Place, event: events.ProposalMade) -> None:
        needed = self.alliance_approvals
        if event.programme_id:
            needed = self._programmes.find(at, event.programme_id).approvals_needed
        new = event.proposal_id == len(self.all) + 1
        at.require(new, "state.not_new", what="proposal", key=event.proposal_id)
        at.require(event.approvals_needed == needed, "council.approvals_unusable")
        at.require(at.time < event.expires_at <= at.time + _LONGEST, "council.expired")
        at.require(event.authority_sequence == self.authority_sequence, "council.moment")
        self._require_councillor(at, event.maker, event.programme_id)
        self.all[event.proposal_id] = Proposal(
            event.programme_id,
            event.maker,
            event.calls_hash,
            event.approvals_needed,
            event.expires_at,
            event.authority_sequence,
        )
        self._waiting_for_calls = event.proposal_id

    def _approve(self, at: Place, event: events.ProposalApproved) -> None:
        found = self._open(at, event.proposal_id)
        same = event.programme_id == found.programme_id
        at.require(same, "council.approvals_count")
        if not found.authority_only:
            self._authority.require_running(at)
        self._require_councillor(at, event.councillor, found.programme_id)
        other = event.councillor != found.maker
        at.require(other, "council.maker_approves", actor=event.councillor)
        at.require(event.councillor not in found.approvers, "once.approval")
        since = self._is_since(found, event.councillor) and self._is_since(found, found.maker)
        at.require(since, "council.appointed_later", actor=event.councillor)
        found.approvers.append(event.councillor)
        at.require(event.approvals == len(found.approvers), "council.approvals_count")

    def _execute(self, at: Place, event: events.ProposalExecuted) -> None:
        found = self._open(at, event.proposal_id)
        if not found.authority_only:
            self._authority.require_running(at)
        self._require_councillor(at, event.actor, found.programme_id)
        at.require(event.programme_id == found.programme_id, "council.approvals_count")
        counted = self._counted(found)
        enough = counted >= found.approvals_needed and self._is_since(found, found.maker)
        needed = found.approvals_needed
        at.require(enough, "council.approvals_missing", given=counted, needed=needed)
        found.status = ProposalStatus.EXECUTED
        self._executing = found

    def _cancel(self, at: Place, event: events.ProposalCancelled) -> None:
        found = self._open(at, event.proposal_id)
        same = event.programme_id == found.programme_id
        at.require(same, "council.approvals_count")
        may = event.actor == found.maker
        if not found.authority_only:
            programme_id = found.programme_id
            may = may or self._authority.is_officer("guardian", programme_id, event.actor)
        at.require(may, "rights.missing", actor=event.actor, role="guardian", programme=0)
        found.status = ProposalStatus.CANCELLED

    def _open(self, at: Place, proposal_id: int) -> Proposal:
        found = self.all.get(proposal_id)
        if found is None:
            at.object("state.unknown", what="proposal", key=proposal_id)
            return Proposal(0, b"", b"", 0, 0, 0)
        at.require(found.status is ProposalStatus.OPEN, "once.proposal", proposal=proposal_id)
        at.require(at.time < found.expires_at, "council.expired")
        return found

    def _require_councillor(self, at: Place, account: bytes, programme_id: int) -> None:
        self._authority.require_officer(at, account, programme_id, "councillor", even_paused=True)

    def _counted(self, found: Proposal) -> int:
        return sum(self._is_since(found, account) for account in found.approvers)

    def _is_since(self, found: Proposal, account: bytes) -> bool:
        appointed = (
            self._authority.appointed_at("councillor", programme_id, account)
            for programme_id in (found.programme_id, 0)
        )
        return any(0 < each <= found.authority_sequence for each in appointed)
