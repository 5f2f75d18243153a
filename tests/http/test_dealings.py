"""What members and councils do over HTTP, on a real chain: rules, benefits, proposals, messages.

The server has the keys of an officer, of one organisation's controller and of one councillor, and
one that brings what others signed. Another organisation and another councillor have wallets.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from ledger.chain.addresses import show_address
from ledger.chain.signers import LocalSigner
from ledger.domain.ids import ProgrammeId
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.state import read_state
from ledger.office.asked import ABANDONED_MILLISECONDS, Asked, Stage, claim, forget
from ledger.services.budgets import read_budgets_left
from ledger.store.engine import reading, writing
from tests.http.wallets import rfc3339, wallet
from tests.http.working import Working, award_of, secret_of, working
from tests.support.anvil import Anvil
from tests.support.ledger import MEMBER, running_ledger

DAY = 86_400
WITH_KEY, WITH_WALLET = 3, 4
"""The organisations of these tests, by who acts for them."""


@dataclass
class House:
    """The server, and whoever uses it."""

    at_work: Working
    officer: httpx.Client
    member: httpx.Client
    wallet_holder: httpx.Client
    maker: httpx.Client
    checker: httpx.Client

    def ask(self, client: httpx.Client, path: str, body: Any) -> httpx.Response:
        """Send a command under a key of its own."""
        return client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def do(self, client: httpx.Client, path: str, body: Any) -> dict[str, Any]:
        """The same, done and mirrored; the operation."""
        answer = self.ask(client, path, body)
        assert answer.status_code == 202, (path, answer.text)
        location = answer.headers["location"]
        found = self.at_work.wait_for(client, location)
        assert found["state"] == "included", (path, found)
        self.at_work.look()
        done: dict[str, Any] = client.get(location).json()
        return done

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a good answer."""
        answer = self.officer.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def sign(self, signer: LocalSigner, **message: Any) -> dict[str, Any]:
        """A message as a wallet signs it: what `signed-messages` takes."""
        body = {"message": {"account": show_address(signer.address), **message}}
        drafted = self.officer.post("/v1/typed-data", json=body)
        assert drafted.status_code == 200, drafted.text
        found = drafted.json()
        signature = signer.sign_digest(bytes.fromhex(found["digest"][2:]))
        signature = signature[:64] + bytes([signature[64] % 27 + 27])
        return {
            "typed_data": found["typed_data"],
            "signature": "0x" + signature.hex(),
            "proof": found["proof"],
        }

    def balance(self, org_id: int) -> int:
        """What an organisation has in the alliance."""
        items = self.get(f"organisations/{org_id}/balances")["items"]
        return next((each["credits"] for each in items if each["programme_id"] == 1), 0)


@pytest.fixture(scope="module")
def house(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A ledger with two organisations more, both members with 60 credits."""
    folder = tmp_path_factory.mktemp("dealings")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    keys = "officer,service,member,maker,relayer"
    with (
        running_ledger(anvil, folder) as ledger,
        working(ledger, folder, url, keys=keys) as at_work,
    ):
        by_name = {name: LocalSigner(secret_of(folder, name)) for name in ("member", "maker")}
        officer = at_work.client(ledger.officer)
        found = House(
            at_work,
            officer,
            at_work.client(by_name["member"]),
            at_work.client(wallet("holder")),
            at_work.client(by_name["maker"]),
            at_work.client(wallet("checker")),
        )
        accounts = [by_name["member"].address, wallet("holder").address]
        organisations = [
            {"controller": show_address(each), "kind": "company", "key": f"org-{number}"}
            | {"name_zh": f"公司{number}", "name_en": f"Company {number}"}
            for number, each in enumerate(accounts)
        ]
        found.do(officer, "organisations", {"organisations": organisations})
        members = {"programme": "alliance", "organisations": [WITH_KEY, WITH_WALLET]}
        ends = rfc3339(time.time() + 10 * DAY)
        found.do(officer, "admissions", {**members, "expires_at": ends})
        awards = [
            {"organisation": each, "amount": 60, "category": "data.acquire"}
            for each in (WITH_KEY, WITH_WALLET)
        ]
        found.do(officer, "awards", award_of(1, awards=awards))
        yield found


def listing(**changed: Any) -> dict[str, Any]:
    now = time.time()
    return {
        "programme": "alliance",
        "key": "scenario-slot",
        "name_zh": "应用场景名额",
        "name_en": "Scenario slot",
        "price": 10,
        "capacity": 4,
        "per_organisation": 3,
        "opens_at": rfc3339(now - DAY),
        "closes_at": rfc3339(now + DAY),
        **changed,
    }


# --- programmes ---


def test_programme__founded_and_ruled_over_http__is_as_asked(house: House) -> None:
    officer = house.officer
    done = house.do(
        officer,
        "programmes",
        {"key": "newborn", "name_zh": "新计划", "name_en": "Newborn", "role_en": "To begin."},
    )
    (made,) = done["made"]
    assert made["what"] == "programme"
    of = {"programme": "newborn"}
    issuer = show_address(house.at_work.ledger.issuer.address)
    end = rfc3339(time.time() + 10 * DAY)
    for path, body in (
        ("tiers", {"tiers": [{"key": "first", "name_zh": "一级"}, {"key": "second"}]}),
        ("tier-closings", {"tier": 2}),
        ("tier-closings", {"tier": 1}),
        ("tier-openings", {"tier": 1}),
        ("category-openings", {"categories": [{"key": "data.use", "name_en": "Use of data"}]}),
        ("category-openings", {"categories": [{"key": "data.sale"}]}),
        ("category-closings", {"categories": ["data.sale"]}),
        ("epoch-boundaries", {"boundaries": [rfc3339(time.time() - DAY), end]}),
        ("supply-caps", {"supply_cap": 5_000}),
        ("approval-rules", {"approvals_needed": 3}),
        ("programme-profiles", {"name_en": "Grown"}),
        ("budgets", {"issuer": issuer, "per_award": 5, "per_epoch": 50}),
        ("category-budgets", {"issuer": issuer, "category": "data.use", "per_epoch": 20}),
    ):
        house.do(officer, path, {**of, **body})

    found = officer.get(made["path"]).json()
    assert (found["name_zh"], found["name_en"], found["role_en"]) == (
        "新计划",
        "Grown",
        "To begin.",
    )
    assert [(each["key"], each["open"]) for each in found["tiers"]] == [
        ("first", True),
        ("second", False),
    ]
    assert found["tiers"][0]["name_zh"] == "一级"
    assert [(each["category"], each["open"]) for each in found["categories"]] == [
        ("data.sale", False),
        ("data.use", True),
    ]
    assert (found["supply_cap"], found["approvals_needed"]) == (5_000, 3)
    assert found["current_epoch"] == 1
    left = house.get("budgets", programme="newborn")["items"]
    assert [(each["category"], each["left"], each["may_award"]) for each in left] == [
        (None, 50, False),
        ("data.use", 20, False),
    ]


def test_ledger__stopped_over_http__changes_nothing_until_it_goes_on(house: House) -> None:
    house.do(house.officer, "pauses", {"confirm": True})
    try:
        refused = house.ask(house.officer, "supply-caps", {"programme": "1", "supply_cap": 900})
        assert refused.status_code == 409
    finally:
        house.do(house.officer, "pause-ends", {"confirm": True})


def test_budgets__after_awards__are_left_as_the_chain_says(house: House) -> None:
    at_work = house.at_work
    issuer = at_work.client(at_work.ledger.issuer)
    house.do(issuer, "awards", award_of(30))  # by the service's key, for the issuer
    with reading(at_work.sender.engine) as connection:
        moment = latest_moment(read_state(connection))
        said = read_budgets_left(connection, moment, at_work.ledger.contracts, ProgrammeId(1))

    items = house.get("budgets", programme="alliance")["items"]

    assert {(each["issuer"], each["left"]) for each in items} == {
        (show_address(each.issuer), each.left) for each in said
    }
    assert any(each["spent"] for each in items)


# --- benefits ---


def test_redemption__by_the_servers_key_and_by_message__does_what_the_preview_said(
    house: House,
) -> None:
    made = house.do(house.officer, "benefits", listing())["made"]
    number = made[0]["number"]
    assert made[0]["path"] == f"/v1/benefits/{number}"
    found = house.get(f"benefits/{number}")
    assert (found["name_zh"], found["standing"], found["left"]) == ("应用场景名额", "open", 4)

    before = house.balance(WITH_KEY)
    preview = house.get(f"benefits/{number}/preview", organisation=WITH_KEY, quantity=2)
    assert preview["possible"], preview["obstacles"]
    body = {"listing": number, "organisation": WITH_KEY, "quantity": 2}
    done = house.do(house.member, "redemptions", body)
    first = next(each for each in done["made"] if each["what"] == "redemption")
    assert house.balance(WITH_KEY) == preview["balance_after"] == before - 20
    assert house.get(f"benefits/{number}")["left"] == preview["left_after"] == 2

    signed = house.sign(
        wallet("holder"), kind="redemption", listing=number, organisation=WITH_WALLET, quantity=2
    )
    brought = house.do(house.wallet_holder, "signed-messages", signed)
    second = next(each for each in brought["made"] if each["what"] == "redemption")
    assert house.balance(WITH_WALLET) == 40
    of_it = house.get(f"benefits/{number}/redemptions")["items"]
    assert [each["org_id"] for each in of_it] == [WITH_WALLET, WITH_KEY]

    full = house.get(f"benefits/{number}/preview", organisation=WITH_KEY)
    assert [each["code"] for each in full["obstacles"]] == ["listing.over_capacity"]
    refused = house.ask(house.member, "redemptions", {**body, "quantity": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "contract.refused")

    fulfilled = {"programme": "alliance", "redemptions": [first["number"]]}
    house.do(house.officer, "fulfilments", fulfilled)
    house.do(house.officer, "refunds", {"redemption": second["number"]})
    assert house.balance(WITH_WALLET) == 60
    assert house.get(f"redemptions/{first['number']}")["status"] == "fulfilled"
    cancelled = house.get(f"organisations/{WITH_WALLET}/redemptions")["items"][0]
    assert (cancelled["status"], cancelled["quantity"]) == ("cancelled", 2)
    assert house.get(f"entries/{cancelled['refund_id']}")["kind"] == "refund"
    house.do(house.officer, "benefit-closings", {"listing": number})
    assert house.get(f"benefits/{number}")["standing"] == "closed"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"closes_at": "2020-01-01T00:00:00Z"}, "closes_at"),
        ({"per_organisation": 5}, "per_organisation"),
        ({"price": 0}, "price"),
        ({"name_en": "=1+1"}, "name_en"),
        ({"price": 2**53 - 1}, "capacity"),
    ],
)
def test_benefit__that_cannot_be_meant__names_the_field(
    house: House, changed: dict[str, Any], field: str
) -> None:
    answer = house.ask(house.officer, "benefits", listing(**changed))

    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_redemption__by_another__is_refused(house: House) -> None:
    number = house.do(house.officer, "benefits", listing())["made"][0]["number"]
    body = {"listing": number, "organisation": WITH_KEY}

    for client, status, code in (
        (house.officer, 403, "access.denied"),
        (house.wallet_holder, 403, "access.denied"),
    ):
        answer = house.ask(client, "redemptions", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    own = house.ask(house.wallet_holder, "redemptions", {**body, "organisation": WITH_WALLET})
    assert (own.status_code, own.json()["code"]) == (503, "access.server_cannot_sign")


# --- messages ---


def a_benefit(house: House) -> int:
    """A benefit that there is."""
    found = house.get("benefits", standing="open")["items"]
    if found:
        number: int = found[0]["listing_id"]
        return number
    made: int = house.do(house.officer, "benefits", listing())["made"][0]["number"]
    return made


def test_message__brought_again__is_the_same_operation(house: House) -> None:
    signed = house.sign(
        house.at_work.ledger.officer,
        kind="award-batch",
        programme="alliance",
        awards=[{"organisation": WITH_KEY, "amount": 5, "category": "data.acquire"}],
        no_evidence=True,
    )
    before = house.balance(WITH_KEY)
    first = house.do(house.officer, "signed-messages", signed)
    again = house.ask(house.officer, "signed-messages", signed)
    by_other = house.ask(house.member, "signed-messages", signed)

    assert {again.status_code, by_other.status_code} == {202}
    assert again.headers["location"] == by_other.headers["location"]
    assert again.json()["operation_id"] == first["operation_id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert house.balance(WITH_KEY) == before + 5
    assert first["signed_by"] != show_address(house.at_work.ledger.officer.address)
    entry = next(each["number"] for each in first["made"] if each["what"] == "entry")
    actor = house.get(f"entries/{entry}")["actor"]
    assert actor == show_address(house.at_work.ledger.officer.address)


def test_message__whose_bringer_died_over_it__is_brought_by_the_next(house: House) -> None:
    signed = house.sign(
        house.at_work.ledger.officer,
        kind="award-batch",
        programme="alliance",
        awards=[{"organisation": WITH_KEY, "amount": 3, "category": "data.acquire"}],
        no_evidence=True,
    )
    operation_id = bytes.fromhex(signed["typed_data"]["message"]["operationId"][2:])
    now = time.time_ns() // 1_000_000
    died = Asked(
        b"\x07" * 20, "its own key", bytes(32), operation_id, "bring", 1, 0, now, Stage.WORKING
    )
    with writing(house.at_work.sender.engine) as connection:
        assert claim(connection, died)
    waiting = house.ask(house.officer, "signed-messages", signed)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "access.idempotency_in_flight")
    with writing(house.at_work.sender.engine) as connection:
        forget(connection, died)
        assert claim(connection, replace(died, asked_at=now - ABANDONED_MILLISECONDS))

    house.do(house.officer, "signed-messages", signed)


def altered(signed: dict[str, Any], how: str) -> dict[str, Any]:
    """A signed message with something wrong about it."""
    typed, signature = signed["typed_data"], bytes.fromhex(signed["signature"][2:])
    message, domain = typed["message"], typed["domain"]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    match how:
        case "high":
            s = order - int.from_bytes(signature[32:64], "big")
            flipped = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
            return {**signed, "signature": "0x" + flipped.hex()}
        case "amount":
            return {**signed, "typed_data": {**typed, "message": {**message, "quantity": 2}}}
        case "chain":
            return {**signed, "typed_data": {**typed, "domain": {**domain, "chainId": 1}}}
        case "contract":
            moved = {**domain, "verifyingContract": show_address(b"\x07" * 20)}
            return {**signed, "typed_data": {**typed, "domain": moved}}
        case "types":
            types = {**typed["types"], "More": [{"name": "a", "type": "uint8"}]}
            return {**signed, "typed_data": {**typed, "types": types}}
        case "extra":
            return {**signed, "typed_data": {**typed, "message": {**message, "more": 1}}}
    raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("high", "voucher.signature_high"),
        ("amount", "voucher.wrong_signer"),
        ("chain", "voucher.other_chain"),
        ("contract", "voucher.other_contract"),
        ("types", "input.invalid_value"),
        ("extra", "input.invalid_value"),
    ],
)
def test_message__that_is_not_good__is_refused_and_nothing_is_sent(
    house: House, how: str, code: str
) -> None:
    number = a_benefit(house)
    signed = house.sign(
        wallet("holder"), kind="redemption", listing=number, organisation=WITH_WALLET
    )
    before = house.get("operations")["items"][0]["operation_id"]

    answer = house.ask(house.wallet_holder, "signed-messages", altered(signed, how))

    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert house.get("operations")["items"][0]["operation_id"] == before


def test_message__taken_back__is_worth_nothing(house: House) -> None:
    number = a_benefit(house)
    signed = house.sign(
        wallet("holder"), kind="redemption", listing=number, organisation=WITH_WALLET
    )
    operation_id = signed["typed_data"]["message"]["operationId"]
    back = house.sign(
        wallet("holder"), kind="cancellation", contract="Benefits", operation_id=operation_id
    )
    stranger = house.at_work.client(wallet("somebody"))
    assert house.ask(stranger, "signed-messages", back).status_code == 403
    house.do(house.wallet_holder, "signed-messages", back)

    answer = house.ask(house.wallet_holder, "signed-messages", signed)

    assert (answer.status_code, answer.json()["code"]) == (422, "voucher.cancelled")


def registered(house: House, controller: LocalSigner) -> int:
    """An organisation that an account acts for."""
    account = show_address(controller.address)
    body = {"controller": account, "kind": "company", "key": account.lower()[2:20], "name_en": "A"}
    done = house.do(house.officer, "organisations", {"organisations": [body]})
    number: int = done["made"][0]["number"]
    return number


def test_consent__brought_by_a_registrar__admits(house: House) -> None:
    account = wallet("applicant")
    org_id = registered(house, account)
    signed = house.sign(account, kind="consent", programme="alliance", organisation=org_id)
    ends = {"expires_at": rfc3339(time.time() + 5 * DAY)}

    refused = house.ask(house.officer, "signed-messages", signed)
    assert [each["field"] for each in refused.json()["errors"]] == ["expires_at"]
    assert house.ask(house.member, "signed-messages", {**signed, **ends}).status_code == 403
    house.do(house.officer, "signed-messages", {**signed, **ends})

    held = house.get(f"organisations/{org_id}/memberships")["items"]
    assert [each["status"] for each in held] == ["active"]


def test_control__handed_on_by_messages__is_the_successors(house: House) -> None:
    old, new = wallet("leaving"), wallet("successor")
    org_id = registered(house, old)
    successor = show_address(new.address)
    rotation = house.sign(old, kind="rotation", organisation=org_id, successor=successor)
    house.do(house.officer, "signed-messages", rotation)
    accepted = house.sign(new, kind="acceptance", organisation=org_id)
    # Who was named acts for nobody yet, and may bring what is its own.
    house.do(house.at_work.client(new), "signed-messages", accepted)

    assert house.get(f"organisations/{org_id}")["controller"] == successor


# --- councils ---


@pytest.fixture(scope="module")
def council(house: House) -> House:
    """The alliance's programme has two councillors, and its seat the council's office."""
    seat = house.at_work.ledger.contracts.council.seat_of(ProgrammeId(1), at="latest")
    maker = house.maker.get("/v1/session").json()["address"]
    for role, account in (
        ("councillor", maker),
        ("councillor", show_address(wallet("checker").address)),
        ("councillor", show_address(wallet("third").address)),
        ("council", show_address(seat)),
        ("guardian", show_address(house.at_work.ledger.officer.address)),
    ):
        office = {"account": account, "role": role, "programme": "alliance"}
        house.do(house.officer, "appointments", office)
    return house


def proposal(*calls: tuple[str, dict[str, Any]], **changed: Any) -> dict[str, Any]:
    return {
        "council": "alliance",
        "no_evidence": True,
        "calls": [{"command": name, "body": body} for name, body in calls],
        **changed,
    }


def test_proposal__approved_by_messages__is_carried_out(council: House) -> None:
    house = council
    body = proposal(
        ("supply-caps", {"programme": "alliance", "supply_cap": 77_777}),
        ("category-openings", {"programme": "alliance", "categories": [{"key": "data.new"}]}),
    )
    number = house.do(house.maker, "proposals", body)["made"][0]["number"]
    found = house.get(f"proposals/{number}")
    assert "77,777" in found["calls"][0]["sentence_en"]
    assert "77,777" in found["told"][0]["sentence_zh"]
    assert (found["standing"], found["executable"]) == ("open", False)
    councillors = {show_address(wallet(name).address) for name in ("checker", "third")}
    assert set(found["may_approve"]) == councillors

    early = house.ask(house.maker, "executions", {"proposal": number})
    assert (early.status_code, early.json()["code"]) == (409, "contract.refused")
    own = {"proposal": number, "calls_hash": found["calls_hash"]}
    assert house.ask(house.maker, "approvals", own).status_code == 409
    assert house.ask(house.checker, "approvals", own).status_code == 503
    wrong = house.ask(house.maker, "approvals", {**own, "calls_hash": "0x" + "11" * 32})
    assert [each["field"] for each in wrong.json()["errors"]] == ["calls_hash"]
    for name in ("checker", "third"):
        signed = house.sign(wallet(name), kind="approval", proposal=number)
        house.do(house.checker, "signed-messages", signed)
    approved = house.get(f"proposals/{number}")
    assert (approved["approvals_counting"], approved["executable"]) == (2, True)
    assert approved["may_approve"] == []

    house.do(house.maker, "executions", {"proposal": number})
    assert house.get(f"proposals/{number}")["standing"] == "executed"
    programme = house.get("programmes/alliance")
    assert programme["supply_cap"] == 77_777
    assert "data.new" in [each["category"] for each in programme["categories"]]


def test_proposal__that_cannot_be_meant__names_the_field(council: House) -> None:
    for body, field in (
        (proposal(("supply-caps", {"programme": "no", "supply_cap": 1})), "calls.0.body.programme"),
        (proposal(("redemptions", {"listing": 1, "organisation": 1})), "calls.0"),
        (proposal(), "calls"),
        (proposal(("pauses", {"confirm": True}), council="nobody"), "council"),
    ):
        answer = council.ask(council.maker, "proposals", body)
        assert answer.status_code == 422, answer.text
        assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_proposal__of_what_would_be_refused__is_made_only_where_it_is_meant(
    council: House,
) -> None:
    body = proposal(("category-closings", {"programme": "alliance", "categories": ["no.such"]}))

    refused = council.ask(council.maker, "proposals", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "contract.refused")
    done = council.do(council.maker, "proposals", {**body, "though_refused": True})
    number = done["made"][0]["number"]
    council.do(council.maker, "proposal-cancellations", {"proposal": number})
    assert council.get("proposals", standing="cancelled")["items"][0]["proposal_id"] == number


def test_proposal__of_one_without_its_key_here__is_not_made(council: House) -> None:
    body = proposal(("supply-caps", {"programme": "alliance", "supply_cap": 5}))

    checker = council.ask(council.checker, "proposals", body)
    officer = council.ask(council.officer, "proposals", body)

    assert (checker.status_code, checker.json()["code"]) == (503, "access.server_cannot_sign")
    assert (officer.status_code, officer.json()["code"]) == (403, "access.denied")


# --- shares, last: they need days to pass ---


def test_shares__computed_posted_and_claimed_over_http__are_as_proved(house: House) -> None:
    officer = house.officer
    node = house.at_work.ledger.node
    now = int(node.header("latest").timestamp, 16)
    house.do(officer, "programmes", {"key": "pool", "name_en": "Pool"})
    of = {"programme": "pool"}
    house.do(officer, "tiers", {**of, "tiers": [{"key": "member"}]})
    house.do(officer, "category-openings", {**of, "categories": [{"key": "data.use"}]})
    ends = [rfc3339(now - 10), rfc3339(now + DAY // 2), rfc3339(now + 100 * DAY)]
    house.do(officer, "epoch-boundaries", {**of, "boundaries": ends})
    org_ids = [MEMBER, WITH_KEY, WITH_WALLET]
    late = {"expires_at": rfc3339(now + 50 * DAY)}
    house.do(officer, "admissions", {**of, "organisations": org_ids, **late})
    awards = [
        {"organisation": org_id, "amount": amount, "category": "data.use"}
        for org_id, amount in zip(org_ids, (10, 30, 60), strict=True)
    ]
    house.do(officer, "awards", {**of, "awards": awards, "no_evidence": True})
    expiring = house.get(f"organisations/{WITH_KEY}/expiries", programme="pool", epochs=0)
    assert [(each["credits"], each["due"]) for each in expiring["items"]] == [(30, False)]
    pass_time(house, DAY)

    now = int(node.header("latest").timestamp, 16)
    sharing = {
        **of,
        "epoch": 1,
        "pool": 100,
        "unit": "seat",
        "rule": {"weights": {"data.use": "3/2"}},
        "claimable_from": rfc3339(now + DAY + 100),
        "claimable_until": rfc3339(now + 20 * DAY),
    }
    number = house.do(officer, "shares", sharing)["made"][0]["number"]
    got = house.get(f"shares/{number}/entitlements")["items"]
    assert {each["org_id"]: each["amount"] for each in got} == dict(
        zip(org_ids, (10, 30, 60), strict=True)
    )
    house.do(officer, "pauses", {"confirm": True})  # blocks pass, and the times with them
    house.do(officer, "pause-ends", {"confirm": True})
    pass_time(house, DAY + 200)
    house.do(house.member, "claims", {"distribution": number, "organisation": WITH_KEY})
    signed = house.sign(
        wallet("holder"), kind="claim", distribution=number, organisation=WITH_WALLET
    )
    house.do(house.wallet_holder, "signed-messages", signed)
    found = house.get(f"shares/{number}")
    assert (found["claimed"], found["claim_count"], found["standing"]) == (90, 2, "open")
    own = house.get(f"organisations/{WITH_KEY}/shares")["items"][0]
    assert own["amount"] == own["claim"]["amount"] == 30
    house.do(officer, "share-withdrawals", {"distribution": number})
    assert house.get(f"shares/{number}")["standing"] == "withdrawn"

    due = house.get("expiries", programme="pool", epochs=0)
    assert (due["due_count"], due["due_credits"]) == (3, 100)
    house.do(officer, "expiries", {**of, "epochs": 0})
    posted = house.get("entries", programme="pool", kind="expiry")["items"]
    assert sum(each["amount"] for each in posted) == -100
    refused = house.ask(officer, "expiries", {**of, "epochs": 0})
    assert [each["field"] for each in refused.json()["errors"]] == ["epochs"]


def pass_time(house: House, seconds: int) -> None:
    """Let the chain's time pass, and the mirror see it."""
    house.at_work.ledger.anvil.rpc.call("evm_increaseTime", hex(seconds))
    house.at_work.ledger.anvil.rpc.call("evm_mine")
    house.at_work.look()
