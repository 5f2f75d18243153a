"""The rules of programmes: tiers, categories, epochs, budgets, caps.

Signed by a council officer of the programme; a new programme by one of the whole alliance, a
budget also by a treasurer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ledger.chain.addresses import show_address
from ledger.chain.contracts import programmes
from ledger.domain.commands import NO_COMMITMENT, Budget
from ledger.domain.ids import MAX_TIER, ProgrammeId, TierId
from ledger.domain.keys import encode_key
from ledger.errors import InvalidValue
from ledger.outbox.records import Operation
from ledger.services.checks import (
    MAX_AMOUNT,
    MAX_APPROVALS,
    check_distinct,
    check_programme,
    check_range,
    check_some,
    check_time,
    count_of,
)
from ledger.services.orders import Order


@dataclass(frozen=True, slots=True)
class Founding:
    """A programme to be founded. `profile` commits to its names and description."""

    key: str
    profile: bytes = NO_COMMITMENT
    supply_cap: int = MAX_AMOUNT
    approvals_needed: int = 1


def create_programme(order: Order, founding: Founding) -> tuple[Operation, ProgrammeId]:
    """Found a programme; the id that it got."""
    operation = ask_for_programme(order, founding)
    return operation, ProgrammeId(order.outbox.subjects_of(operation)[0])


def ask_for_programme(order: Order, founding: Founding) -> Operation:
    """Found a programme, without looking which id it got."""
    encode_key(founding.key, "programme")
    check_range("supply cap", founding.supply_cap, 0, MAX_AMOUNT)
    check_range("approvals needed", founding.approvals_needed, 1, MAX_APPROVALS)
    encode = partial(
        programmes.encode_create_programme,
        founding.key,
        founding.profile,
        founding.supply_cap,
        founding.approvals_needed,
    )
    summary = f"Found the programme {founding.key}."
    return order.place("Programmes", "create-programme", summary, encode)


def change_profile(order: Order, programme_id: ProgrammeId, profile: bytes) -> Operation:
    """Commit to another description of the programme."""
    check_programme(programme_id)
    encode = partial(programmes.encode_change_profile, programme_id, profile)
    summary = f"Change the profile of programme {programme_id}."
    return order.place("Programmes", "programme-profile", summary, encode)


def change_supply_cap(order: Order, programme_id: ProgrammeId, supply_cap: int) -> Operation:
    """Change the most credits that may be outstanding at once."""
    check_programme(programme_id)
    check_range("supply cap", supply_cap, 0, MAX_AMOUNT)
    encode = partial(programmes.encode_change_supply_cap, programme_id, supply_cap)
    summary = f"Set the cap of programme {programme_id} to {supply_cap}."
    return order.place("Programmes", "supply-cap", summary, encode)


def change_approvals_needed(order: Order, programme_id: ProgrammeId, approvals: int) -> Operation:
    """Change how many approvals a proposal of the council needs."""
    check_programme(programme_id)
    check_range("approvals needed", approvals, 1, MAX_APPROVALS)
    encode = partial(programmes.encode_change_approvals_needed, programme_id, approvals)
    summary = f"Ask for {count_of(approvals, 'approval')} in programme {programme_id}."
    return order.place("Programmes", "approvals-needed", summary, encode)


def add_tiers(order: Order, programme_id: ProgrammeId, keys: Sequence[str]) -> Operation:
    """Add tiers, numbered on from the last one."""
    _check_keys(programme_id, "tier", keys)
    encode = partial(programmes.encode_add_tiers, programme_id, keys)
    summary = f"Add {count_of(len(keys), 'tier')} to programme {programme_id}."
    return order.place("Programmes", "add-tiers", summary, encode)


def set_tier_open(
    order: Order, programme_id: ProgrammeId, tier: TierId, *, is_open: bool
) -> Operation:
    """Close a tier to new admissions, or open it again."""
    check_programme(programme_id)
    check_range("tier", tier, 1, MAX_TIER)

    def encode(operation_id: bytes) -> bytes:
        return programmes.encode_set_tier_open(
            programme_id, tier, is_open=is_open, operation_id=operation_id
        )

    verb = "Open" if is_open else "Close"
    summary = f"{verb} tier {tier} of programme {programme_id}."
    return order.place("Programmes", f"{verb.lower()}-tier", summary, encode)


def open_categories(
    order: Order, programme_id: ProgrammeId, categories: Sequence[str]
) -> Operation:
    """Open categories to awards."""
    _check_keys(programme_id, "category", categories)
    encode = partial(programmes.encode_open_categories, programme_id, categories)
    summary = f"Open to awards in programme {programme_id}: {', '.join(categories)}."
    return order.place("Programmes", "open-categories", summary, encode)


def close_categories(
    order: Order, programme_id: ProgrammeId, categories: Sequence[str]
) -> Operation:
    """Close categories to awards."""
    _check_keys(programme_id, "category", categories)
    encode = partial(programmes.encode_close_categories, programme_id, categories)
    summary = f"Close to awards in programme {programme_id}: {', '.join(categories)}."
    return order.place("Programmes", "close-categories", summary, encode)


def append_boundaries(
    order: Order, programme_id: ProgrammeId, boundaries: Sequence[int]
) -> Operation:
    """Append epoch boundaries, in seconds since 1970 UTC and in growing order."""
    check_programme(programme_id)
    check_some("boundaries", boundaries)
    for boundary in boundaries:
        check_time("boundary", boundary)
    if list(boundaries) != sorted(set(boundaries)):
        raise InvalidValue(
            field="boundaries", value=list(boundaries), expected="in growing order, each once"
        )
    encode = partial(programmes.encode_append_boundaries, programme_id, boundaries)
    noun = "boundary" if len(boundaries) == 1 else "boundaries"
    summary = f"Append {len(boundaries)} epoch {noun} to programme {programme_id}."
    return order.place("Programmes", "append-boundaries", summary, encode)


def set_budget(order: Order, programme_id: ProgrammeId, issuer: bytes, budget: Budget) -> Operation:
    """Give an issuer a budget, or take it away (both values zero)."""
    check_programme(programme_id)
    check_range("budget for an award", budget.per_award, 0, MAX_AMOUNT)
    check_range("budget for an epoch", budget.per_epoch, 0, MAX_AMOUNT)
    encode = partial(programmes.encode_set_budget, programme_id, issuer, budget)
    summary = (
        f"Give {show_address(issuer)} a budget of {budget.per_award} an award and "
        f"{budget.per_epoch} an epoch in programme {programme_id}."
    )
    return order.place("Programmes", "set-budget", summary, encode)


def set_category_budget(
    order: Order, programme_id: ProgrammeId, issuer: bytes, category: str, per_epoch: int | None
) -> Operation:
    """Limit what an issuer may award in one category in each epoch; None takes the limit away."""
    check_programme(programme_id)
    encode_key(category, "category")
    if per_epoch is not None:
        check_range("budget for an epoch", per_epoch, 0, MAX_AMOUNT)
    encode = partial(
        programmes.encode_set_category_budget, programme_id, issuer, category, per_epoch
    )
    limit = (
        f"Limit {show_address(issuer)} to {per_epoch} an epoch"
        if per_epoch is not None
        else f"Take the limit of {show_address(issuer)} away"
    )
    summary = f"{limit} in the category {category} of programme {programme_id}."
    return order.place("Programmes", "set-category-budget", summary, encode)


def _check_keys(programme_id: ProgrammeId, field: str, keys: Sequence[str]) -> None:
    check_programme(programme_id)
    check_some(field, keys)
    check_distinct(field, keys)
    for key in keys:
        encode_key(key, field)
