"""What councils are asked to decide, in sentences: who asks, who approved, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.asked import asked_choice, asked_key
from api.console.languages import Language
from api.console.latest import latest
from api.console.names import organisation_name
from api.console.pages import page
from api.naming import contracts_of, names_of
from api.routes.named import council_named
from api.routes.proposals import ProposalPath
from ledger.domain.ids import ProposalId
from ledger.mirror.queries.organisations import read_controlled_by
from ledger.mirror.queries.proposals import (
    MadeProposal,
    ProposalStanding,
    list_proposals,
    read_proposal,
)
from ledger.services.proposals.reading import Reading as Told
from ledger.services.proposals.reading import read_calls
from ledger.services.proposals.words import CHINESE, ENGLISH

router = APIRouter(include_in_schema=False)


@router.get("/proposals")
def proposals(request: Request) -> Response:
    """All proposals, the latest first."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        council = (
            "0" if request.query_params.get("council") == "0" else asked_key(request, "council")
        )
        standing = asked_choice(request, "standing", ProposalStanding)
        listed = latest(
            request,
            lambda before, most: list_proposals(
                reading.connection,
                reading.moment,
                programme_id=council_named(reading, council) if council else None,
                standing=standing,
                before=ProposalId(before),
                limit=most,
            ),
            lambda row: row.proposal_id,
        )
        return {
            **listed,
            "decoded": {
                each.proposal_id: _tell(reading, language, each) for each in listed["found"].rows
            },
            "wanted_council": council,
            "wanted_standing": standing.value if standing else "",
            "standings": tuple(ProposalStanding),
        }

    return page(request, "proposals.html", build)


@router.get("/proposals/{proposal_id}")
def proposal(request: Request, proposal_id: ProposalPath) -> Response:
    """One proposal."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        found = read_proposal(reading.connection, reading.moment, ProposalId(proposal_id))
        accounts = {found.maker, *found.may_approve, *(each.councillor for each in found.approvals)}
        return {
            "proposal": found,
            "decoded": _tell(reading, language, found),
            "holders": _holders(reading, language, accounts),
        }

    return page(request, "proposal.html", build)


def _tell(reading: Reading, language: Language, found: MadeProposal) -> Sequence[Told]:
    words = CHINESE if language.is_chinese else ENGLISH
    return read_calls(found.calls, contracts_of(reading), names_of(reading), words)


def _holders(reading: Reading, language: Language, accounts: set[bytes]) -> dict[bytes, Any]:
    """The organisations that some of the accounts act for."""
    found = {}
    for account in accounts:
        own = read_controlled_by(reading.connection, reading.moment, account)
        if own is not None:
            found[account] = (own.org_id, organisation_name(language, own.profile, own.org_id))
    return found
