"""Random journals that the contract `Credits` could have posted, with everything that may happen.

Who is to act and on what is drawn; what cannot be (spending what is not there, reversing twice) is
left out, as the contract would refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from ledger.domain.commands import Expiry
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.expiry import DatedEntry
from tests.domain.entries import posted

ORGANISATIONS = 4
EPOCH = 10
BOUNDARIES = tuple(range(100, 200, EPOCH))  # nine epochs, from 100 on


class Journal:
    """A journal that grows by what the contract allows; each step at a time not before the last."""

    def __init__(self) -> None:
        self.entries: list[DatedEntry] = []
        self.balances = dict.fromkeys(range(1, ORGANISATIONS + 1), 0)
        self.successors: dict[int, int] = {}
        self.expired: dict[int, int] = {}
        self.closed: set[int] = set()  # awards reversed, redemptions refunded
        self.now = BOUNDARIES[0]

    def add(self, org: int, kind: EntryKind, amount: int, refers_to: int = 0) -> int:
        self.balances[org] += amount
        number = len(self.entries) + 1
        category = "" if kind not in (1, 2, 5) else ("data.acquire", "launch")[number % 2]
        entry = posted(
            number,
            org,
            kind,
            amount,
            category=category,
            refers_to=refers_to,
            balance_after=self.balances[org],
        )
        self.entries.append(DatedEntry(entry, self.now))
        return number

    def of_kind(self, kind: EntryKind) -> list[EntryPosted]:
        return [
            dated.entry
            for dated in self.entries
            if dated.entry.kind == kind and dated.entry.entry_id not in self.closed
        ]

    def award(self, org: int, amount: int) -> None:
        if org not in self.successors:
            self.add(org, EntryKind.AWARD, amount)

    def redeem(self, org: int, amount: int) -> None:
        if org not in self.successors and self.balances[org] > 0:
            self.add(org, EntryKind.REDEMPTION, -min(amount, self.balances[org]))

    def refund(self, which: int) -> None:
        found = self.of_kind(EntryKind.REDEMPTION)
        if found:
            entry = found[which % len(found)]
            self.closed.add(entry.entry_id)
            self.add(entry.org_id, EntryKind.REFUND, -entry.amount, entry.entry_id)

    def reverse(self, which: int) -> None:
        found = self.of_kind(EntryKind.AWARD)
        if found:
            entry = found[which % len(found)]
            amount = entry.amount - self.expired.get(entry.entry_id, 0)
            if amount:
                self.closed.add(entry.entry_id)
                self.add(entry.org_id, EntryKind.REVERSAL, -amount, entry.entry_id)

    def expire(self, expiries: Sequence[Expiry]) -> None:
        """Post expiries as the contract does, none of which it may refuse.

        Of each what the balance still has above what it leaves, which may be nothing.
        """
        for expiry in expiries:
            assert expiry.amount > 0
            assert expiry.leaves >= 0
            assert expiry.entry_id not in self.expired
            assert expiry.entry_id not in self.closed
            amount = min(expiry.amount, self.balances[expiry.org_id] - expiry.leaves)
            if amount > 0:
                self.expired[expiry.entry_id] = amount
                self.add(expiry.org_id, EntryKind.EXPIRY, -amount, expiry.entry_id)

    def merge(self, org: int) -> None:
        """Carry an organisation's balance over to the one before it; again where it was before."""
        if org > 1:
            self.successors[org] = org - 1
            if self.balances[org]:
                amount = self.balances[org]
                left = self.add(org, EntryKind.CARRY_OVER, -amount)
                self.add(org - 1, EntryKind.CARRY_OVER, amount, left)

    def wait(self, seconds: int) -> None:
        self.now += seconds


steps = st.one_of(
    st.tuples(st.just("award"), st.integers(1, ORGANISATIONS), st.integers(1, 6)),
    st.tuples(st.just("redeem"), st.integers(1, ORGANISATIONS), st.integers(1, 8)),
    st.tuples(st.just("refund"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("reverse"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 2 * EPOCH), st.just(0)),
    st.tuples(st.just("expire"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("merge"), st.integers(2, ORGANISATIONS), st.just(0)),
)
