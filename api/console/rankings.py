"""Who contributed most to a programme: in all, in an epoch, in a category, to the last place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_key, asked_number
from api.console.languages import Language
from api.console.pages import page
from api.console.programmes import epoch_of
from api.pagination import cut_page, decode_cursor, question_of
from ledger.domain.ids import OrgId
from ledger.errors import InvalidValue
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.mirror.queries.programmes import Programme, read_programmes
from ledger.mirror.queries.rankings import RankingPlace, read_ranking

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50


@router.get("/rankings")
def rankings(request: Request) -> Response:
    """The ranking of a programme, of the first one unless another is asked for."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        every = read_programmes(connection, moment)
        programme = _programme(every, asked_key(request, "programme"))
        if programme is None:
            return {"programme": None}
        number = asked_number(request, "epoch")
        category = asked_key(request, "category")
        # What was chosen for one programme means nothing for another.
        if not any(each.number == number for each in programme.rules.epochs):
            number = None
        if not any(each.category == category for each in programme.rules.categories):
            category = ""
        epoch = epoch_of(programme, number)
        question = question_of(request)
        cursor = request.query_params.get("cursor")
        rows = read_ranking(
            connection,
            moment,
            programme.programme_id,
            epoch=epoch,
            category=category,
            after=_place(question, cursor) if cursor else None,
            limit=PAGE_SIZE + 1,
        )
        found = cut_page(rows, PAGE_SIZE, question, lambda row: (row.credits, row.org_id))
        return {
            "programme": programme,
            "followed": {"programme": programme.key},
            "found": found,
            "is_first": cursor is None,
            "highest": max((rank.credits for rank in found.rows), default=0),
            "profiles": read_organisation_profiles(
                connection, moment, [rank.org_id for rank in found.rows]
            ),
            "epoch": epoch,
            "category": category,
            "begun": [
                each for each in programme.rules.epochs if each.begins_at <= moment.timestamp
            ],
        }

    return page(request, "rankings.html", build)


def _programme(every: tuple[Programme, ...], key: str) -> Programme | None:
    """The one of that key, the first for none; None where there are none at all."""
    for each in every:
        if key in ("", each.key):
            return each
    if key:
        raise InvalidValue(field="programme", value=key, expected="the key of a programme")
    return None


def _place(question: str, cursor: str) -> RankingPlace:
    amount, org_id = decode_cursor(question, cursor, 2)
    return RankingPlace(amount, OrgId(org_id))
