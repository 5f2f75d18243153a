"""Council: proposals that a maker makes and others check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.chain.abi import encode_arguments
from ledger.chain.contracts.contract import encode_call, find_function
from ledger.chain.contracts.messages import MessageTaker, signed_row
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import BlockName
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import Call, ProposalStatus
from ledger.domain.ids import ProgrammeId, ProposalId
from ledger.domain.messages import SignedMessage
from ledger.domain.sharing import ProposalState


def hash_calls(calls: Sequence[Call]) -> bytes:
    """What an approval names: keccak256 of the ABI encoding of all calls, 32 bytes."""
    item, _ = find_function("Council", "execute")
    calls_parameter = item.inputs[1]
    return keccak256(encode_arguments([calls_parameter], [_rows(calls)]))


def encode_propose(
    programme_id: ProgrammeId,
    calls: Sequence[Call],
    expires_at: int,
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Propose calls. A councillor of the programme; 0 is the whole alliance."""
    return encode_call(
        "Council", "propose", programme_id, _rows(calls), expires_at, evidence, operation_id
    )


def encode_approve(proposal_id: ProposalId, calls_hash: bytes, operation_id: bytes) -> bytes:
    """Approve a proposal of these calls. A councillor other than its maker."""
    return encode_call("Council", "approve", proposal_id, calls_hash, operation_id)


def encode_approve_by_signature(
    proposal_id: ProposalId, calls_hash: bytes, operation_id: bytes, signed: SignedMessage
) -> bytes:
    """Approve by a councillor's message (`write_approval`). Anybody brings it."""
    return encode_call(
        "Council", "approveBySignature", proposal_id, calls_hash, operation_id, signed_row(signed)
    )


def encode_execute(proposal_id: ProposalId, calls: Sequence[Call], operation_id: bytes) -> bytes:
    """Carry a proposal out: the same calls as proposed. A councillor."""
    return encode_call("Council", "execute", proposal_id, _rows(calls), operation_id)


def encode_cancel(proposal_id: ProposalId, operation_id: bytes) -> bytes:
    """Cancel a proposal. Its maker, or a guardian."""
    return encode_call("Council", "cancel", proposal_id, operation_id)


def encode_change_alliance_approvals(approvals_needed: int, operation_id: bytes) -> bytes:
    """Change how many approvals the whole alliance needs. Only the alliance's own seat."""
    return encode_call("Council", "changeAllianceApprovals", approvals_needed, operation_id)


@dataclass(frozen=True, slots=True)
class Council(MessageTaker):
    """Reads of Council."""

    NAME: ClassVar[str] = "Council"

    def seat_of(self, programme_id: ProgrammeId, *, at: BlockName) -> bytes:
        """The address that a programme's proposals act from, 20 bytes."""
        return bytes(self.read("seatOf", programme_id, at=at))

    def proposal_count(self, *, at: BlockName) -> int:
        """How many proposals there are; their ids are 1 to this number."""
        return int(self.read("proposalCount", at=at))

    def proposal(self, proposal_id: ProposalId, *, at: BlockName) -> ProposalState:
        """A proposal as it is now. Raises ContractRefused (CouncilProposalUnknown)."""
        found = self.read("proposal", proposal_id, at=at)
        return ProposalState(
            programme_id=ProgrammeId(found["programmeId"]),
            status=ProposalStatus(found["status"]),
            approvals_needed=found["approvalsNeeded"],
            expires_at=found["expiresAt"],
            authority_only=found["authorityOnly"],
            authority_sequence=found["authoritySequence"],
            maker=found["maker"],
            calls_hash=found["callsHash"],
        )

    def approvers_of(self, proposal_id: ProposalId, *, at: BlockName) -> tuple[bytes, ...]:
        """Who approved it, in order; some may count no longer."""
        return tuple(self.read("approversOf", proposal_id, at=at))

    def approvals_of(self, proposal_id: ProposalId, *, at: BlockName) -> int:
        """How many approvals count now."""
        return int(self.read("approvalsOf", proposal_id, at=at))

    def alliance_approvals(self, *, at: BlockName) -> int:
        """How many approvals a proposal of the whole alliance needs."""
        return int(self.read("allianceApprovals", at=at))


def _rows(calls: Sequence[Call]) -> list[dict[str, Any]]:
    return [{"target": call.target, "data": call.data} for call in calls]
