"""The credit journal as a double-entry book: balances, totals, budgets, and the fate of each award.

Nearly all lines of a ledger are entries, so that this module is written for speed where it matters.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.memberships import MembershipsBook
from ledger.audit.history.organisations import OrganisationsBook
from ledger.audit.history.place import Place
from ledger.audit.history.programmes import MAX_AMOUNT, ProgrammesBook
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.expiry import DatedEntry

_NONE = bytes(32)


class Award(NamedTuple):
    """An award that can be reversed or expire."""

    programme_id: int
    org_id: int
    amount: int
    actor: bytes


class CreditsBook:
    """Balances by (programme, organisation), totals by programme, and what became of each award."""

    def __init__(
        self,
        authority: AuthorityBook,
        programmes: ProgrammesBook,
        organisations: OrganisationsBook,
        memberships: MembershipsBook,
    ) -> None:
        self._authority = authority
        self._programmes = programmes
        self._organisations = organisations
        self._memberships = memberships
        self.balances: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.outstanding: defaultdict[int, int] = defaultdict(int)
        self.refundable: defaultdict[int, int] = defaultdict(int)
        self.debits = 0
        self.credits = 0
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.awards: dict[int, Award] = {}
        self.journals: defaultdict[int, list[DatedEntry]] = defaultdict(list)
        self.policies: dict[int, set[bytes]] = defaultdict(set)
        self.reversed: dict[int, int] = {}
        self.expired: dict[tuple[int, int], int] = {}
        self.expiry_places: dict[int, tuple[int, int]] = {}
        self._spent: defaultdict[tuple[int, int, bytes], int] = defaultdict(int)
        self._spent_in: defaultdict[tuple[int, int, bytes, bytes], int] = defaultdict(int)
        self._taken_back: defaultdict[tuple[int, int, bytes], int] = defaultdict(int)
        self._carried: tuple[int, int, int] | None = None
        self.redemptions: dict[int, EntryPosted] = {}
        self.refunds: dict[int, EntryPosted] = {}

    def take(self, at: Place, entry: EntryPosted) -> None:
        """The next entry."""
        key = (entry.programme_id, entry.org_id)
        balance = self.balances[key] + entry.amount
        self.balances[key] = balance
        if entry.balance_after != balance:
            at.object("credits.balance_after", found=entry.balance_after, right=balance)
        if not -MAX_AMOUNT <= balance <= MAX_AMOUNT:
            at.object("credits.too_large")
        if entry.amount == 0:
            at.object("credits.amount_sign")
        if entry.amount > 0:
            self.credits += entry.amount
        else:
            self.debits -= entry.amount
        self.counts[entry.kind] += 1
        self.journals[entry.programme_id].append(DatedEntry(entry, at.time))
        if self._carried is not None and entry.kind != EntryKind.CARRY_OVER:
            at.object("credits.carry_over")
            self._carried = None
        if entry.kind == EntryKind.AWARD:
            self._award(at, entry)
        elif entry.kind in _OTHERS:
            _OTHERS[entry.kind](self, at, entry)
        else:
            at.object("credits.kind", kind=entry.kind)

    def settle(self, at: Place, programme_id: int, amount: int) -> None:
        """Redemptions of so many credits are fulfilled, and can no longer be given back."""
        at.require(amount <= self.refundable[programme_id], "credits.refundable")
        self.refundable[programme_id] -= amount

    def end_of_transaction(self, at: Place) -> None:
        """Object to what should have been answered within the transaction."""
        for entry_id in [*self.redemptions, *self.refunds]:
            at.object("credits.unmatched", entry=entry_id)
        self.redemptions.clear()
        self.refunds.clear()
        if self._carried is not None:
            at.object("credits.carry_over")
            self._carried = None

    def _award(self, at: Place, entry: EntryPosted) -> None:
        programme_id, amount, actor = entry.programme_id, entry.amount, entry.actor
        programme = self._programmes.find(at, programme_id)
        self._authority.require_officer(at, actor, programme_id, "issuer", "council")
        self.awards[entry.entry_id] = Award(programme_id, entry.org_id, amount, actor)
        if amount <= 0 or entry.refers_to:
            at.object("credits.amount_sign")
        epoch = programme.epoch(at.time)
        if epoch == 0:
            at.object("credits.no_epoch", programme=programme_id)
        if programme.categories.get(entry.category) is not True:
            at.object("credits.category", category=_text(entry.category))
        self._memberships.require_good_standing(at, programme_id, entry.org_id)
        outstanding = self.outstanding[programme_id] + amount
        self.outstanding[programme_id] = outstanding
        if outstanding + self.refundable[programme_id] > programme.supply_cap:
            at.object("credits.cap", programme=programme_id, cap=programme.supply_cap)
        if self._authority.is_officer("council", programme_id, actor):
            return
        budget = programme.budgets.get(actor)
        if budget is None or amount > budget.per_award:
            at.object("credits.per_award", most=0 if budget is None else budget.per_award)
        spent = self._spent[programme_id, epoch, actor] + amount
        self._spent[programme_id, epoch, actor] = spent
        if budget is None or spent > budget.per_epoch:
            at.object("credits.budget", spent=spent, most=0 if budget is None else budget.per_epoch)
        elif entry.category in budget.by_category:
            place = (programme_id, epoch, actor, entry.category)
            self._spent_in[place] += amount
            most = budget.by_category[entry.category]
            if self._spent_in[place] > most:
                at.object("credits.budget", spent=self._spent_in[place], most=most)

    def _reverse(self, at: Place, entry: EntryPosted) -> None:
        programme_id, award_id, actor = entry.programme_id, entry.refers_to, entry.actor
        self._authority.require_officer(at, actor, programme_id, "issuer", "council")
        award = self.awards.get(award_id)
        if award is None or (award.programme_id, award.org_id) != (programme_id, entry.org_id):
            at.object("credits.refers", entry=award_id)
            award = Award(programme_id, entry.org_id, -entry.amount, actor)
        if award_id in self.reversed:
            at.object("once.reversal", entry=award_id, by=self.reversed[award_id])
        self.reversed[award_id] = entry.entry_id
        rest = award.amount - self.expired.get((programme_id, award_id), 0)
        if -entry.amount != rest or rest <= 0:
            at.object("credits.reversal_amount", entry=award_id, right=rest)
        self.outstanding[programme_id] += entry.amount
        if self._authority.is_officer("council", programme_id, actor):
            return
        if award.actor != actor:
            at.object("rights.not_own_award", actor=actor, entry=award_id)
        programme = self._programmes.find(at, programme_id)
        epoch = programme.epoch(at.time)
        budget = programme.budgets.get(actor)
        self._taken_back[programme_id, epoch, actor] -= entry.amount
        taken, most = (
            self._taken_back[programme_id, epoch, actor],
            budget.per_epoch if budget else 0,
        )
        if epoch == 0 or taken > most:
            at.object("credits.budget", spent=taken, most=most)

    def _expire(self, at: Place, entry: EntryPosted) -> None:
        programme_id, place = entry.programme_id, (entry.programme_id, entry.refers_to)
        self._authority.require_officer(at, entry.actor, programme_id, "council")
        if place in self.expired:
            at.object("once.expiry", entry=entry.refers_to)
        known = self.awards.get(entry.refers_to)
        ours = known is not None and known.programme_id == programme_id
        if entry.refers_to in self.reversed and ours:
            at.object("once.expiry", entry=entry.refers_to)
        if entry.amount >= 0 or not 0 < entry.refers_to < entry.entry_id:
            at.object("credits.amount_sign")
        if self.balances[programme_id, entry.org_id] < 0:
            at.object("credits.below_zero")
        self.expired[place] = -entry.amount
        self.expiry_places[entry.entry_id] = (at.block, at.log_index)
        self.policies[programme_id].add(entry.evidence)
        self.outstanding[programme_id] += entry.amount

    def _redeem(self, at: Place, entry: EntryPosted) -> None:
        self._authority.require_running(at)
        if entry.amount >= 0 or entry.refers_to or any(entry.category + entry.evidence):
            at.object("credits.amount_sign")
        if self.balances[entry.programme_id, entry.org_id] < 0:
            at.object("credits.below_zero")
        self.outstanding[entry.programme_id] += entry.amount
        self.refundable[entry.programme_id] -= entry.amount
        self.redemptions[entry.entry_id] = entry

    def _refund(self, at: Place, entry: EntryPosted) -> None:
        self._authority.require_running(at)
        if any(entry.category):
            at.object("credits.amount_sign")
        if not 0 < entry.amount <= self.refundable[entry.programme_id]:
            at.object("credits.refundable")
        self.outstanding[entry.programme_id] += entry.amount
        self.refundable[entry.programme_id] -= entry.amount
        self.refunds[entry.entry_id] = entry

    def _carry_over(self, at: Place, entry: EntryPosted) -> None:
        self._authority.require_officer(at, entry.actor, entry.programme_id, "council")
        if any(entry.category):
            at.object("credits.amount_sign")
        if self._carried is None:
            organisation = self._organisations.find(at, entry.org_id)
            balance = self.balances[entry.programme_id, entry.org_id]
            merged = organisation.retired and organisation.successor_id != 0
            if balance != 0 or entry.refers_to or not merged:
                at.object("credits.carry_over")
            self._carried = (entry.entry_id, organisation.successor_id, -entry.amount)
            return
        right = self._carried == (entry.refers_to, entry.org_id, entry.amount)
        at.require(right, "credits.carry_over")
        self._carried = None


_OTHERS = {
    int(EntryKind.REVERSAL): CreditsBook._reverse,
    int(EntryKind.EXPIRY): CreditsBook._expire,
    int(EntryKind.REDEMPTION): CreditsBook._redeem,
    int(EntryKind.REFUND): CreditsBook._refund,
    int(EntryKind.CARRY_OVER): CreditsBook._carry_over,
}


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", errors="replace")
