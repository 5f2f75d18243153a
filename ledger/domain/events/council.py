"""Events of `Council`: proposals, their calls, approvals and ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.domain.events.journal import Event


class ProposalStatus(IntEnum):
    """A proposal's stored state, as in `ICouncil.Status`; expired is derived, never stored."""

    NONE = 0
    OPEN = 1
    EXECUTED = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a proposal: the contract that is called, and the calldata."""

    target: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class ProposalCalls:
    """What a proposal would call. No journal event: the `calls_hash` of the line before fixes it.

    `calls_hash` is keccak256 of the calls as they stand in the log; they are in the order in which
    they are made.
    """

    proposal_id: int
    calls_hash: bytes
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class ProposalMade(Event):
    programme_id: int
    proposal_id: int
    maker: bytes
    calls_hash: bytes
    evidence: bytes
    approvals_needed: int
    expires_at: int
    authority_sequence: int
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ProposalApproved(Event):
    programme_id: int
    proposal_id: int
    councillor: bytes
    approvals: int
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ProposalExecuted(Event):
    programme_id: int
    proposal_id: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ProposalCancelled(Event):
    programme_id: int
    proposal_id: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class AllianceApprovalsChanged(Event):
    approvals_needed: int
    actor: bytes
    operation_id: bytes
