"""Benefits, redemptions, proposals, shares and offices of the seeded ledger, on both databases."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ledger.chain.addresses import show_address
from ledger.chain.merkle import hash_pair
from tests.http.conftest import Ledger
from tests.http.facts import account_of

GALAXYSPACE = 4


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    """The JSON of a good answer."""
    answer = client.get(f"/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(answer: Any, name: str) -> list[int]:
    return [each[name] for each in answer["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [2, 1]),
        ({"standing": "open"}, [1]),
        ({"standing": "closed"}, [2]),
        ({"standing": "sold_out"}, []),
        ({"programme": "community"}, [2, 1]),
        ({"programme": "alliance"}, []),
        ({"as_of_block": 94, "standing": "open"}, [2, 1]),
        ({"as_of_block": 89}, []),
    ],
)
def test_benefits__listed__are_those_of_the_moment(
    client: httpx.Client, query: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(get(client, "benefits", **query), "listing_id") == expected


def test_benefit__at_a_block__has_what_was_left_then(client: httpx.Client) -> None:
    left = [get(client, "benefits/1", as_of_block=block)["left"] for block in (99, 100, 104, 120)]

    assert left == [20, 18, 16, 17]
    assert client.get("/v1/benefits/1", params={"as_of_block": 80}).status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("redemptions", {}, [3, 2, 1]),
        ("redemptions", {"status": "open"}, [1]),
        ("redemptions", {"status": "cancelled"}, [3]),
        ("redemptions", {"organisation": 7}, [2]),
        ("redemptions", {"listing": 2}, []),
        ("redemptions", {"programme": "fund-group"}, []),
        ("redemptions", {"as_of_block": 104, "status": "open"}, [3, 2, 1]),
        ("benefits/1/redemptions", {"status": "fulfilled"}, [2]),
        (f"organisations/{GALAXYSPACE}/redemptions", {}, [3, 1]),
    ],
)
def test_redemptions__filtered__are_those(
    client: httpx.Client, path: str, query: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(get(client, path, **query), "redemption_id") == expected


def test_redemptions__page_by_page__are_each_given_once(client: httpx.Client) -> None:
    found, path = [], "/v1/redemptions?limit=1"
    for _ in range(3):
        answer = client.get(path)
        found += numbers(answer.json(), "redemption_id")
        path = answer.links.get("next", {}).get("url", "")
    assert (found, path) == ([3, 2, 1], "")


def test_redemption__that_was_refunded__names_when_and_by_which_entry(
    client: httpx.Client,
) -> None:
    found = get(client, "redemptions/3")

    assert (found["status"], found["refund_id"], found["credits"]) == ("cancelled", 9, 10)
    assert found["redeemed_at"] < found["timestamp"]
    assert found["name_en"] == "Scenario slot"


@pytest.mark.parametrize(
    ("path", "query", "codes"),
    [
        ("benefits/1/preview", {"organisation": 4}, []),
        ("benefits/1/preview", {"organisation": 4, "quantity": 4}, ["listing.over_limit"]),
        ("benefits/2/preview", {"organisation": 4}, ["listing.closed"]),
        (
            "benefits/1/preview",
            {"organisation": 17},
            ["membership.not_good"],
        ),
        (
            "benefits/1/preview",
            {"organisation": 45, "quantity": 6},
            ["listing.over_limit", "membership.not_good", "balance.too_low"],
        ),
        ("benefits/1/preview", {"organisation": 4, "as_of_block": 92}, []),
    ],
)
def test_preview__of_a_redemption__says_what_stands_in_the_way(
    client: httpx.Client, path: str, query: dict[str, Any], codes: list[str]
) -> None:
    found = get(client, path, **query)

    assert [each["code"] for each in found["obstacles"]] == codes
    assert found["possible"] is (not codes)
    assert found["balance_before"] - found["credits"] == found["balance_after"]
    assert all(each["sentence_zh"] and each["sentence_en"] for each in found["obstacles"])


def test_preview__of_more_than_there_ever_were__names_the_field(client: httpx.Client) -> None:
    answer = client.get("/v1/benefits/1/preview", params={"organisation": 4, "quantity": 2**32 - 1})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "quantity"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"standing": "open"}, [1]),
        ({"standing": "executed"}, [2]),
        ({"standing": "expired"}, [3]),
        ({"standing": "open", "as_of_block": 101}, [3, 2, 1]),
        ({"council": "community"}, [2, 1]),
        ({"council": "0"}, [3]),
    ],
)
def test_proposals__listed__are_those_of_the_moment(
    client: httpx.Client, query: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(get(client, "proposals", **query), "proposal_id") == expected


def test_proposal__tells_its_calls_in_both_languages_and_who_may_approve(
    client: httpx.Client,
) -> None:
    found = get(client, "proposals/1")
    readable, unreadable = found["told"]

    assert (readable["contract"], readable["readable"]) == ("Programmes", True)
    assert "900,000" in readable["sentence_en"]
    assert "900,000" in readable["sentence_zh"]
    assert unreadable["readable"] is False
    assert unreadable["sentence_en"].startswith("CANNOT BE READ")
    assert found["maker"] == show_address(account_of("councillor"))
    assert found["may_approve"] == [show_address(account_of("checker"))]
    assert [each["counts"] for each in found["approvals"]] == [True]
    assert found["executable"] is True
    assert len(found["raw_calls"]) == 2
    appointing = get(client, "proposals/3")["calls"][0]
    assert "银河航天" in appointing["sentence_zh"]  # whose account it is


def test_entitlement__has_a_proof_that_leads_to_the_root(client: httpx.Client) -> None:
    found = get(client, f"shares/1/entitlements/{GALAXYSPACE}")
    node = bytes.fromhex(found["leaf"][2:])
    for each in found["proof"]:
        node = hash_pair(node, bytes.fromhex(each[2:]))

    assert "0x" + node.hex() == found["root"] == get(client, "shares/1")["root"]


def test_entitlements__of_a_distribution__are_its_whole_pool(client: httpx.Client) -> None:
    answer = get(client, "shares/1/entitlements", limit=200)
    claimed = [each for each in answer["items"] if each["claim"]]

    assert sum(each["amount"] for each in answer["items"]) == get(client, "shares/1")["pool"]
    assert [each["amount"] for each in claimed] == [get(client, "shares/1")["claimed"]]
    first = get(client, "shares/1/entitlements", limit=1)
    more = get(client, "shares/1/entitlements", limit=200, cursor=first["next"])
    assert [*first["items"], *more["items"]] == answer["items"]
    assert client.get("/v1/shares/1/entitlements/45").status_code == 404
    own = get(client, f"organisations/{GALAXYSPACE}/shares")["items"]
    assert own[0]["distribution"]["distribution_id"] == 1


def test_expiries__of_an_organisation__are_its_unspent_credits(
    client: httpx.Client, ledger: Ledger
) -> None:
    path = f"organisations/{GALAXYSPACE}/expiries"
    found = get(client, path, programme="community", epochs=1)
    never = get(client, path, programme="community", epochs=900)

    total = sum(each["credits"] for each in found["items"])
    assert total == ledger.seeded.balance("community", GALAXYSPACE)
    assert found["due"] == sum(each["credits"] for each in found["items"] if each["due"]) > 0
    assert {each["expires_at"] for each in never["items"]} == {None}


def test_officers__of_a_programme__are_its_own_and_the_alliances(client: httpx.Client) -> None:
    everybody = get(client, "officers")["items"]
    issuers = get(client, "officers", programme="community", role="issuer")["items"]
    councillors = get(client, "officers", programme="community", role="councillor")["items"]

    assert len(everybody) == len({(each["account"], each["role"]) for each in everybody})
    assert [each["account"] for each in issuers] == [show_address(account_of("issuer"))]
    assert [each["programme"] for each in councillors] == [None, "community", "community"]


def test_budgets__of_an_issuer__say_what_is_left(client: httpx.Client, ledger: Ledger) -> None:
    issuer = show_address(account_of("issuer"))
    (found,) = get(client, "budgets", issuer=issuer)["items"]
    epoch = get(client, "programmes/community")["epochs"][3]
    spent = get(client, "entries", programme="community", kind="award", limit=200)["items"]
    expected = sum(
        each["amount"]
        for each in spent
        if epoch["begins_at"] <= each["timestamp"] < epoch["ends_at"]
    )

    assert (found["epoch"], found["may_award"], found["by_council"]) == (4, True, False)
    assert found["spent"] == expected > 0
    assert found["left"] == 100_000 - expected
    assert get(client, "budgets", programme="alliance")["items"] == []
    assert ledger.seeded.entries


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/budgets", "GET, HEAD, POST"),
        ("PUT", "/v1/organisations", "GET, HEAD, POST"),
        ("GET", "/v1/awards", "POST"),
        ("POST", "/v1/session", "DELETE, GET, HEAD"),
        ("PATCH", "/v1/benefits/1", "GET, HEAD"),
        ("POST", "/v1/tokens/contract", "GET, HEAD"),
    ],
)
def test_method__that_is_not_served__names_all_that_are(
    client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
