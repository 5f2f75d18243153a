"""What the ledger's figures rest on: how far they are proved, by what, and how to check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.languages import Language
from api.console.pages import page
from ledger.mirror.overview import lag_seconds, read_overview
from ledger.mirror.queries.moments import read_contracts

router = APIRouter(include_in_schema=False)


@router.get("/proof")
def proof(request: Request) -> Response:
    """The state of the mirror and of what it proves."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        overview = read_overview(reading.connection)
        return {
            "overview": overview,
            "state": overview.state,
            "lag_seconds": lag_seconds(overview.state, reading.now),
            "contracts": read_contracts(reading.connection),
            "journals": overview.tallies.journals,
        }

    return page(request, "proof.html", build, volatile=True)
