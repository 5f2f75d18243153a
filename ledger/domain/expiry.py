"""When credits expire: the policy, and the expiries that follow from it at a moment.

The contract cannot know what was spent of which award; it checks that the credits are there and
that no award expires twice. Between a computation and its posting, which through a seat takes days,
members go on spending. So an expiry says what it leaves: all the organisation's credits that are
spent later than its own. With that the contract takes what is unspent of the award when it is
posted, to the credit, as long as nothing else than spending came in between and expiries are posted
oldest first. Credits that came in since make good what was spent: post before the next awards, or
compute again.

That the policy was followed is recomputed here, by the council that posts the
expiries and by anybody who audits it, from the journal and the epochs' boundaries alone.

Until an expiry is posted, credits that are due can still be spent, and are spent first. An award
expires once: credits of it that a refund gives back later stay. Of an award that was reversed
nothing expires.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.domain.commands import Expiry
from ledger.domain.commitments import canonical_json
from ledger.domain.epochs import epoch_at
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.domain.keys import decode_key
from ledger.domain.lots import Holdings
from ledger.errors import InvalidValue

FORMAT = 1
ORDER = "oldest-first"


@dataclass(frozen=True, slots=True)
class ExpiryPolicy:
    """Credits of an epoch expire when `epochs` more epochs are over; 0: with their own epoch."""

    epochs: int

    def __post_init__(self) -> None:
        if isinstance(self.epochs, bool) or self.epochs < 0:
            raise InvalidValue(field="epochs", value=self.epochs, expected="0 or more")

    def expires_at(self, boundaries: Sequence[int], posted_at: int) -> int | None:
        """The time from which an award of `posted_at` is expired; None where it is not known yet.

        It is known once the boundary that ends the last of its epochs is appended.
        """
        epoch = epoch_at(boundaries, posted_at)
        last = epoch + self.epochs + 1
        return boundaries[last - 1] if epoch and last <= len(boundaries) else None

    def is_due(self, boundaries: Sequence[int], posted_at: int, at: int) -> bool:
        """Whether an award of `posted_at` is expired at a moment."""
        due = self.expires_at(boundaries, posted_at)
        return due is not None and due <= at


@dataclass(frozen=True, slots=True)
class DatedEntry:
    """An entry and the time of its block, seconds since 1970 UTC."""

    entry: EntryPosted
    posted_at: int


def compute_expiries(
    policy: ExpiryPolicy, journal: Iterable[DatedEntry], boundaries: Sequence[int], at: int
) -> tuple[Expiry, ...]:
    """What is to expire at a moment, by award: what is unspent of those that are due.

    `journal` are all entries of one programme, in order; those posted after `at` are left out, so
    that the answer for a moment never changes. What was posted of it already is not in the answer:
    posting a part of it and computing again gives the rest. No organisation's balance falls below
    zero by it. Each leaves what its organisation has of younger awards, be they due or not: older
    ones are spent before it. Raises InvalidValue where the entries are no journal.
    """
    holdings = Holdings()
    posted_at: dict[int, int] = {}
    for dated in journal:
        if dated.posted_at > at:
            continue
        holdings.post(dated.entry)
        if dated.entry.kind == EntryKind.AWARD:
            posted_at[dated.entry.entry_id] = dated.posted_at
    found = []
    younger: dict[int, int] = defaultdict(int)
    for org_id, lot, amount in reversed(list(holdings.unspent())):
        leaves = younger[org_id]
        younger[org_id] += amount
        if lot.expired or lot.reversal is not None:
            continue
        if policy.is_due(boundaries, posted_at[lot.entry_id], at):
            key = decode_key(lot.category)
            found.append(Expiry(EntryId(lot.entry_id), org_id, amount, leaves, key))
    return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class WrongExpiry:
    """An expiry that took more than what was due of its award just before it.

    `due` is 0 where the award was not due, and where `award_id` is no award of the programme.
    """

    entry_id: EntryId
    award_id: EntryId
    org_id: OrgId
    amount: int
    due: int


def find_wrong_expiries(
    policy: ExpiryPolicy, journal: Iterable[DatedEntry], boundaries: Sequence[int]
) -> tuple[WrongExpiry, ...]:
    """The posted expiries that took more than the policy lets expire, in the journal's order.

    Each is compared with the journal as it was just before its entry, whatever it was computed
    from: what was spent in between is not due any more. Less than what was due is the council's
    to post, and not wrong. `journal` are all entries of one programme, in order. Raises
    InvalidValue where they are no journal.
    """
    holdings = Holdings()
    posted_at: dict[int, int] = {}
    found = []
    for dated in journal:
        entry = dated.entry
        if entry.kind == EntryKind.AWARD:
            posted_at[entry.entry_id] = dated.posted_at
        elif entry.kind == EntryKind.EXPIRY:
            due = holdings.left_of(entry.refers_to, entry.org_id)
            if due and not policy.is_due(boundaries, posted_at[entry.refers_to], dated.posted_at):
                due = 0
            if -entry.amount > due:
                award_id, org_id = EntryId(entry.refers_to), OrgId(entry.org_id)
                entry_id = EntryId(entry.entry_id)
                found.append(WrongExpiry(entry_id, award_id, org_id, -entry.amount, due))
        holdings.post(entry)
    return tuple(found)


def describe_computation(
    policy: ExpiryPolicy, programme_id: ProgrammeId, last_entry: EntryId, at: int
) -> bytes:
    """All the input that a computation has beside the journal, as canonical JSON."""
    return canonical_json(
        {
            "at": at,
            "epochs": policy.epochs,
            "format": FORMAT,
            "last_entry": last_entry,
            "order": ORDER,
            "programme": programme_id,
        }
    )


def commit_to_computation(description: bytes) -> bytes:
    """SHA-256 of the description: the `policy` that expiries are posted with."""
    return hashlib.sha256(description).digest()
