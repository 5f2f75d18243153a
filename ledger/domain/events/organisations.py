"""Events of `Organisations`: who there is, and who acts for them."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.events.journal import Event


@dataclass(frozen=True, slots=True)
class OrganisationRegistered(Event):
    org_id: int
    controller: bytes
    kind: bytes
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class OrganisationProfileChanged(Event):
    org_id: int
    profile: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ControllerNominated(Event):
    org_id: int
    successor: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class ControllerChanged(Event):
    org_id: int
    controller: bytes
    previous: bytes
    recovered: bool
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class RecoveryBegun(Event):
    org_id: int
    successor: bytes
    finishable_from: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class RecoveryStopped(Event):
    org_id: int
    successor: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class OrganisationRetired(Event):
    org_id: int
    successor_id: int
    evidence: bytes
    actor: bytes
    operation_id: bytes


@dataclass(frozen=True, slots=True)
class SuccessorNamed(Event):
    org_id: int
    successor_id: int
    evidence: bytes
    actor: bytes
    operation_id: bytes
