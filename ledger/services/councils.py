"""Councils: one proposes, others approve, one of them has it carried out.

What a proposal calls is read from the chain and compared with its hash each time before somebody
approves or executes it, so that nobody puts a name to calls that were not shown. Whether a call
would succeed is tried from the seat that will make it; a proposal is decided on later, so a refusal
of today is told, and need not be one of tomorrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ledger.chain.addresses import parse_address, show_address
from ledger.chain.contracts import council
from ledger.chain.contracts.council import Council
from ledger.chain.proposed import Proposed, read_proposed
from ledger.chain.reverts import refusal_of
from ledger.chain.rpc import BlockName, Node
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import Call
from ledger.domain.ids import MAX_PROGRAMME_ID, ProgrammeId, ProposalId
from ledger.domain.sharing import ProposalState
from ledger.errors import ContractRefused, LedgerError, NodeRefused, NotFound
from ledger.outbox.records import Operation
from ledger.services.checks import check_range, check_some, check_time, count_of
from ledger.services.orders import Order

MAX_DURATION = 90 * 86_400
"""Seconds that a proposal lasts at most, as in Council.sol."""

ROLE_MISSING = "AuthorityRoleMissing"

MAX_PROPOSAL_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal on the chain. `approvals` count now; `approvers` are all who gave one."""

    proposal_id: ProposalId
    state: ProposalState
    proposed: Proposed
    approvers: tuple[bytes, ...]
    approvals: int

    @property
    def calls(self) -> tuple[Call, ...]:
        """What it would call, in order."""
        return self.proposed.calls


def check_proposal(proposal_id: int) -> None:
    """Raise InvalidValue unless it can be a proposal's id."""
    check_range("proposal", proposal_id, 1, MAX_PROPOSAL_ID)


def read_proposal(
    contract: Council, proposal_id: ProposalId, *, first_block: int, at: BlockName = "latest"
) -> Proposal:
    """A proposal as the chain has it, its calls proved by its hash.

    Raises NotFound, and NodeAnswerInvalid where a node tells other calls.
    """
    check_proposal(proposal_id)
    try:
        state = contract.proposal(proposal_id, at=at)
    except ContractRefused as error:
        raise NotFound(what="proposal", key=proposal_id) from error
    return Proposal(
        proposal_id,
        state,
        read_proposed(contract, proposal_id, state, first_block=first_block),
        contract.approvers_of(proposal_id, at=at),
        contract.approvals_of(proposal_id, at=at),
    )


def try_calls(node: Node, seat: bytes, calls: Sequence[Call]) -> Mapping[int, LedgerError]:
    """Which of the calls the contracts would refuse now, each tried by itself; counted from 1.

    A call can need what an earlier one of the same proposal does.
    """
    refused: dict[int, LedgerError] = {}
    for number, call in enumerate(calls, start=1):
        try:
            node.call(call.target, call.data, "latest", sender=seat)
        except NodeRefused as error:
            refused[number] = _of_seat(refusal_of(error), seat)
    return refused


def propose(
    order: Order,
    programme_id: ProgrammeId,
    calls: Sequence[Call],
    expires_at: int,
    evidence: bytes = NO_COMMITMENT,
) -> tuple[Operation, ProposalId]:
    """Propose calls to the council of a programme (0: of the whole alliance); the proposal's id.

    Signed by a councillor of it. It can be approved and executed before `expires_at`.
    """
    operation = ask_for_proposal(order, programme_id, calls, expires_at, evidence)
    (proposal_id,) = order.outbox.made_by(operation, "proposalId")
    return operation, ProposalId(proposal_id)


def ask_for_proposal(
    order: Order,
    programme_id: ProgrammeId,
    calls: Sequence[Call],
    expires_at: int,
    evidence: bytes = NO_COMMITMENT,
) -> Operation:
    """Propose calls, without looking which number the proposal got."""
    check_range("programme", programme_id, 0, MAX_PROGRAMME_ID)
    check_some("calls", calls)
    check_time("expiry", expires_at)
    encode = partial(council.encode_propose, programme_id, calls, expires_at, evidence=evidence)
    summary = f"Propose {count_of(len(calls), 'call')} to the council of {_name(programme_id)}."
    return order.place("Council", "propose", summary, encode)


def approve(order: Order, proposal: Proposal) -> Operation:
    """Approve the proposal's calls. Signed by a councillor other than its maker."""
    encode = partial(council.encode_approve, proposal.proposal_id, proposal.state.calls_hash)
    summary = f"Approve proposal {proposal.proposal_id}."
    return order.place("Council", "approve", summary, encode)


def execute(order: Order, proposal: Proposal) -> Operation:
    """Have the proposal's calls made, all or none. Signed by a councillor."""
    encode = partial(council.encode_execute, proposal.proposal_id, proposal.calls)
    summary = f"Carry out proposal {proposal.proposal_id}."
    try:
        return order.place("Council", "execute", summary, encode)
    except ContractRefused as refusal:
        account = refusal.values["arguments"].get("account", "")
        if account == show_address(order.signer.address):
            raise
        raise _of_seat(refusal, parse_address(account, "account") if account else b"") from refusal


def cancel(order: Order, proposal_id: ProposalId) -> Operation:
    """Cancel a proposal.

    Signed by its maker, or by a guardian unless all its calls go to the Authority.
    """
    check_proposal(proposal_id)
    encode = partial(council.encode_cancel, proposal_id)
    summary = f"Cancel proposal {proposal_id}."
    return order.place("Council", "cancel-proposal", summary, encode)


def change_alliance_approvals(order: Order, approvals: int) -> Operation:
    """Change how many approvals the whole alliance needs; its own council decides it."""
    check_range("approvals needed", approvals, 1, 255)
    encode = partial(council.encode_change_alliance_approvals, approvals)
    summary = f"Ask for {count_of(approvals, 'approval')} in the whole alliance."
    return order.place("Council", "alliance-approvals", summary, encode)


def _of_seat(refusal: LedgerError, seat: bytes) -> LedgerError:
    """A refusal with what to do where it is the council's seat that lacks a role: a seat signs
    nothing, so that no other key helps."""
    if not isinstance(refusal, ContractRefused) or refusal.values["name"] != ROLE_MISSING:
        return refusal
    given = refusal.values["arguments"]
    if given["account"] != show_address(seat):
        return refusal
    where = f" --programme {given['programmeId']}" if given["programmeId"] else ""
    command = f"moonlake role appoint {given['role']} {given['account']}{where}"
    return ContractRefused(
        name=ROLE_MISSING,
        arguments=given,
        meaning=f"The council's seat {given['account']} does not hold the role.",
        hint=f"Appoint the seat, with the default admin's key: `{command}`. Then try again.",
    )


def _name(programme_id: ProgrammeId) -> str:
    return f"programme {programme_id}" if programme_id else "the whole alliance"
