"""Who may see and work on an application: its applicant, and the officers of its programme.

An applicant is known by the secret of its link, or by the account that it named. Everybody else is
told no more than that there is nothing for him. Officers are registrars and the council, of the
programme or of the whole alliance, as the chain says.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request

from api.answers import Reading, answers_of
from api.callers import Caller, find_caller, require_caller
from api.limits import Limits
from api.noting import Author
from api.rights import offices_of
from ledger.domain.access import Scope
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.errors import AccessDenied, LinkRefused, NotSignedIn, RightsUnknown
from ledger.mirror.queries.accounts import read_roles
from ledger.mirror.queries.moments import Condition
from ledger.mirror.queries.organisations import read_controlled_by
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.office.cases import Case, hash_link, link_of, read_case
from ledger.office.casework import APPLICANT

REGISTRARS = frozenset({"registrar", "council"})

SecretHeader = Annotated[
    str | None,
    Header(
        alias="Application-Secret",
        min_length=20,
        max_length=100,
        pattern="^[A-Za-z0-9_-]+$",
        description="The secret of the applicant's link, where nobody is signed in.",
    ),
]


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody whom an application concerns."""

    author: Author
    is_officer: bool


def party_to(
    request: Request, application_id: bytes, secret: str | None, *, scope: Scope = Scope.MEMBERS
) -> tuple[Case, Party]:
    """The application, and who asks for it.

    Raises NotSignedIn, LinkRefused, AccessDenied, NotFound, ScopeMissing and RightsUnknown.
    """
    if secret is not None:
        return _by_link(request, application_id, secret)
    caller = require_caller(request, scope)

    def find(reading: Reading) -> tuple[Case, Party]:
        case = read_case(reading.connection, application_id)
        if is_officer(reading, caller, case.programme):
            return case, Party(Author.of(caller), is_officer=True)
        own = read_controlled_by(reading.connection, reading.moment, caller.account)
        is_own = own is not None and own.org_id == case.org_id
        if case.controller != caller.account and not is_own:
            raise AccessDenied(account=caller.address, needed="the application is another's")
        return case, Party(Author.of(caller), is_officer=False)

    return answers_of(request).read(find)


def require_officer(
    request: Request, caller: Caller, application_ids: Collection[bytes]
) -> list[Case]:
    """The applications, all of programmes whose officer the caller is. Raises as `party_to`."""

    def find(reading: Reading) -> list[Case]:
        found = [read_case(reading.connection, each) for each in application_ids]
        for case in found:
            require_office(reading, caller, case.programme)
        return found

    return answers_of(request).read(find)


def require_office(reading: Reading, caller: Caller, programme: str) -> None:
    """See that the caller is an officer of a programme. Raises AccessDenied and RightsUnknown."""
    if not is_officer(reading, caller, programme):
        needed = f"it takes the office of registrar or council in {programme}"
        raise AccessDenied(account=caller.address, needed=needed)


def is_officer(reading: Reading, caller: Caller, programme: str) -> bool:
    """Whether the caller works on a programme's applications. Raises RightsUnknown."""
    programme_id = programme_ids(reading).get(programme, ALLIANCE_WIDE)
    return bool(offices_of(reading, caller.account, programme_id) & REGISTRARS)


def programmes_of(reading: Reading, caller: Caller) -> frozenset[str] | None:
    """The programmes whose applications the caller works on, None for all.

    Raises AccessDenied where there is none, and RightsUnknown.
    """
    if reading.condition is not Condition.FOLLOWING:
        raise RightsUnknown(condition=reading.condition.value)
    held = read_roles(reading.connection, reading.moment, caller.account)
    places = {each.programme_id for each in held if each.role in REGISTRARS}
    if not places:
        needed = "it takes the office of registrar or council"
        raise AccessDenied(account=caller.address, needed=needed)
    if ALLIANCE_WIDE in places:
        return None
    keys = read_programme_keys(reading.connection, reading.moment)
    return frozenset(keys[each] for each in places)


def programme_ids(reading: Reading) -> dict[str, ProgrammeId]:
    """The programmes' ids by their keys."""
    keys = read_programme_keys(reading.connection, reading.moment)
    return {key: programme_id for programme_id, key in keys.items()}


def _by_link(request: Request, application_id: bytes, secret: str) -> tuple[Case, Party]:
    shown = "0x" + application_id.hex()
    if find_caller(request) is not None:
        raise NotSignedIn(problem="either a session or a link's secret is to be sent, not both")

    def find(reading: Reading) -> tuple[Case, bytes | None]:
        case = read_case(reading.connection, application_id)
        return case, link_of(reading.connection, application_id)

    limits: Limits = request.app.state.limits
    case, kept = answers_of(request).read(find)
    if kept is None or not hmac.compare_digest(kept, hash_link(secret)):
        limits.charge_failure(request)
        raise LinkRefused
    author = Author(APPLICANT, f"link {shown}", "", "link")
    return case, Party(author, is_officer=False)
