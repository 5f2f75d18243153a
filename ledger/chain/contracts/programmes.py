"""Programmes: the programmes and their rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import Contract, encode_call, encode_keys
from ledger.chain.rpc import BlockName
from ledger.domain.commands import AwardTerms, Budget, ProgrammeRules
from ledger.domain.ids import ProgrammeId, TierId
from ledger.domain.keys import decode_key, encode_key

_UNLIMITED = 2**64 - 1


def encode_create_programme(
    key: str, profile: bytes, supply_cap: int, approvals_needed: int, operation_id: bytes
) -> bytes:
    """Found a programme. Only an alliance-wide council officer."""
    return encode_call(
        "Programmes",
        "createProgramme",
        encode_key(key, "programme"),
        profile,
        supply_cap,
        approvals_needed,
        operation_id,
    )


def encode_change_profile(programme_id: ProgrammeId, profile: bytes, operation_id: bytes) -> bytes:
    """Change the commitment to a programme's description. Council."""
    return encode_call("Programmes", "changeProfile", programme_id, profile, operation_id)


def encode_change_supply_cap(
    programme_id: ProgrammeId, supply_cap: int, operation_id: bytes
) -> bytes:
    """Change the most credits that may be outstanding. Council."""
    return encode_call("Programmes", "changeSupplyCap", programme_id, supply_cap, operation_id)


def encode_change_approvals_needed(
    programme_id: ProgrammeId, approvals_needed: int, operation_id: bytes
) -> bytes:
    """Change how many approvals a proposal needs. Council."""
    return encode_call(
        "Programmes", "changeApprovalsNeeded", programme_id, approvals_needed, operation_id
    )


def encode_add_tiers(programme_id: ProgrammeId, keys: Sequence[str], operation_id: bytes) -> bytes:
    """Add tiers, numbered on from the last one. Council."""
    return encode_call(
        "Programmes", "addTiers", programme_id, encode_keys(keys, "tier"), operation_id
    )


def encode_set_tier_open(
    programme_id: ProgrammeId, tier: TierId, *, is_open: bool, operation_id: bytes
) -> bytes:
    """Close a tier to new admissions, or open it again. Council."""
    return encode_call("Programmes", "setTierOpen", programme_id, tier, is_open, operation_id)


def encode_open_categories(
    programme_id: ProgrammeId, categories: Sequence[str], operation_id: bytes
) -> bytes:
    """Open categories to awards. Council."""
    return encode_call(
        "Programmes",
        "openCategories",
        programme_id,
        encode_keys(categories, "category"),
        operation_id,
    )


def encode_close_categories(
    programme_id: ProgrammeId, categories: Sequence[str], operation_id: bytes
) -> bytes:
    """Close categories to awards. Council."""
    return encode_call(
        "Programmes",
        "closeCategories",
        programme_id,
        encode_keys(categories, "category"),
        operation_id,
    )


def encode_append_boundaries(
    programme_id: ProgrammeId, boundaries: Sequence[int], operation_id: bytes
) -> bytes:
    """Append epoch boundaries, in seconds since 1970 UTC. Council."""
    return encode_call(
        "Programmes", "appendBoundaries", programme_id, list(boundaries), operation_id
    )


def encode_set_budget(
    programme_id: ProgrammeId, issuer: bytes, budget: Budget, operation_id: bytes
) -> bytes:
    """Set an issuer's budget; both values zero takes it away. Treasurer or council."""
    return encode_call(
        "Programmes",
        "setBudget",
        programme_id,
        issuer,
        budget.per_award,
        budget.per_epoch,
        operation_id,
    )


def encode_set_category_budget(
    programme_id: ProgrammeId,
    issuer: bytes,
    category: str,
    per_epoch: int | None,
    operation_id: bytes,
) -> bytes:
    """Set an issuer's budget of each epoch in one category; None takes it away.

    Treasurer or council.
    """
    return encode_call(
        "Programmes",
        "setCategoryBudget",
        programme_id,
        issuer,
        encode_key(category, "category"),
        per_epoch is not None,
        per_epoch or 0,
        operation_id,
    )


@dataclass(frozen=True, slots=True)
class Programmes(Contract):
    """Reads of Programmes."""

    NAME: ClassVar[str] = "Programmes"

    def programme_count(self, *, at: BlockName) -> int:
        """How many programmes there are; their ids are 1 to this number."""
        return int(self.read("programmeCount", at=at))

    def programme(self, programme_id: ProgrammeId, *, at: BlockName) -> ProgrammeRules:
        """A programme's rules. Raises ContractRefused (ProgrammesUnknown)."""
        found = self.read("programme", programme_id, at=at)
        return ProgrammeRules(
            key=decode_key(found["key"]),
            profile=found["profile"],
            supply_cap=found["supplyCap"],
            approvals_needed=found["approvalsNeeded"],
            tier_count=found["tierCount"],
        )

    def boundary_count(self, programme_id: ProgrammeId, *, at: BlockName) -> int:
        """How many epoch boundaries a programme has."""
        return int(self.read("boundaryCount", programme_id, at=at))

    def boundary(self, programme_id: ProgrammeId, number: int, *, at: BlockName) -> int:
        """An epoch boundary, counted from 1, in seconds since 1970 UTC."""
        return int(self.read("boundary", programme_id, number, at=at))

    def epoch_at(self, programme_id: ProgrammeId, time: int, *, at: BlockName) -> int:
        """The epoch at a time; 0 before the first boundary and from the last one on."""
        return int(self.read("epochAt", programme_id, time, at=at))

    def budget(self, programme_id: ProgrammeId, issuer: bytes, *, at: BlockName) -> Budget:
        """An issuer's budget, zero where it has none."""
        found = self.read("budget", programme_id, issuer, at=at)
        return Budget(found["perAward"], found["perEpoch"])

    def award_terms(self, programme_id: ProgrammeId, issuer: bytes, *, at: BlockName) -> AwardTerms:
        """All that an award by this issuer must keep to at the block's time."""
        found = self.read("awardTerms", programme_id, issuer, at=at)
        return AwardTerms(
            epoch=found["epoch"],
            per_award=found["perAward"],
            per_epoch=found["perEpoch"],
            supply_cap=found["supplyCap"],
            by_category=found["byCategory"],
        )

    def category_budget(
        self, programme_id: ProgrammeId, issuer: bytes, category: str, *, at: BlockName
    ) -> int | None:
        """An issuer's budget of each epoch in a category; None where it has none of its own."""
        word = encode_key(category, "category")
        found = int(self.read("categoryBudget", programme_id, issuer, word, at=at))
        return None if found == _UNLIMITED else found
