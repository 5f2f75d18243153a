"""Councils: proposing commands, approving, carrying out, cancelling.

What a proposal carries is any other command that is asked for here, by its name and with its body;
it is made into the very call that the council's seat will make.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal, Union

from fastapi import Request
from pydantic import Field, create_model

from api.answers import Reading
from api.asking import Asking
from api.callers import Caller
from api.commanding import awards, benefits, control, members, officers, rules, sharing
from api.commanding.offices import COUNCILLORS
from api.desk import ServerDesk
from api.formats import parse_time
from api.kinds import Kind
from api.places import placed
from api.rights import COUNCIL, Standing, offices_of, stand, stand_alone
from api.routes.named import council_named
from api.schemas.commands import Command, commitment_of
from api.schemas.proposals import ApprovalCommand, ProposalCommand, ProposalOptions
from ledger.chain.signers import KeySigner, TransactionFields
from ledger.domain.access import Scope
from ledger.domain.events import Call
from ledger.domain.ids import ProposalId
from ledger.domain.operations import derive_operation_id
from ledger.errors import EvidenceMissing, InvalidValue, ServerCannotSign
from ledger.mirror.queries.proposals import read_proposal
from ledger.outbox.records import Operation
from ledger.outbox.records import Request as Intent
from ledger.services import councils
from ledger.services.desk import Desk
from ledger.services.orders import Draft, Drafted, Order

MAX_CALLS = 32
"""As in Council.sol."""

GUARDIAN = "guardian"
USUAL_DAYS = 14
_DAY = 86_400
_NOT_A_SEATS = frozenset({"redemptions", "claims", control.OBJECTIONS, "signed-messages"})
"""What takes an organisation's own account, or a signature; a seat is neither."""

_OFFERED: tuple[Kind[Any], ...] = (
    *awards.KINDS,
    *members.KINDS,
    *control.KINDS,
    *rules.KINDS,
    *officers.KINDS,
    *benefits.KINDS,
    *sharing.KINDS,
)
CARRIED: Mapping[str, Kind[Any]] = {
    kind.name: kind for kind in _OFFERED if kind.name not in _NOT_A_SEATS
}
"""What can be proposed, by its name."""


def _call_model(kind: Kind[Any]) -> Any:
    """The model of a proposed command: its name, and its body."""
    name: Any = Literal[kind.name]
    body: Any = kind.body
    return create_model(
        kind.operation_id.removeprefix("create") + "Call",
        __base__=Command,
        __doc__=kind.description,
        command=(name, Field(description=f"As POST /v1/{kind.name}.")),
        body=(body, ...),
    )


def _proposals_model() -> type[ProposalOptions]:
    """The body of a proposal, whose calls can be of any kind that a seat can do."""
    kinds: Any = Union[tuple(_call_model(kind) for kind in CARRIED.values())]  # noqa: UP007
    any_call: Any = Annotated[kinds, Field(discriminator="command")]
    calls: Any = Annotated[list[any_call], Field(min_length=1, max_length=MAX_CALLS)]
    return create_model(
        "ProposalsCommand",
        __base__=ProposalOptions,
        __doc__="Commands to be proposed to a council, whose seat does them, all or none.",
        calls=(calls, ...),
    )


ProposalsCommand = _proposals_model()


@dataclass(frozen=True, slots=True)
class _Seat:
    """Stands for the signer of a draft: a council's seat acts, and signs nothing."""

    address: bytes

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        raise AssertionError(f"a draft is not signed: {fields}")


def _propose(request: Request, reading: Reading, body: Any) -> Asking:
    if not body.no_evidence and body.evidence is None:
        raise EvidenceMissing
    programme_id = council_named(reading, body.council)
    expires_at = (
        _usual_end() if body.expires_at is None else parse_time("expires_at", body.expires_at)
    )
    evidence = commitment_of(body.evidence)
    carried = [_prepare(request, reading, number, call) for number, call in enumerate(body.calls)]

    def check(standing: Standing) -> None:
        # What is looked up for a command is looked up for the council, which will do it.
        for number, each in enumerate(carried):
            _within(number, body.calls[number], partial(each.check, _as_council(standing)))

    def place(order: Order) -> Operation:
        desk = _desk(request)
        seat = desk.contracts.council.seat_of(programme_id, at="latest")
        drafts: list[Intent] = [
            _within(number, body.calls[number], partial(_draft, each, order, seat, number + 1))
            for number, each in enumerate(carried)
        ]
        addresses = desk.outbox.addresses
        calls = [Call(addresses[each.contract], each.calldata) for each in drafts]
        refused = councils.try_calls(desk.node, seat, calls)
        if 1 in refused and not body.though_refused:
            raise refused[1]
        return councils.ask_for_proposal(order, programme_id, calls, expires_at, evidence)

    return Asking(
        "propose",
        COUNCILLORS,
        place,
        programme_id,
        check=check,
        stand=lambda now, caller, signers: stand_alone(
            now, caller, COUNCILLORS, programme_id, signers
        ),
    )


def _prepare(request: Request, reading: Reading, number: int, call: Any) -> Asking:
    asking: Asking = _within(
        number, call, lambda: CARRIED[call.command].prepare(request, reading, call.body)
    )
    return asking


def _within(number: int, call: Any, do: Callable[[], Any]) -> Any:
    """What `do` gives. A wrong value of a proposed command is named by its place."""
    try:
        return do()
    except InvalidValue as error:
        values = placed(error, call.body).values
        raise InvalidValue(
            field=f"calls.{number}.body.{values['field']}",
            value=values["value"],
            expected=values["expected"],
        ) from error


def _as_council(standing: Standing) -> Standing:
    return replace(standing, offices=frozenset({COUNCIL}))


def _draft(asking: Asking, order: Order, seat: bytes, number: int) -> Intent:
    """The call as the seat will make it. Its operation id follows from the proposal's, so that the
    same proposal has the same calls."""
    operation_id = derive_operation_id(
        "moonlake proposes", order.operation_id, number.to_bytes(8, "big")
    )
    try:
        asking.place(Draft(order.outbox, _Seat(seat), operation_id))
    except Drafted as drafted:
        return drafted.request
    raise AssertionError(f"{asking.command} places no order")


def _approve(request: Request, reading: Reading, body: ApprovalCommand) -> Asking:
    proposal_id = ProposalId(body.proposal)
    found = read_proposal(reading.connection, reading.moment, proposal_id)

    def place(order: Order) -> Operation:
        proposal = _read(request, proposal_id)
        if proposal.state.calls_hash != bytes.fromhex(body.calls_hash[2:]):
            expected = "the hash of the proposal's calls; look at them again"
            raise InvalidValue(field="calls_hash", value=body.calls_hash, expected=expected)
        return councils.approve(order, proposal)

    return Asking(
        "approve",
        COUNCILLORS,
        place,
        found.programme_id,
        stand=lambda now, caller, signers: stand_alone(
            now, caller, COUNCILLORS, found.programme_id, signers
        ),
    )


def _execute(request: Request, reading: Reading, body: ProposalCommand) -> Asking:
    proposal_id = ProposalId(body.proposal)
    found = read_proposal(reading.connection, reading.moment, proposal_id)
    return Asking(
        "execute",
        COUNCILLORS,
        lambda order: councils.execute(order, _read(request, proposal_id)),
        found.programme_id,
    )


def _cancel(_request: Request, reading: Reading, body: ProposalCommand) -> Asking:
    proposal_id = ProposalId(body.proposal)
    found = read_proposal(reading.connection, reading.moment, proposal_id)

    def by_what(now: Reading, caller: Caller, signers: Mapping[bytes, KeySigner]) -> Standing:
        own = signers.get(caller.account)
        is_guardian = GUARDIAN in offices_of(now, caller.account, found.programme_id)
        if caller.account != found.maker or (own is None and is_guardian):
            return stand(now, caller, (GUARDIAN,), found.programme_id, signers)
        if own is None:
            raise ServerCannotSign(account=caller.address, problem="it has not the maker's own key")
        return Standing(caller, frozenset(), found.programme_id, own)

    return Asking(
        "cancel-proposal",
        (GUARDIAN,),
        lambda order: councils.cancel(order, proposal_id),
        found.programme_id,
        stand=by_what,
    )


def _read(request: Request, proposal_id: ProposalId) -> councils.Proposal:
    """The proposal as the chain has it, its calls held against their hash."""
    desk = _desk(request)
    return councils.read_proposal(
        desk.contracts.council, proposal_id, first_block=desk.outbox.first_block
    )


def _desk(request: Request) -> Desk:
    desk: ServerDesk = request.app.state.desk
    return desk.opened()


def _usual_end() -> int:
    """The end of the day in two weeks."""
    return (int(time.time()) // _DAY + USUAL_DAYS + 1) * _DAY


KINDS: Sequence[Kind[Any]] = (
    Kind(
        "proposals",
        "createProposals",
        ProposalsCommand,
        Scope.COUNCIL,
        "Propose commands to a council. For councillors whose own key the server has: nobody "
        "proposes by another's key.",
        _propose,
    ),
    Kind(
        "approvals",
        "createApprovals",
        ApprovalCommand,
        Scope.COUNCIL,
        "Approve a proposal. For councillors whose own key the server has; who has a wallet signs "
        "a message (/v1/typed-data).",
        _approve,
    ),
    Kind(
        "executions",
        "createExecutions",
        ProposalCommand,
        Scope.COUNCIL,
        "Have a proposal carried out that has its approvals: all of its calls, or none. For "
        "councillors.",
        _execute,
    ),
    Kind(
        "proposal-cancellations",
        "createProposalCancellations",
        ProposalCommand,
        Scope.COUNCIL,
        "Cancel a proposal. For its maker where the server has his key, and for guardians.",
        _cancel,
    ),
)
