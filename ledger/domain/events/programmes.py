"""Events of `Programmes`: rules, tiers, categories, epochs, budgets."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.events.journal import Event


@dataclass(frozen=True, slots=True)
class ProgrammeCreated(Event):
    programme_id: int
    key: bytes
    profile: bytes
    supply_cap: int
    approvals_needed: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ProgrammeProfileChanged(Event):
    programme_id: int
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class SupplyCapChanged(Event):
    programme_id: int
    supply_cap: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ApprovalsNeededChanged(Event):
    programme_id: int
    approvals_needed: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class TierAdded(Event):
    programme_id: int
    tier: int
    key: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class TierStatusChanged(Event):
    programme_id: int
    tier: int
    open: bool
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class CategoryStatusChanged(Event):
    programme_id: int
    category: bytes
    open: bool
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class EpochBoundaryAppended(Event):
    programme_id: int
    number: int
    boundary: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class BudgetChanged(Event):
    programme_id: int
    issuer: bytes
    per_award: int
    per_epoch: int
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class CategoryBudgetChanged(Event):
    programme_id: int
    issuer: bytes
    category: bytes
    limited: bool
    per_epoch: int
    actor: bytes
    operation_id: bytes
