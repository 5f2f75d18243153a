"""What councils are asked to decide: told in sentences, with who approved and who still may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.lists import answer_latest
from api.naming import contracts_of, names_of
from api.parameters import LIMIT, CursorQuery, LimitQuery, Number, asked_moment
from api.routes.declared import ALWAYS, problems
from api.routes.named import council_named
from api.schemas.proposals import (
    CallView,
    ProposalAnswer,
    ProposalsPage,
    ProposalView,
    RawCallView,
)
from ledger.domain.events import Call
from ledger.domain.ids import ProposalId
from ledger.domain.keys import KEY_PATTERN
from ledger.mirror.queries.proposals import (
    MadeProposal,
    ProposalStanding,
    list_proposals,
    read_proposal,
)
from ledger.services.councils import MAX_PROPOSAL_ID
from ledger.services.proposals.reading import Reading as Told
from ledger.services.proposals.reading import read_calls
from ledger.services.proposals.words import CHINESE, ENGLISH

router = APIRouter(tags=["proposals"])

ProposalPath = Annotated[
    Number, Path(ge=1, le=MAX_PROPOSAL_ID, description="The proposal's number.", examples=[1])
]
CouncilQuery = Annotated[
    str | None,
    Query(
        pattern=f"^{KEY_PATTERN.pattern}$",
        max_length=31,
        description="Those to the council of a programme, by its id or its key; 0 is the whole "
        "alliance's.",
        examples=["community"],
    ),
]
StandingQuery = Annotated[
    ProposalStanding | None,
    Query(
        description="Those of this standing by the time of the answer's block.", examples=["open"]
    ),
]


@router.get(
    "/proposals",
    operation_id="listProposals",
    response_model=ProposalsPage,
    responses={**ALWAYS, **problems(s400="The cursor was not given for this question.")},
)
def list_all(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    council: CouncilQuery = None,
    standing: StandingQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Proposals with what they would do, in both languages, the latest first."""
    return answer_latest(
        request,
        asked,
        ProposalsPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading, before, most: list_proposals(
            reading.connection,
            reading.moment,
            programme_id=council_named(reading, council) if council is not None else None,
            standing=standing,
            before=ProposalId(before),
            limit=most,
        ),
        number_of=lambda row: row.proposal_id,
        show=_show,
    )


@router.get(
    "/proposals/{proposal_id}",
    operation_id="getProposal",
    response_model=ProposalAnswer,
    responses={**ALWAYS, **problems(s404="There is no such proposal.")},
)
def get_one(
    request: Request,
    proposal_id: ProposalPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """One proposal: what each of its calls would do, who approved it, and who still may."""

    def build(reading: Reading) -> ProposalAnswer:
        found = read_proposal(reading.connection, reading.moment, ProposalId(proposal_id))
        zh, en = tell_calls(reading, found.calls)
        return ProposalAnswer.stating(
            reading.about,
            ProposalView.of(found, zh, en),
            told=[CallView.of(*each) for each in zip(zh, en, strict=True)],
            raw_calls=[RawCallView.of(each) for each in found.calls],
        )

    return answers_of(request).json(request, build, asked)


def tell_calls(reading: Reading, calls: Sequence[Call]) -> tuple[Sequence[Told], Sequence[Told]]:
    """What calls would do, in Chinese and in English."""
    contracts, names = contracts_of(reading), names_of(reading)
    return (
        read_calls(calls, contracts, names, CHINESE),
        read_calls(calls, contracts, names, ENGLISH),
    )


def _show(reading: Reading, rows: Sequence[MadeProposal]) -> list[ProposalView]:
    return [ProposalView.of(each, *tell_calls(reading, each.calls)) for each in rows]
