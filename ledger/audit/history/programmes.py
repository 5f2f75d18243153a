"""The rules of each programme as they were at every line: tiers, categories, epochs, budgets."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.place import Place
from ledger.domain import events
from ledger.domain.epochs import epoch_at
from ledger.domain.keys import KEY_PATTERN

MAX_AMOUNT = 2**53 - 1
MAX_APPROVALS = 16
_LAST_TIME = 253_402_300_799


@dataclass(slots=True)
class Budget:
    """What an issuer may award: at once, in an epoch, and of some categories in an epoch."""

    per_award: int = 0
    per_epoch: int = 0
    by_category: dict[bytes, int] = field(default_factory=dict)


@dataclass(slots=True)
class Programme:
    """A programme's rules."""

    key: bytes
    supply_cap: int
    approvals_needed: int
    tiers: dict[int, bool] = field(default_factory=dict)
    tier_keys: set[bytes] = field(default_factory=set)
    categories: dict[bytes, bool] = field(default_factory=dict)
    boundaries: list[int] = field(default_factory=list)
    budgets: dict[bytes, Budget] = field(default_factory=dict)

    def epoch(self, time: int) -> int:
        """The epoch at a time; 0 for none."""
        return epoch_at(self.boundaries, time)


class ProgrammesBook:
    """All programmes, by id from 1."""

    def __init__(self, authority: AuthorityBook) -> None:
        self._authority = authority
        self.all: dict[int, Programme] = {}

    def find(self, at: Place, programme_id: int) -> Programme:
        """A programme; objects where there is none."""
        found = self.all.get(programme_id)
        if found is None:
            at.object("state.unknown", what="programme", key=programme_id)
            found = self.all[programme_id] = Programme(b"", 0, 0)
        return found

    def take(self, at: Place, event: object) -> None:
        """The next line of Programmes."""
        if isinstance(event, events.ProgrammeCreated):
            self._create(at, event)
            return
        programme = self.find(at, event.programme_id)  # type: ignore[attr-defined]
        if isinstance(event, events.BudgetChanged | events.CategoryBudgetChanged):
            self._change_budget(at, programme, event)
            return
        self._authority.require_officer(at, event.actor, event.programme_id, "council")  # type: ignore[attr-defined]
        match event:
            case events.SupplyCapChanged(supply_cap=cap):
                at.require(cap <= MAX_AMOUNT, "credits.too_large")
                programme.supply_cap = cap
            case events.ApprovalsNeededChanged(approvals_needed=needed):
                at.require(0 < needed <= MAX_APPROVALS, "council.approvals_unusable")
                programme.approvals_needed = needed
            case events.TierAdded(tier=tier, key=key):
                new = tier == len(programme.tiers) + 1 and key not in programme.tier_keys
                at.require(new and _is_key(key), "state.not_new", what="tier", key=tier)
                programme.tiers[tier] = True
                programme.tier_keys.add(key)
            case events.TierStatusChanged(tier=tier, open=is_open):
                changes = programme.tiers.get(tier) is (not is_open)
                at.require(changes, "state.unchanged", what="tier", key=tier)
                programme.tiers[tier] = is_open
            case events.CategoryStatusChanged(category=category, open=is_open):
                before = programme.categories.get(category)
                changes = _is_key(category) and before is not is_open
                changes = changes and (before is not None or is_open)
                at.require(changes, "state.unchanged", what="category", key=_text(category))
                programme.categories[category] = is_open
            case events.EpochBoundaryAppended():
                self._append_boundary(at, programme, event)

    def _create(self, at: Place, event: events.ProgrammeCreated) -> None:
        self._authority.require_officer(at, event.actor, 0, "council")
        keys = {each.key for each in self.all.values()}
        new = event.programme_id == len(self.all) + 1 and event.key not in keys
        at.require(
            new and _is_key(event.key), "state.not_new", what="programme", key=event.programme_id
        )
        at.require(event.supply_cap <= MAX_AMOUNT, "credits.too_large")
        usable = 0 < event.approvals_needed <= MAX_APPROVALS
        at.require(usable, "council.approvals_unusable")
        programme = Programme(event.key, event.supply_cap, event.approvals_needed)
        self.all[event.programme_id] = programme

    def _append_boundary(
        self, at: Place, programme: Programme, event: events.EpochBoundaryAppended
    ) -> None:
        known = programme.boundaries
        earliest = max(known[-1], at.time) + 1 if known else 1
        right = event.number == len(known) + 1 and earliest <= event.boundary <= _LAST_TIME
        at.require(right, "state.boundary", number=event.number)
        known.append(event.boundary)

    def _change_budget(
        self,
        at: Place,
        programme: Programme,
        event: events.BudgetChanged | events.CategoryBudgetChanged,
    ) -> None:
        officers = ("treasurer", "council")
        self._authority.require_officer(at, event.actor, event.programme_id, *officers)
        at.require(any(event.issuer), "state.unknown", what="issuer", key=0)
        budget = programme.budgets.setdefault(event.issuer, Budget())
        if isinstance(event, events.BudgetChanged):
            one, all_ = event.per_award, event.per_epoch
            usable = one <= all_ <= MAX_AMOUNT and (one == 0) == (all_ == 0)
            at.require(usable, "credits.too_large")
            budget.per_award, budget.per_epoch = one, all_
            return
        known = event.category in programme.categories
        at.require(known, "state.unknown", what="category", key=_text(event.category))
        changes = event.limited or event.category in budget.by_category
        at.require(changes, "state.unchanged", what="category", key=_text(event.category))
        if event.limited:
            at.require(event.per_epoch <= MAX_AMOUNT, "credits.too_large")
            budget.by_category[event.category] = event.per_epoch
        else:
            at.require(event.per_epoch == 0, "credits.too_large")
            budget.by_category.pop(event.category, None)


def _is_key(raw: bytes) -> bool:
    text = raw.rstrip(b"\0").decode("ascii", errors="replace")
    return KEY_PATTERN.fullmatch(text) is not None


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", errors="replace")
