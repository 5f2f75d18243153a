"""What happened to memberships and organisations: changes, recoveries, mergers, newest first."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import MomentAsked, Reading
from api.lists import LARGEST, ChainPlace, answer_newest
from api.parameters import (
    LIMIT,
    CursorQuery,
    LimitQuery,
    OrganisationPath,
    OrganisationQuery,
    ProgrammePath,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.schemas.control import (
    MergersPage,
    MergerView,
    OrganisationChangesPage,
    OrganisationChangeView,
    RecoveriesPage,
    RecoveryView,
)
from api.schemas.history import MembershipChangesPage, MembershipChangeView
from ledger.domain.ids import OrgId
from ledger.errors import NotFound
from ledger.mirror.queries.changes import MembershipChange, list_changes_of
from ledger.mirror.queries.control import (
    OrganisationChange,
    Recovery,
    list_mergers,
    list_organisation_changes,
    list_recoveries,
)
from ledger.mirror.queries.organisations import require_organisation
from ledger.mirror.queries.programmes import find_programme

router = APIRouter(tags=["organisations"])

BEFORE_ALL = (LARGEST, LARGEST)
LISTED = {**ALWAYS, **problems(s400="The cursor was not given for this question.")}
UNKNOWN = problems(s404="There is no such organisation.")

RecoveryQuery = Annotated[
    Literal["under_way", "ended"] | None,
    Query(description="Those that are under way, or those that ended."),
]


@router.get(
    "/organisations/{org_id}/memberships/{programme}/history",
    operation_id="listMembershipChanges",
    response_model=MembershipChangesPage,
    responses={**LISTED, **problems(s404="There never was such a membership.")},
)
def list_membership_changes(
    request: Request,
    org_id: OrganisationPath,
    programme: ProgrammePath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Everything that happened to a membership: what, why, by whom, in which transaction."""

    def read(reading: Reading, before: ChainPlace, count: int) -> tuple[MembershipChange, ...]:
        connection, moment, wanted = reading.connection, reading.moment, OrgId(org_id)
        programme_id = find_programme(connection, moment, programme)
        found = list_changes_of(
            connection, moment, wanted, programme_id, before=before, limit=count
        )
        if not found and before == BEFORE_ALL:
            raise NotFound(what="membership", key=f"{programme}/{org_id}")
        return found

    return answer_newest(
        request,
        asked,
        MembershipChangesPage,
        limit=limit,
        cursor=cursor,
        read=read,
        place_of=_place_of,
        show=MembershipChangeView.of,
    )


@router.get(
    "/organisations/{org_id}/history",
    operation_id="listOrganisationChanges",
    response_model=OrganisationChangesPage,
    responses={**LISTED, **UNKNOWN},
)
def list_changes(
    request: Request,
    org_id: OrganisationPath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Everything that happened to an organisation: who acts for it and may next, its profile, its
    recoveries, its end."""

    def read(reading: Reading, before: ChainPlace, count: int) -> tuple[OrganisationChange, ...]:
        connection, moment, wanted = reading.connection, reading.moment, OrgId(org_id)
        require_organisation(connection, moment, wanted)
        return list_organisation_changes(connection, moment, wanted, before=before, limit=count)

    return answer_newest(
        request,
        asked,
        OrganisationChangesPage,
        limit=limit,
        cursor=cursor,
        read=read,
        place_of=_place_of,
        show=OrganisationChangeView.of,
    )


@router.get(
    "/recoveries",
    operation_id="listRecoveries",
    response_model=RecoveriesPage,
    responses=LISTED,
)
def list_all_recoveries(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    organisation: OrganisationQuery = None,
    standing: RecoveryQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Recoveries of organisations whose key is lost: who began each and why, from when on it can be
    finished, and whether it was objected to."""

    def read(reading: Reading, before: ChainPlace, count: int) -> tuple[Recovery, ...]:
        return list_recoveries(
            reading.connection,
            reading.moment,
            org_id=None if organisation is None else OrgId(organisation),
            under_way=None if standing is None else standing == "under_way",
            before=before,
            limit=count,
        )

    return answer_newest(
        request,
        asked,
        RecoveriesPage,
        limit=limit,
        cursor=cursor,
        read=read,
        place_of=_place_of,
        show=RecoveryView.of,
    )


@router.get(
    "/mergers",
    operation_id="listMergers",
    response_model=MergersPage,
    responses=LISTED,
)
def list_all_mergers(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    organisation: OrganisationQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Which organisations were merged into which, when and by whom. With `organisation`: it into
    another, and others into it. What was carried over is `/v1/entries?kind=carry_over`."""

    def read(reading: Reading, before: ChainPlace, count: int) -> tuple[OrganisationChange, ...]:
        return list_mergers(
            reading.connection,
            reading.moment,
            org_id=None if organisation is None else OrgId(organisation),
            before=before,
            limit=count,
        )

    return answer_newest(
        request,
        asked,
        MergersPage,
        limit=limit,
        cursor=cursor,
        read=read,
        place_of=_place_of,
        show=MergerView.of,
    )


def _place_of(row: MembershipChange | OrganisationChange | Recovery) -> ChainPlace:
    return (row.block_number, row.log_index)
