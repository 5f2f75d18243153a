"""The memberships of all organisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.pagination import Place, cut_page, decode_cursor, link_header, question_of
from api.parameters import (
    LIMIT,
    CursorQuery,
    LimitQuery,
    ProgrammeQuery,
    TierQuery,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.base import Schema
from api.schemas.memberships import MembershipsPage, MembershipView
from ledger.domain.ids import TokenId
from ledger.mirror.queries.memberships import Membership, Standing, list_memberships

router = APIRouter(tags=["memberships"])

StandingQuery = Annotated[
    Standing | None,
    Query(description="Those of this standing; without it, all that are not revoked."),
]


@router.get(
    "/memberships",
    operation_id="listMemberships",
    response_model=MembershipsPage,
    responses={**ALWAYS, **problems(s400="The cursor was not given for this question.")},
)
def list_all(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeQuery = None,
    status: StandingQuery = None,
    tier: TierQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Memberships in the order of programmes and organisations."""

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        (after,) = decode_cursor(question, cursor, 1) if cursor is not None else (0,)
        rows = list_memberships(
            reading.connection,
            reading.moment,
            programme_id=(
                programme_named(reading, programme).programme_id if programme is not None else None
            ),
            standing=status,
            tier=tier,
            after=TokenId(after),
            limit=limit + 1,
        )
        page = cut_page(rows, limit, question, _place_of)
        items = [MembershipView.of(membership) for membership in page.rows]
        answer = MembershipsPage.giving(reading.about, items, page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


def _place_of(membership: Membership) -> Place:
    return (membership.token_id,)
