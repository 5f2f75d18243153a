"""Benefits: listings, and what members redeemed of them.

A redemption and a cancellation are each the second half of an entry in the credit journal, which
awaits it (`ledger.mirror.handlers.entries`).
"""

from __future__ import annotations

from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import (
    BenefitClosed,
    BenefitListed,
    BenefitRedeemed,
    EntryKind,
    RedemptionCancelled,
    RedemptionFulfilled,
    RedemptionStatus,
)
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers.organisations import acting_organisation, require_controller
from ledger.mirror.handlers.programmes import known_programme
from ledger.mirror.rows import EntryRow, ListingVersion, RedemptionVersion


def _known_listing(book: Book, listing_id: int) -> ListingVersion:
    listing = book.listings.latest(book.connection, listing_id)
    if listing is None:
        raise Contradiction(f"there is no listing {listing_id}")
    return listing


def _list(book: Book, at: Place, event: BenefitListed) -> None:
    known_programme(book, event.programme_id)
    if event.listing_id > 1:
        _known_listing(book, event.listing_id - 1)
    if book.listings.latest(book.connection, event.listing_id) is not None:
        raise Contradiction(f"listing {event.listing_id} was listed before")
    usable = 0 < event.per_organisation <= event.capacity and event.price > 0
    if not usable or not event.opens_at < event.closes_at > at.timestamp:
        raise Contradiction(f"nobody can redeem of listing {event.listing_id}")
    book.listings.append(
        ListingVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            listing_id=event.listing_id,
            change="listed",
            programme_id=event.programme_id,
            price=event.price,
            capacity=event.capacity,
            per_organisation=event.per_organisation,
            opens_at=event.opens_at,
            closes_at=event.closes_at,
            profile=event.profile,
            closed=0,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _close(book: Book, at: Place, event: BenefitClosed) -> None:
    before = _known_listing(book, event.listing_id)
    if before.closed or before.programme_id != event.programme_id:
        raise Contradiction(
            f"programme {event.programme_id} has no open listing {event.listing_id}"
        )
    book.listings.append(
        before._replace(
            block_number=at.block_number,
            log_index=at.log_index,
            change="closed",
            closed=1,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _redeem(book: Book, at: Place, event: BenefitRedeemed) -> None:
    listing = _known_listing(book, event.listing_id)
    require_controller(acting_organisation(book, event.org_id), event.actor)
    if event.redemption_id > 1:
        _known_redemption(book, event.redemption_id - 1)
    if book.redemptions.latest(book.connection, event.redemption_id) is not None:
        raise Contradiction(f"redemption {event.redemption_id} was made before")
    if listing.closed or not listing.opens_at <= at.timestamp < listing.closes_at:
        raise Contradiction(f"listing {event.listing_id} is not open")
    _require_entry(book, listing, event)
    taken, by_organisation = _taken(book, event.listing_id, event.org_id)
    row = RedemptionVersion(
        block_number=at.block_number,
        log_index=at.log_index,
        redemption_id=event.redemption_id,
        listing_id=event.listing_id,
        programme_id=listing.programme_id,
        org_id=event.org_id,
        quantity=event.quantity,
        amount=event.amount,
        status=RedemptionStatus.OPEN.value,
        entry_id=event.entry_id,
        refund_id=0,
        taken=taken + event.quantity,
        taken_by_organisation=by_organisation + event.quantity,
        evidence=NO_COMMITMENT,
        actor=event.actor,
        operation_id=event.operation_id,
    )
    within = row.taken <= listing.capacity
    if not within or row.taken_by_organisation > listing.per_organisation:
        raise Contradiction(
            f"redemption {event.redemption_id} takes {event.quantity} units of listing "
            f"{event.listing_id}, which has less left for organisation {event.org_id}"
        )
    _append(book, row)


def _require_entry(book: Book, listing: ListingVersion, event: BenefitRedeemed) -> None:
    """That the entry which awaited the redemption is in the listing's programme, at its price."""
    entry = _entry(book, event.entry_id, EntryKind.REDEMPTION)
    price = listing.price * event.quantity
    if entry.programme_id != listing.programme_id or not event.amount == price > 0:
        raise Contradiction(
            f"entry {event.entry_id} of {event.amount} credits in programme {entry.programme_id} "
            f"is not the price of {event.quantity} units of listing {event.listing_id}"
        )


def _fulfil(book: Book, at: Place, event: RedemptionFulfilled) -> None:
    before = _open_redemption(book, event)
    after = _next_version(book, before, at, event)
    _append(book, after._replace(status=RedemptionStatus.FULFILLED.value))
    book.accounts.settle(before.programme_id, before.amount)


def _cancel(book: Book, at: Place, event: RedemptionCancelled) -> None:
    before = _open_redemption(book, event)
    entry = _entry(book, event.entry_id, EntryKind.REFUND)
    if entry.refers_to != before.entry_id:
        raise Contradiction(
            f"entry {event.entry_id} refunds entry {entry.refers_to} and not {before.entry_id}, "
            f"which redemption {event.redemption_id} is of"
        )
    after = _next_version(book, before, at, event)
    _append(
        book,
        after._replace(
            status=RedemptionStatus.CANCELLED.value,
            refund_id=event.entry_id,
            taken=after.taken - before.quantity,
            taken_by_organisation=after.taken_by_organisation - before.quantity,
        ),
    )


def _entry(book: Book, entry_id: int, kind: EntryKind) -> EntryRow:
    entry = book.accounts.entry(book.connection, entry_id)
    if entry is None or entry.kind != kind:
        raise Contradiction(f"entry {entry_id} is no {kind.name.lower()}")
    return entry


def _known_redemption(book: Book, redemption_id: int) -> RedemptionVersion:
    redemption = book.redemptions.latest(book.connection, redemption_id)
    if redemption is None:
        raise Contradiction(f"there is no redemption {redemption_id}")
    return redemption


def _open_redemption(
    book: Book, event: RedemptionFulfilled | RedemptionCancelled
) -> RedemptionVersion:
    before = _known_redemption(book, event.redemption_id)
    expected = (event.listing_id, event.org_id, RedemptionStatus.OPEN)
    if (before.listing_id, before.org_id, before.status) != expected:
        raise Contradiction(
            f"redemption {event.redemption_id} of listing {before.listing_id} by organisation "
            f"{before.org_id} is {RedemptionStatus(before.status).name.lower()} "
            f"({type(event).__name__} of listing {event.listing_id}, organisation {event.org_id})"
        )
    return before


def _taken(book: Book, listing_id: int, org_id: int) -> tuple[int, int]:
    """Units of a listing that are redeemed and not given back: in all, and the organisation's."""
    last = book.redemptions_by_listing.latest(book.connection, listing_id)
    own = book.redemptions_by_member.latest(book.connection, listing_id, org_id)
    return (last.taken if last else 0), (own.taken_by_organisation if own else 0)


def _next_version(
    book: Book,
    before: RedemptionVersion,
    at: Place,
    event: RedemptionFulfilled | RedemptionCancelled,
) -> RedemptionVersion:
    taken, by_organisation = _taken(book, before.listing_id, before.org_id)
    return before._replace(
        block_number=at.block_number,
        log_index=at.log_index,
        taken=taken,
        taken_by_organisation=by_organisation,
        evidence=event.evidence,
        actor=event.actor,
        operation_id=event.operation_id,
    )


def _append(book: Book, row: RedemptionVersion) -> None:
    book.redemptions.append(row)
    book.redemptions_by_listing.note(row)
    book.redemptions_by_member.note(row)


HANDLERS: dict[type[object], Handler] = {
    BenefitListed: _list,
    BenefitClosed: _close,
    BenefitRedeemed: _redeem,
    RedemptionFulfilled: _fulfil,
    RedemptionCancelled: _cancel,
}
