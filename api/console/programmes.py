"""A programme's page: its rules, what was contributed to it, and who contributed most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_key, asked_number
from api.console.languages import Language
from api.console.names import name_in
from api.console.pages import page
from api.parameters import ProgrammePath
from ledger.errors import InvalidValue
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.mirror.queries.programmes import Programme, read_category_totals, read_programme
from ledger.mirror.queries.rankings import read_ranking
from ledger.mirror.queries.rules import Category, Epoch
from ledger.office.queries import read_profile_texts

router = APIRouter(include_in_schema=False)

_PLACES = 50


@router.get("/programmes/{programme}")
def programme(request: Request, programme: ProgrammePath) -> Response:
    """One programme."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        connection, moment = reading.connection, reading.moment
        found = read_programme(connection, moment, programme)
        epoch = epoch_of(found, asked_number(request, "epoch"))
        category = asked_key(request, "category")
        ranking = read_ranking(
            connection,
            moment,
            found.programme_id,
            epoch=epoch,
            category=category,
            limit=_PLACES,
        )
        texts = read_profile_texts(connection, found.profile_commitment)
        totals = read_category_totals(connection, moment, found.programme_id)
        return {
            "programme": found,
            "followed": {"programme": programme},
            "role": name_in(language, texts.get("role_zh", ""), texts.get("role_en", ""), ""),
            "totals": {total.category: total for total in totals},
            "most": max((abs(total.amount) for total in totals), default=0),
            "ranking": ranking,
            "highest": max((rank.credits for rank in ranking), default=0),
            "profiles": read_organisation_profiles(
                connection, moment, [rank.org_id for rank in ranking]
            ),
            "epoch": epoch,
            "category": category,
            "sides": sorted({_side(each) for each in found.rules.categories}),
            "side_of": _side,
            "begun": [each for each in found.rules.epochs if each.begins_at <= moment.timestamp],
        }

    return page(request, "programme.html", build)


def epoch_of(programme: Programme, number: int | None) -> Epoch | None:
    """The programme's epoch of a number. Raises InvalidValue where it has none such."""
    if number is None:
        return None
    for epoch in programme.rules.epochs:
        if epoch.number == number:
            return epoch
    raise InvalidValue(field="epoch", value=number, expected="an epoch of this programme")


def _side(category: Category) -> str:
    return category.label.side if category.label else ""
