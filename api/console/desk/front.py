"""What waits for an officer: applications, proposals, renewals, suspensions, operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.callers import Caller
from api.commanding.offices import ISSUERS, REGISTRARS
from api.console.desk.acting import desk_page, places_of
from api.console.desk.following import Followed, followed
from api.console.desk.forms import Officer
from api.console.desk.guide import READERS
from api.console.languages import Language
from api.console.names import Name, organisation_name
from api.desk import ServerDesk
from api.parties import programmes_of
from api.rights import budgets_left
from api.routes.proposals import tell_calls
from ledger.domain.ids import ALLIANCE_WIDE, OrgId, ProposalId
from ledger.mirror.queries.accounts import RoleHeld, read_roles
from ledger.mirror.queries.memberships import Membership, Standing, list_memberships
from ledger.mirror.queries.moments import Condition
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.mirror.queries.proposals import MadeProposal, ProposalStanding, list_proposals
from ledger.office.cases import CaseState, Queue, count_queue
from ledger.outbox.records import State, list_operations
from ledger.services.councils import MAX_PROPOSAL_ID

router = APIRouter(include_in_schema=False)

RENEWAL_DAYS = 60
FAILED_DAYS = 7
_DAY = 86_400
_SHOWN = 12
_LOOKED_AT = 500
_WAITING = (CaseState.FILED, CaseState.RECOMMENDED, CaseState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Held:
    """A membership, and how its organisation is called."""

    membership: Membership
    name: Name


@router.get("/desk")
def front(request: Request, caller: Officer) -> Response:
    """What waits for whoever is signed in."""
    desk: ServerDesk = request.app.state.desk

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        held = read_roles(reading.connection, reading.moment, caller.account)
        ending, lapsed = _ending(reading, held), _standing(reading, held, Standing.LAPSED)
        suspended = _standing(reading, held, Standing.SUSPENDED)
        return {
            "waiting": _waiting(reading, caller, held),
            "proposals": _proposals(reading, language, caller),
            "is_councillor": any(each.role == "councillor" for each in held),
            "ending": _named(reading, language, ending[:_SHOWN]),
            "ending_count": len(ending),
            "lapsed": _named(reading, language, lapsed[:_SHOWN]),
            "lapsed_count": len(lapsed),
            "suspended": _named(reading, language, suspended[:_SHOWN]),
            "suspended_count": len(suspended),
            "renewal_days": RENEWAL_DAYS,
            "looked_at": _LOOKED_AT,
            "operations": _operations(reading, language),
            "budgets": budgets_left(reading, caller.account, desk.signers()),
            "may_award": bool(places_of(held, ISSUERS)),
            "may_admit": bool(places_of(held, REGISTRARS)),
            "may_set_up": bool(places_of(held, READERS)),
        }

    return desk_page(request, caller, "desk.html", build)


def _waiting(
    reading: Reading, caller: Caller, held: Sequence[RoleHeld]
) -> Mapping[str, int] | None:
    """How many applications wait for an officer, by their state; None for who decides none."""
    if not places_of(held, REGISTRARS) or reading.condition is not Condition.FOLLOWING:
        return None
    wanted = Queue(programmes=programmes_of(reading, caller))
    counts = count_queue(reading.connection, wanted)
    return {state.value: counts[state] for state in _WAITING}


def _proposals(
    reading: Reading, language: Language, caller: Caller
) -> list[tuple[MadeProposal, list[str]]]:
    """Open proposals that the caller may approve, or have carried out."""
    found = list_proposals(
        reading.connection,
        reading.moment,
        standing=ProposalStanding.OPEN,
        before=ProposalId(MAX_PROPOSAL_ID),
        limit=_LOOKED_AT,
    )
    mine = [each for each in found if caller.account in each.may_approve or each.executable]
    return [(each, sentences_of(reading, language, each)) for each in mine[:_SHOWN]]


def sentences_of(reading: Reading, language: Language, proposal: MadeProposal) -> list[str]:
    """What a proposal's calls would do, a sentence each."""
    zh, en = tell_calls(reading, proposal.calls)
    return [each.sentence for each in (zh if language.is_chinese else en)]


def _ending(reading: Reading, held: Sequence[RoleHeld]) -> list[Membership]:
    """Memberships in good standing that end soon, the first to end first."""
    ends_before = reading.moment.timestamp + RENEWAL_DAYS * _DAY
    found = _list(reading, held, Standing.ACTIVE, ends_before)
    return sorted(found, key=lambda each: each.expires_at)


def _standing(reading: Reading, held: Sequence[RoleHeld], standing: Standing) -> list[Membership]:
    return _list(reading, held, standing, None)


def _list(
    reading: Reading, held: Sequence[RoleHeld], standing: Standing, ends_before: int | None
) -> list[Membership]:
    places = places_of(held, REGISTRARS)
    if not places:
        return []
    found = list_memberships(
        reading.connection,
        reading.moment,
        standing=standing,
        ends_before=ends_before,
        limit=_LOOKED_AT,
    )
    return [each for each in found if ALLIANCE_WIDE in places or each.programme_id in places]


def _named(reading: Reading, language: Language, memberships: Sequence[Membership]) -> list[Held]:
    ids = [OrgId(each.org_id) for each in memberships]
    profiles = read_organisation_profiles(reading.connection, reading.moment, ids)
    return [
        Held(each, organisation_name(language, profiles.get(OrgId(each.org_id)), each.org_id))
        for each in memberships
    ]


def _operations(reading: Reading, language: Language) -> list[Followed]:
    """What is on its way, and what failed lately."""
    since = (int(reading.now) - FAILED_DAYS * _DAY) * 1000
    found = [
        each
        for state in (State.ACCEPTED, State.SENT, State.FAILED)
        for each in list_operations(reading.connection, state=state, limit=_SHOWN)
        if each.is_open or each.updated_at >= since
    ]
    return followed(reading, language, found)
