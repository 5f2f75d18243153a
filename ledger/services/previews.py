"""What a redemption would change, before anybody asks for it: from mirrored rows alone.

The rules are those of `Benefits.redeem`, looked at by the time of the block that the answer is true
at. Nothing is kept, asked of a node, or promised: whoever redeems next can take the last unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.domain.ids import OrgId
from ledger.domain.sharing import Redemption
from ledger.errors import InvalidValue
from ledger.mirror.queries.authority import is_paused
from ledger.mirror.queries.balances import read_balances
from ledger.mirror.queries.benefits import (
    ListedBenefit,
    ListingStanding,
    read_listing,
    read_taken_by,
)
from ledger.mirror.queries.memberships import Standing, read_memberships_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.organisations import require_organisation


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something would be refused; `code` is stable, the sentences are for people."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class PreviewedRedemption:
    """What a redemption would cost and leave: credits, units of the listing, the own limit."""

    listing: ListedBenefit
    redemption: Redemption
    balance: int
    limit: int
    obstacles: tuple[Obstacle, ...]

    @property
    def credits(self) -> int:
        """What it would cost."""
        return self.listing.price * self.redemption.quantity


def preview_redemption(
    connection: Connection, moment: Moment, redemption: Redemption
) -> PreviewedRedemption:
    """What the redemption would change at the moment.

    Raises NotFound, and InvalidValue for more units than there ever were.
    """
    listing = read_listing(connection, moment, redemption.listing_id)
    if redemption.quantity > listing.capacity:
        expected = f"at most {listing.capacity}, all units of the benefit"
        raise InvalidValue(field="quantity", value=redemption.quantity, expected=expected)
    org_id = redemption.org_id
    require_organisation(connection, moment, org_id)
    taken = read_taken_by(connection, moment, listing.listing_id, org_id)
    balances = {each.programme_id: each for each in read_balances(connection, moment, org_id)}
    held = balances.get(listing.programme_id)
    balance = held.credits if held is not None else 0
    limit = listing.per_organisation - taken
    found = PreviewedRedemption(listing, redemption, balance, limit, ())
    obstacles = tuple(_obstacles(connection, moment, found))
    return PreviewedRedemption(listing, redemption, balance, limit, obstacles)


_BY_STANDING = {
    ListingStanding.UPCOMING: Obstacle(
        "listing.upcoming", "该权益尚未开放兑换。", "The benefit cannot be redeemed yet."
    ),
    ListingStanding.OVER: Obstacle(
        "listing.over", "该权益的兑换期已结束。", "The time in which it can be redeemed is over."
    ),
    ListingStanding.CLOSED: Obstacle("listing.closed", "该权益已关闭。", "The benefit is closed."),
}


def _obstacles(
    connection: Connection, moment: Moment, found: PreviewedRedemption
) -> Iterator[Obstacle]:
    listing, quantity = found.listing, found.redemption.quantity
    if is_paused(connection, moment):
        yield Obstacle("ledger.paused", "账本已暂停。", "The ledger is stopped.")
    if listing.standing in _BY_STANDING:
        yield _BY_STANDING[listing.standing]
    if quantity > listing.left:
        yield Obstacle(
            "listing.over_capacity",
            f"该权益只剩{listing.left}份。",
            f"Of the benefit {listing.left} units are left.",
        )
    if quantity > found.limit:
        yield Obstacle(
            "listing.over_limit",
            f"该组织还可兑换{found.limit}份。",
            f"The organisation may redeem {found.limit} more of it.",
        )
    if not _is_in_good_standing(connection, moment, listing, found.redemption.org_id):
        yield Obstacle(
            "membership.not_good",
            "该组织在此计划中没有有效的会员资格。",
            "The organisation is no member of the programme in good standing.",
        )
    if found.credits > found.balance:
        yield Obstacle(
            "balance.too_low",
            f"需要{found.credits}积分，余额为{found.balance}。",
            f"It takes {found.credits} credits, and the balance is {found.balance}.",
        )


def _is_in_good_standing(
    connection: Connection, moment: Moment, listing: ListedBenefit, org_id: OrgId
) -> bool:
    held = read_memberships_of(connection, moment, [org_id]).get(org_id, ())
    return any(
        each.programme_id == listing.programme_id and each.standing is Standing.ACTIVE
        for each in held
    )
