"""Applications at the officers' desk, from the queue to the chain."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ledger.chain.contracts import authority
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.processes import wait_until
from tests.http.desk import Shown, officer_at, opened, sent
from tests.http.wallets import wallet
from tests.http.working import Working, working
from tests.support.anvil import Anvil
from tests.support.ledger import running_ledger

FORM = {"name_zh": "新星", "name_en": "New Star", "contact": {"person": "Ann"}}


@pytest.fixture(scope="module")
def at_work(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    """A server that may sign, and a second registrar."""
    folder = tmp_path_factory.mktemp("desk-applications")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger:
        second = wallet("second").address
        appoint = authority.encode_appoint("registrar", ALLIANCE_WIDE, second, ledger.operation())
        ledger.do(ledger.contracts.authority.address, appoint)
        with working(ledger, folder, url) as found:
            yield found


@pytest.fixture(scope="module")
def officer(at_work: Working) -> httpx.Client:
    return officer_at(at_work, at_work.ledger.officer)


@pytest.fixture(scope="module")
def second(at_work: Working) -> httpx.Client:
    return officer_at(at_work, wallet("second"))


def applied(at_work: Working, name: str) -> tuple[str, httpx.Client]:
    """The page of an application by somebody's own wallet, and his client."""
    client = at_work.client(wallet(name))
    body = {"programme": "alliance", "form": {**FORM, "name_en": name}}
    made = post(client, "/v1/applications", body)
    return f"/desk/applications/{made['application_id']}", client


def post(client: httpx.Client, path: str, body: Any) -> Any:
    answer = client.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def step(client: httpx.Client, path: str, act: str, **fields: str) -> httpx.Response:
    """Take a step by its form."""
    page = opened(client, f"{path}?act={act}")
    assert page.form()["act"] == act
    return sent(client, path, {**page.form(), "step": "send", **fields})


def test_application__asked_answered_and_decided_by_two__is_admitted(
    at_work: Working, officer: httpx.Client, second: httpx.Client
) -> None:
    path, applicant = applied(at_work, "Star of the desk")
    assert path in opened(officer, "/desk/applications?state=filed").text
    assert path not in opened(officer, "/desk/applications?state=asked").text
    asked = step(officer, path, "ask", text="Which segment?")
    assert (asked.status_code, asked.headers["location"]) == (303, path)
    api = path.replace("/desk/", "/v1/")
    post(applicant, f"{api}/forms", {**FORM, "name_en": "Star Ltd", "segment": "satellite"})
    page = opened(officer, path).text
    assert "Which segment?" in page
    changes = page.partition("Changed since it was filed before")[2].partition("</table>")[0]
    assert "Star of the desk" in changes
    assert "Star Ltd" in changes
    assert "satellite" in changes
    assert "新星" not in changes  # it stayed as it was

    admitted = step(officer, path, "admit", tier="2", until="2091-05-04")
    assert admitted.status_code == 303, admitted.text
    assert "another officer confirms" in opened(officer, path).text
    forged = {**opened(officer, path).form(), "act": "confirm", "step": "send"}
    own = sent(officer, path, forged)
    assert (own.status_code, "another officer confirms" in own.text) == (409, True)
    assert step(second, path, "confirm").status_code == 303
    shown = opened(officer, path).form()
    preview = sent(officer, path, {**shown, "step": "preview"})
    assert "Star Ltd</span> is put on the register." in preview.text
    assert "in the tier regular, until 4 May 2091" in preview.text
    assert "This cannot be taken back." in preview.text
    fields = {**Shown(preview.text).form(), "step": "send"}
    answers = [sent(officer, path, fields) for _ in range(2)]

    (place,) = {each.headers["location"] for each in answers}
    assert wait_until(lambda: "It was carried out." in opened(officer, place).text, seconds=60)
    at_work.look()
    held = at_work.client().get("/v1/organisations?q=Star%20Ltd").json()["items"]
    assert len(held) == 1
    assert held[0]["memberships"][0]["status"] == "active"
    assert "Admitted" in opened(officer, path).text


def test_application__declined__needs_a_reason_and_two(
    at_work: Working, officer: httpx.Client, second: httpx.Client
) -> None:
    path, _ = applied(at_work, "Dim of the desk")

    missing = step(officer, path, "decline", reason="")
    assert (missing.status_code, "Choose a reason." in missing.text) == (422, True)
    assert step(officer, path, "decline", reason="not.eligible").status_code == 303
    assert step(second, path, "send_back", text="Is that so?").status_code == 303
    assert "Is that so?" in opened(officer, path).text
    assert step(officer, path, "decline", reason="not.eligible").status_code == 303
    assert step(second, path, "confirm").status_code == 303
    shown = opened(officer, path).form()
    preview = sent(officer, path, {**shown, "step": "preview"})

    assert "is declined, since it is not eligible" in preview.text
    sending = sent(officer, path, {**Shown(preview.text).form(), "step": "send"})
    place = sending.headers["location"]
    assert wait_until(lambda: "It was carried out." in opened(officer, place).text, seconds=60)
    assert "Declined" in opened(officer, path).text


def test_applications__for_others__are_refused(at_work: Working, officer: httpx.Client) -> None:
    path, applicant = applied(at_work, "Other of the desk")
    issuer = officer_at(at_work, at_work.ledger.issuer)
    fields = {**opened(officer, f"{path}?act=ask").form(), "text": "What?", "step": "send"}

    for client in (issuer, applicant):
        token = client.get("/v1/session").json()["csrf_token"]
        assert client.get("/desk/applications").status_code == 403
        assert client.get(path).status_code == 403
        assert sent(client, path, {**fields, "csrf": token}).status_code == 403
    assert sent(officer, path, {**fields, "csrf": ""}).status_code == 403
    assert "What?" not in opened(officer, path).text
