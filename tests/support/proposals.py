"""What councils go through: proposals that are executed, cancelled, left open, and those of all."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.contracts import authority, council, programmes
from ledger.domain.events import Call
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId, ProposalId
from tests.support.happenings import Ledger, commitment

LASTS = 10_000
"""Seconds that a proposal is open."""


def propose_everything(ledger: Ledger, programme: ProgrammeId) -> None:
    """Proposals of a programme and of the whole alliance, in all that can become of them."""
    _appoint(ledger, programme)
    _execute(ledger, programme)
    _execute_for_all(ledger)
    _leave_open(ledger, programme)


def _appoint(ledger: Ledger, programme: ProgrammeId) -> None:
    """The councillors, and the seats that they act from."""
    seats = ledger.contracts.council
    for role, of, account in (
        ("councillor", programme, ledger.officers["checker"].address),
        ("councillor", ALLIANCE_WIDE, ledger.officers["second"].address),
        ("council", programme, seats.seat_of(programme, at="latest")),
        ("council", ALLIANCE_WIDE, seats.seat_of(ALLIANCE_WIDE, at="latest")),
    ):
        calldata = authority.encode_appoint(role, of, account, ledger.operation())
        ledger.send("admin", "Authority", calldata)


def _execute(ledger: Ledger, programme: ProgrammeId) -> None:
    """A programme's proposal of two calls, with one approval more than it needs."""
    profile = programmes.encode_change_profile(programme, commitment("agreed"), ledger.operation())
    approvals = programmes.encode_change_approvals_needed(programme, 2, ledger.operation())
    calls = [Call(ledger.addresses["Programmes"], each) for each in (profile, approvals)]
    proposal = _propose(ledger, programme, calls)
    for councillor in ("checker", "second"):
        _approve(ledger, proposal, calls, councillor)
    execute = council.encode_execute(proposal, calls, ledger.operation())
    ledger.send("councillor", "Council", execute)


def _execute_for_all(ledger: Ledger) -> None:
    """The alliance agrees on how many must agree."""
    change = council.encode_change_alliance_approvals(1, ledger.operation())
    calls = [Call(ledger.addresses["Council"], change)]
    proposal = _propose(ledger, ALLIANCE_WIDE, calls)
    _approve(ledger, proposal, calls, "second")
    execute = council.encode_execute(proposal, calls, ledger.operation())
    ledger.send("second", "Council", execute)


def _leave_open(ledger: Ledger, programme: ProgrammeId) -> None:
    """One that is cancelled, one that expires, one whose checker goes."""
    cap = programmes.encode_change_supply_cap(programme, 5, ledger.operation())
    calls = [Call(ledger.addresses["Programmes"], cap)]
    cancelled = _propose(ledger, programme, calls)
    ledger.send("guardian", "Council", council.encode_cancel(cancelled, ledger.operation()))
    _propose(ledger, programme, calls)
    ledger.pass_time(LASTS + 1)
    left = _propose(ledger, programme, calls)
    for councillor in ("checker", "second"):
        _approve(ledger, left, calls, councillor)
    gone = ledger.officers["checker"].address
    dismiss = authority.encode_dismiss("councillor", programme, gone, ledger.operation())
    ledger.send("admin", "Authority", dismiss)


def _propose(ledger: Ledger, programme: ProgrammeId, calls: Sequence[Call]) -> ProposalId:
    calldata = council.encode_propose(
        programme,
        calls,
        ledger.now + LASTS,
        ledger.operation(),
        evidence=commitment("why"),
    )
    ledger.send("councillor", "Council", calldata)
    return ProposalId(ledger.contracts.council.proposal_count(at="latest"))


def _approve(ledger: Ledger, proposal: ProposalId, calls: Sequence[Call], councillor: str) -> None:
    approve = council.encode_approve(proposal, council.hash_calls(calls), ledger.operation())
    ledger.send(councillor, "Council", approve)
