"""Organisations: who there is, who acts for them, and the commitment to their profile."""

from __future__ import annotations

from ledger.domain.events import OrganisationProfileChanged, OrganisationRegistered
from ledger.domain.keys import decode_key
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.rows import OrganisationVersion


def known_organisation(book: Book, org_id: int) -> OrganisationVersion:
    """The organisation as it is now. Raises Contradiction where there is none."""
    organisation = book.organisations.latest(book.connection, org_id)
    if organisation is None:
        raise Contradiction(f"organisation {org_id} was never registered")
    return organisation


def _register(book: Book, at: Place, event: OrganisationRegistered) -> None:
    if book.organisations.latest(book.connection, event.org_id) is not None:
        raise Contradiction(f"organisation {event.org_id} was registered before")
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
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _change_profile(book: Book, at: Place, event: OrganisationProfileChanged) -> None:
    before = known_organisation(book, event.org_id)
    book.organisations.append(
        before._replace(
            block_number=at.block_number,
            log_index=at.log_index,
            change="profile_changed",
            profile=event.profile,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


HANDLERS: dict[type[object], Handler] = {
    OrganisationRegistered: _register,
    OrganisationProfileChanged: _change_profile,
}
