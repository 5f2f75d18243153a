"""What credits buy: listing benefits, redeeming credits for them, settling redemptions.

A listing's and a redemption's number is given on the chain, so each command that makes one reads
it from the transaction that did.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ledger.chain.contracts import benefits
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.ids import ListingId, ProgrammeId, RedemptionId
from ledger.domain.sharing import Listing, Redemption
from ledger.errors import InvalidValue
from ledger.outbox.records import Operation
from ledger.services.checks import (
    MAX_AMOUNT,
    check_distinct,
    check_organisation,
    check_programme,
    check_range,
    check_some,
    check_time,
    count_of,
)
from ledger.services.orders import Order

MAX_UNITS = 2**32 - 1
MAX_LISTING_ID = 2**32 - 1
MAX_REDEMPTION_ID = 2**63 - 1


def list_benefit(order: Order, listing: Listing) -> tuple[Operation, ListingId]:
    """List a benefit; its number. Signed by a council officer or treasurer of the programme."""
    operation = ask_for_listing(order, listing)
    (listing_id,) = order.outbox.made_by(operation, "listingId")
    return operation, ListingId(listing_id)


def ask_for_listing(order: Order, listing: Listing) -> Operation:
    """List a benefit, without looking which number it got."""
    check_programme(listing.programme_id)
    check_range("price", listing.price, 1, MAX_AMOUNT)
    check_range("capacity", listing.capacity, 1, MAX_UNITS)
    check_range("units for one organisation", listing.per_organisation, 1, listing.capacity)
    check_time("opening", listing.opens_at)
    check_time("closing", listing.closes_at)
    if listing.price * listing.capacity > MAX_AMOUNT:
        expected = f"at most {MAX_AMOUNT} together with the price"
        raise InvalidValue(field="capacity", value=listing.capacity, expected=expected)
    summary = (
        f"List a benefit of programme {listing.programme_id} for "
        f"{count_of(listing.price, 'credit')} a unit, {count_of(listing.capacity, 'unit')} in all."
    )
    encode = partial(benefits.encode_list, listing)
    return order.place("Benefits", "list-benefit", summary, encode)


def close(order: Order, listing_id: ListingId) -> Operation:
    """Close a listing for good. Signed by a council officer or treasurer of its programme."""
    check_range("listing", listing_id, 1, MAX_LISTING_ID)
    encode = partial(benefits.encode_close, listing_id)
    return order.place("Benefits", "close-benefit", f"Close listing {listing_id}.", encode)


def redeem(order: Order, redemption: Redemption) -> tuple[Operation, RedemptionId]:
    """Redeem credits for units of a benefit; the redemption's number.

    Signed by the organisation's controller; the organisation is a member in good standing.
    """
    operation = ask_for_redemption(order, redemption)
    (redemption_id,) = order.outbox.made_by(operation, "redemptionId")
    return operation, RedemptionId(redemption_id)


def ask_for_redemption(order: Order, redemption: Redemption) -> Operation:
    """Redeem credits, without looking which number the redemption got."""
    check_redemption(redemption)
    encode = partial(benefits.encode_redeem, redemption)
    return order.place("Benefits", "redeem", describe_redemption(redemption), encode)


def fulfil(
    order: Order,
    programme_id: ProgrammeId,
    redemption_ids: Sequence[RedemptionId],
    evidence: bytes = NO_COMMITMENT,
) -> Operation:
    """Record that redemptions were fulfilled, all or none.

    Signed by a council officer or treasurer of the programme.
    """
    check_programme(programme_id)
    check_some("redemptions", redemption_ids)
    check_distinct("redemption", redemption_ids)
    for redemption_id in redemption_ids:
        check_range("redemption", redemption_id, 1, MAX_REDEMPTION_ID)
    encode = partial(benefits.encode_fulfil, programme_id, redemption_ids, evidence=evidence)
    number = count_of(len(redemption_ids), "redemption")
    summary = f"Record {number} of programme {programme_id} as fulfilled."
    return order.place("Benefits", "fulfil", summary, encode)


def cancel(order: Order, redemption_id: RedemptionId, evidence: bytes = NO_COMMITMENT) -> Operation:
    """Cancel a redemption and give its credits back.

    Signed by a council officer or treasurer of its programme.
    """
    check_range("redemption", redemption_id, 1, MAX_REDEMPTION_ID)
    encode = partial(benefits.encode_cancel, redemption_id, evidence=evidence)
    summary = f"Cancel redemption {redemption_id} and give its credits back."
    return order.place("Benefits", "cancel-redemption", summary, encode)


def check_redemption(redemption: Redemption) -> None:
    """Raise InvalidValue where there can be no such redemption."""
    check_range("listing", redemption.listing_id, 1, MAX_LISTING_ID)
    check_organisation(redemption.org_id)
    check_range("quantity", redemption.quantity, 1, MAX_UNITS)


def describe_redemption(redemption: Redemption) -> str:
    """A sentence for people."""
    return (
        f"Redeem {count_of(redemption.quantity, 'unit')} of listing {redemption.listing_id} "
        f"for organisation {redemption.org_id}."
    )
