"""What officers ask for over HTTP is done on the chain once, in their name, and is in the log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.chain.addresses import show_address
from ledger.domain.access import Scope
from ledger.office.access_log import read_lines, verify_access_log
from ledger.office.api_keys import create_api_key
from ledger.office.asked import operation_id_of
from ledger.store.engine import reading, writing
from tests.http.wallets import wallet
from tests.http.working import Working, award_of, working
from tests.support.anvil import Anvil
from tests.support.ledger import MEMBER, STRANGER, running_ledger


@pytest.fixture(scope="module")
def at_work(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    """A server that may sign, shared by the tests of this module."""
    folder = tmp_path_factory.mktemp("working")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger, working(ledger, folder, url) as found:
        yield found


@pytest.fixture(scope="module")
def officer(at_work: Working) -> httpx.Client:
    """A client signed in as the officer, who holds every office."""
    return at_work.client(at_work.ledger.officer)


@pytest.fixture(scope="module")
def issuer(at_work: Working) -> httpx.Client:
    """A client signed in as an issuer whose key the server has not."""
    return at_work.client(at_work.ledger.issuer)


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def balance(at_work: Working) -> int:
    at_work.look()
    client = at_work.client()
    found: int = client.get(f"/v1/organisations/{MEMBER}/balances").json()["items"][0]["credits"]
    return found


def test_award__asked_for_by_an_officer__is_done_and_mirrored(
    at_work: Working, officer: httpx.Client
) -> None:
    before = balance(at_work)
    answer = officer.post("/v1/awards", json=award_of(7), headers=key())

    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] in {"accepted", "sent", "included"}
    done = at_work.wait_for(officer, answer.headers["location"])
    assert done["state"] == "included"
    assert done["signed_by"] == show_address(at_work.ledger.officer.address)
    assert balance(at_work) == before + 7
    entry = officer.get(f"/v1/entries/{done['first_line']}").json()
    assert entry["operation_id"] == done["operation_id"]


def test_request__sent_again__is_the_same_operation(
    at_work: Working, officer: httpx.Client
) -> None:
    before, once = balance(at_work), key()
    first = officer.post("/v1/awards", json=award_of(3), headers=once)
    # The same values, written otherwise.
    text = json.dumps(award_of(3), indent=4, sort_keys=True)
    again = officer.post(
        "/v1/awards", content=text, headers={**once, "Content-Type": "application/json"}
    )
    other = officer.post("/v1/awards", json=award_of(4), headers=once)

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["location"] == first.headers["location"]
    assert other.json()["code"] == "access.idempotency_conflict"
    at_work.wait_for(officer, first.headers["location"])
    assert balance(at_work) == before + 3


def test_request__sent_fifty_times_at_once__is_done_once(
    at_work: Working, officer: httpx.Client
) -> None:
    before, once = balance(at_work), key()

    def send(_number: int) -> httpx.Response:
        return officer.post("/v1/awards", json=award_of(5), headers=once)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(50)))

    assert {each.status_code for each in answers} <= {202, 409}
    codes = {each.json()["code"] for each in answers if each.status_code == 409}
    assert codes <= {"access.idempotency_in_flight"}
    taken = [each for each in answers if each.status_code == 202]
    assert len({each.headers["location"] for each in taken}) == 1
    assert sum("idempotent-replayed" not in each.headers for each in taken) == 1
    at_work.wait_for(officer, taken[0].headers["location"])
    assert balance(at_work) == before + 5


def test_request__that_a_contract_refuses__says_why_and_may_be_tried_again(
    at_work: Working, officer: httpx.Client
) -> None:
    once = key()
    body = award_of(1)
    body["awards"][0]["organisation"] = STRANGER

    for _ in range(2):
        answer = officer.post("/v1/awards", json=body, headers=once)
        assert answer.status_code == 409
        assert answer.json()["code"] == "contract.refused"


def test_operation_id__follows_from_the_account_and_its_key(
    at_work: Working, officer: httpx.Client
) -> None:
    once = key()
    found = officer.post("/v1/awards", json=award_of(1), headers=once).json()["operation_id"]

    genesis = at_work.ledger.deployment.genesis_hash
    account = at_work.ledger.officer.address
    assert found == "0x" + operation_id_of(genesis, account, once["Idempotency-Key"]).hex()
    at_work.wait_for(officer, f"/v1/operations/{found}")


def test_issuer__signed_for_by_another_key__keeps_to_its_own_budget(
    at_work: Working, issuer: httpx.Client
) -> None:
    # The service's key could award 500 at once; the issuer itself 50, and 80 in an epoch.
    above = issuer.post("/v1/awards", json=award_of(51), headers=key())
    assert (above.status_code, above.json()["code"]) == (403, "access.denied")

    def send(_number: int) -> int:
        return issuer.post("/v1/awards", json=award_of(30), headers=key()).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(send, range(8)))

    assert codes == [202, 202, 403, 403, 403, 403, 403, 403]
    latest = issuer.get("/v1/operations").json()["items"][0]
    assert latest["signed_by"] != show_address(at_work.ledger.issuer.address)
    assert latest["signed_by"] != show_address(at_work.ledger.officer.address)
    at_work.wait_for(issuer, f"/v1/operations/{latest['operation_id']}")


def test_reversal__of_anothers_award__is_not_an_issuers(
    at_work: Working, officer: httpx.Client, issuer: httpx.Client
) -> None:
    asked = officer.post("/v1/awards", json=award_of(9), headers=key())
    entry = at_work.wait_for(officer, asked.headers["location"])["first_line"]
    at_work.look()
    body = {"entries": [entry], "no_evidence": True}

    refused = issuer.post("/v1/reversals", json=body, headers=key())
    assert refused.status_code == 403
    done = officer.post("/v1/reversals", json=body, headers=key())
    assert done.status_code == 202, done.text
    assert at_work.wait_for(officer, done.headers["location"])["state"] == "included"


def test_memberships__from_admission_to_revocation__change_as_asked(
    at_work: Working, officer: httpx.Client
) -> None:
    subject = {"programme": "alliance", "organisations": [STRANGER], "reason": "fee.unpaid"}
    ends = {"expires_at": "2090-01-01T00:00:00Z"}
    later = {"expires_at": "2091-01-01T00:00:00Z"}
    for path, more in (
        ("/v1/declines", {}),
        ("/v1/admissions", {"tier": 1, **ends}),
        ("/v1/renewals", later),
        ("/v1/tier-changes", {"tier": 2}),
        ("/v1/suspensions", {}),
        ("/v1/resumptions", {}),
        ("/v1/revocations", {}),
    ):
        answer = officer.post(path, json={**subject, **more}, headers=key())
        assert answer.status_code == 202, (path, answer.text)
        assert at_work.wait_for(officer, answer.headers["location"])["state"] == "included", path
    at_work.look()
    history = officer.get(f"/v1/organisations/{STRANGER}/memberships/alliance/history").json()
    assert [each["change"] for each in history["items"]] == [
        "revoked",
        "resumed",
        "suspended",
        "tier_changed",
        "renewed",
        "admitted",
    ]
    assert history["items"][0]["reason"] == "fee.unpaid"


def test_offices_and_organisations__asked_for__are_on_the_chain(
    at_work: Working, officer: httpx.Client
) -> None:
    account = show_address(wallet("new guardian").address)
    office = {"account": account, "role": "guardian"}
    item = {"controller": account, "kind": "company", "key": "new-one", "name_zh": "新公司"}
    for path, body in (
        ("/v1/appointments", office),
        ("/v1/dismissals", office),
        ("/v1/organisations", {"organisations": [item]}),
        (
            "/v1/budgets",
            {"programme": "1", "issuer": account, "per_award": 5, "per_epoch": 10},
        ),
    ):
        answer = officer.post(path, json=body, headers=key())
        assert answer.status_code == 202, (path, answer.text)
        assert at_work.wait_for(officer, answer.headers["location"])["state"] == "included", path
    at_work.look()
    found = officer.get(f"/v1/accounts/{account}").json()
    assert found["organisation"]["name_zh"] == "新公司"
    assert [each["role"] for each in found["roles"]] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/awards", award_of(1)),
        ("/v1/suspensions", {"programme": "alliance", "organisations": [MEMBER]}),
        ("/v1/appointments", {"account": "0x" + "11" * 20, "role": "issuer"}),
    ],
)
def test_stranger__asks_for_nothing(at_work: Working, path: str, body: dict[str, Any]) -> None:
    anonymous, stranger = at_work.client(), at_work.client(wallet("stranger"))

    assert anonymous.post(path, json=body, headers=key()).status_code == 401
    refused = stranger.post(path, json=body, headers=key())
    assert (refused.status_code, refused.json()["code"]) == (403, "access.denied")


def test_registrar_only__awards_nothing(at_work: Working, issuer: httpx.Client) -> None:
    body = {"programme": "alliance", "organisations": [MEMBER]}

    assert issuer.post("/v1/suspensions", json=body, headers=key()).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (award_of(0), "awards.0.amount"),
        (award_of(2**53), "awards.0.amount"),
        (award_of(1, programme="nothing"), "programme"),
        (award_of(1, more=1), "more"),
        (award_of(1, awards=[]), "awards"),
        ({"awards": 1}, "programme"),
        ([], "body"),
    ],
)
def test_body__that_cannot_be_meant__names_the_field(
    officer: httpx.Client, body: Any, field: str
) -> None:
    answer = officer.post("/v1/awards", json=body, headers=key())

    assert answer.status_code == 422, answer.text
    assert field in [each["field"] for each in answer.json()["errors"]]


def test_idempotency_key__missing_or_odd__is_asked_for(officer: httpx.Client) -> None:
    for headers in ({}, {"Idempotency-Key": "short"}, {"Idempotency-Key": "with space"}):
        answer = officer.post("/v1/awards", json=award_of(1), headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_api_key__does_what_its_scopes_and_its_account_may(
    at_work: Working, officer: httpx.Client
) -> None:
    made = officer.post("/v1/api-keys", json={"name": "portal", "scopes": ["credits"], "days": 1})
    bearer = {"Authorization": f"Bearer {made.json()['key']}"}
    portal = at_work.client()

    asked = portal.post("/v1/awards", json=award_of(2), headers={**bearer, **key()})
    lacks = portal.get("/v1/operations", headers=bearer)
    member = {"programme": "alliance", "organisations": [MEMBER]}
    other = portal.post("/v1/suspensions", json=member, headers={**bearer, **key()})
    assert asked.status_code == 202, asked.text
    assert (lacks.status_code, lacks.json()["code"]) == (403, "access.scope_missing")
    assert other.json()["code"] == "access.scope_missing"
    assert officer.delete(f"/v1/api-keys/{made.json()['prefix']}").status_code == 200
    gone = portal.post("/v1/awards", json=award_of(2), headers={**bearer, **key()})
    assert (gone.status_code, gone.json()["code"]) == (401, "access.api_key_refused")
    at_work.wait_for(officer, asked.headers["location"])


def test_api_key__of_an_account_without_office__does_nothing(at_work: Working) -> None:
    with writing(at_work.sender.engine) as connection:
        now = 1_700_000_000.0
        _key, text = create_api_key(
            connection, b"\x07" * 20, "nobody", list(Scope), days=730, now=now + 86_400 * 700
        )
    headers = {"Authorization": f"Bearer {text}", **key()}

    answer = at_work.client().post("/v1/awards", json=award_of(1), headers=headers)

    assert answer.status_code in {401, 403}


def test_log__of_what_was_asked__ties_accounts_to_operations(
    at_work: Working, officer: httpx.Client
) -> None:
    once = key()
    asked = officer.post("/v1/awards", json=award_of(1), headers=once).json()
    at_work.wait_for(officer, f"/v1/operations/{asked['operation_id']}")

    with reading(at_work.sender.engine) as connection:
        count = verify_access_log(connection)
        lines = [each for each in read_lines(connection) if each.subject == asked["operation_id"]]

    assert count > 3
    (line,) = lines
    detail = json.loads(line.detail)
    assert line.action == "operation.asked"
    assert line.account == "0x" + at_work.ledger.officer.address.hex()
    assert line.via.startswith("session:")
    assert detail["idempotency_key"] == once["Idempotency-Key"]
    shown = officer.get("/v1/access-log", params={"limit": 1}).json()
    assert shown["items"][0]["subject"] == asked["operation_id"]
    assert at_work.client(wallet("stranger")).get("/v1/access-log").status_code == 403


def test_operation__of_another__is_not_shown(at_work: Working, officer: httpx.Client) -> None:
    found = officer.get("/v1/operations", params={"limit": 1}).json()["items"][0]
    stranger = at_work.client(wallet("stranger"))

    assert stranger.get(f"/v1/operations/{found['operation_id']}").status_code == 404
    assert stranger.get("/v1/operations").json()["items"] == []


def test_server__that_ended_after_it_accepted__is_replaced_by_the_next(
    fresh_anvil: Anvil, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    with running_ledger(fresh_anvil, tmp_path) as ledger:
        fresh_anvil.rpc.call("evm_setAutomine", True)
        with working(ledger, tmp_path, url) as first:
            client = first.client(ledger.officer)
            fresh_anvil.rpc.call("evm_setAutomine", False)
            asked = client.post("/v1/awards", json=award_of(3), headers=key())
            assert asked.status_code == 202
        fresh_anvil.rpc.call("evm_setAutomine", True)
        fresh_anvil.rpc.call("evm_mine")
        with working(ledger, tmp_path, url) as second:
            client = second.client(ledger.officer)
            found = second.wait_for(client, asked.headers["location"])
            assert found["state"] in {"included", "final"}
            assert balance(second) == 3
