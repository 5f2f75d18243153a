"""Credits that are too old: what is due, and what expires of an organisation's own.

What was posted stands in the journal (`/v1/entries?kind=expiry`). Which policy a programme follows
is its council's to say and stands nowhere on the chain, so whoever asks names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.callers import Caller, Needs
from api.formats import show_bytes
from api.keeping import NOT_KEPT
from api.pagination import link_header, page_of_whole, question_of
from api.parameters import (
    LIMIT,
    CursorQuery,
    LimitQuery,
    Number,
    OrganisationPath,
    ProgrammeNeeded,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.base import Schema
from api.schemas.shares import (
    MAX_EPOCHS,
    DueAnswer,
    DueView,
    ExpiringAnswer,
    ExpiringView,
)
from ledger.domain.access import Scope
from ledger.domain.expiry import ExpiryPolicy
from ledger.domain.ids import OrgId
from ledger.mirror.queries.organisations import require_organisation
from ledger.services.expiries import compute_due, read_expiring

router = APIRouter(tags=["entries"])
signed_in = APIRouter(tags=["entries"])

EpochsQuery = Annotated[
    Number,
    Query(
        ge=0,
        le=MAX_EPOCHS,
        description="The policy: how many whole epochs credits stay good after their own is over.",
        examples=[4],
    ),
]


@router.get(
    "/organisations/{org_id}/expiries",
    operation_id="listExpiriesOfOrganisation",
    response_model=ExpiringAnswer,
    responses={
        **ALWAYS,
        **problems(
            s400="The cursor was not given for this question.",
            s404="There is no such organisation.",
        ),
    },
)
def list_of_organisation(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeNeeded,
    epochs: EpochsQuery,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """When an organisation's unspent credits expire, award by award."""

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        connection, moment, about = reading.connection, reading.moment, reading.about
        require_organisation(connection, moment, OrgId(org_id))
        named = programme_named(reading, programme)
        policy = ExpiryPolicy(epochs)
        found = read_expiring(connection, moment, named.programme_id, OrgId(org_id), policy)
        shown = [ExpiringView.of(each, moment.timestamp) for each in found]
        page = page_of_whole(
            shown, limit, question_of(request), cursor, lambda each: (each.entry_id,)
        )
        answer = ExpiringAnswer(
            as_of=about.as_of,
            mirror=about.mirror,
            org_id=org_id,
            programme_id=named.programme_id,
            programme=named.key,
            epochs=epochs,
            due=sum(each.credits for each in shown if each.due),
            items=list(page.rows),
            next=page.next,
        )
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


@signed_in.get(
    "/expiries",
    operation_id="listExpiries",
    response_model=DueAnswer,
    responses=problems(
        s401="Nobody is signed in, or the credential is good for nothing.",
        s403="The key lacks the scope.",
        s422="A value of the query cannot be used; `errors` names each.",
        s500="The server met an error that it does not know.",
        s503="Nothing is mirrored yet, or the database cannot be used.",
    ),
)
def list_due(
    request: Request,
    caller: Annotated[Caller, Depends(Needs(Scope.READ))],  # noqa: ARG001  it takes a whole journal
    *,
    programme: ProgrammeNeeded,
    epochs: EpochsQuery,
) -> Response:
    """What is due to expire in a programme now, computed from its whole journal."""

    def build(reading: Reading) -> DueAnswer:
        named = programme_named(reading, programme)
        due = compute_due(
            reading.connection, reading.moment, named.programme_id, ExpiryPolicy(epochs)
        )
        about = reading.about
        return DueAnswer(
            as_of=about.as_of,
            mirror=about.mirror,
            programme_id=named.programme_id,
            programme=named.key,
            due_count=len(due.expiries),
            due_credits=sum(each.amount for each in due.expiries),
            policy=show_bytes(due.commitment),
            description=due.description.decode("utf-8"),
            items=[DueView.of(each) for each in due.batch],
        )

    answer = answers_of(request).read(build)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)
