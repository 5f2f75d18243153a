"""Recoveries, retirements, mergers and what is carried over: asked for over HTTP on a real chain.

The server has the keys of an officer of the council and of one organisation's controller.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.commanding.councils import CARRIED
from ledger.chain.addresses import show_address
from ledger.chain.deploy import USUAL_RECOVERY_DELAY
from ledger.chain.signers import LocalSigner
from tests.http.wallets import rfc3339, wallet
from tests.http.working import Working, award_of, secret_of, working
from tests.support.anvil import running_anvil
from tests.support.ledger import running_ledger

DAY = 86_400
NO_EVIDENCE = {"no_evidence": True}


@dataclass
class House:
    """The server, the officer, and the account that acts for the organisation `held`."""

    at_work: Working
    officer: httpx.Client
    controller: httpx.Client
    held: int = 0

    def ask(self, client: httpx.Client, path: str, body: Any) -> httpx.Response:
        """Send a command under a key of its own."""
        return client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def do(self, path: str, body: Any, client: httpx.Client | None = None) -> dict[str, Any]:
        """The same, done and mirrored; the operation."""
        client = client or self.officer
        answer = self.ask(client, path, body)
        assert answer.status_code == 202, (path, answer.text)
        found = self.at_work.wait_for(client, answer.headers["location"])
        assert found["state"] == "included", (path, found)
        self.at_work.look()
        done: dict[str, Any] = client.get(answer.headers["location"]).json()
        return done

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """What a list has."""
        answer = self.officer.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, (path, answer.text)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def register(self, controller: bytes) -> int:
        """An organisation that an account acts for."""
        account = show_address(controller)
        item = {"controller": account, "kind": "company", "key": account.lower()[2:20]}
        item["name_en"] = "A company"
        number: int = self.do("organisations", {"organisations": [item]})["made"][0]["number"]
        return number

    def pass_time(self, seconds: int) -> None:
        """Let the chain's time pass, and the mirror see it."""
        self.at_work.ledger.anvil.rpc.call("evm_increaseTime", hex(seconds))
        self.at_work.ledger.anvil.rpc.call("evm_mine")
        self.at_work.look()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A ledger with an organisation whose key the server has, on a chain of this module's own:
    nobody else's clock goes a week ahead."""
    folder = tmp_path_factory.mktemp("control")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with (
        running_anvil(folder) as anvil,
        running_ledger(anvil, folder) as ledger,
        working(ledger, folder, url, keys="officer,service,member") as at_work,
    ):
        own = LocalSigner(secret_of(folder, "member"))
        found = House(at_work, at_work.client(ledger.officer), at_work.client(own))
        found.held = found.register(own.address)
        yield found


def begin(house: House, org_id: int, name: str) -> dict[str, Any]:
    """Begin a recovery by the wallet of that name; it as it is listed."""
    successor = show_address(wallet(name).address)
    body = {"organisation": org_id, "successor": successor, **NO_EVIDENCE}
    done = house.do("recoveries", body)
    (found,) = house.items("recoveries", organisation=org_id, standing="under_way")
    assert (found["operation_id"], found["successor"]) == (done["operation_id"], successor)
    return found


def test_recovery__objected_to_by_who_acts_for_it__ends(house: House) -> None:
    begun = begin(house, house.held, "thief")
    officer = show_address(house.at_work.ledger.officer.address)
    of = {"organisation": house.held}

    assert (begun["standing"], begun["finishable"]) == ("under_way", False)
    assert (begun["begun_by"], begun["ended_by"], begun["ended_at"]) == (officer, None, None)
    early = house.ask(house.officer, "recovery-completions", of)
    assert (early.status_code, early.json()["code"]) == (409, "contract.refused")
    assert house.ask(house.officer, "objections", of).status_code == 403
    assert house.ask(house.controller, "recovery-withdrawals", of).status_code == 403
    done = house.do("objections", of, house.controller)

    (found,) = house.items("recoveries", organisation=house.held)
    assert (found["standing"], found["ended_by"]) == ("objected", begun["controller"])
    assert found["ended_by_operation"] == done["operation_id"]
    assert house.items("recoveries", standing="under_way", organisation=house.held) == []
    changes = [each["change"] for each in house.items(f"organisations/{house.held}/history")]
    assert changes[:2] == ["recovery_stopped", "recovery_begun"]
    # What was true then is told of then.
    block = begun["block_number"]
    (then,) = house.items("recoveries", organisation=house.held, as_of_block=block)
    assert then["standing"] == "under_way"


def test_recovery__withdrawn_and_begun_again__is_finished_once_the_delay_is_over(
    house: House,
) -> None:
    org_id = house.register(wallet("lost").address)
    begin(house, org_id, "first")
    house.do("recovery-withdrawals", {"organisation": org_id})
    begun = begin(house, org_id, "heir")

    house.pass_time(USUAL_RECOVERY_DELAY + 1)
    (found,) = house.items("recoveries", organisation=org_id, standing="under_way")
    assert found["finishable"]
    house.do("recovery-completions", {"organisation": org_id})

    both = house.items("recoveries", organisation=org_id)
    assert [each["standing"] for each in both] == ["finished", "withdrawn"]
    assert both[0]["operation_id"] == begun["operation_id"]
    after = house.officer.get(f"/v1/organisations/{org_id}").json()
    assert after["controller"] == show_address(wallet("heir").address)
    page = house.officer.get("/v1/recoveries", params={"organisation": org_id, "limit": 1})
    rest = house.officer.get(page.links["next"]["url"]).json()
    assert ([page.json()["items"], rest["items"]], rest["next"]) == ([both[:1], both[1:]], None)


def test_organisation__merged_into_another__leaves_it_its_balance(house: House) -> None:
    gone, left = house.register(wallet("gone").address), house.register(wallet("left").address)
    now = time.time() + 40 * DAY  # the chain's clock is ahead where the test before ran
    of = {"programme": "alliance", "organisations": [gone]}
    house.do("admissions", {**of, "expires_at": rfc3339(now + 300 * DAY)})
    item = {"organisation": gone, "amount": 7, "category": "data.acquire"}
    house.do("awards", award_of(1, awards=[item]))
    merger = {"organisation": gone, "into": left, **NO_EVIDENCE}

    still = house.ask(house.officer, "mergers", merger)
    assert (still.status_code, still.json()["code"]) == (409, "contract.refused")
    house.do("revocations", of)
    bare = house.ask(house.officer, "mergers", {"organisation": gone, "into": left})
    assert (bare.status_code, bare.json()["code"]) == (422, "input.evidence_missing")
    done = house.do("mergers", merger)
    house.do("carry-overs", {**of, **NO_EVIDENCE})

    for org_id in (gone, left):
        (found,) = house.items("mergers", organisation=org_id)
        assert (found["org_id"], found["into"], found["named_later"]) == (gone, left, False)
        assert found["operation_id"] == done["operation_id"]
    (balance,) = house.items(f"organisations/{left}/balances")
    assert balance["credits"] == 7
    posted = house.items(f"organisations/{left}/entries", kind="carry_over")
    assert [each["amount"] for each in posted] == [7]


def test_organisation__retired_alone__is_part_of_another_after_all(house: House) -> None:
    gone, left = house.register(wallet("alone").address), house.register(wallet("later").address)
    begin(house, gone, "nobody")
    house.do("retirements", {"organisation": gone, **NO_EVIDENCE})
    assert house.items("mergers", organisation=gone) == []
    (ended,) = house.items("recoveries", organisation=gone)
    assert ended["standing"] == "retired"

    house.do("successions", {"organisation": gone, "into": left, **NO_EVIDENCE})

    (found,) = house.items("mergers", organisation=left)
    assert (found["org_id"], found["named_later"]) == (gone, True)
    changes = [each["change"] for each in house.items(f"organisations/{gone}/history")]
    assert changes == ["successor_named", "retired", "recovery_begun", "registered"]


def follow(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All items, one at a time, by the links."""
    items, url = [], f"{path}?limit=1"
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        assert ("next" in answer.links) == (answer.json()["next"] is not None)
        url = answer.links.get("next", {}).get("url", "")
    return items


def test_lists__of_ones_own__are_given_page_by_page(house: House) -> None:
    for name in "abc":
        body = {"name": name, "scopes": ["control"], "days": 1}
        assert house.officer.post("/v1/api-keys", json=body).status_code == 201
    if not house.items("operations"):
        house.register(wallet("listed").address)
    begin(house, house.held, "again")
    house.do("objections", {"organisation": house.held}, house.controller)

    for client in (house.officer, house.controller):
        for path in ("/v1/operations", "/v1/api-keys"):
            whole = client.get(path, params={"limit": 200}).json()["items"]
            assert follow(client, path) == whole
    own = house.controller.get("/v1/operations").json()["items"]
    assert {each["command"] for each in own} == {"stop-recovery"}
    lines = follow(house.officer, "/v1/access-log")
    assert [each["number"] for each in lines] == list(range(len(lines), 0, -1))
    cursor = house.officer.get("/v1/operations", params={"limit": 1}).json()["next"]
    for path in ("/v1/operations?state=final&", "/v1/api-keys?"):
        refused = house.officer.get(f"{path}cursor={cursor}")
        assert (refused.status_code, refused.json()["code"]) == (400, "input.cursor_invalid")


ACCOUNT = "0x" + "12" * 20
TWICE = {"programme": "alliance", "organisations": [1, 2, 1], **NO_EVIDENCE}
NAMED = {"controller": ACCOUNT, "kind": "company", "key": "a", "name_en": "A"}
UNNAMED = {"controller": ACCOUNT, "kind": "company", "key": "b"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("retirements", {"organisation": 0, **NO_EVIDENCE}, "organisation"),
        ("mergers", {"organisation": 1, "into": 1, **NO_EVIDENCE}, "organisation"),
        ("successions", {"organisation": 1, "into": "2", **NO_EVIDENCE}, "into"),
        ("recoveries", {"organisation": 1, "successor": "0x1", **NO_EVIDENCE}, "successor"),
        ("carry-overs", TWICE, "organisations.2"),
        ("revocations", {**TWICE, "no_evidence": None}, "organisations.2"),
        ("organisations", {"organisations": [NAMED, {**NAMED}]}, "organisations.1.controller"),
        ("organisations", {"organisations": [NAMED, UNNAMED]}, "organisations.1.name_zh"),
        (
            "category-closings",
            {"programme": "alliance", "categories": ["a.b", "a.b"]},
            "categories.1",
        ),
    ],
)
def test_body__refused_by_a_service__has_the_field_named_as_it_was_sent(
    house: House, path: str, body: dict[str, Any], field: str
) -> None:
    body = {name: each for name, each in body.items() if each is not None}
    refused = house.ask(house.officer, path, body)
    assert refused.status_code == 422, refused.text
    assert [each["field"] for each in refused.json()["errors"]] == [field]


def test_council__proposes_what_a_seat_can_do__and_no_objection() -> None:
    ours = {"recoveries", "recovery-withdrawals", "recovery-completions", "retirements"}
    assert ours | {"mergers", "successions", "carry-overs"} <= set(CARRIED)
    assert "objections" not in CARRIED
