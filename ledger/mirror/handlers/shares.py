"""Shares: what a council posted to be shared, and who claimed of it.

Whether the root follows from the epoch's entries is not asked here: that is for an audit to
recompute (`ledger.domain.shares`).
"""

from __future__ import annotations

from ledger.domain.events import ShareClaimed, SharesPosted, SharesWithdrawn
from ledger.domain.keys import decode_key
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers.organisations import known_organisation, require_controller
from ledger.mirror.handlers.programmes import known_programme
from ledger.mirror.organisations import NO_ORGANISATION
from ledger.mirror.rows import DistributionVersion, ShareClaim

_NOTHING = bytes(32)


def _known_distribution(book: Book, distribution_id: int) -> DistributionVersion:
    distribution = book.distributions.latest(book.connection, distribution_id)
    if distribution is None:
        raise Contradiction(f"there is no distribution {distribution_id}")
    return distribution


def _post(book: Book, at: Place, event: SharesPosted) -> None:
    known_programme(book, event.programme_id)
    if event.distribution_id > 1:
        _known_distribution(book, event.distribution_id - 1)
    if book.distributions.latest(book.connection, event.distribution_id) is not None:
        raise Contradiction(f"distribution {event.distribution_id} was posted before")
    end = book.boundaries_by_number.latest(book.connection, event.programme_id, event.epoch + 1)
    if event.epoch == 0 or end is None or end.boundary > at.timestamp:
        raise Contradiction(f"epoch {event.epoch} of programme {event.programme_id} is not over")
    window = event.claimable_from < event.claimable_until > at.timestamp
    if not window or event.pool == 0 or _NOTHING in (event.root, event.rule):
        raise Contradiction(f"nobody can claim of distribution {event.distribution_id}")
    book.distributions.append(
        DistributionVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            distribution_id=event.distribution_id,
            change="posted",
            programme_id=event.programme_id,
            epoch=event.epoch,
            pool=event.pool,
            unit=decode_key(event.unit),
            rule=event.rule,
            root=event.root,
            claimable_from=event.claimable_from,
            claimable_until=event.claimable_until,
            withdrawn=0,
            evidence=event.evidence,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _withdraw(book: Book, at: Place, event: SharesWithdrawn) -> None:
    before = _known_distribution(book, event.distribution_id)
    if before.withdrawn or before.programme_id != event.programme_id:
        raise Contradiction(f"distribution {event.distribution_id} cannot be taken back")
    book.distributions.append(
        before._replace(
            block_number=at.block_number,
            log_index=at.log_index,
            change="withdrawn",
            withdrawn=1,
            evidence=event.evidence,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _claim(book: Book, at: Place, event: ShareClaimed) -> None:
    distribution = _known_distribution(book, event.distribution_id)
    _require_entitled(book, event)
    claimable = distribution.claimable_from <= at.timestamp < distribution.claimable_until
    if distribution.withdrawn or not claimable:
        raise Contradiction(f"distribution {event.distribution_id} cannot be claimed now")
    key = (event.distribution_id, event.org_id)
    if book.claims_by_member.latest(book.connection, *key) is not None:
        raise Contradiction(
            f"organisation {event.org_id} claimed of {event.distribution_id} before"
        )
    last = book.claims.latest(book.connection, event.distribution_id)
    claimed_after = (last.claimed_after if last else 0) + event.amount
    if event.amount == 0 or claimed_after > distribution.pool:
        raise Contradiction(
            f"{event.amount} of distribution {event.distribution_id} is nothing, or too much"
        )
    row = ShareClaim(
        block_number=at.block_number,
        log_index=at.log_index,
        distribution_id=event.distribution_id,
        org_id=event.org_id,
        amount=event.amount,
        claimed_after=claimed_after,
        actor=event.actor,
        operation_id=event.operation_id,
    )
    book.claims.append(row)
    book.claims_by_member.note(row)


def _require_entitled(book: Book, event: ShareClaimed) -> None:
    """That the actor acts for the organisation, or for the one that it became part of."""
    heir = known_organisation(book, event.org_id)
    while heir.successor_id != NO_ORGANISATION:
        heir = known_organisation(book, heir.successor_id)
    require_controller(heir, event.actor)


HANDLERS: dict[type[object], Handler] = {
    SharesPosted: _post,
    SharesWithdrawn: _withdraw,
    ShareClaimed: _claim,
}
