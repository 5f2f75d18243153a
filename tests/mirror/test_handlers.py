"""Every event has its meaning, every row its table, and an event that cannot be is refused."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.logs import ContractEvents
from ledger.domain import events
from ledger.domain.keys import encode_key
from ledger.mirror.book import Contradiction
from ledger.mirror.contracts import ECHOES
from ledger.mirror.handlers import HANDLERS
from ledger.mirror.rows import TABLES
from ledger.store.mirror_tables import STATE_TABLES, contracts, metadata
from tests.mirror.story import BY, CATEGORY, DIGEST, MEMBER, OTHER, SOMEBODY, STRANGER, WHY, Told

# --- completeness -------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", JOURNALLED)
def test_events__of_every_abi__are_of_the_journal_with_a_handler_or_listed_echoes(
    contract: str,
) -> None:
    abi = ContractEvents(contract, load_artifact(contract).abi)
    for decoder in abi.journal.values():
        event_type = getattr(events, decoder.name)
        assert event_type in HANDLERS
        fields = [_snake(name) for name in decoder.fields[:-1]]
        assert [field.name for field in dataclasses.fields(event_type)] == fields
    assert all(getattr(events, annex.name) in HANDLERS for annex in abi.annexes.values())
    echoes = {decoder.name for decoder in abi.echoes.values()}
    assert echoes == set(ECHOES.get(contract, {}))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def test_handlers__of_all_modules__are_for_events_of_some_abi() -> None:
    known = {
        decoder.name
        for contract in JOURNALLED
        for abi in [ContractEvents(contract, load_artifact(contract).abi)]
        for decoder in (*abi.journal.values(), *abi.annexes.values())
    }
    assert {event_type.__name__ for event_type in HANDLERS} == known


def test_rows__of_every_table__have_its_columns_in_order() -> None:
    for row_type, table in TABLES.items():
        assert list(row_type._fields) == [column.name for column in table.columns]  # type: ignore[attr-defined]
    others = {contracts, *STATE_TABLES}
    assert set(TABLES.values()) == set(metadata.tables.values()) - others


# --- events that cannot be ------------------------------------------------------------------------


_BUDGET = {"issuer": SOMEBODY, "category": CATEGORY, **BY}

IMPOSSIBLE: dict[str, Any] = {
    "a programme twice": events.ProgrammeCreated(9, 1, CATEGORY, DIGEST, 5, 1, **BY),
    "a programme left out": events.ProgrammeCreated(9, 3, CATEGORY, DIGEST, 5, 1, **BY),
    "a rule of no programme": events.SupplyCapChanged(9, 2, 5, **BY),
    "approvals of no programme": events.ApprovalsNeededChanged(9, 2, 5, **BY),
    "a description of no programme": events.ProgrammeProfileChanged(9, 2, DIGEST, **BY),
    "a tier twice": events.TierAdded(9, 1, 1, CATEGORY, **BY),
    "a tier of no programme": events.TierAdded(9, 3, 1, CATEGORY, **BY),
    "an open tier opened": events.TierStatusChanged(9, 1, 1, True, **BY),
    "no tier closed": events.TierStatusChanged(9, 1, 2, False, **BY),
    "an open category opened": events.CategoryStatusChanged(9, 1, CATEGORY, True, **BY),
    "no category closed": events.CategoryStatusChanged(9, 1, encode_key("x"), False, **BY),
    "a boundary left out": events.EpochBoundaryAppended(9, 1, 5, 900, **BY),
    "a boundary before the last": events.EpochBoundaryAppended(9, 1, 4, 600, **BY),
    "a budget of no programme": events.BudgetChanged(9, 7, SOMEBODY, 1, 2, **BY),
    "a budget in no category": events.CategoryBudgetChanged(
        9, 1, per_epoch=5, limited=True, **_BUDGET | {"category": encode_key("x")}
    ),
    "a budget taken away that is left": events.CategoryBudgetChanged(
        9, 1, per_epoch=5, limited=False, **_BUDGET
    ),
    "an organisation twice": events.OrganisationRegistered(9, 1, STRANGER, CATEGORY, DIGEST, **BY),
    "an organisation left out": events.OrganisationRegistered(
        9, 6, STRANGER, CATEGORY, DIGEST, **BY
    ),
    "a second organisation of an account": events.OrganisationRegistered(
        9, 5, OTHER, CATEGORY, DIGEST, **BY
    ),
    "a profile of nobody": events.OrganisationProfileChanged(9, 5, DIGEST, **BY),
    "a profile of one that is retired": events.OrganisationProfileChanged(9, 3, DIGEST, **BY),
    "a member admitted": events.MembershipAdmitted(9, **MEMBER, tier=1, expires_at=9, **WHY, **BY),
    "nobody admitted": events.MembershipAdmitted(9, 1, 5, 1, 900, **WHY, **BY),
    "one that is retired admitted": events.MembershipAdmitted(9, 1, 4, 1, 900, **WHY, **BY),
    "admitted to nothing": events.MembershipAdmitted(9, 2, 2, 1, 900, **WHY, **BY),
    "admitted to no tier": events.MembershipAdmitted(9, 1, 2, 4, 900, **WHY, **BY),
    "renewed to no later time": events.MembershipRenewed(9, 1, 1, 900, **WHY, **BY),
    "no member renewed": events.MembershipRenewed(9, 1, 2, 901, **WHY, **BY),
    "a change to no tier": events.MembershipTierChanged(9, 1, 1, 5, **WHY, **BY),
    "no member suspended": events.MembershipSuspended(9, 1, 2, **WHY, **BY),
    "an active member resumed": events.MembershipResumed(9, 1, 1, **WHY, **BY),
    "no member revoked": events.MembershipRevoked(9, 1, 2, **WHY, **BY),
    "nobody declined": events.ApplicationDeclined(9, 1, 5, **WHY, **BY),
    "a role twice": events.OfficerAppointed(9, b"issuer".ljust(32, b"\0"), SOMEBODY, **BY),
    "a role not held": events.OfficerDismissed(9, b"issuer".ljust(31, b"\0") + b"\1", OTHER, **BY),
    "resumed while running": events.LedgerResumed(9, **BY),
    "a message cancelled twice": events.MessageCancelled(9, SOMEBODY, BY["operation_id"]),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_event__that_cannot_follow__is_refused(told: Told, what: str) -> None:
    with pytest.raises(Contradiction):
        told.tell(IMPOSSIBLE[what])


def test_event__that_follows__is_taken_by_the_same_book(told: Told) -> None:
    told.tell(
        events.LedgerPaused(2, **BY),
        events.LedgerResumed(3, **BY),
        events.CategoryBudgetChanged(9, 1, per_epoch=5, limited=True, **_BUDGET),
        events.CategoryBudgetChanged(9, 1, per_epoch=0, limited=False, **_BUDGET),
        events.MembershipSuspended(2, **MEMBER, **WHY, **BY),
        events.MembershipResumed(3, **MEMBER, **WHY, **BY),
        events.MembershipRevoked(4, **MEMBER, **WHY, **BY),
        events.MembershipAdmitted(5, **MEMBER, tier=1, expires_at=9, **WHY, **BY),
        events.MetadataBaseChanged(6, DIGEST, **BY),
        events.MessageCancelled(9, OTHER, BY["operation_id"]),
    )
    told.tell(events.MessageCancelled(9, SOMEBODY, BY["operation_id"]), contract_id=2)
