"""What holds before any route: limits, sizes, other pages' requests, ids of requests."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.edge import MAX_BODY
from api.limits import Limits
from ledger.domain.access import Scope
from ledger.errors import TooManyRequests
from ledger.office.api_keys import create_api_key
from ledger.store.engine import open_engine, writing
from tests.http.conftest import NOW, Ledger
from tests.http.facts import account_of
from tests.http.wallets import wallet

Serve = Callable[..., httpx.Client]


def changed(ledger: Ledger, **settings: Any) -> Any:
    return ledger.settings.model_copy(update=settings)


def new_key(ledger: Ledger, account: bytes, *scopes: Scope) -> str:
    """An API key, made as the command line would."""
    engine = open_engine(ledger.settings.database)
    with writing(engine) as connection:
        _key, text = create_api_key(connection, account, "test", scopes, days=1, now=NOW)
    engine.dispose()
    return text


def test_address__that_asks_too_much__is_told_to_wait(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, rate_limit=5))

    answers = [client.get("/v1/status") for _ in range(7)]

    assert [each.status_code for each in answers[:5]] == [200] * 5
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "access.too_many_requests"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert client.get("/healthz").status_code == 200


def test_key__that_asks_too_much__is_told_to_wait_and_no_other(
    own_ledger: Ledger, serve: Serve
) -> None:
    one, two = (new_key(own_ledger, account_of(4), Scope.READ) for _ in range(2))
    client = serve(changed(own_ledger, rate_limit=5))

    def ask(key: str) -> int:
        return client.get("/v1/session", headers={"Authorization": f"Bearer {key}"}).status_code

    # The first is charged to the address, as long as nobody knows that the key is one.
    assert [ask(one) for _ in range(7)] == [200] * 6 + [429]
    assert ask(two) == 200


def test_keys__that_are_none__are_guessed_slowly(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, rate_limit=60))
    headers = {"Authorization": "Bearer mlk_AAAAAAAA_" + "B" * 43}

    codes = [client.get("/v1/session", headers=headers).status_code for _ in range(5)]

    assert codes == [401, 401, 429, 429, 429]


def test_authorization__made_up__does_not_hide_an_address(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, rate_limit=5))

    codes = [
        client.get("/v1/programmes", headers={"Authorization": f"Bearer {number}"}).status_code
        for number in range(6)
    ]

    assert codes == [200] * 5 + [429]


def test_bucket__fills_again_with_time() -> None:
    now = [0.0]
    limits = Limits(60, clock=lambda: now[0])
    for _ in range(60):
        limits.charge("one", 1)
    with pytest.raises(TooManyRequests) as refused:
        limits.charge("one", 1)
    assert refused.value.values["seconds"] == 1
    now[0] += 1
    limits.charge("one", 1)
    for number in range(50_000):  # more than there are places for
        limits.charge(f"other {number}", 1)
    with pytest.raises(TooManyRequests):
        limits.charge("one", 1)  # who asked the most is not pushed out
    now[0] += 60
    limits.charge("one", 60)
    with pytest.raises(TooManyRequests):
        limits.charge("one", 1)


@pytest.mark.parametrize("chunked", [False, True])
def test_body__too_large__is_refused(client: httpx.Client, *, chunked: bool) -> None:
    body = b" " * (MAX_BODY + 1)
    content: Any = iter([body]) if chunked else body

    answer = client.post(
        "/v1/sessions", content=content, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_body__said_to_be_huge__is_not_waited_for(client: httpx.Client) -> None:
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), 20) as raw:
        raw.sendall(head + b"Connection: close\r\n\r\n")
        assert raw.recv(65536).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("depth", [100_000])
def test_body__nested_deeply__is_refused(client: httpx.Client, depth: int) -> None:
    for body in ("[" * depth, '{"a":' * depth, "9" * 10_000, '"\\ud800"', "\x00", "nan"):
        answer = client.post(
            "/v1/sessions", content=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, (body[:9], answer.status_code)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 64 + "]" * 64, 422),
        ("[" * 65 + "]" * 65, 400),
        ('{"a":' * 65 + "1" + "}" * 65, 400),
        ('{"message": "' + "[" * 500 + '\\"' + "{" * 500 + '"}', 422),
        ("[" + ",".join(["[[]]"] * 500) + "]", 422),
        ('"' + "\\" * 65, 422),
    ],
)
def test_body__is_refused_for_its_depth__only_if_it_is_deep(
    client: httpx.Client, body: str, status: int
) -> None:
    answer = client.post("/v1/sessions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status


def test_origin__that_is_named__may_use_the_api(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, cors_origins=("https://portal.example.org",)))

    good = client.get("/v1/status", headers={"Origin": "https://portal.example.org"})
    asks = {"Origin": "https://portal.example.org", "Access-Control-Request-Method": "POST"}
    preflight = client.options("/v1/awards", headers=asks)

    assert good.headers["access-control-allow-origin"] == "https://portal.example.org"
    assert good.headers["access-control-allow-credentials"] == "true"
    assert good.headers["vary"] == "Origin"
    assert preflight.status_code == 204
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://portal.example.org.evil.example",
        "http://portal.example.org",
        "https://portal.example.org:444",
        "https://a.portal.example.org",
        "null",
        "*",
        "",
    ],
)
def test_origin__that_is_not_named__may_not(own_ledger: Ledger, serve: Serve, origin: str) -> None:
    client = serve(changed(own_ledger, cors_origins=("https://portal.example.org",)))
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    assert "access-control-allow-origin" not in client.get("/v1/status", headers=asks).headers
    assert client.options("/v1/awards", headers=asks).status_code == 405


def test_request__has_an_id_of_its_own_or_the_callers(client: httpx.Client) -> None:
    own = client.get("/healthz", headers={"X-Request-ID": "portal-17"})
    odd = client.get("/healthz", headers={"X-Request-ID": 'a b"<script>'})

    assert own.headers["x-request-id"] == "portal-17"
    assert len(odd.headers["x-request-id"]) == 16
    assert client.get("/v1/nothing").headers["x-request-id"]


PRIVATE = ("/v1/status", "/v1/entries", "/v1/organisations/4", "/v1/stream", "/", "/docs")
ALWAYS_OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/sign-in/nonce")


def test_policy__members__lets_members_and_officers_read(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, read_policy="members"))

    def ask(path: str, account: bytes | None) -> int:
        headers = {}
        if account is not None:
            headers["Authorization"] = f"Bearer {new_key(own_ledger, account, Scope.READ)}"
        return client.head(path, headers=headers).status_code

    member, revoked, officer = account_of(4), account_of(45), account_of("registrar")
    for path in PRIVATE:
        assert ask(path, None) == 401, path
        assert ask(path, wallet("stranger").address) == 403, path
        assert ask(path, revoked) == 403, path
        assert ask(path, member) == 200, path
        assert ask(path, officer) == 200, path
    for path in ALWAYS_OPEN:
        assert ask(path, None) == 200, path
    key = new_key(own_ledger, officer, Scope.CREDITS)
    lacks = client.get("/v1/status", headers={"Authorization": f"Bearer {key}"})
    assert lacks.json()["code"] == "access.scope_missing"


def test_answer__for_members_alone__is_kept_by_no_proxy(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, read_policy="members"))
    key = new_key(own_ledger, account_of(4), Scope.READ)

    answer = client.get("/v1/status", headers={"Authorization": f"Bearer {key}"})

    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic YTpi", "Bearer mlk_", "Bearer \xff", "mlk_AAAAAAAA_B"],
)
def test_authorization__that_is_none__is_refused_as_such(client: httpx.Client, header: str) -> None:
    answer = client.get("/v1/session", headers={"Authorization": header.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_secret__of_no_kind__is_in_a_problem(client: httpx.Client) -> None:
    secret = "mlk_SECRETAA_" + "S" * 43
    answer = client.get("/v1/session", headers={"Authorization": f"Bearer {secret}"})

    assert "SSSS" not in json.dumps(answer.json()) + str(answer.headers)


def test_parameters__of_two_routes_on_one_path__are_each_ones_own(
    own_ledger: Ledger, serve: Serve
) -> None:
    client = serve(own_ledger.settings)

    assert client.post("/v1/organisations", json={}).status_code == 401
    assert client.get("/v1/organisations?q=galaxy").status_code == 200
    assert client.post("/v1/organisations?q=galaxy", json={}).status_code == 422


def test_page__that_is_refused__names_no_programme(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(changed(own_ledger, read_policy="members"))

    for path in ("/", "/nothing"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in {401, 404}
        assert "community" not in answer.text
