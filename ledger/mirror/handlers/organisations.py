"""Organisations: who there is, who acts for them and how that changes, and who is retired."""

from __future__ import annotations

from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import (
    HELD_STATUSES,
    ControllerChanged,
    ControllerNominated,
    OrganisationProfileChanged,
    OrganisationRegistered,
    OrganisationRetired,
    RecoveryBegun,
    RecoveryStopped,
    SuccessorNamed,
)
from ledger.domain.keys import decode_key
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.organisations import NO_ORGANISATION
from ledger.mirror.rows import MembershipVersion, OrganisationVersion

_NOBODY = bytes(20)

_Change = (
    OrganisationProfileChanged
    | ControllerNominated
    | ControllerChanged
    | RecoveryBegun
    | RecoveryStopped
    | OrganisationRetired
    | SuccessorNamed
)


def known_organisation(book: Book, org_id: int) -> OrganisationVersion:
    """The organisation as it is now. Raises Contradiction where there is none."""
    organisation = book.organisations.latest(book.connection, org_id)
    if organisation is None:
        raise Contradiction(f"organisation {org_id} was never registered")
    return organisation


def acting_organisation(book: Book, org_id: int) -> OrganisationVersion:
    """The organisation, which must not be retired. Raises Contradiction."""
    organisation = known_organisation(book, org_id)
    if organisation.retired:
        raise Contradiction(f"organisation {org_id} is retired")
    return organisation


def require_controller(organisation: OrganisationVersion, account: bytes) -> None:
    """Raise Contradiction unless the account acts for the organisation."""
    if organisation.controller != account:
        raise Contradiction(
            f"0x{account.hex()} does not act for organisation {organisation.org_id}"
        )


def _require_free(book: Book, account: bytes) -> None:
    org_id = book.organisations.controlled_by(book.connection, account)
    if account == _NOBODY or org_id != NO_ORGANISATION:
        raise Contradiction(f"0x{account.hex()} cannot act for another organisation than {org_id}")


def _register(book: Book, at: Place, event: OrganisationRegistered) -> None:
    if book.organisations.latest(book.connection, event.org_id) is not None:
        raise Contradiction(f"organisation {event.org_id} was registered before")
    if event.org_id > 1:
        known_organisation(book, event.org_id - 1)
    _require_free(book, event.controller)
    book.organisations.append(
        OrganisationVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            org_id=event.org_id,
            change="registered",
            kind=decode_key(event.kind),
            controller=event.controller,
            profile=event.profile,
            registered_at=at.timestamp,
            nominated=None,
            recovery_successor=None,
            recovery_from=None,
            retired=0,
            successor_id=NO_ORGANISATION,
            evidence=NO_COMMITMENT,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _change_profile(book: Book, at: Place, event: OrganisationProfileChanged) -> None:
    before = acting_organisation(book, event.org_id)
    after = _next_version(before, at, event, "profile_changed")
    book.organisations.append(after._replace(profile=event.profile))


def _nominate(book: Book, at: Place, event: ControllerNominated) -> None:
    before = acting_organisation(book, event.org_id)
    require_controller(before, event.actor)
    named = None if event.successor == _NOBODY else event.successor
    if named is not None:
        _require_free(book, named)
    after = _next_version(before, at, event, "nominated")
    book.organisations.append(after._replace(nominated=named))


def _change_controller(book: Book, at: Place, event: ControllerChanged) -> None:
    before = acting_organisation(book, event.org_id)
    require_controller(before, event.previous)
    _require_free(book, event.controller)
    if event.recovered:
        _require_recovery(before, event.controller)
        if before.recovery_from is None or at.timestamp < before.recovery_from:
            raise Contradiction(f"the recovery of organisation {event.org_id} ends too early")
    elif not event.controller == before.nominated == event.actor:
        raise Contradiction(
            f"0x{event.controller.hex()} was not named to act for organisation {event.org_id}"
        )
    after = _next_version(before, at, event, "recovered" if event.recovered else "rotated")
    book.organisations.append(_without_successors(after)._replace(controller=event.controller))


def _begin_recovery(book: Book, at: Place, event: RecoveryBegun) -> None:
    before = acting_organisation(book, event.org_id)
    _require_free(book, event.successor)
    if before.recovery_successor is not None:
        raise Contradiction(f"a recovery of organisation {event.org_id} is under way already")
    if event.finishable_from <= at.timestamp:
        raise Contradiction(f"nobody can object to the recovery of organisation {event.org_id}")
    after = _next_version(before, at, event, "recovery_begun")
    book.organisations.append(
        after._replace(
            recovery_successor=event.successor,
            recovery_from=event.finishable_from,
            evidence=event.evidence,
        )
    )


def _stop_recovery(book: Book, at: Place, event: RecoveryStopped) -> None:
    before = acting_organisation(book, event.org_id)
    _require_recovery(before, event.successor)
    after = _next_version(before, at, event, "recovery_stopped")
    book.organisations.append(after._replace(recovery_successor=None, recovery_from=None))


def _retire(book: Book, at: Place, event: OrganisationRetired) -> None:
    before = acting_organisation(book, event.org_id)
    if event.successor_id == event.org_id:
        raise Contradiction(f"organisation {event.org_id} is merged into itself")
    if event.successor_id != NO_ORGANISATION:
        acting_organisation(book, event.successor_id)
    held = next(iter(_held_by(book, event.org_id)), None)
    if held is not None:
        raise Contradiction(
            f"organisation {event.org_id} is retired and a member of {held.programme_id}"
        )
    after = _without_successors(_next_version(before, at, event, "retired"))
    book.organisations.append(
        after._replace(
            controller=None,
            retired=1,
            successor_id=event.successor_id,
            evidence=event.evidence,
        )
    )


def _name_successor(book: Book, at: Place, event: SuccessorNamed) -> None:
    before = known_organisation(book, event.org_id)
    if not before.retired:
        raise Contradiction(f"organisation {event.org_id} is given a successor and not retired")
    if before.successor_id != NO_ORGANISATION:
        raise Contradiction(
            f"organisation {event.org_id} was merged into {before.successor_id} already"
        )
    acting_organisation(book, event.successor_id)
    after = _next_version(before, at, event, "successor_named")
    book.organisations.append(
        after._replace(successor_id=event.successor_id, evidence=event.evidence)
    )


def _held_by(book: Book, org_id: int) -> list[MembershipVersion]:
    """The memberships that the organisation holds. Programmes are numbered from 1."""
    held = []
    programme_id = 1
    while book.programmes.latest(book.connection, programme_id) is not None:
        version = book.memberships.latest(book.connection, org_id, programme_id)
        if version is not None and version.status in HELD_STATUSES:
            held.append(version)
        programme_id += 1
    return held


def _require_recovery(organisation: OrganisationVersion, successor: bytes) -> None:
    if organisation.recovery_successor != successor:
        raise Contradiction(
            f"no recovery of organisation {organisation.org_id} for 0x{successor.hex()} "
            "is under way"
        )


def _without_successors(version: OrganisationVersion) -> OrganisationVersion:
    """Who was named by a controller of before is named no longer."""
    return version._replace(nominated=None, recovery_successor=None, recovery_from=None)


def _next_version(
    before: OrganisationVersion, at: Place, event: _Change, change: str
) -> OrganisationVersion:
    return before._replace(
        block_number=at.block_number,
        log_index=at.log_index,
        change=change,
        evidence=NO_COMMITMENT,
        actor=event.actor,
        operation_id=event.operation_id,
    )


HANDLERS: dict[type[object], Handler] = {
    OrganisationRegistered: _register,
    OrganisationProfileChanged: _change_profile,
    ControllerNominated: _nominate,
    ControllerChanged: _change_controller,
    RecoveryBegun: _begin_recovery,
    RecoveryStopped: _stop_recovery,
    OrganisationRetired: _retire,
    SuccessorNamed: _name_successor,
}
