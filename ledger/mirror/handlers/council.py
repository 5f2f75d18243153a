"""Councils: proposals, what they would call, who approved them, and how they ended."""

from __future__ import annotations

from ledger.domain.events import (
    AllianceApprovalsChanged,
    ProposalApproved,
    ProposalCalls,
    ProposalCancelled,
    ProposalExecuted,
    ProposalMade,
    ProposalStatus,
)
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers.programmes import known_programme
from ledger.mirror.rows import (
    AllianceApprovals,
    ProposalApproval,
    ProposalCall,
    ProposalVersion,
)

_COUNCILLOR = "councillor"

_Change = ProposalApproved | ProposalExecuted | ProposalCancelled


def _make(book: Book, at: Place, event: ProposalMade) -> None:
    if event.proposal_id > 1:
        _known_proposal(book, event.proposal_id - 1)
    if book.proposals.latest(book.connection, event.proposal_id) is not None:
        raise Contradiction(f"proposal {event.proposal_id} was made before")
    needed = _approvals_needed(book, event.programme_id)
    if event.approvals_needed != needed:
        raise Contradiction(
            f"proposal {event.proposal_id} of programme {event.programme_id} needs "
            f"{event.approvals_needed} approvals instead of {needed}"
        )
    if event.expires_at <= at.timestamp:
        raise Contradiction(f"proposal {event.proposal_id} expires before it can be approved")
    made = ProposalVersion(
        block_number=at.block_number,
        log_index=at.log_index,
        proposal_id=event.proposal_id,
        change="made",
        programme_id=event.programme_id,
        status=ProposalStatus.OPEN.value,
        maker=event.maker,
        calls_hash=event.calls_hash,
        evidence=event.evidence,
        approvals_needed=event.approvals_needed,
        approvals=0,
        expires_at=event.expires_at,
        authority_sequence=event.authority_sequence,
        made_at=at.timestamp,
        actor=event.maker,
        operation_id=event.operation_id,
    )
    _require_councillor_since(book, made, event.maker)
    book.proposals.append(made)
    book.await_next(at, ProposalCalls, proposal_id=event.proposal_id, calls_hash=event.calls_hash)


def _keep_calls(book: Book, at: Place, event: ProposalCalls) -> None:
    """Its hash is what the proposal in the line before has: the proposal awaits this."""
    if not event.calls:
        raise Contradiction(f"proposal {event.proposal_id} calls nothing")
    for position, call in enumerate(event.calls):
        book.add(
            ProposalCall(
                block_number=at.block_number,
                log_index=at.log_index,
                position=position,
                proposal_id=event.proposal_id,
                target=call.target,
                data=call.data,
            )
        )


def _approve(book: Book, at: Place, event: ProposalApproved) -> None:
    before = _open_proposal(book, at, event)
    _require_councillor_since(book, before, before.maker)
    _require_councillor_since(book, before, event.councillor)
    key = (event.proposal_id, event.councillor)
    again = book.approvals_by_councillor.latest(book.connection, *key) is not None
    if again or event.councillor == before.maker or event.approvals != before.approvals + 1:
        raise Contradiction(
            f"0x{event.councillor.hex()} cannot give approval {event.approvals} of proposal "
            f"{event.proposal_id}, which has {before.approvals}"
        )
    approval = ProposalApproval(
        block_number=at.block_number,
        log_index=at.log_index,
        proposal_id=event.proposal_id,
        councillor=event.councillor,
        number=event.approvals,
        operation_id=event.operation_id,
    )
    book.approvals.append(approval)
    book.approvals_by_councillor.note(approval)
    after = _next_version(before, at, event, "approved", event.councillor)
    book.proposals.append(after._replace(approvals=event.approvals))


def _execute(book: Book, at: Place, event: ProposalExecuted) -> None:
    before = _open_proposal(book, at, event)
    _require_councillor_since(book, before, before.maker)
    counted = sum(
        _is_councillor_since(book, before, approval.councillor)
        for number in range(1, before.approvals + 1)
        for approval in [book.approvals.latest(book.connection, before.proposal_id, number)]
        if approval is not None
    )
    if counted < before.approvals_needed:
        raise Contradiction(
            f"proposal {event.proposal_id} is executed with {counted} of "
            f"{before.approvals_needed} approvals"
        )
    after = _next_version(before, at, event, "executed", event.actor)
    book.proposals.append(after._replace(status=ProposalStatus.EXECUTED.value))


def _cancel(book: Book, at: Place, event: ProposalCancelled) -> None:
    before = _open_proposal(book, at, event)
    after = _next_version(before, at, event, "cancelled", event.actor)
    book.proposals.append(after._replace(status=ProposalStatus.CANCELLED.value))


def _change_alliance_approvals(book: Book, at: Place, event: AllianceApprovalsChanged) -> None:
    book.alliance_approvals.append(
        AllianceApprovals(
            block_number=at.block_number,
            log_index=at.log_index,
            approvals_needed=event.approvals_needed,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _known_proposal(book: Book, proposal_id: int) -> ProposalVersion:
    proposal = book.proposals.latest(book.connection, proposal_id)
    if proposal is None:
        raise Contradiction(f"there is no proposal {proposal_id}")
    return proposal


def _open_proposal(book: Book, at: Place, event: _Change) -> ProposalVersion:
    before = _known_proposal(book, event.proposal_id)
    is_open = before.status == ProposalStatus.OPEN and at.timestamp < before.expires_at
    if not is_open or before.programme_id != event.programme_id:
        raise Contradiction(
            f"programme {event.programme_id} has no open proposal {event.proposal_id} "
            f"({type(event).__name__})"
        )
    return before


def _approvals_needed(book: Book, programme_id: int) -> int:
    if programme_id != ALLIANCE_WIDE:
        return known_programme(book, programme_id).approvals_needed
    needed = book.alliance_approvals.latest(book.connection)
    if needed is None:
        raise Contradiction("the alliance has no rule for its proposals")
    return needed.approvals_needed


def _require_councillor_since(book: Book, proposal: ProposalVersion, account: bytes) -> None:
    if not _is_councillor_since(book, proposal, account):
        raise Contradiction(
            f"0x{account.hex()} is not the councillor of programme {proposal.programme_id} that it "
            f"was when proposal {proposal.proposal_id} was made"
        )


def _is_councillor_since(book: Book, proposal: ProposalVersion, account: bytes) -> bool:
    """Whether the account is a councillor, appointed before the proposal was made."""
    for programme_id in {proposal.programme_id, ALLIANCE_WIDE}:
        role = book.roles.latest(book.connection, account, _COUNCILLOR, programme_id)
        if role is not None and role.held and role.sequence <= proposal.authority_sequence:
            return True
    return False


def _next_version(
    before: ProposalVersion, at: Place, event: _Change, change: str, actor: bytes
) -> ProposalVersion:
    return before._replace(
        block_number=at.block_number,
        log_index=at.log_index,
        change=change,
        actor=actor,
        operation_id=event.operation_id,
    )


HANDLERS: dict[type[object], Handler] = {
    ProposalMade: _make,
    ProposalCalls: _keep_calls,
    ProposalApproved: _approve,
    ProposalExecuted: _execute,
    ProposalCancelled: _cancel,
    AllianceApprovalsChanged: _change_alliance_approvals,
}
