"""Balances, entries, rankings and accounts on a ledger that is known, now and at earlier blocks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ledger.chain.addresses import show_address
from tests.http.conftest import Ledger
from tests.http.facts import LAST_BLOCK, PROGRAMME_KEYS, STRANGER, account_of, hash_of
from tests.http.test_routes import GALAXYSPACE, get


@pytest.mark.parametrize("block", [0, 10, 37, 44, 84, 100, LAST_BLOCK])
def test_balances__at_a_block__are_the_sums_of_the_entries_up_to_it(
    client: httpx.Client, ledger: Ledger, block: int
) -> None:
    outstanding = dict.fromkeys(PROGRAMME_KEYS, 0)
    for org_id in range(1, STRANGER + 1) if block >= 2 else ():
        answer = get(client, f"/v1/organisations/{org_id}/balances", as_of_block=block)
        assert answer["as_of"]["block_number"] == block
        for balance in answer["items"]:
            expected = ledger.seeded.balance(balance["programme"], org_id, block)
            assert balance["credits"] == expected
            assert sum(each["credits"] for each in balance["categories"]) == expected
            outstanding[balance["programme"]] += expected
    programmes = get(client, "/v1/programmes", as_of_block=block)["items"]
    assert {each["key"]: each["outstanding"] for each in programmes} == (
        outstanding if programmes else {}
    )


def test_balances__of_a_member_without_entries__are_zero(client: httpx.Client) -> None:
    (balance,) = get(client, "/v1/organisations/2/balances", as_of_block=5)["items"]

    assert balance == {
        "programme_id": 1,
        "programme": "alliance",
        "credits": 0,
        "entry_count": 0,
        "last_entry": None,
        "category_count": 0,
        "categories": [],
    }


def test_balances__at_a_time__are_those_of_the_block_at_or_before_it(client: httpx.Client) -> None:
    path = f"/v1/organisations/{GALAXYSPACE}/balances"
    by_block = get(client, path, as_of_block=40)

    for time in ("2025-06-09T00:00:00Z", "2025-06-11T11:59:59Z", "2025-06-09T08:00:00+08:00"):
        assert get(client, path, as_of=time) == by_block
    assert get(client, path, as_of="2025-06-11T12:00:00Z")["as_of"]["block_number"] == 41
    assert get(client, path, as_of="9999-12-31T00:00:00Z")["as_of"]["block_number"] == LAST_BLOCK


def test_statement__each_line__names_evidence_block_and_transaction(
    client: httpx.Client, ledger: Ledger
) -> None:
    org_id = next(entry["org_id"] for entry in ledger.seeded.entries if entry["block_number"] == 24)
    lines = get(client, f"/v1/organisations/{org_id}/entries", limit=200)["items"]

    expected = [entry for entry in ledger.seeded.entries if entry["org_id"] == org_id]
    assert [line["entry_id"] for line in lines] == [
        entry["entry_id"] for entry in reversed(expected)
    ]
    for line, entry in zip(lines, reversed(expected), strict=True):
        assert line["amount"] == entry["amount"]
        assert line["balance_after"] == entry["balance_after"]
        assert line["block_hash"] == "0x" + hash_of("block", entry["block_number"]).hex()
        assert line["transaction_hash"] == (
            "0x" + hash_of("transaction", entry["block_number"], 0).hex()
        )
        assert line["evidence"]["commitment"] == "0x" + entry["evidence"].hex()


def test_entries__with_other_evidence__say_what_there_is(
    client: httpx.Client, ledger: Ledger
) -> None:
    def at(block: int) -> Any:
        entry = next(each for each in ledger.seeded.entries if each["block_number"] == block)
        return get(client, f"/v1/entries/{entry['entry_id']}")["evidence"]

    assert at(20) is None
    assert at(22)["document"] is None
    assert at(24)["document"]["made_up"] is False
    assert at(24)["document"]["media_type"] == "application/pdf"
    assert at(26)["document"]["made_up"] is True


def test_entry__reversed__is_linked_with_its_reversal_both_ways(
    client: httpx.Client, ledger: Ledger
) -> None:
    reversal = next(entry for entry in ledger.seeded.entries if entry["refers_to"])

    undone = get(client, f"/v1/entries/{reversal['refers_to']}")
    undoing = get(client, f"/v1/entries/{reversal['entry_id']}")
    before = get(
        client,
        f"/v1/entries/{reversal['refers_to']}",
        as_of_block=reversal["block_number"] - 1,
    )

    assert (undone["kind"], undone["reversed_by"]) == ("award", reversal["entry_id"])
    assert (undoing["kind"], undoing["refers_to"]) == ("reversal", reversal["refers_to"])
    assert undoing["amount"] == -undone["amount"]
    assert before["reversed_by"] is None


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"programme": "alliance"}, lambda each: each["programme_id"] == 1),
        ({"programme": "3"}, lambda each: each["programme_id"] == 3),
        ({"kind": "reversal"}, lambda each: each["kind"] == 2),
        ({"kind": "expiry"}, lambda each: False),
        ({"category": "rocket.manufacture"}, lambda each: each["category"] == "rocket.manufacture"),
        ({"organisation": "9"}, lambda each: each["org_id"] == 9),
        ({"from": "2025-06-09T00:00:00Z"}, lambda each: each["block_number"] >= 40),
        ({"to": "2025-06-09T00:00:00Z"}, lambda each: each["block_number"] < 40),
        (
            {"from": "2025-06-09T00:00:00Z", "to": "2025-06-14T00:00:00Z"},
            lambda each: 40 <= each["block_number"] < 42,
        ),
        ({"from": "2030-01-01T00:00:00Z"}, lambda each: False),
        ({"to": "2030-01-01T00:00:00Z"}, lambda each: True),
        ({"to": "2001-01-01T00:00:00Z"}, lambda each: False),
        ({"as_of_block": "50"}, lambda each: each["block_number"] <= 50),
    ],
)
def test_entries__filtered__are_those_and_the_newest_first(
    client: httpx.Client, ledger: Ledger, query: dict[str, str], keep: Any
) -> None:
    found = get(client, "/v1/entries", limit=200, **query)["items"]

    expected = [each["entry_id"] for each in ledger.seeded.entries if keep(each)]
    assert [each["entry_id"] for each in found] == expected[::-1]


@pytest.mark.parametrize("programme", PROGRAMME_KEYS)
def test_ranking__of_a_programme__is_by_credits_with_equals_sharing_a_rank(
    client: httpx.Client, ledger: Ledger, programme: str
) -> None:
    ranking = get(client, "/v1/rankings", programme=programme, limit=200)["items"]

    assert {each["org_id"]: each["credits"] for each in ranking} == {
        org_id: ledger.seeded.balance(programme, org_id)
        for org_id in ledger.seeded.members[programme]
        if any(
            entry["org_id"] == org_id and PROGRAMME_KEYS[entry["programme_id"] - 1] == programme
            for entry in ledger.seeded.entries
        )
    }
    scores = [each["credits"] for each in ranking]
    assert scores == sorted(scores, reverse=True)
    assert [each["rank"] for each in ranking] == [
        1 + sum(other > own for other in scores) for own in scores
    ]
    assert ranking[0]["name_zh"]


def test_ranking__of_an_epoch_or_category__counts_its_entries_alone(
    client: httpx.Client, ledger: Ledger
) -> None:
    epochs = get(client, "/v1/programmes/community")["epochs"]
    whole = get(client, "/v1/rankings", programme="community", limit=200)["items"]
    by_epoch = [
        get(client, "/v1/rankings", programme="community", epoch=each["epoch"], limit=200)["items"]
        for each in epochs
    ]
    sums: dict[int, int] = {}
    for ranking in by_epoch:
        for each in ranking:
            sums[each["org_id"]] = sums.get(each["org_id"], 0) + each["credits"]

    assert sums == {each["org_id"]: each["credits"] for each in whole}
    launched = get(client, "/v1/rankings", programme="community", category="launch.service")
    assert {each["org_id"] for each in launched["items"]} == {
        entry["org_id"] for entry in ledger.seeded.entries if entry["category"] == "launch.service"
    }


def test_ranking__at_an_earlier_block__is_that_of_then(
    client: httpx.Client, ledger: Ledger
) -> None:
    ranking = get(client, "/v1/rankings", programme="community", as_of_block=30, limit=200)

    for each in ranking["items"]:
        assert each["credits"] == ledger.seeded.balance("community", each["org_id"], 30)


def test_account__of_an_officer__has_roles_and_budgets(client: httpx.Client) -> None:
    issuer = show_address(account_of("issuer"))

    now = get(client, f"/v1/accounts/{issuer}")
    then = get(client, f"/v1/accounts/{issuer}", as_of_block=60)

    assert now["organisation"] is None
    assert [(each["role"], each["programme"]) for each in now["roles"]] == [("issuer", "community")]
    assert now["budgets"] == [
        {"programme_id": 2, "programme": "community", "per_award": 5000, "per_epoch": 100_000}
    ]
    # It held the role in the fund group from block 30 until block 90.
    assert [each["programme"] for each in then["roles"]] == ["community", "fund-group"]
    registrar = get(client, f"/v1/accounts/{show_address(account_of('registrar'))}")
    assert registrar["roles"][0]["programme"] is None


def test_account__that_controls_an_organisation__names_it(client: httpx.Client) -> None:
    address = show_address(account_of(GALAXYSPACE))

    found = get(client, f"/v1/accounts/{address.lower()}")

    assert found["address"] == address
    assert found["organisation"]["org_id"] == GALAXYSPACE


def test_account__of_nobody__holds_nothing(client: httpx.Client) -> None:
    found = get(client, "/v1/accounts/0x" + "11" * 20)

    assert (found["organisation"], found["roles"], found["budgets"]) == (None, [], [])
