"""One small function for each event: what it means in rows.

A handler also says whether the event can follow from what came before it. The contracts forbid such
events, so that one of them means that this is not the history of the contracts we know; a handler
then raises Contradiction and nothing of the batch is kept.

Some things that happen are two events, of which the second follows at once: an entry and the
redemption that it pays for, a proposal and its calls. The first then awaits the second.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.domain.events import BenefitRedeemed, ProposalCalls, RedemptionCancelled
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers import (
    authority,
    benefits,
    council,
    entries,
    memberships,
    messages,
    organisations,
    programmes,
    shares,
)

HANDLERS: Mapping[type[object], Handler] = {
    **authority.HANDLERS,
    **programmes.HANDLERS,
    **organisations.HANDLERS,
    **memberships.HANDLERS,
    **entries.HANDLERS,
    **benefits.HANDLERS,
    **shares.HANDLERS,
    **council.HANDLERS,
    **messages.HANDLERS,
}
"""The handler of each class of event."""

SECOND_HALVES: frozenset[type[object]] = frozenset(
    {BenefitRedeemed, RedemptionCancelled, ProposalCalls}
)
"""Events that never stand alone."""


def handle(book: Book, at: Place, event: object) -> None:
    """Write into the book what an event means. Raises Contradiction for one that cannot be."""
    kind = type(event)
    if book.awaited is not None or kind in SECOND_HALVES:
        _meet(book, at, event)
    HANDLERS[kind](book, at, event)


def _meet(book: Book, at: Place, event: object) -> None:
    """Check that the event is the one that the event before it awaits."""
    awaited, book.awaited = book.awaited, None
    name = type(event).__name__
    if awaited is None:
        raise Contradiction(f"{name} does not stand after the event that it belongs to")
    if type(event) is not awaited.event_type or at.block_number != awaited.at.block_number:
        raise Contradiction(f"{name} stands where {awaited.event_type.__name__} should")
    for field, value in awaited.fields.items():
        found = getattr(event, field)
        if found != value:
            raise Contradiction(f"the {field} of {name} is {_shown(found)} and not {_shown(value)}")


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
