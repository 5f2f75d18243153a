"""Memberships: consents, admissions, renewals, tiers, suspensions, revocations, refusals."""

from __future__ import annotations

from ledger.domain.events import (
    HELD_STATUSES,
    ApplicationConsented,
    ApplicationDeclined,
    MembershipAdmitted,
    MembershipRenewed,
    MembershipResumed,
    MembershipRevoked,
    MembershipStatus,
    MembershipSuspended,
    MembershipTierChanged,
    MetadataBaseChanged,
)
from ledger.domain.keys import decode_key
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers.organisations import acting_organisation, require_controller
from ledger.mirror.handlers.programmes import known_programme
from ledger.mirror.rows import (
    ApplicationConsent,
    ApplicationDecline,
    MembershipVersion,
    MetadataBase,
)

_NO_REASON = bytes(32)

_Change = (
    MembershipRenewed
    | MembershipTierChanged
    | MembershipSuspended
    | MembershipResumed
    | MembershipRevoked
)


def decode_reason(raw: bytes) -> str:
    """A reason's key, empty where none was given."""
    return "" if raw == _NO_REASON else decode_key(raw)


def _consent(book: Book, at: Place, event: ApplicationConsented) -> None:
    known_programme(book, event.programme_id)
    require_controller(acting_organisation(book, event.org_id), event.account)
    book.add(
        ApplicationConsent(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            org_id=event.org_id,
            account=event.account,
            application_id=event.application_id,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )
    book.await_next(
        at,
        MembershipAdmitted,
        sequence=event.sequence + 1,
        programme_id=event.programme_id,
        org_id=event.org_id,
        actor=event.actor,
        operation_id=event.operation_id,
    )


def _admit(book: Book, at: Place, event: MembershipAdmitted) -> None:
    known_programme(book, event.programme_id)
    acting_organisation(book, event.org_id)
    _check_tier(book, event.programme_id, event.tier)
    before = book.memberships.latest(book.connection, event.org_id, event.programme_id)
    if before is not None and before.status in HELD_STATUSES:
        raise _contradiction(event, "is a member already")
    book.memberships.append(
        MembershipVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            org_id=event.org_id,
            change="admitted",
            status=MembershipStatus.ACTIVE.value,
            tier=event.tier,
            admitted_at=at.timestamp,
            expires_at=event.expires_at,
            reason=decode_reason(event.reason),
            evidence=event.evidence,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _renew(book: Book, at: Place, event: MembershipRenewed) -> None:
    before = _membership(book, event, HELD_STATUSES)
    if event.expires_at <= before.expires_at:
        raise _contradiction(event, f"is renewed to {event.expires_at}, which is no later")
    after = _next_version(before, at, event, "renewed")
    book.memberships.append(after._replace(expires_at=event.expires_at))


def _change_tier(book: Book, at: Place, event: MembershipTierChanged) -> None:
    before = _membership(book, event, HELD_STATUSES)
    _check_tier(book, event.programme_id, event.tier)
    after = _next_version(before, at, event, "tier_changed")
    book.memberships.append(after._replace(tier=event.tier))


def _suspend(book: Book, at: Place, event: MembershipSuspended) -> None:
    before = _membership(book, event, {MembershipStatus.ACTIVE})
    after = _next_version(before, at, event, "suspended")
    book.memberships.append(after._replace(status=MembershipStatus.SUSPENDED.value))


def _resume(book: Book, at: Place, event: MembershipResumed) -> None:
    before = _membership(book, event, {MembershipStatus.SUSPENDED})
    after = _next_version(before, at, event, "resumed")
    book.memberships.append(after._replace(status=MembershipStatus.ACTIVE.value))


def _revoke(book: Book, at: Place, event: MembershipRevoked) -> None:
    before = _membership(book, event, HELD_STATUSES)
    after = _next_version(before, at, event, "revoked")
    book.memberships.append(after._replace(status=MembershipStatus.REVOKED.value))


def _decline(book: Book, at: Place, event: ApplicationDeclined) -> None:
    known_programme(book, event.programme_id)
    acting_organisation(book, event.org_id)
    book.add(
        ApplicationDecline(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            org_id=event.org_id,
            reason=decode_reason(event.reason),
            evidence=event.evidence,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _change_metadata_base(book: Book, at: Place, event: MetadataBaseChanged) -> None:
    book.add(
        MetadataBase(
            block_number=at.block_number,
            log_index=at.log_index,
            base=event.base,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _membership(
    book: Book, event: _Change, allowed: frozenset[MembershipStatus] | set[MembershipStatus]
) -> MembershipVersion:
    before = book.memberships.latest(book.connection, event.org_id, event.programme_id)
    if before is None or before.status not in allowed:
        found = MembershipStatus(before.status if before else MembershipStatus.NONE)
        raise _contradiction(event, f"has the status {found.name.lower()}")
    return before


def _next_version(
    before: MembershipVersion, at: Place, event: _Change, change: str
) -> MembershipVersion:
    return before._replace(
        block_number=at.block_number,
        log_index=at.log_index,
        change=change,
        reason=decode_reason(event.reason),
        evidence=event.evidence,
        actor=event.actor,
        operation_id=event.operation_id,
    )


def _check_tier(book: Book, programme_id: int, tier: int) -> None:
    if book.tiers.latest(book.connection, programme_id, tier) is None:
        raise Contradiction(f"programme {programme_id} has no tier {tier}")


def _contradiction(event: _Change | MembershipAdmitted, problem: str) -> Contradiction:
    return Contradiction(
        f"organisation {event.org_id} in programme {event.programme_id} {problem} "
        f"({type(event).__name__})"
    )


HANDLERS: dict[type[object], Handler] = {
    ApplicationConsented: _consent,
    MembershipAdmitted: _admit,
    MembershipRenewed: _renew,
    MembershipTierChanged: _change_tier,
    MembershipSuspended: _suspend,
    MembershipResumed: _resume,
    MembershipRevoked: _revoke,
    ApplicationDeclined: _decline,
    MetadataBaseChanged: _change_metadata_base,
}
