"""What credits buy, as it stands at a moment: listings, and what is left of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)

from ledger.domain.ids import BlockNumber, ListingId, OrgId, ProgrammeId
from ledger.errors import NotFound
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.profiles import PROFILE_COLUMNS, Profile, profile_of
from ledger.mirror.queries.versions import AT, NOW, is_last_version, true_at
from ledger.store.mirror_tables import (
    blocks,
    listing_versions,
    programme_versions,
    redemption_versions,
)
from ledger.store.office_tables import profiles


class ListingStanding(StrEnum):
    """Whether a listing can be redeemed at a moment."""

    UPCOMING = "upcoming"
    OPEN = "open"
    SOLD_OUT = "sold_out"
    OVER = "over"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ListedBenefit:
    """A listing at a moment; times are seconds since 1970 UTC, `taken` units not given back.

    The block is that of its last change: its listing, or its closing.
    """

    listing_id: ListingId
    programme_id: ProgrammeId
    programme: str
    price: int
    capacity: int
    per_organisation: int
    taken: int
    opens_at: int
    closes_at: int
    profile_commitment: bytes
    profile: Profile | None
    standing: ListingStanding
    actor: bytes
    operation_id: bytes
    block_number: BlockNumber
    timestamp: int

    @property
    def left(self) -> int:
        """Units that can still be redeemed."""
        return self.capacity - self.taken


_L, _R, _P = listing_versions, redemption_versions, programme_versions


def _last(column: ColumnElement[int], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """What the last redemption's row up to AT says in a column; null where there is none."""
    return (
        select(column)
        .where(*conditions, _R.c.block_number <= AT)
        .order_by(_R.c.block_number.desc(), _R.c.log_index.desc())
        .limit(1)
        .scalar_subquery()
    )


_TAKEN = func.coalesce(_last(_R.c.taken, _R.c.listing_id == _L.c.listing_id), literal(0))
_TAKEN_BY = select(
    func.coalesce(
        _last(
            _R.c.taken_by_organisation,
            _R.c.listing_id == bindparam("listing_id"),
            _R.c.org_id == bindparam("org_id"),
        ),
        literal(0),
    )
)
_LISTINGS = (
    select(_L, _P.c.key.label("programme"), _TAKEN.label("taken"), blocks.c.timestamp)
    .add_columns(*PROFILE_COLUMNS)
    .select_from(_L)
    .join(blocks, blocks.c.number == _L.c.block_number)
    .join(
        _P,
        and_(_P.c.programme_id == _L.c.programme_id, is_last_version(_P, "programme_id")),
    )
    .outerjoin(profiles, profiles.c.commitment == _L.c.profile)
    .where(is_last_version(_L, "listing_id"))
)
_NOT_CLOSED = and_(_L.c.closed == 0, _L.c.closes_at > NOW)
_STANDING = {
    ListingStanding.CLOSED: _L.c.closed == 1,
    ListingStanding.OVER: and_(_L.c.closed == 0, _L.c.closes_at <= NOW),
    ListingStanding.UPCOMING: and_(_NOT_CLOSED, _L.c.opens_at > NOW),
    ListingStanding.SOLD_OUT: and_(_NOT_CLOSED, _L.c.opens_at <= NOW, _L.c.capacity <= _TAKEN),
    ListingStanding.OPEN: and_(_NOT_CLOSED, _L.c.opens_at <= NOW, _L.c.capacity > _TAKEN),
}


def list_listings(
    connection: Connection,
    moment: Moment,
    *,
    programme_id: ProgrammeId | None = None,
    standing: ListingStanding | None = None,
    before: ListingId,
    limit: int,
) -> tuple[ListedBenefit, ...]:
    """At most `limit` listings, the latest first, those before `before`."""
    query = _LISTINGS.where(_L.c.listing_id < before)
    if programme_id is not None:
        query = query.where(_L.c.programme_id == programme_id)
    if standing is not None:
        query = query.where(_STANDING[standing])
    rows = connection.execute(query.order_by(_L.c.listing_id.desc()).limit(limit), true_at(moment))
    return tuple(_listing(row, moment) for row in rows)


def read_listing(connection: Connection, moment: Moment, listing_id: ListingId) -> ListedBenefit:
    """One listing. Raises NotFound."""
    rows = connection.execute(_LISTINGS.where(_L.c.listing_id == listing_id), true_at(moment))
    row = rows.one_or_none()
    if row is None:
        raise NotFound(what="benefit", key=listing_id)
    return _listing(row, moment)


def read_listing_profiles(
    connection: Connection, moment: Moment, listing_ids: Sequence[ListingId]
) -> dict[int, Profile]:
    """What those of the listings are called that the office knows."""
    if not listing_ids:
        return {}
    query = (
        select(_L.c.listing_id, *PROFILE_COLUMNS)
        .join(profiles, profiles.c.commitment == _L.c.profile)
        .where(
            _L.c.listing_id.in_(sorted(set(listing_ids))),
            is_last_version(_L, "listing_id"),
            or_(profiles.c.name_zh != "", profiles.c.name_en != ""),
        )
    )
    rows: Sequence[Any] = connection.execute(query, true_at(moment)).all()
    found = ((row.listing_id, profile_of(row)) for row in rows)
    return {listing_id: profile for listing_id, profile in found if profile is not None}


def read_taken_by(
    connection: Connection, moment: Moment, listing_id: ListingId, org_id: OrgId
) -> int:
    """Units of a listing that an organisation redeemed and did not get refunded."""
    values = {**true_at(moment), "listing_id": listing_id, "org_id": org_id}
    return int(connection.execute(_TAKEN_BY, values).scalar_one())


def _listing(row: Row[Any], moment: Moment) -> ListedBenefit:
    return ListedBenefit(
        listing_id=row.listing_id,
        programme_id=row.programme_id,
        programme=row.programme,
        price=row.price,
        capacity=row.capacity,
        per_organisation=row.per_organisation,
        taken=row.taken,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        profile_commitment=bytes(row.profile),
        profile=profile_of(row),
        standing=_standing(row, moment),
        actor=bytes(row.actor),
        operation_id=bytes(row.operation_id),
        block_number=row.block_number,
        timestamp=row.timestamp,
    )


def _standing(row: Row[Any], moment: Moment) -> ListingStanding:
    if row.closed:
        return ListingStanding.CLOSED
    if row.closes_at <= moment.timestamp:
        return ListingStanding.OVER
    if row.opens_at > moment.timestamp:
        return ListingStanding.UPCOMING
    is_left = row.taken < row.capacity
    return ListingStanding.OPEN if is_left else ListingStanding.SOLD_OUT
