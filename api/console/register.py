"""The public register: live figures, the programmes, and every organisation with its standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_choice, asked_key, asked_text
from api.console.languages import Language
from api.console.pages import page
from api.console.sky import HEIGHT, WIDTH, draw_sky
from api.pagination import cut_page, decode_cursor, question_of
from api.routes.named import programme_named
from ledger.domain.ids import OrgId, token_id
from ledger.mirror.queries.memberships import list_memberships
from ledger.mirror.queries.organisations import (
    Organisation,
    OrganisationFilter,
    OrganisationStatus,
    count_organisations,
    list_organisations,
    read_kinds,
    read_segments,
)
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.queries.rankings import read_ranking

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 25
_STARS = 240


@router.get("/")
def register(request: Request) -> Response:
    """The register, searched and filtered."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        wanted = _wanted(request, reading)
        question = question_of(request)
        cursor = request.query_params.get("cursor")
        (after,) = decode_cursor(question, cursor, 1) if cursor else (0,)
        rows = list_organisations(
            connection, moment, wanted, after=OrgId(after), limit=PAGE_SIZE + 1
        )
        return {
            "found": cut_page(rows, PAGE_SIZE, question, _place_of),
            "is_first": cursor is None,
            "is_filtered": wanted != OrganisationFilter(),
            "wanted": wanted,
            "count": count_organisations(connection, moment, wanted),
            "registered": count_organisations(connection, moment, OrganisationFilter()),
            "statuses": tuple(OrganisationStatus),
            "kinds": read_kinds(connection, moment),
            "segments": read_segments(connection, moment),
            "sky": _sky(reading),
            "sky_size": (WIDTH, HEIGHT),
        }

    return page(request, "register.html", build)


def _wanted(request: Request, reading: Reading) -> OrganisationFilter:
    programme = asked_key(request, "programme")
    return OrganisationFilter(
        search=asked_text(request, "q"),
        programme=programme_named(reading, programme) if programme else None,
        kind=asked_key(request, "kind"),
        status=asked_choice(request, "status", OrganisationStatus),
        segment=asked_text(request, "segment"),
    )


def _sky(reading: Reading) -> Any:
    connection, moment = reading.connection, reading.moment
    credited = {
        token_id(programme_id, rank.org_id): rank.credits
        for programme_id in read_programme_keys(connection, moment)
        for rank in read_ranking(connection, moment, programme_id, limit=_STARS)
    }
    return draw_sky(list_memberships(connection, moment, limit=_STARS), credited)


def _place_of(organisation: Organisation) -> tuple[int, ...]:
    return (organisation.org_id,)
