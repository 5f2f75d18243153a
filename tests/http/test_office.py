"""The office over HTTP: applications from the invitation to the chain, webhooks, profiles."""

from __future__ import annotations

import contextlib
import http.client
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data

from ledger.chain.addresses import show_address
from ledger.chain.contracts import authority
from ledger.chain.signers import LocalSigner
from ledger.domain.ids import ALLIANCE_WIDE, OrgId
from ledger.office import evidence
from ledger.office.access_log import read_lines, verify_access_log
from ledger.processes import wait_until
from ledger.store.engine import reading
from tests.http.wallets import wallet
from tests.http.working import Working, working
from tests.services.test_webhook_addresses import HOSTILE, NAMES, connections_made
from tests.support.anvil import Anvil
from tests.support.ledger import MEMBER, PROGRAMME, running_ledger

FORM = {
    "name_zh": "银河航天",
    "name_en": "GalaxySpace",
    "segment": "satellite",
    "uscc": "91110000600037341L",
    "contact": {"person": "王小明", "email": "wang@example.com"},
}
FAR = "2030-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def at_work(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    """A server that may sign, and a second registrar."""
    folder = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger:
        second = wallet("second").address
        appoint = authority.encode_appoint("registrar", ALLIANCE_WIDE, second, ledger.operation())
        ledger.do(ledger.contracts.authority.address, appoint)
        with working(ledger, folder, url) as found:
            yield found


@pytest.fixture(scope="module")
def officer(at_work: Working) -> httpx.Client:
    """A registrar, whose key the server has."""
    return at_work.client(at_work.ledger.officer)


@pytest.fixture(scope="module")
def second(at_work: Working) -> httpx.Client:
    """Another registrar."""
    return at_work.client(wallet("second"))


def post(client: httpx.Client, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """Ask for a change under a key of its own."""
    given = {"Idempotency-Key": str(uuid.uuid4()), **headers}
    return client.post(path, json=body, headers=given)


def made(answer: httpx.Response) -> Any:
    """The body of what went well."""
    assert answer.status_code in (201, 202), answer.text
    return answer.json()


def apply(at_work: Working, name: str) -> tuple[str, LocalSigner, httpx.Client]:
    """An application by somebody's own wallet."""
    signer = wallet(name)
    client = at_work.client(signer)
    body = {"programme": "alliance", "form": {**FORM, "uscc": "", "name_en": name}}
    return made(post(client, "/v1/applications", body))["application_id"], signer, client


def decided(at_work: Working, officer: httpx.Client, ids: list[str]) -> Any:
    """What became of a decision."""
    answer = post(officer, "/v1/decisions", {"applications": ids})
    assert answer.status_code == 202, answer.text
    found: Any = {}

    def is_done() -> bool:
        nonlocal found
        found = officer.get(answer.headers["location"]).json()
        return bool(found["state"] != "waiting")

    assert wait_until(is_done, seconds=60, pause=0.05), found
    at_work.look()
    return found


def recommended(officer: httpx.Client, ids: list[str], **what: Any) -> Any:
    what = what or {"tier": 2, "expires_at": FAR}
    return made(post(officer, "/v1/recommendations", {"applications": ids, **what}))


def test_application__by_invitation_without_an_account__gets_to_the_chain(
    at_work: Working, officer: httpx.Client, second: httpx.Client
) -> None:
    opened = made(post(officer, "/v1/invitations", {"programme": "alliance"}))
    nobody, link = at_work.client(), {"Application-Secret": opened["secret"]}
    path = f"/v1/applications/{opened['application_id']}"
    sent = nobody.post(
        f"{path}/documents?title=charter.pdf",
        content=b"%PDF-1.7 charter",
        headers={**link, "Idempotency-Key": "charter-1", "Content-Type": "application/pdf"},
    )
    assert sent.status_code == 201, sent.text
    filed = made(post(nobody, f"{path}/forms", FORM, **link))
    made(post(officer, f"{path}/questions", {"text": "Which account?"}))
    made(post(nobody, f"{path}/answers", {"text": "This one."}, **link))
    account = show_address(wallet("invited").address)
    made(post(nobody, f"{path}/accounts", {"account": account}, **link))
    recommended(officer, [opened["application_id"]])
    in_review = nobody.get(path, headers=link).json()
    same = post(officer, "/v1/confirmations", {"applications": [opened["application_id"]]})
    made(post(second, "/v1/confirmations", {"applications": [opened["application_id"]]}))

    found = decided(at_work, officer, [opened["application_id"]])

    assert filed["documents"][0]["media_type"] in ("application/pdf", "application/json")
    assert (in_review["status"], in_review["tier"]) == ("in_review", None)
    assert (same.status_code, same.json()["code"]) == (409, "office.same_officer")
    assert (found["state"], found["problem"]) == ("done", None)
    (done,) = found["applications"]
    assert (done["status"], done["waits_for"]) == ("admitted", "")
    held = officer.get(f"/v1/organisations/{done['org_id']}").json()
    assert (held["name_zh"], held["controller"]) == ("银河航天", account)
    assert held["memberships"][0]["status"] == "active"
    told = nobody.get(path, headers=link).json()
    assert [(each["actor"], each["action"]) for each in told["steps"]] == [
        ("office", "opened"),
        ("applicant", "attached"),
        ("applicant", "filed"),
        ("office", "asked"),
        ("applicant", "answered"),
        ("applicant", "controller"),
        ("office", "registered"),
        ("office", "admitted"),
    ]
    pdf = next(each for each in told["documents"] if each["media_type"] == "application/pdf")
    for client, headers in ((nobody, link), (second, {})):
        read = client.get(f"{path}/documents/{pdf['commitment']}", headers=headers)
        assert (read.status_code, read.content) == (200, b"%PDF-1.7 charter")
    assert nobody.get(f"/v1/evidence/{pdf['commitment']}").status_code == 404


def test_applications__of_many__are_decided_together_and_one_is_declined(
    at_work: Working, officer: httpx.Client, second: httpx.Client
) -> None:
    ids = [apply(at_work, f"bulk {number}")[0] for number in range(3)]
    recommended(officer, ids[:2])
    recommended(officer, ids[2:], reason="documents.missing")
    queue = second.get("/v1/applications", params={"state": "recommended"}).json()
    made(post(second, "/v1/confirmations", {"applications": ids}))

    found = decided(at_work, officer, ids)

    assert {each["application_id"] for each in queue["items"]} >= set(ids)
    assert queue["counts"]["recommended"] >= 3
    states = {each["application_id"]: each["status"] for each in found["applications"]}
    assert [states[each] for each in ids] == ["admitted", "admitted", "declined"]
    # A second decision about them is too late.
    late = post(officer, "/v1/decisions", {"applications": ids})
    assert (late.status_code, late.json()["code"]) == (409, "office.application_elsewhere")


def test_queue__page_by_page__gives_each_once(at_work: Working, officer: httpx.Client) -> None:
    ids = [apply(at_work, f"paged {number}")[0] for number in range(3)]
    seen: list[str] = []
    following: str | None = ""
    while following is not None:
        query = {"state": "filed", "limit": "1", **({"cursor": following} if following else {})}
        page = officer.get("/v1/applications", params=query).json()
        seen += [each["application_id"] for each in page["items"]]
        following = page["next"]

    assert len(seen) == len(set(seen))
    assert set(ids) <= set(seen)


def test_applicant__by_own_wallet__follows_and_withdraws_and_nobody_else_sees_it(
    at_work: Working,
) -> None:
    application_id, _, client = apply(at_work, "alone")
    path = f"/v1/applications/{application_id}"

    again = post(client, "/v1/applications", {"programme": "alliance", "form": FORM})
    other = at_work.client(wallet("other")).get(path)
    made(post(client, f"{path}/withdrawals"))

    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "programme")
    assert (other.status_code, other.json()["code"]) == (403, "access.denied")
    assert client.get(path).json()["status"] == "withdrawn"


def test_step__sent_again__is_done_once_and_its_secret_is_not_told_twice(
    at_work: Working, officer: httpx.Client
) -> None:
    once = {"Idempotency-Key": "invitation-of-galaxy"}
    body = {"programme": "alliance"}

    first = officer.post("/v1/invitations", json=body, headers=once)
    same = officer.post("/v1/invitations", json=body, headers=once)
    other = officer.post("/v1/invitations", json={**body, "organisation": 1}, headers=once)

    assert same.json()["application_id"] == first.json()["application_id"]
    assert same.headers["idempotent-replayed"] == "true"
    assert (len(first.json()["secret"]), same.json()["secret"]) == (43, None)
    assert other.json()["code"] == "access.idempotency_conflict"
    path = f"/v1/applications/{first.json()['application_id']}"
    renewed = made(post(officer, f"{path}/links"))["secret"]
    nobody = at_work.client()
    answers = [
        nobody.get(path, headers={"Application-Secret": secret})
        for secret in (first.json()["secret"], renewed, "A" * 43)
    ]
    assert [each.status_code for each in answers] == [401, 200, 401]
    assert answers[0].json()["code"] == "access.link_refused"


def test_form__with_a_wrong_digit__says_which_field(at_work: Working) -> None:
    client = at_work.client(wallet("wrong"))
    body = {"programme": "alliance", "form": {**FORM, "uscc": "911100006000373410"}}

    answer = post(client, "/v1/applications", body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "uscc"


def test_document__that_is_no_pdf_or_too_large__is_refused(at_work: Working) -> None:
    application_id, _, client = apply(at_work, "documents")
    path = f"/v1/applications/{application_id}/documents?title=a"
    given = {"Idempotency-Key": "documents-1", "Content-Type": "application/pdf"}

    wrong = client.post(path, content=b"MZ\x90 a program", headers=given)
    deep = client.post(path, content=b"%PDF-1.7 " + b"[" * 1_500_000, headers=given)
    large = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=20)
    large.putrequest("POST", path)
    large.putheader("Content-Length", str(65 * 1024 * 1024))
    large.endheaders()

    assert wrong.json()["code"] == "input.evidence_refused"
    assert deep.status_code == 201  # beyond what JSON may be, and within what a document may be
    with large.getresponse() as refused:
        assert refused.status == 413  # before a byte of it is sent
    large.close()


def test_document__while_it_is_scanned__holds_up_nobody(
    at_work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = at_work.settings.database_url.removeprefix("sqlite:///")
    scanned = []

    def scan(file: Path, command: Sequence[str]) -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # as every writer must
            other.execute("ROLLBACK")
        scanned.append(file)

    monkeypatch.setattr(evidence, "scan_file", scan)
    application_id, _, client = apply(at_work, "scanned")
    sent = client.post(
        f"/v1/applications/{application_id}/documents?title=charter.pdf",
        content=b"%PDF-1.7 charter",
        headers={"Idempotency-Key": "scanned-1", "Content-Type": "application/pdf"},
    )

    assert sent.status_code == 201, sent.text
    assert len(scanned) == 1, "the form is the server's own writing"


def test_account__of_another_organisation__is_not_named_by_an_applicant(
    at_work: Working, officer: httpx.Client
) -> None:
    opened = made(post(officer, "/v1/invitations", {"programme": "alliance"}))
    path = f"/v1/applications/{opened['application_id']}/accounts"
    body = {"account": officer.get(f"/v1/organisations/{MEMBER}").json()["controller"]}

    refused = post(at_work.client(), path, body, **{"Application-Secret": opened["secret"]})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "account")
    assert post(officer, path, body).status_code == 201


def test_consent__of_the_applicants_wallet__is_what_admits_it(
    at_work: Working, officer: httpx.Client, second: httpx.Client
) -> None:
    signer = wallet("consents")
    new = {"kind": "company", "key": "consents", "name_en": "Consents"}
    new["controller"] = show_address(signer.address)
    asked = post(officer, "/v1/organisations", {"organisations": [new]})
    assert asked.status_code == 202, asked.text
    at_work.wait_for(officer, asked.headers["location"])
    at_work.look()
    application_id, _, client = apply(at_work, "consents")
    path = f"/v1/applications/{application_id}"
    recommended(officer, [application_id])
    made(post(second, "/v1/confirmations", {"applications": [application_id]}))

    message = client.get(f"{path}/consent-message").json()
    digest = typed_digest(message["typed_data"])
    signed = "0x" + signer.sign_digest(digest).hex()
    forged = "0x" + wallet("forger").sign_digest(digest).hex()
    deadline = message["deadline"]
    refused = post(client, f"{path}/consents", {"signature": forged, "deadline": deadline})
    made(post(client, f"{path}/consents", {"signature": signed, "deadline": deadline}))
    found = decided(at_work, officer, [application_id])

    assert refused.json()["errors"][0]["field"] == "signature"
    (done,) = found["applications"]
    assert done["status"] == "admitted"
    used = at_work.ledger.contracts.memberships.membership(
        PROGRAMME, OrgId(done["org_id"]), at="latest"
    )
    assert used.tier == 2


def typed_digest(typed: Any) -> bytes:
    """What a wallet signs of typed data, by a library that is not ours."""
    return bytes(_hash_eip191_message(encode_typed_data(full_message=typed)))


def test_profile__changed_by_a_registrar__is_committed_to_and_handed_out(
    at_work: Working, officer: httpx.Client
) -> None:
    body = {"name_zh": "新名", "uscc": "91110000600037341L", "website": "https://example.org/"}
    asked = post(officer, "/v1/organisations/2/profiles", body)
    at_work.wait_for(officer, asked.headers["location"])
    contact = {"contacts": [{"person": "李雷", "email": "li@example.com"}]}
    at_work.look()
    made(post(officer, "/v1/organisations/2/contacts", contact))

    shown = officer.get("/v1/organisations/2/profile").json()
    held = officer.get("/v1/organisations/2/export").json()["held"]
    wrong = post(officer, "/v1/organisations/2/profiles", {"uscc": "911100006000373410"})

    assert shown["document"]["name_zh"] == "新名"
    assert shown["contacts"][0]["person"] == "李雷"
    assert officer.get("/v1/organisations/2").json()["profile"] == shown["commitment"]
    assert held["contacts"][0]["email"] == "li@example.com"
    assert wrong.json()["errors"][0]["field"] == "uscc"
    erased = made(post(officer, "/v1/organisations/2/erasures", {"organisation": 2}))
    assert (erased["profiles"], erased["contacts"], erased["remaining"]) == (1, 1, [])
    assert officer.get("/v1/organisations/2/profile").json()["document"] is None


def test_webhook__over_its_life__is_added_rotated_disabled_replayed_and_forgotten(
    officer: httpx.Client,
) -> None:
    url = "https://nowhere.invalid/hook"
    hook = made(post(officer, "/v1/webhooks", {"url": url, "types": ["entry.posted"]}))
    path = f"/v1/webhooks/{hook['webhook_id']}"
    other = made(post(officer, f"{path}/secrets", {"overlap_hours": 1}))
    tried = made(post(officer, f"{path}/tests"))
    sent = officer.get(f"{path}/deliveries").json()["items"]
    replayed = made(post(officer, f"{path}/replays", {"message_id": sent[0]["message_id"]}))
    disabled = made(post(officer, f"{path}/disablements"))
    refused = post(officer, f"{path}/replays", {"dead": True})
    enabled = made(post(officer, f"{path}/enablements"))

    assert hook["secret"].startswith("whsec_")
    assert other["secret"].startswith("whsec_")
    assert hook["secret"] != other["secret"]
    assert tried["delivered"] is False
    assert (sent[0]["type"], sent[0]["state"], replayed) == (
        "webhook.test",
        "dead",
        {"replayed": 1},
    )
    assert (disabled["state"], enabled["state"]) == ("disabled", "in_use")
    assert refused.json()["errors"][0]["field"] == "webhook"
    shown = officer.get("/v1/webhooks").text + officer.get(path).text
    assert hook["secret"] not in shown
    assert other["secret"] not in shown
    assert officer.delete(path).status_code == 204
    assert officer.get(path).status_code == 404


def test_webhooks__that_point_inside__are_refused_with_the_field(officer: httpx.Client) -> None:
    plain = [url for url in HOSTILE if not any(name in url for name in NAMES)]

    with connections_made() as connected:
        answers = [post(officer, "/v1/webhooks", {"url": url}) for url in plain]

    assert len(plain) > 20
    assert {each.status_code for each in answers} == {422}
    assert connected == []


def test_log__of_the_office__has_a_line_for_each_change_and_holds_together(
    at_work: Working, officer: httpx.Client
) -> None:
    with reading(at_work.sender.engine) as connection:
        count = verify_access_log(connection)
        lines = list(read_lines(connection))
    actions = {line.action for line in lines}

    assert count == len(lines)
    assert {
        "application.opened",
        "application.filed",
        "application.attached",
        "application.recommended",
        "application.confirmed",
        "applications.decided",
        "organisation.erased",
        "webhook.added",
    } <= actions
    assert "wang@example.com" not in str(lines)
    assert time.time() - lines[-1].at / 1000 < 3600
