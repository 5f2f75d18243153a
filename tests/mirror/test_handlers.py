"""Every event has its meaning, every row its table, and an event that cannot be is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.logs import ContractEvents
from ledger.domain import events
from ledger.domain.keys import encode_key, encode_role
from ledger.mirror.book import Book, Contradiction, Place
from ledger.mirror.contracts import ECHOES
from ledger.mirror.handlers import HANDLERS
from ledger.mirror.rows import TABLES
from ledger.store.engine import open_engine, reading
from ledger.store.mirror_tables import contracts, metadata, mirror_state
from ledger.store.schema import upgrade_schema

SOMEBODY, OTHER = b"\x11" * 20, b"\x22" * 20
OPERATION, DIGEST = b"\x33" * 32, b"\x44" * 32
CATEGORY = encode_key("data.acquire")
BY = {"actor": SOMEBODY, "operation_id": OPERATION}
MEMBER = {"programme_id": 1, "org_id": 1}
WHY = {"reason": bytes(32), "evidence": DIGEST}


# --- completeness -------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", CONTRACTS)
def test_events__of_every_abi__are_of_the_journal_with_a_handler_or_listed_echoes(
    contract: str,
) -> None:
    abi = ContractEvents(contract, load_artifact(contract).abi)
    for decoder in abi.journal.values():
        event_type = getattr(events, decoder.name)
        assert event_type in HANDLERS
        fields = [_snake(name) for name in decoder.fields[:-1]]
        assert [field.name for field in dataclasses.fields(event_type)] == fields
    echoes = {decoder.name for decoder in abi.echoes.values()}
    assert echoes == set(ECHOES.get(contract, {}))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def test_handlers__of_all_modules__are_for_events_of_some_abi() -> None:
    known = {
        decoder.name
        for contract in CONTRACTS
        for decoder in ContractEvents(contract, load_artifact(contract).abi).journal.values()
    }
    assert {event_type.__name__ for event_type in HANDLERS} == known


def test_rows__of_every_table__have_its_columns_in_order() -> None:
    for row_type, table in TABLES.items():
        assert list(row_type._fields) == [column.name for column in table.columns]  # type: ignore[attr-defined]
    others = {contracts, mirror_state}
    assert set(TABLES.values()) == set(metadata.tables.values()) - others


# --- events that cannot be ------------------------------------------------------------------------


@pytest.fixture
def book(sqlite_url: str) -> Iterator[Book]:
    """A book in which programme 1, organisations 1 and 2 and a membership of the first exist."""
    engine = open_engine(sqlite_url)
    upgrade_schema(engine)
    with reading(engine) as connection:
        yield _begun(connection)
    engine.dispose()


def _begun(connection: Connection) -> Book:
    book = Book()
    book.open(connection)
    for event in (
        events.ProgrammeCreated(1, 1, encode_key("fund"), DIGEST, 1000, 1, **BY),
        events.TierAdded(2, 1, 1, encode_key("core"), **BY),
        events.CategoryStatusChanged(3, 1, CATEGORY, True, **BY),
        events.EpochBoundaryAppended(4, 1, 1, 100, **BY),
        events.OrganisationRegistered(1, 1, SOMEBODY, encode_key("company"), DIGEST, **BY),
        events.OrganisationRegistered(2, 2, OTHER, encode_key("company"), DIGEST, **BY),
        events.MembershipAdmitted(1, **MEMBER, tier=1, expires_at=900, **WHY, **BY),
        events.OfficerAppointed(1, encode_role("issuer", 0), SOMEBODY, **BY),  # type: ignore[arg-type]
        entry(1, 1, 40, 40),
        entry(2, 1, 2, 42),
        entry(3, 2, -40, 2, refers_to=1),
    ):
        handle(book, event)
    return book


def handle(book: Book, event: Any) -> None:
    """Give one event to its handler."""
    HANDLERS[type(event)](book, Place(5, 0, 500), event)


def entry(entry_id: int, kind: int, amount: int, after: int, **others: Any) -> events.EntryPosted:
    """An entry of organisation 1, where nothing else is said."""
    values = {"refers_to": 0, "category": CATEGORY, "evidence": DIGEST, **MEMBER, **BY, **others}
    return events.EntryPosted(
        entry_id=entry_id, kind=kind, amount=amount, balance_after=after, **values
    )


IMPOSSIBLE = {
    "a programme twice": events.ProgrammeCreated(9, 1, CATEGORY, DIGEST, 5, 1, **BY),
    "a rule of no programme": events.SupplyCapChanged(9, 2, 5, **BY),
    "approvals of no programme": events.ApprovalsNeededChanged(9, 2, 5, **BY),
    "a description of no programme": events.ProgrammeProfileChanged(9, 2, DIGEST, **BY),
    "a tier twice": events.TierAdded(9, 1, 1, CATEGORY, **BY),
    "a tier of no programme": events.TierAdded(9, 3, 1, CATEGORY, **BY),
    "an open tier opened": events.TierStatusChanged(9, 1, 1, True, **BY),
    "no tier closed": events.TierStatusChanged(9, 1, 2, False, **BY),
    "an open category opened": events.CategoryStatusChanged(9, 1, CATEGORY, True, **BY),
    "no category closed": events.CategoryStatusChanged(9, 1, encode_key("x"), False, **BY),
    "a boundary left out": events.EpochBoundaryAppended(9, 1, 3, 300, **BY),
    "a boundary before the last": events.EpochBoundaryAppended(9, 1, 2, 100, **BY),
    "a budget of no programme": events.BudgetChanged(9, 7, SOMEBODY, 1, 2, **BY),
    "an organisation twice": events.OrganisationRegistered(9, 1, OTHER, CATEGORY, DIGEST, **BY),
    "a profile of nobody": events.OrganisationProfileChanged(9, 3, DIGEST, **BY),
    "a member admitted": events.MembershipAdmitted(9, **MEMBER, tier=1, expires_at=9, **WHY, **BY),
    "nobody admitted": events.MembershipAdmitted(9, 1, 3, 1, 900, **WHY, **BY),
    "admitted to nothing": events.MembershipAdmitted(9, 2, 2, 1, 900, **WHY, **BY),
    "admitted to no tier": events.MembershipAdmitted(9, 1, 2, 4, 900, **WHY, **BY),
    "renewed to no later time": events.MembershipRenewed(9, 1, 1, 900, **WHY, **BY),
    "no member renewed": events.MembershipRenewed(9, 1, 2, 901, **WHY, **BY),
    "a change to no tier": events.MembershipTierChanged(9, 1, 1, 5, **WHY, **BY),
    "no member suspended": events.MembershipSuspended(9, 1, 2, **WHY, **BY),
    "an active member resumed": events.MembershipResumed(9, 1, 1, **WHY, **BY),
    "no member revoked": events.MembershipRevoked(9, 1, 2, **WHY, **BY),
    "nobody declined": events.ApplicationDeclined(9, 1, 3, **WHY, **BY),
    "a role twice": events.OfficerAppointed(9, encode_role("issuer", 0), SOMEBODY, **BY),  # type: ignore[arg-type]
    "a role not held": events.OfficerDismissed(9, encode_role("issuer", 1), SOMEBODY, **BY),  # type: ignore[arg-type]
    "resumed while running": events.LedgerResumed(9, **BY),
    "a balance too high": entry(4, 1, 5, 8),
    "an award to nobody": entry(4, 1, 5, 5, org_id=3),
    "an award of no category": entry(4, 1, 5, 7, category=encode_key("x")),
    "an award of less than nothing": entry(4, 1, -5, -3),
    "a redemption that gives": entry(4, 3, 5, 7),
    "a kind that there is not": entry(4, 9, 5, 7),
    "a reversal of nothing": entry(4, 2, -5, -3, refers_to=9),
    "a reversal of a reversal": entry(4, 2, 40, 42, refers_to=3),
    "a reversal for another": entry(4, 2, -2, -2, refers_to=2, org_id=2),
    "a reversal of another amount": entry(4, 2, -1, 1, refers_to=2),
    "a second reversal": entry(4, 2, -40, -38, refers_to=1),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_event__that_cannot_follow__is_refused(book: Book, what: str) -> None:
    with pytest.raises(Contradiction):
        handle(book, IMPOSSIBLE[what])


def test_event__that_follows__is_taken_by_the_same_book(book: Book) -> None:
    for event in (
        entry(4, 2, -2, 0, refers_to=2),
        events.LedgerPaused(2, **BY),
        events.LedgerResumed(3, **BY),
        events.MembershipSuspended(2, **MEMBER, **WHY, **BY),
        events.MembershipResumed(3, **MEMBER, **WHY, **BY),
        events.MembershipRevoked(4, **MEMBER, **WHY, **BY),
        events.MembershipAdmitted(5, **MEMBER, tier=1, expires_at=9, **WHY, **BY),
    ):
        handle(book, event)
