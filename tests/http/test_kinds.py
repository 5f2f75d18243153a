"""Entries of every kind, and organisations that are no more, in answers and on pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, insert, select

from ledger.domain.events import EntryKind, MembershipStatus
from ledger.store import mirror_tables as tables
from ledger.store.engine import open_engine, writing
from tests.http.conftest import Ledger
from tests.http.facts import NO_BYTES, account_of, hash_of

ORGANISATION, SUCCESSOR, PROGRAMME = 4, 5, 2

WORDS = {
    EntryKind.REDEMPTION: ("Redemption", "兑换"),
    EntryKind.REFUND: ("Refund", "退还"),
    EntryKind.EXPIRY: ("Expiry", "到期扣除"),
    EntryKind.CARRY_OVER: ("Carried over", "结转"),
}
"""The kinds that the seeded ledger has none of, as a reader sees them."""


@pytest.fixture
def client(own_ledger: Ledger, serve: Callable[..., httpx.Client]) -> httpx.Client:
    """A ledger in which organisation 4 spent, lost and carried over, and then was merged into 5."""
    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        last = connection.execute(
            select(tables.entries).order_by(tables.entries.c.entry_id.desc()).limit(1)
        ).one()
        for number, kind in enumerate(WORDS, start=1):
            row = _entry(last, number, kind)
            connection.execute(insert(tables.entries).values(row))
        _revoke_all(connection, last)
        table = tables.organisation_versions
        acting = connection.execute(select(table).where(table.c.org_id == ORGANISATION)).one()
        change = {"change": "retired", "controller": None, "retired": 1}
        place = {"block_number": last.block_number, "log_index": last.log_index}
        retired = {**acting._mapping, **change, **place, "successor_id": SUCCESSOR}
        connection.execute(insert(table).values(retired))
    engine.dispose()
    return serve(own_ledger.settings)


def _revoke_all(connection: Connection, last: Any) -> None:
    """Only who holds no membership can be retired."""
    table = tables.membership_versions
    held = connection.execute(select(table).where(table.c.org_id == ORGANISATION)).all()
    for number, row in enumerate(held):
        place = {"block_number": last.block_number, "log_index": last.log_index + number}
        status = {"change": "revoked", "status": int(MembershipStatus.REVOKED)}
        connection.execute(insert(table).values({**row._mapping, **status, **place}))


def _entry(last: Any, number: int, kind: EntryKind) -> dict[str, Any]:
    """An entry in the block and log of the last one, which is all that a reader needs of it."""
    gives = kind is EntryKind.REFUND
    return {
        "entry_id": last.entry_id + number,
        "block_number": last.block_number,
        "log_index": last.log_index,
        "programme_id": PROGRAMME,
        "org_id": ORGANISATION,
        "kind": int(kind),
        "category": "data.acquire" if kind is EntryKind.EXPIRY else "",
        "amount": 3 if gives else -3,
        "balance_after": 100,
        "evidence": NO_BYTES,
        "refers_to": 0 if kind is EntryKind.REDEMPTION else 1,
        "actor": account_of("council"),
        "operation_id": hash_of("operation", number),
    }


@pytest.mark.parametrize("kind", WORDS)
def test_statement__with_an_entry_of_each_kind__names_it(
    client: httpx.Client, kind: EntryKind
) -> None:
    name = kind.name.lower()
    found = client.get(f"/v1/organisations/{ORGANISATION}/entries", params={"kind": name}).json()
    (entry,) = found["items"]
    assert entry["kind"] == name
    assert entry["category"] == ("data.acquire" if kind is EntryKind.EXPIRY else None)
    for path in (
        f"/organisations/{ORGANISATION}?kind={name}",
        f"/entries/{entry['entry_id']}",
    ):
        for language, word in zip(("en", "zh-CN"), WORDS[kind], strict=True):
            page = client.get(path, headers={"Accept-Language": language})
            assert page.status_code == 200
            assert word in page.text


def test_balances__with_entries_in_no_category__add_up(client: httpx.Client) -> None:
    found = client.get(f"/v1/organisations/{ORGANISATION}/balances").json()
    (balance,) = (each for each in found["items"] if each["programme_id"] == PROGRAMME)
    (none,) = (each for each in balance["categories"] if each["category"] is None)
    assert (none["credits"], none["entry_count"]) == (-3, 3)
    page = client.get(f"/organisations/{ORGANISATION}", headers={"Accept-Language": "en"}).text
    assert "Redeemed, refunded, carried over" in page


def test_organisation__that_is_retired__says_so_everywhere(client: httpx.Client) -> None:
    found = client.get(f"/v1/organisations/{ORGANISATION}").json()
    assert found["controller"] is None
    assert (found["retired"], found["successor_id"]) == (True, SUCCESSOR)
    listed = client.get("/v1/organisations", params={"status": "retired"}).json()["items"]
    assert [each["org_id"] for each in listed] == [ORGANISATION]
    for language, words in (("en", "Retired"), ("zh-CN", "已注销")):
        headers = {"Accept-Language": language}
        assert words in client.get("/?status=retired", headers=headers).text
        page = client.get(f"/organisations/{ORGANISATION}", headers=headers).text
        assert f'href="/organisations/{SUCCESSOR}"' in page


def test_account__of_one_that_is_retired__acts_for_nobody(client: httpx.Client) -> None:
    account = "0x" + account_of(ORGANISATION).hex()
    assert client.get(f"/v1/accounts/{account}").json()["organisation"] is None
