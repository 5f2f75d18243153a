"""When credits expire: the policy, and the expiries that follow from it at a moment.

The contract cannot know what was spent; it checks that the credits are there and that no award
expires twice. That the policy was followed is recomputed here, by the council that posts the
expiries and by anybody who audits it, from the journal and the epochs' boundaries alone.

Until an expiry is posted, credits that are due can still be spent, and are spent first. An award
expires once: credits of it that a refund gives back later stay. Of an award that was reversed
nothing expires.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.domain.commands import Expiry
from ledger.domain.commitments import canonical_json
from ledger.domain.epochs import epoch_at
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.ids import EntryId, ProgrammeId
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
    zero by it. Raises InvalidValue where the entries are no journal.
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
    for org_id, lot, amount in holdings.unspent():
        if lot.expired or lot.reversal is not None:
            continue
        due = policy.expires_at(boundaries, posted_at[lot.entry_id])
        if due is not None and due <= at:
            found.append(Expiry(EntryId(lot.entry_id), org_id, amount, decode_key(lot.category)))
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
