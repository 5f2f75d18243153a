"""What somebody tries who wants the server to stop, to tell too much, or to look like us."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api import wire
from api.answers import Kept, KeptAnswer
from api.limits import Limits
from api.routes import stream
from api.streaming import Teller
from api.waiting import MOST_AT_NODE
from ledger.chain.addresses import show_address
from ledger.domain.access import Scope
from ledger.errors import TooManyRequests
from ledger.office.api_keys import MOST_GOOD
from tests.http.conftest import NOW, Ledger, Templates, serving
from tests.http.facts import account_of
from tests.http.test_edge import new_key
from tests.http.test_wire import talk
from tests.http.wallets import sign_in, wallet, write_message


@pytest.fixture(scope="module")
def ledger_here(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger of these tests, which write to it. Its node takes connections and says nothing."""
    copy = templates.copy("sqlite", tmp_path_factory.mktemp("hostile"))
    return Ledger(copy.settings, copy.seeded)


@pytest.fixture(scope="module")
def frozen() -> Iterator[socket.socket]:
    """A node that takes connections and says nothing, until it is closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener


@pytest.fixture(scope="module")
def here(ledger_here: Ledger, frozen: socket.socket) -> Iterator[httpx.Client]:
    """A client of it."""
    node = f"http://127.0.0.1:{frozen.getsockname()[1]}"
    settings = ledger_here.settings.model_copy(update={"rpc_url": (node,)})
    with serving(settings, lambda: NOW + 1) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# What a credential is good for


def test_stream__of_a_session_that_ended__ends_though_there_is_always_news(
    here: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(stream, "_tell", lambda *_: ([b"event: head\ndata: {}\n\n"], False))
    with httpx.Client(base_url=here.base_url, timeout=20, trust_env=False) as client:
        session = sign_in(client, wallet("streamer"), now=NOW + 1)
        with client.stream("GET", "/v1/stream") as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("retry")
            csrf = {"X-CSRF-Token": session["csrf_token"]}
            cookies = {"Cookie": f"moonlake_session={client.cookies['moonlake_session']}"}
            assert here.delete("/v1/session", headers={**csrf, **cookies}).status_code == 204
            deadline = time.monotonic() + 10
            for _line in lines:
                assert time.monotonic() < deadline, "it goes on for a session that is over"


def test_key__that_may_not_read__is_told_of_no_operation(
    here: httpx.Client, ledger_here: Ledger
) -> None:
    council = account_of("council")
    lacks = bearer(new_key(ledger_here, council, Scope.CREDITS))

    assert here.get("/v1/operations", headers=lacks).status_code == 403
    assert here.get("/me", headers=lacks).status_code == 403
    assert here.post("/v1/audits", json={}, headers=lacks).json()["code"] == "access.scope_missing"


def test_stream__of_a_key_that_may_not_read__sees_no_operation(
    here: httpx.Client, ledger_here: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sights: list[Any] = []

    def made(wanted: Any, sees: Any, position: Any) -> Teller:
        sights.append(sees)
        return Teller(wanted, sees, position)

    monkeypatch.setattr(stream, "Teller", made)
    council = account_of("council")
    for scope in (Scope.CREDITS, Scope.READ):
        key = bearer(new_key(ledger_here, council, scope))
        with here.stream("GET", "/v1/stream", headers=key) as answer:
            assert answer.status_code == 200

    assert [each(None, b"") for each in sights] == [False, True]


def test_keys__of_one_account__have_an_end(here: httpx.Client) -> None:
    with httpx.Client(base_url=here.base_url, timeout=20, trust_env=False) as client:
        session = sign_in(client, wallet("hoarder"), now=NOW + 1)
        client.headers["X-CSRF-Token"] = session["csrf_token"]

        def make() -> httpx.Response:
            return client.post("/v1/api-keys", json={"name": "x", "scopes": ["read"]})

        made = [make() for _ in range(MOST_GOOD)]
        assert {each.status_code for each in made} == {201}
        assert make().json()["code"] == "access.too_many_keys"
        assert client.delete(f"/v1/api-keys/{made[0].json()['prefix']}").status_code == 200
        assert make().status_code == 201


# What holds others up


def test_node__that_is_frozen__holds_up_nobody_who_needs_none(
    here: httpx.Client, frozen: socket.socket
) -> None:
    account = show_address(wallet("contract").address)
    codes: list[str] = []

    def knock() -> None:
        with httpx.Client(base_url=here.base_url, timeout=60, trust_env=False) as client:
            given = client.get("/v1/sign-in/nonce").json()
            message = write_message(account, given, now=NOW + 1)
            body = {"message": message, "signature": "0x" + "11" * 80}
            codes.append(client.post("/v1/sessions", json=body).json()["code"])

    callers = [threading.Thread(target=knock) for _ in range(MOST_AT_NODE + 4)]
    for each in callers:
        each.start()
    held = [frozen.accept()[0] for _ in range(MOST_AT_NODE)]
    try:
        for each in callers:
            each.join(0.01)
        assert here.get("/v1/status").status_code == 200
        assert here.get("/v1/organisations?limit=1").status_code == 200
        begun = time.monotonic()
        while len(codes) < 4 and time.monotonic() - begun < 20:
            time.sleep(0.01)
        assert codes == ["node.busy"] * 4
    finally:
        frozen.close()
        for each in held:
            each.close()
        for waiting in callers:
            waiting.join(30)
    assert sorted(codes) == ["node.busy"] * 4 + ["node.unreachable"] * MOST_AT_NODE


def test_nonce__that_is_made_up__asks_no_node(here: httpx.Client) -> None:
    given = {**here.get("/v1/sign-in/nonce").json(), "nonce": secrets.token_hex(28)}
    message = write_message(show_address(wallet("contract").address), given, now=NOW + 1)

    answer = here.post("/v1/sessions", json={"message": message, "signature": "0x" + "11" * 80})

    assert answer.status_code == 401
    assert "nonce" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"[" + b"[]," * 20_000 + b"1]", b"[" + b'{"a":1},' * 20_000 + b"1]"]
)
def test_body__of_very_many_parts__is_refused(here: httpx.Client, body: bytes) -> None:
    answer = here.post("/v1/sessions", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "sent", [b"", b"GET /healthz HTTP/1.1\r\nX: ", b"POST /v1/sessions HTTP/1."]
)
def test_message__that_does_not_go_on__is_not_waited_for(
    here: httpx.Client, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(wire, "PATIENCE", 0.1)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.05)

    with pytest.raises((ConnectionResetError, AssertionError)):
        assert talk(here, sent) != b""


def test_body__that_does_not_go_on__is_not_waited_for(
    here: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PATIENCE", 0.1)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.05)
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    head += b"Content-Type: application/json\r\n\r\n"

    with pytest.raises((ConnectionResetError, AssertionError)):
        assert talk(here, head, b"{") != b""


def test_streams__of_one_address__are_not_all(
    here: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_OF_ONE", 1)
    other = {"X-Forwarded-For": "192.0.2.7"}
    with here.stream("GET", "/v1/stream") as first:
        assert first.status_code == 200
        lines = first.iter_lines()
        assert next(lines).startswith("retry")
        with here.stream("GET", "/v1/stream") as second:
            assert second.status_code == 429
        with here.stream("GET", "/v1/stream", headers=other) as another:
            assert another.status_code == 200


def test_answers__whose_questions_are_long__are_not_kept_without_end() -> None:
    kept = Kept(most=100_000)
    for number in range(100):
        question = f"/v1/organisations/{'0' * 4000}{number}?"
        kept.keep(str(number), KeptAnswer(question, b"{}", "application/json", {}, ""))

    assert sum(kept.has(f"/v1/organisations/{'0' * 4000}{number}?") for number in range(100)) < 15


def test_answers__whose_headers_are_long__are_not_kept_without_end() -> None:
    kept = Kept(most=100_000)
    link = {"Link": "%EF%BF%BD" * 900}
    for number in range(100):
        kept.keep(str(number), KeptAnswer(str(number), b"{}", "application/json", link, ""))

    assert sum(kept.has(str(number)) for number in range(100)) < 15


# Who is charged


def scope_of(host: str) -> Any:
    return {"client": (host, 1)}


def test_addresses__of_one_subscriber__are_one() -> None:
    limits = Limits(60)
    for number in range(60):
        limits.charge_address(scope_of(f"2001:db8:0:1::{number:x}"))

    with pytest.raises(TooManyRequests):
        limits.charge_address(scope_of("2001:db8:0:1:ffff::1"))
    limits.charge_address(scope_of("2001:db8:0:2::1"))


def test_address__of_ipv4_in_two_forms__is_one() -> None:
    limits = Limits(60)
    limits.charge_address(scope_of("192.0.2.1"), 60)

    with pytest.raises(TooManyRequests):
        limits.charge_address(scope_of("::ffff:192.0.2.1"))
    limits.charge_address(scope_of("no address"))


def test_cost__above_all_that_is_allowed__can_be_paid_once() -> None:
    limits = Limits(5)
    limits.charge("one", 20)  # a sign-in

    with pytest.raises(TooManyRequests):
        limits.charge("one", 1)


def test_key__in_a_header_without_end__is_not_kept() -> None:
    limits = Limits(5)
    key = b"mlk_12345678_" + b"A" * 43
    limits.remember_key(b"Bearer" + b" " * 60_000 + key, "12345678")
    limits.remember_key(b"Bearer " + key, "12345678")

    assert not limits.knows(b"Bearer" + b" " * 60_000 + key)
    assert limits.knows(b"Bearer " + key)


def test_key__of_an_account_that_the_chain_does_not_know__is_charged_to_its_address(
    ledger_here: Ledger,
) -> None:
    settings = ledger_here.settings.model_copy(update={"rate_limit": 5})
    with serving(settings, lambda: NOW + 1) as client:
        keys = [new_key(ledger_here, wallet("stranger").address, Scope.READ) for _ in range(2)] * 3
        codes = [client.get("/v1/session", headers=bearer(key)).status_code for key in keys]

    assert codes == [200] * 5 + [429]


# What can be read in two ways


@pytest.mark.parametrize("path", ["/v1/status%0A", "/metrics%0a", "/healthz%0A"])
def test_path__with_a_line_end_behind_it__is_none(here: httpx.Client, path: str) -> None:
    said = talk(here, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert said.startswith(b"HTTP/1.1 404")
    assert b"http.not_found" in said


@pytest.mark.parametrize("name", ["Host", "Authorization", "Idempotency-Key", "Origin"])
def test_header__that_comes_twice__is_refused(here: httpx.Client, name: str) -> None:
    twice = f"{name}: one\r\n{name}: two\r\n"
    said = talk(here, f"GET /healthz HTTP/1.1\r\n{twice}Connection: close\r\n\r\n".encode())

    assert said.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("wanted", ["websocket", "h2c"])
def test_upgrade__to_another_protocol__is_not_made(here: httpx.Client, wanted: str) -> None:
    more = f"Connection: Upgrade\r\nUpgrade: {wanted}\r\nSec-WebSocket-Version: 13\r\n"
    more += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    with socket.create_connection((here.base_url.host, here.base_url.port or 80), 20) as raw:
        raw.sendall(f"GET /v1/status HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
        assert raw.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["//evil.example/", "/%5Cevil.example", "///evil.example"])
def test_page__asked_for_by_a_path_like_an_address__leads_nowhere_else(
    here: httpx.Client, path: str
) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    page = talk(here, head.encode()).decode()

    assert "evil.example" in page
    assert '"//' not in page
    assert '"/\\' not in page


def test_problem__is_of_the_form_that_all_have(here: httpx.Client) -> None:
    said = talk(here, b"GET /v1/x%0a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = said.partition(b"\r\n\r\n")

    assert b"application/problem+json" in head
    assert b"content-security-policy" in head
    assert json.loads(body)["instance"] == "/v1/x\n"
