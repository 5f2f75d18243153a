"""Which awards an organisation's balance is made of: what is left of each, entry after entry.

A balance is one number; an expiry needs to know whose credits are still there. The rules:

- What is spent first is the oldest award.
- A reversal takes from its own award, then, as far as that was spent, from the oldest others.
- What a balance below zero still owes is taken from the next credits that come in.
- A refund gives back to what its redemption took, the last taken first. What comes back of an
  award that was reversed in the meantime goes to the reversal, which gives back as much of what it
  took from other awards instead.
- An expiry takes from its own award, then from the oldest others. The contract does not know what
  is an award; an expiry that names another line takes from the oldest.
- A balance that is carried over goes to the successor award by award, and what it owes with it.

So what is left of the awards, less what is owed, is the balance after every entry; entries for
which that is not so are refused, since they are not a whole journal.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.ids import OrgId
from ledger.errors import InvalidValue


@dataclass(slots=True, eq=False)
class Lot:
    """An award. `reversal` is what took it back; `expired` whether an expiry was posted of it."""

    entry_id: int
    category: bytes
    reversal: _Taking | None = None
    expired: bool = False

    def __lt__(self, other: Lot) -> bool:
        return self.entry_id < other.entry_id


@dataclass(slots=True, eq=False)
class _Taking:
    """Credits that left a balance, and the awards that they came from.

    `own` is the award that it is to take from first, `own_taken` how much it did; `drawn` what it
    took of others, in order; `owed` what no award had yet. `refundable`: that of a redemption.
    """

    entry_id: int
    org_id: int
    owed: int
    own: Lot | None = None
    own_taken: int = 0
    drawn: list[tuple[Lot, int]] = field(default_factory=list)
    refundable: bool = False

    def __lt__(self, other: _Taking) -> bool:
        return self.entry_id < other.entry_id


@dataclass(slots=True)
class _Purse:
    """What one organisation has: awards in order with what is left of each, or what it owes."""

    order: list[Lot] = field(default_factory=list)
    left: dict[Lot, int] = field(default_factory=dict)
    owing: list[_Taking] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return sum(self.left.values()) - sum(taking.owed for taking in self.owing)

    def add(self, lot: Lot, amount: int) -> None:
        if lot not in self.left:
            insort(self.order, lot)
        self.left[lot] = self.left.get(lot, 0) + amount

    def take(self, lot: Lot, most: int) -> int:
        """Take up to `most` of an award; how much it was."""
        taken = min(most, self.left.get(lot, 0))
        if taken:
            self.left[lot] -= taken
            if not self.left[lot]:
                del self.left[lot]
                self.order.remove(lot)
        return taken


class Holdings:
    """The awards in all balances of one programme. Entries are posted in the journal's order."""

    def __init__(self) -> None:
        self._lots: dict[int, Lot] = {}
        self._takings: dict[int, _Taking] = {}
        self._purses: dict[int, _Purse] = defaultdict(_Purse)
        self._balances: dict[int, int] = defaultdict(int)
        self._on_the_way: dict[int, _Purse] = {}
        self._carried: set[int] = set()

    def post(self, entry: EntryPosted) -> None:
        """Take the next entry into account.

        Raises InvalidValue where it cannot follow what was posted before.
        """
        self._balances[entry.org_id] += entry.amount
        if self._balances[entry.org_id] != entry.balance_after:
            raise _no_journal(entry, "the balance after it is another")
        match entry.kind:
            case EntryKind.AWARD:
                lot = Lot(entry.entry_id, entry.category)
                self._lots[entry.entry_id] = lot
                self._gain(entry.org_id, lot, entry.amount)
            case EntryKind.REDEMPTION:
                self._take(entry, None).refundable = True
            case EntryKind.REVERSAL:
                lot = self._lot(entry)
                lot.reversal = self._take(entry, lot)
            case EntryKind.EXPIRY:
                own = self._lots.get(entry.refers_to)
                if own is not None:
                    own.expired = True
                self._take(entry, own)
            case EntryKind.REFUND:
                self._refund(entry)
            case EntryKind.CARRY_OVER:
                self._carry_over(entry)
            case _:
                raise _no_journal(entry, f"its kind is {entry.kind}")

    def unspent(self) -> Iterator[tuple[OrgId, Lot, int]]:
        """What is left of each award and who has it, by award.

        Not of organisations that were carried over: what came to them since is carried over first.
        """
        found = [
            (lot, org_id, amount)
            for org_id, purse in self._purses.items()
            if org_id not in self._carried
            for lot, amount in purse.left.items()
        ]
        for lot, org_id, amount in sorted(found, key=lambda row: (row[0].entry_id, row[1])):
            yield OrgId(org_id), lot, amount

    def left_of(self, entry_id: int, org_id: int) -> int:
        """What an organisation has left of an award that an expiry may be posted of.

        0 where that was posted before, where the award was reversed, and where it is none.
        """
        lot = self._lots.get(entry_id)
        if lot is None or lot.expired or lot.reversal is not None:
            return 0
        return self._purses[org_id].left.get(lot, 0)

    def balance(self, org_id: OrgId) -> int:
        """What is left of an organisation's awards, less what it owes."""
        return self._purses[org_id].balance

    def _lot(self, entry: EntryPosted) -> Lot:
        if entry.refers_to not in self._lots:
            raise _no_journal(entry, f"there is no award {entry.refers_to}")
        return self._lots[entry.refers_to]

    def _take(self, entry: EntryPosted, own: Lot | None) -> _Taking:
        taking = _Taking(entry.entry_id, entry.org_id, -entry.amount, own)
        self._takings[entry.entry_id] = taking
        insort(self._purses[entry.org_id].owing, taking)
        self._settle(entry.org_id)
        return taking

    def _settle(self, org_id: int) -> None:
        """Give what is owed, the oldest debt first, as far as there are credits."""
        purse = self._purses[org_id]
        while purse.owing and purse.order:
            taking = purse.owing[0]
            if taking.own is not None:
                taken = purse.take(taking.own, taking.owed)
                taking.own_taken += taken
                taking.owed -= taken
            while taking.owed and purse.order:
                lot = purse.order[0]
                taken = purse.take(lot, taking.owed)
                taking.drawn.append((lot, taken))
                taking.owed -= taken
            if not taking.owed:
                purse.owing.pop(0)

    def _gain(self, org_id: int, lot: Lot, amount: int) -> None:
        """Credits of an award come into a balance."""
        reversal = lot.reversal
        if reversal is not None and reversal.org_id == org_id:
            swapped = min(amount, reversal.owed + sum(taken for _, taken in reversal.drawn))
            reversal.own_taken += swapped
            amount -= swapped
            self._release(reversal, swapped)
        if amount:
            self._purses[org_id].add(lot, amount)
        self._settle(org_id)

    def _release(self, taking: _Taking, amount: int) -> None:
        """Give back what was taken: what is still owed, then what was taken last."""
        purse = self._purses[taking.org_id]
        forgiven = min(amount, taking.owed)
        taking.owed -= forgiven
        if forgiven and not taking.owed:
            purse.owing.remove(taking)
        amount -= forgiven
        while amount:
            lot, taken = taking.drawn.pop()
            back = min(amount, taken)
            if back < taken:
                taking.drawn.append((lot, taken - back))
            amount -= back
            self._gain(taking.org_id, lot, back)

    def _refund(self, entry: EntryPosted) -> None:
        taking = self._takings.get(entry.refers_to)
        if taking is None or not taking.refundable or taking.org_id != entry.org_id:
            raise _no_journal(entry, f"there is no redemption {entry.refers_to} of its own")
        if entry.amount > taking.owed + sum(taken for _, taken in taking.drawn):
            raise _no_journal(entry, "it gives back more than was taken")
        self._release(taking, entry.amount)

    def _carry_over(self, entry: EntryPosted) -> None:
        if entry.refers_to == 0:
            self._on_the_way[entry.entry_id] = self._purses.pop(entry.org_id, _Purse())
            self._carried.add(entry.org_id)
            return
        purse = self._on_the_way.pop(entry.refers_to, None)
        if purse is None or purse.balance != entry.amount:
            raise _no_journal(entry, f"entry {entry.refers_to} did not carry this over")
        for taking in purse.owing:
            taking.org_id = entry.org_id
            insort(self._purses[entry.org_id].owing, taking)
        self._settle(entry.org_id)
        for lot in purse.order:
            self._gain(entry.org_id, lot, purse.left[lot])


def _no_journal(entry: EntryPosted, problem: str) -> InvalidValue:
    return InvalidValue(
        field="entries",
        value=entry.entry_id,
        expected=f"an entry that follows those before it: {problem}",
    )
