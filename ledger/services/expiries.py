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
from ledger.domain.ids import EntryId, ProgrammeId
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
