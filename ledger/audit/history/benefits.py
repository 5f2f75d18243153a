"""What credits bought: listings, redemptions and how each ended, beside their entries."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.credits import CreditsBook
from ledger.audit.history.memberships import MembershipsBook
from ledger.audit.history.organisations import OrganisationsBook
from ledger.audit.history.place import Place
from ledger.audit.history.programmes import MAX_AMOUNT, ProgrammesBook
from ledger.domain import events
from ledger.domain.events import RedemptionStatus


@dataclass(slots=True)
class Listing:
    """A listing's terms, and the units that are taken."""

    programme_id: int
    price: int
    capacity: int
    per_organisation: int
    opens_at: int
    closes_at: int
    closed: bool = False
    redeemed: int = 0
    by: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Redemption:
    """Units that an organisation redeemed."""

    listing_id: int
    org_id: int
    quantity: int
    entry_id: int
    status: RedemptionStatus = RedemptionStatus.OPEN


class BenefitsBook:
    """All listings and redemptions, each by id from 1."""

    def __init__(
        self,
        authority: AuthorityBook,
        programmes: ProgrammesBook,
        organisations: OrganisationsBook,
        memberships: MembershipsBook,
        credits_: CreditsBook,
    ) -> None:
        self._authority = authority
        self._programmes = programmes
        self._organisations = organisations
        self._memberships = memberships
        self._credits = credits_
        self.listings: dict[int, Listing] = {}
        self.redemptions: dict[int, Redemption] = {}

    def take(self, at: Place, event: object) -> None:
        """The next line of Benefits."""
        if isinstance(event, events.BenefitListed):
            self._list(at, event)
            return
        listing = self.listings.get(event.listing_id)  # type: ignore[attr-defined]
        if listing is None:
            at.object("state.unknown", what="listing", key=event.listing_id)  # type: ignore[attr-defined]
            return
        match event:
            case events.BenefitClosed():
                self._require_desk(at, event.actor, listing)
                right = not listing.closed and event.programme_id == listing.programme_id
                at.require(right, "state.listing", listing=event.listing_id)
                listing.closed = True
            case events.BenefitRedeemed():
                self._redeem(at, event, listing)
            case events.RedemptionFulfilled():
                self._require_desk(at, event.actor, listing)
                found = self._end(at, event, RedemptionStatus.FULFILLED)
                amount = listing.price * found.quantity
                self._credits.settle(at, listing.programme_id, amount)
            case events.RedemptionCancelled():
                self._cancel(at, event, listing)

    def _list(self, at: Place, event: events.BenefitListed) -> None:
        self._programmes.find(at, event.programme_id)
        new = event.listing_id == len(self.listings) + 1
        at.require(new, "state.not_new", what="listing", key=event.listing_id)
        listing = Listing(
            event.programme_id,
            event.price,
            event.capacity,
            event.per_organisation,
            event.opens_at,
            event.closes_at,
        )
        self._require_desk(at, event.actor, listing)
        usable = event.price > 0 and 0 < event.per_organisation <= event.capacity
        usable = usable and event.price * event.capacity <= MAX_AMOUNT
        usable = usable and event.opens_at < event.closes_at > at.time
        at.require(usable, "state.listing", listing=event.listing_id)
        self.listings[event.listing_id] = listing

    def _redeem(self, at: Place, event: events.BenefitRedeemed, listing: Listing) -> None:
        self._authority.require_running(at)
        self._organisations.require_controller(at, event.org_id, event.actor)
        self._memberships.require_good_standing(at, listing.programme_id, event.org_id)
        new = event.redemption_id == len(self.redemptions) + 1
        at.require(new, "state.not_new", what="redemption", key=event.redemption_id)
        taken = listing.by.get(event.org_id, 0) + event.quantity
        listing.by[event.org_id] = taken
        listing.redeemed += event.quantity
        open_ = not listing.closed and listing.opens_at <= at.time < listing.closes_at
        room = taken <= listing.per_organisation and listing.redeemed <= listing.capacity
        right = open_ and room and event.quantity > 0
        right = right and event.amount == listing.price * event.quantity
        at.require(right, "state.listing", listing=event.listing_id)
        entry = self._credits.redemptions.pop(event.entry_id, None)
        said = (listing.programme_id, event.org_id, -event.amount, event.actor, event.operation_id)
        self._compare(at, entry, said, event.entry_id)
        self.redemptions[event.redemption_id] = Redemption(
            event.listing_id, event.org_id, event.quantity, event.entry_id
        )

    def _cancel(self, at: Place, event: events.RedemptionCancelled, listing: Listing) -> None:
        self._require_desk(at, event.actor, listing)
        found = self._end(at, event, RedemptionStatus.CANCELLED)
        listing.redeemed -= found.quantity
        listing.by[found.org_id] = listing.by.get(found.org_id, 0) - found.quantity
        entry = self._credits.refunds.pop(event.entry_id, None)
        amount = listing.price * found.quantity
        said = (listing.programme_id, event.org_id, amount, event.actor, event.operation_id)
        self._compare(at, entry, said, event.entry_id)
        named = (found.entry_id, event.evidence)
        refers = entry is None or (entry.refers_to, entry.evidence) == named
        at.require(refers, "credits.refers", entry=event.entry_id)

    def _end(
        self,
        at: Place,
        event: events.RedemptionFulfilled | events.RedemptionCancelled,
        status: RedemptionStatus,
    ) -> Redemption:
        found = self.redemptions.get(event.redemption_id)
        if found is None:
            at.object("state.unknown", what="redemption", key=event.redemption_id)
            return Redemption(event.listing_id, event.org_id, 0, 0)
        right = found.status is RedemptionStatus.OPEN
        right = right and (found.listing_id, found.org_id) == (event.listing_id, event.org_id)
        at.require(right, "once.redemption", redemption=event.redemption_id)
        found.status = status
        return found

    def _compare(
        self,
        at: Place,
        entry: events.EntryPosted | None,
        said: tuple[int, int, int, bytes, bytes],
        entry_id: int,
    ) -> None:
        there = entry is not None and said == (
            entry.programme_id,
            entry.org_id,
            entry.amount,
            entry.actor,
            entry.operation_id,
        )
        at.require(there, "credits.unmatched", entry=entry_id)

    def _require_desk(self, at: Place, actor: bytes, listing: Listing) -> None:
        officers = ("treasurer", "council")
        self._authority.require_officer(at, actor, listing.programme_id, *officers)
