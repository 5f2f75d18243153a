"""Which credits are due to expire, which expiries took too much, and posting those that are due.

All of it follows from the journal, the epochs' boundaries and the policy; so what was posted names
how it was computed, and whoever doubts it computes it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.domain.commands import Expiry
from ledger.domain.events import EntryKind
from ledger.domain.expiry import (
    ExpiryPolicy,
    WrongExpiry,
    commit_to_computation,
    compute_expiries,
    describe_computation,
    find_wrong_expiries,
)
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.domain.keys import decode_key
from ledger.domain.lots import Holdings
from ledger.errors import InvalidValue
from ledger.mirror.queries.journals import read_boundaries, read_journal
from ledger.mirror.queries.moments import Moment

MAX_EXPIRIES = 300
"""As in Credits.sol: the most in one transaction."""


@dataclass(frozen=True, slots=True)
class DueExpiries:
    """What is due at a moment (`at`, seconds since 1970 UTC), oldest award first.

    `description` is the canonical JSON of how it was computed, which its commitment names.
    """

    programme_id: ProgrammeId
    policy: ExpiryPolicy
    at: int
    last_entry: EntryId
    expiries: tuple[Expiry, ...]

    @property
    def description(self) -> bytes:
        """All the input of the computation beside the journal."""
        return describe_computation(self.policy, self.programme_id, self.last_entry, self.at)

    @property
    def commitment(self) -> bytes:
        """What the expiries are posted with, 32 bytes."""
        return commit_to_computation(self.description)

    @property
    def batch(self) -> Sequence[Expiry]:
        """The oldest, as many as one transaction takes; the rest is posted after them."""
        return self.expiries[:MAX_EXPIRIES]


def compute_due(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    policy: ExpiryPolicy,
    at: int | None = None,
) -> DueExpiries:
    """What is due at a time, the moment's own if none is given. Raises InvalidValue for a later one
    than the mirror knows."""
    time = moment.timestamp if at is None else at
    if time > moment.timestamp:
        expected = f"a time up to {moment.timestamp}, that of the last mirrored block"
        raise InvalidValue(field="at", value=time, expected=expected)
    journal = read_journal(connection, moment, programme_id, until=time + 1)
    boundaries = read_boundaries(connection, moment, programme_id)
    due = compute_expiries(policy, journal, boundaries, time)
    last = EntryId(journal[-1].entry.entry_id if journal else 0)
    return DueExpiries(programme_id, policy, time, last, due)


@dataclass(frozen=True, slots=True)
class Expiring:
    """What is unspent of an award, and when it expires (seconds since 1970 UTC); None where the
    boundary that decides it is not appended yet."""

    entry_id: EntryId
    category: str
    left: int
    posted_at: int
    expires_at: int | None


def read_expiring(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    org_id: OrgId,
    policy: ExpiryPolicy,
) -> tuple[Expiring, ...]:
    """When an organisation's credits expire that are unspent at the moment, oldest award first.

    Of awards that were reversed or of which an expiry was posted nothing expires (again). Who
    spends in the meantime spends the oldest first.
    """
    journal = read_journal(connection, moment, programme_id, org_id=org_id)
    if any(dated.entry.kind == EntryKind.CARRY_OVER for dated in journal):
        # What came with a merger came from another's awards.
        journal = read_journal(connection, moment, programme_id)
    boundaries = read_boundaries(connection, moment, programme_id)
    holdings = Holdings()
    posted_at = {}
    for dated in journal:
        holdings.post(dated.entry)
        if dated.entry.kind == EntryKind.AWARD:
            posted_at[dated.entry.entry_id] = dated.posted_at
    return tuple(
        Expiring(
            EntryId(lot.entry_id),
            decode_key(lot.category),
            left,
            posted_at[lot.entry_id],
            policy.expires_at(boundaries, posted_at[lot.entry_id]),
        )
        for holder, lot, left in holdings.unspent()
        if holder == org_id and not lot.expired and lot.reversal is None
    )


def count_posted(connection: Connection, moment: Moment, programme_id: ProgrammeId) -> int:
    """How many expiries were posted."""
    journal = read_journal(connection, moment, programme_id)
    return sum(dated.entry.kind == EntryKind.EXPIRY for dated in journal)


def find_wrong(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, policy: ExpiryPolicy
) -> tuple[WrongExpiry, ...]:
    """The posted expiries that took more than the policy lets expire."""
    journal = read_journal(connection, moment, programme_id)
    return find_wrong_expiries(policy, journal, read_boundaries(connection, moment, programme_id))
