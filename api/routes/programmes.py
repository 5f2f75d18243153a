"""The programmes and their rankings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.lists import answer_whole
from api.pagination import (
    LONGEST_KEY,
    Place,
    cut_page,
    decode_cursor,
    link_header,
    numbers_of,
    question_of,
)
from api.parameters import (
    LIMIT,
    CategoryQuery,
    CursorQuery,
    EpochQuery,
    LimitQuery,
    ProgrammeNeeded,
    ProgrammePath,
    asked_moment,
)
from api.routes.declared import ALWAYS, problems
from api.routes.named import programme_named
from api.schemas.base import MOST_PARTS, Schema
from api.schemas.entries import RankingPage, RankView
from api.schemas.programmes import (
    CategoriesPage,
    CategoryTotalView,
    CategoryView,
    EpochsPage,
    EpochView,
    ProgrammeAnswer,
    ProgrammesPage,
    ProgrammeView,
)
from ledger.domain.ids import OrgId
from ledger.errors import InvalidValue
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.mirror.queries.programmes import (
    Programme,
    read_category_totals,
    read_programme,
    read_programmes,
)
from ledger.mirror.queries.rankings import Rank, RankingPlace, read_ranking
from ledger.mirror.queries.rules import Epoch, Rules
from ledger.office.queries import read_profile_texts

router = APIRouter(tags=["programmes"])

OF_ONE = {
    **ALWAYS,
    **problems(
        s400="The cursor was not given for this question.", s404="There is no such programme."
    ),
}


@router.get(
    "/programmes",
    operation_id="listProgrammes",
    response_model=ProgrammesPage,
    responses={**ALWAYS, **problems(s400="The cursor was not given for this question.")},
)
def list_programmes(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """All programmes with their rules, members and what is outstanding."""

    return answer_whole(
        request,
        asked,
        ProgrammesPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading: read_programmes(reading.connection, reading.moment),
        place_of=lambda programme: (programme.programme_id,),
        show=ProgrammeView.of,
    )


@router.get(
    "/programmes/{programme}",
    operation_id="getProgramme",
    response_model=ProgrammeAnswer,
    responses={**ALWAYS, **problems(s404="There is no such programme.")},
)
def get_programme(
    request: Request,
    programme: ProgrammePath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
) -> Response:
    """A programme, with what was recorded in each category."""

    def build(reading: Reading) -> ProgrammeAnswer:
        found = read_programme(reading.connection, reading.moment, programme)
        totals = read_category_totals(reading.connection, reading.moment, found.programme_id)
        texts = read_profile_texts(reading.connection, found.profile_commitment)
        return ProgrammeAnswer.stating(
            reading.about,
            ProgrammeView.of(found),
            role_zh=texts.get("role_zh") or None,
            role_en=texts.get("role_en") or None,
            totals=[CategoryTotalView.of(each) for each in totals[:MOST_PARTS]],
        )

    return answers_of(request).json(request, build, asked)


@router.get(
    "/programmes/{programme}/categories",
    operation_id="listCategories",
    response_model=CategoriesPage,
    responses=OF_ONE,
)
def list_categories(
    request: Request,
    programme: ProgrammePath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """The categories of a programme, closed ones too."""
    return answer_whole(
        request,
        asked,
        CategoriesPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading: _rules_of(reading, programme).categories,
        place_of=lambda category: numbers_of(category.category.encode(), LONGEST_KEY),
        show=CategoryView.of,
    )


@router.get(
    "/programmes/{programme}/epochs",
    operation_id="listEpochs",
    response_model=EpochsPage,
    responses=OF_ONE,
)
def list_epochs(
    request: Request,
    programme: ProgrammePath,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """The epochs of a programme, past ones and those to come."""
    return answer_whole(
        request,
        asked,
        EpochsPage,
        limit=limit,
        cursor=cursor,
        read=lambda reading: _rules_of(reading, programme).epochs,
        place_of=lambda epoch: (epoch.number,),
        show=EpochView.of,
    )


@router.get(
    "/rankings",
    operation_id="listRankings",
    response_model=RankingPage,
    responses={**ALWAYS, **problems(s400="The cursor was not given for this question.")},
)
def list_rankings(
    request: Request,
    asked: Annotated[MomentAsked, Depends(asked_moment)],
    *,
    programme: ProgrammeNeeded,
    epoch: EpochQuery = None,
    category: CategoryQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """Who contributed most to a programme: in all, in an epoch, in a category.

    To page through one state of the ranking, give `as_of_block` of the first page.
    """

    def build(reading: Reading) -> tuple[Schema, Mapping[str, str]]:
        question = question_of(request)
        ranking = read_ranking(
            reading.connection,
            reading.moment,
            programme_named(reading, programme).programme_id,
            epoch=_epoch_of(reading, programme, epoch),
            category=category or "",
            after=_place_after(question, cursor) if cursor is not None else None,
            limit=limit + 1,
        )
        page = cut_page(ranking, limit, question, _place_of)
        org_ids = [rank.org_id for rank in page.rows]
        profiles = read_organisation_profiles(reading.connection, reading.moment, org_ids)
        items = [RankView.of(rank, profiles.get(rank.org_id)) for rank in page.rows]
        answer = RankingPage.giving(reading.about, items, page.next)
        return answer, link_header(request, page.next)

    return answers_of(request).json(request, build, asked)


def _rules_of(reading: Reading, reference: str) -> Rules:
    return read_programme(reading.connection, reading.moment, reference).rules


def _place_after(question: str, cursor: str) -> RankingPlace:
    amount, org_id = decode_cursor(question, cursor, 2)
    return RankingPlace(amount, OrgId(org_id))


def _place_of(rank: Rank) -> Place:
    return (rank.credits, rank.org_id)


def _epoch_of(reading: Reading, reference: str, number: int | None) -> Epoch | None:
    """The programme's epoch of that number. Raises InvalidValue where it has none such."""
    if number is None:
        return None
    programme: Programme = read_programme(reading.connection, reading.moment, reference)
    epochs = {epoch.number: epoch for epoch in programme.rules.epochs}
    if number not in epochs:
        raise InvalidValue(field="epoch", value=number, expected="an epoch of that programme")
    return epochs[number]
