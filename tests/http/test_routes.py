"""Every route on a ledger that is known: what it answers, true at the block that it names."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ledger.chain.addresses import show_address
from tests.http.conftest import Ledger
from tests.http.facts import LAST_BLOCK, PROGRAMME_KEYS, STRANGER, account_of, hash_of, time_of

GALAXYSPACE = 4


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    """The JSON of a good answer."""
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def org_ids(answer: Any) -> list[int]:
    return [item["org_id"] for item in answer["items"]]


def test_status__of_a_mirror_that_follows__says_how_far_and_what(client: httpx.Client) -> None:
    status = get(client, "/v1/status")

    assert status["mirror"] == "following"
    assert status["as_of"] == {
        "block_number": LAST_BLOCK,
        "block_hash": "0x" + hash_of("block", LAST_BLOCK).hex(),
        "timestamp": "2025-12-26T00:00:00Z",
    }
    assert (status["chain_id"], status["lag"], status["halt"]) == (31337, 0, None)
    assert status["looked_at"] == "2025-12-25T22:00:00.000Z"
    assert [each["name"] for each in status["contracts"]] == [
        "Authority",
        "Programmes",
        "Organisations",
        "Memberships",
        "Credits",
        "Benefits",
        "Shares",
        "Council",
    ]


def test_programmes__all__have_rules_members_and_outstanding(
    client: httpx.Client, ledger: Ledger
) -> None:
    programmes = get(client, "/v1/programmes")["items"]

    assert [each["key"] for each in programmes] == list(PROGRAMME_KEYS)
    for each in programmes:
        members = ledger.seeded.members[each["key"]]
        entries = [
            entry
            for entry in ledger.seeded.entries
            if entry["programme_id"] == each["programme_id"]
        ]
        assert each["member_count"] == len(members)
        assert each["outstanding"] == sum(entry["amount"] for entry in entries)
        assert each["entry_count"] == len(entries)
        assert [tier["key"] for tier in each["tiers"]] == ["member", "founder"]
        assert len(each["epochs"]) == 8
        assert each["current_epoch"] == 4
    community = programmes[1]
    assert community["members"] == {"active": 16, "lapsed": 0, "suspended": 1, "revoked": 1}
    assert community["name_zh"] == "空天信息产业共同体"
    assert programmes[2]["members"] == {"active": 9, "lapsed": 1, "suspended": 0, "revoked": 0}


@pytest.mark.parametrize("reference", ["2", "community"])
def test_programme__by_id_or_key__has_totals_that_add_up(
    client: httpx.Client, reference: str
) -> None:
    programme = get(client, f"/v1/programmes/{reference}")

    assert programme["programme_id"] == 2
    assert sum(total["credits"] for total in programme["totals"]) == programme["outstanding"]
    assert programme["role_en"].startswith("key companies along the chain")
    labels = {each["category"]: each for each in programme["categories"]}
    assert labels["satellite.manufacture"]["name_zh"] == "卫星研制"
    assert labels["satellite.manufacture"]["side"] == "construction"


@pytest.mark.parametrize(
    "search",
    [
        "银河",
        "galaxy",
        "GALAXYSPACE",
        "ＧａｌａｘｙSpace",
        "银 航天",
        "4",
        "  银河  ",
        "space 银河",
    ],
)
def test_organisations__searched_in_either_language__finds_galaxyspace(
    client: httpx.Client, search: str
) -> None:
    assert GALAXYSPACE in org_ids(get(client, "/v1/organisations", q=search))


def test_organisations__searched_by_chinese_name__finds_that_one_alone(
    client: httpx.Client,
) -> None:
    answer = get(client, "/v1/organisations", q="银河")

    assert org_ids(answer) == [GALAXYSPACE]
    assert answer["items"][0]["name_en"] == "GalaxySpace"
    assert answer["next"] is None


def test_organisations__searched_by_controller__finds_its_organisation(
    client: httpx.Client,
) -> None:
    controller = show_address(account_of(7))

    assert org_ids(get(client, "/v1/organisations", q=controller)) == [7]
    assert org_ids(get(client, "/v1/organisations", q=controller.lower())) == [7]


@pytest.mark.parametrize("search", ["%", "_", "/", "\\", "'", '"', "%%", "a%b", "银_"])
def test_organisations__searched_for_signs_of_sql__takes_them_as_they_are(
    client: httpx.Client, search: str
) -> None:
    assert org_ids(get(client, "/v1/organisations", q=search)) == []


@pytest.mark.parametrize("programme", ["community", "2"])
def test_organisations__of_a_programme__are_those_that_hold_a_membership(
    client: httpx.Client, ledger: Ledger, programme: str
) -> None:
    found = org_ids(get(client, "/v1/organisations", programme=programme, limit=200))

    assert found == sorted(ledger.seeded.members["community"])
    assert len(found) == 17


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "suspended"}, [17]),
        ({"status": "lapsed"}, [28]),
        ({"status": "revoked"}, [STRANGER]),
        ({"status": "suspended", "programme": "fund-group"}, []),
        ({"status": "active", "programme": "alliance"}, [1, 2]),
        ({"kind": "university"}, [37]),
        ({"segment": "rocket"}, [3, 8, 10, 11]),
        ({"segment": "rocket", "q": "银河"}, []),
        ({"kind": "company", "segment": "base"}, [1]),
    ],
)
def test_organisations__filtered__are_those(
    client: httpx.Client, query: dict[str, str], expected: list[int]
) -> None:
    assert org_ids(get(client, "/v1/organisations", **query)) == expected


def test_organisations__that_apply__are_neither_members_nor_declined(client: httpx.Client) -> None:
    found = org_ids(get(client, "/v1/organisations", status="applicant", limit=200))

    # 1 and 2 are members of the alliance, 29 was declined, and the stranger never applied.
    assert found == [*range(3, 29), *range(30, 45)]


def test_organisation__has_memberships_and_applications(client: httpx.Client) -> None:
    found = get(client, f"/v1/organisations/{GALAXYSPACE}")

    assert (found["key"], found["name_zh"], found["kind"]) == ("galaxyspace", "银河航天", "company")
    assert found["controller"] == show_address(account_of(GALAXYSPACE))
    (membership,) = found["memberships"]
    assert membership["token_id"] == (2 << 32) + GALAXYSPACE
    assert membership["status"] == "active"
    assert membership["last_change"]["change"] == "admitted"
    assert found["applications"] == [
        {"programme": "alliance", "status": "pending", "filed_at": "2025-03-11T00:00:00Z"}
    ]


def test_organisation__without_a_profile__shows_what_the_chain_says(client: httpx.Client) -> None:
    found = get(client, f"/v1/organisations/{STRANGER}")

    assert found["name_zh"] is None
    assert found["key"] is None
    assert found["profile"] == "0x" + hash_of("unknown profile").hex()
    assert found["memberships"][0]["status"] == "revoked"
    assert found["memberships"][0]["last_change"]["reason"] == "left"


def test_memberships_of_an_organisation__suspended__name_reason_and_document(
    client: httpx.Client,
) -> None:
    answer = get(client, "/v1/organisations/17/memberships")

    change = answer["items"][0]["last_change"]
    assert answer["items"][0]["status"] == "suspended"
    assert change["reason"] == "report.overdue"
    assert change["evidence"]["document"]["title_en"] == "Notice of a suspension"
    assert change["evidence"]["document"]["made_up"] is True
    assert answer["applications"][0]["programme"] == "alliance"


def test_membership__past_its_expiry__lapses_by_the_time_of_the_block(client: httpx.Client) -> None:
    path = "/v1/organisations/28/memberships"
    last_before = (180 * 86_400 - 1) // (time_of(1) - time_of(0))

    before = get(client, path, as_of_block=last_before)["items"][0]
    after = get(client, path, as_of_block=last_before + 1)["items"][0]

    assert (before["status"], after["status"]) == ("active", "lapsed")


def test_memberships__of_all__leave_out_the_revoked_unless_asked_for(client: httpx.Client) -> None:
    held = get(client, "/v1/memberships", limit=200)["items"]
    revoked = get(client, "/v1/memberships", status="revoked")["items"]

    assert len(held) == 29
    assert {each["status"] for each in held} == {"active", "lapsed", "suspended"}
    assert [(each["org_id"], each["programme"]) for each in revoked] == [(STRANGER, "community")]
    assert get(client, "/v1/memberships", tier="founder", programme="alliance")["items"] == []


def test_healthz__says_that_the_process_runs(client: httpx.Client) -> None:
    assert get(client, "/healthz") == {"status": "ok"}


def test_readyz__of_a_mirror_that_follows__is_ready(client: httpx.Client) -> None:
    ready = {"status": "ready", "block_number": LAST_BLOCK, "lag": 0, "lag_seconds": 0}
    assert get(client, "/readyz") == ready
