"""Proposals at the desk: what each would do, who approved, and what is left for the reader to do.

A councillor approves by his own key: the server's where it has it, his wallet's otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.callers import Caller
from api.commanding import councils
from api.console.asked import asked_choice, asked_number
from api.console.desk.acting import Act, carry_on, desk_page
from api.console.desk.forms import Form, Officer, Sender, SentForm
from api.console.desk.front import sentences_of
from api.console.languages import Language
from api.desk import ServerDesk
from api.rights import offices_of
from api.routes.proposals import ProposalPath, tell_calls
from ledger.domain.ids import ProposalId
from ledger.errors import InvalidValue
from ledger.mirror.queries.moments import Condition
from ledger.mirror.queries.proposals import (
    COUNCILLOR,
    MadeProposal,
    ProposalStanding,
    list_proposals,
    read_proposal,
)
from ledger.services.councils import MAX_PROPOSAL_ID

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 20


class Doing(StrEnum):
    """What can be done about a proposal; the value is the name of its kind."""

    APPROVE = "approvals"
    EXECUTE = "executions"
    CANCEL = "proposal-cancellations"


_KINDS = {kind.name: kind for kind in councils.KINDS}


@router.get("/desk/proposals")
def proposals(request: Request, caller: Officer) -> Response:
    """Proposals in sentences, the latest first."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        standing = asked_choice(request, "standing", ProposalStanding)
        before = asked_number(request, "before")
        found = list_proposals(
            reading.connection,
            reading.moment,
            standing=standing,
            before=ProposalId(before or MAX_PROPOSAL_ID),
            limit=PAGE_SIZE + 1,
        )
        shown = found[:PAGE_SIZE]
        return {
            "found": [(each, sentences_of(reading, language, each)) for each in shown],
            "next": shown[-1].proposal_id if len(found) > PAGE_SIZE else None,
            "standings": tuple(ProposalStanding),
            "wanted": standing.value if standing else "",
        }

    return desk_page(request, caller, "desk_proposals.html", build)


@router.get("/desk/proposals/{proposal_id}")
def proposal(request: Request, proposal_id: ProposalPath, caller: Officer) -> Response:
    """One proposal, with every value of its calls."""
    return _show(request, caller, ProposalId(proposal_id), Form(), 200)


@router.post("/desk/proposals/{proposal_id}")
def decide(request: Request, proposal_id: ProposalPath, form: SentForm, caller: Sender) -> Response:
    """Preview an approval, the carrying out or the cancelling of a proposal, or send it."""
    try:
        doing = Doing(form.text("act"))
    except ValueError as error:
        expected = "one of " + ", ".join(Doing)
        raise InvalidValue(field="act", value=form.text("act")[:40], expected=expected) from error

    def make() -> Mapping[str, Any]:
        body: dict[str, Any] = {"proposal": proposal_id}
        if doing is Doing.APPROVE:
            # What the reader was shown, so that nothing else is approved.
            body["calls_hash"] = form.text("calls_hash")
        return body

    act = Act(
        _KINDS[doing.value],
        make,
        lambda shown, status: _show(request, caller, ProposalId(proposal_id), shown, status),
        {},
        f"/desk/proposals/{proposal_id}",
    )
    return carry_on(request, caller, form, act)


def _show(
    request: Request, caller: Caller, proposal_id: ProposalId, form: Form, status: int
) -> Response:
    desk: ServerDesk = request.app.state.desk

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        found = read_proposal(reading.connection, reading.moment, proposal_id)
        zh, en = tell_calls(reading, found.calls)
        has_key = caller.account in desk.signers()
        return {
            "form": form,
            "proposal": found,
            "says": zh if language.is_chinese else en,
            "doings": _doings(reading, caller, found, has_key=has_key),
            "draft": _draft(caller, found) if not has_key else None,
        }

    return desk_page(request, caller, "desk_proposal.html", build, status=status)


def _draft(caller: Caller, found: MadeProposal) -> Mapping[str, Any] | None:
    """The message by which the caller's own wallet approves it; None where it may not."""
    if caller.account not in found.may_approve:
        return None
    return {"kind": "approval", "account": caller.address, "proposal": found.proposal_id}


def _doings(reading: Reading, caller: Caller, found: MadeProposal, *, has_key: bool) -> list[Doing]:
    """What the caller may do about a proposal now, with a key of this server."""
    if found.standing is not ProposalStanding.OPEN:
        return []
    if reading.condition is not Condition.FOLLOWING:
        return []
    held = offices_of(reading, caller.account, found.programme_id)
    doings = []
    if caller.account in found.may_approve and has_key:
        doings.append(Doing.APPROVE)
    if found.executable and COUNCILLOR in held:
        doings.append(Doing.EXECUTE)
    if "guardian" in held or (found.maker == caller.account and has_key):
        doings.append(Doing.CANCEL)
    return doings
