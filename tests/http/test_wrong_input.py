"""What cannot be meant is refused with a problem that names the field, and breaks nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

HUGE = "9" * 30
OVERLONG = "a" * 5000

ROUTES = (
    "/v1/status",
    "/v1/programmes",
    "/v1/programmes/community",
    "/v1/organisations",
    "/v1/organisations/4",
    "/v1/organisations/4/memberships",
    "/v1/organisations/4/balances",
    "/v1/organisations/4/entries",
    "/v1/memberships",
    "/v1/entries",
    "/v1/entries/1",
    "/v1/rankings?programme=community",
    "/v1/accounts/0x" + "11" * 20,
)
PAGED = tuple(
    path
    for path in ROUTES
    if path.partition("?")[0]
    in {"/v1/organisations", "/v1/organisations/4/entries", "/v1/memberships", "/v1/entries"}
    or "rankings" in path
)
AT_A_MOMENT = tuple(path for path in ROUTES if path != "/v1/status")


def with_query(path: str, query: str) -> str:
    return path + ("&" if "?" in path else "?") + query


def problem(answer: httpx.Response, status: int) -> Any:
    """The problem of an answer, checked for its shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) <= {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "advice",
        "errors",
    }
    assert body["type"] == "urn:moonlake:problem:" + body["code"]
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    path = answer.url.path
    shown = path if len(path) <= 200 else path[:200] + "…"
    assert body["instance"] == shown or "%" in str(answer.url)
    return body


def fields(body: Any) -> list[str]:
    return [error["field"] for error in body["errors"]]


@pytest.mark.parametrize(
    "value",
    ["0", "201", "-1", HUGE, "1.5", "5.0", "1_0", "+5", "%205", "1e2", "", "ten", "１０", "%00"],
)
@pytest.mark.parametrize("path", PAGED)
def test_limit__out_of_range_or_no_number__is_refused(
    client: httpx.Client, path: str, value: str
) -> None:
    body = problem(client.get(with_query(path, f"limit={value}")), 422)

    assert body["code"] == "input.invalid_value"
    assert fields(body) == ["limit"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "%00", "*" * 10, "A" * 200, "AAAAAAAAAARaPi6mWRWnRw", "银河"]
)
@pytest.mark.parametrize("path", PAGED)
def test_cursor__that_was_never_given__is_a_bad_request(
    client: httpx.Client, path: str, cursor: str
) -> None:
    answer = client.get(with_query(path, f"cursor={cursor}"))

    assert problem(answer, 400)["code"] == "input.cursor_invalid"


def test_cursor__overlong__is_refused(client: httpx.Client) -> None:
    body = problem(client.get("/v1/entries", params={"cursor": "A" * 201}), 422)

    assert fields(body) == ["cursor"]


@pytest.mark.parametrize("value", ["121", "-1", HUGE, str(2**63), str(2**63 - 1), "x", "", "0x10"])
@pytest.mark.parametrize("path", AT_A_MOMENT)
def test_as_of_block__not_mirrored_or_no_block__is_refused(
    client: httpx.Client, path: str, value: str
) -> None:
    body = problem(client.get(with_query(path, f"as_of_block={value}")), 422)

    assert fields(body) == ["as_of_block"]


@pytest.mark.parametrize(
    "value",
    [
        "2001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-02-30T00:00:00Z",
        "2025-01-01T25:00:00Z",
        "2025-01-01",
        "2025-01-01T00:00:00",
        "1740787200",
        "now",
        "",
        "%00",
        OVERLONG,
    ],
)
def test_as_of__before_the_ledger_or_no_time__is_refused(client: httpx.Client, value: str) -> None:
    for path in ("/v1/organisations/4/balances", "/v1/programmes"):
        body = problem(client.get(with_query(path, f"as_of={value}")), 422)
        assert fields(body) == ["as_of"]


def test_as_of__before_the_ledger__is_shown_as_it_was_asked(client: httpx.Client) -> None:
    given = "1969-12-31T23:59:59Z"

    assert given in problem(client.get(f"/v1/programmes?as_of={given}"), 422)["detail"]


def test_as_of__given_in_two_ways__is_refused(client: httpx.Client) -> None:
    query = {"as_of_block": 5, "as_of": "2025-06-01T00:00:00Z"}

    assert fields(problem(client.get("/v1/programmes", params=query), 422)) == ["as_of_block"]


def test_as_of__with_an_unescaped_plus__is_understood(client: httpx.Client) -> None:
    answer = client.get("/v1/programmes?as_of=2025-06-09T08:00:00+08:00")

    assert answer.json()["as_of"]["block_number"] == 40


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=" + "a" * 101, "q"),
        ("q=%00", "q"),
        ("q=a%0Ab", "q"),
        ("programme=nothing", "programme"),
        ("programme=0", "programme"),
        ("programme=" + HUGE, "programme"),
        ("programme=Community", "programme"),
        ("programme=%E9%93%B6", "programme"),
        ("programme=", "programme"),
        ("programme=" + OVERLONG, "programme"),
        ("kind=%00", "kind"),
        ("kind=COMPANY", "kind"),
        ("status=unknown", "status"),
        ("status=", "status"),
        ("segment=%00", "segment"),
        ("segment=" + OVERLONG, "segment"),
        ("programe=community", "programe"),
        ("kind=company&kind=investor", "kind"),
        ("%00=1", "\x00"),
    ],
)
def test_organisations__with_a_wrong_filter__are_refused(
    client: httpx.Client, query: str, field: str
) -> None:
    body = problem(client.get("/v1/organisations?" + query), 422)

    assert fields(body) == [field]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/entries?kind=gift", "kind"),
        ("/v1/entries?kind=1", "kind"),
        ("/v1/entries?category=%00", "category"),
        ("/v1/entries?category=" + "a" * 32, "category"),
        ("/v1/entries?organisation=0", "organisation"),
        ("/v1/entries?organisation=4294967296", "organisation"),
        ("/v1/entries?organisation=" + HUGE, "organisation"),
        ("/v1/entries?from=yesterday", "from"),
        ("/v1/entries?to=2025-01-01", "to"),
        ("/v1/entries?programme=nothing", "programme"),
        ("/v1/memberships?status=applicant", "status"),
        ("/v1/memberships?tier=%00", "tier"),
        ("/v1/memberships?programme=nothing", "programme"),
        ("/v1/rankings", "programme"),
        ("/v1/rankings?programme=nothing", "programme"),
        ("/v1/rankings?programme=community&epoch=0", "epoch"),
        ("/v1/rankings?programme=community&epoch=99", "epoch"),
        ("/v1/rankings?programme=community&epoch=" + HUGE, "epoch"),
        ("/v1/organisations/0", "org_id"),
        ("/v1/organisations/-1", "org_id"),
        ("/v1/organisations/4294967296", "org_id"),
        (f"/v1/organisations/{HUGE}", "org_id"),
        ("/v1/organisations/four", "org_id"),
        ("/v1/organisations/%E5%9B%9B/balances", "org_id"),
        ("/v1/organisations/4.0/entries", "org_id"),
        ("/v1/entries/0", "entry_id"),
        (f"/v1/entries/{2**63}", "entry_id"),
        (f"/v1/entries/{HUGE}", "entry_id"),
        ("/v1/programmes/Community", "programme"),
        ("/v1/programmes/%00", "programme"),
        ("/v1/programmes/" + OVERLONG, "programme"),
        ("/v1/accounts/0x1234", "address"),
        ("/v1/accounts/" + "11" * 20, "address"),
        ("/v1/accounts/0x" + "00" * 20, "address"),
        ("/v1/accounts/0x" + "1g" * 20, "address"),
        # One letter of the other case: the checksum of EIP-55 does not fit.
        ("/v1/accounts/0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"[:-1] + "D", "address"),
        ("/v1/evidence/0x1234", "commitment"),
        ("/v1/evidence/0x" + "5b" * 33, "commitment"),
        ("/v1/evidence/0x1234/content", "commitment"),
        ("/v1/status?verbose=1", "verbose"),
    ],
)
def test_route__with_a_wrong_value__names_the_field(
    client: httpx.Client, path: str, field: str
) -> None:
    assert fields(problem(client.get(path), 422)) == [field]


def test_route__with_several_wrong_values__names_them_all(client: httpx.Client) -> None:
    body = problem(client.get("/v1/organisations?limit=0&status=x&kind=A"), 422)

    assert sorted(fields(body)) == ["kind", "limit", "status"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/organisations/46",
        "/v1/organisations/4294967295",
        "/v1/organisations/46/memberships",
        "/v1/organisations/46/balances",
        "/v1/organisations/46/entries",
        "/v1/organisations/4?as_of_block=1",
        "/v1/organisations/4/balances?as_of_block=1",
        "/v1/organisations/4/entries?as_of_block=1",
        "/v1/entries/9999",
        f"/v1/entries/{2**63 - 1}",
        "/v1/entries/100?as_of_block=20",
        "/v1/programmes/nothing",
        "/v1/programmes/9",
        "/v1/programmes/community?as_of_block=0",
    ],
)
def test_thing__that_is_not_there_or_was_not_yet__is_not_found(
    client: httpx.Client, path: str
) -> None:
    body = problem(client.get(path), 404)

    assert body["code"] == "input.not_found"
    assert body["advice"]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/organisations/", "/nothing"])
def test_route__that_does_not_exist__is_a_problem_too(client: httpx.Client, path: str) -> None:
    assert problem(client.get(path), 404)["code"] == "http.not_found"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/memberships", "/v1/status", "/healthz", "/"])
def test_method__that_is_not_served__is_a_problem_that_says_what_is(
    client: httpx.Client, method: str, path: str
) -> None:
    answer = client.request(method, path)

    assert problem(answer, 405)["code"] == "http.method_not_allowed"
    assert answer.headers["allow"] == "GET, HEAD"


def test_path__of_any_length__is_not_echoed_whole(client: httpx.Client) -> None:
    body = problem(client.get("/v1/organisations/" + "9" * 30_000), 422)

    assert len(body["instance"]) < 300


def test_parameter__with_a_name_of_any_length__is_not_echoed_whole(client: httpx.Client) -> None:
    answer = client.get("/v1/organisations?" + "n" * 30_000 + "=1")

    assert fields(problem(answer, 422)) == ["n" * 200 + "…"]
    assert len(answer.content) < 2_000


@pytest.mark.parametrize("path", ROUTES)
def test_head__of_every_route__is_the_get_without_its_body(client: httpx.Client, path: str) -> None:
    got = client.get(path)
    headed = client.head(path)

    assert (headed.status_code, headed.content) == (200, b"")
    for name in ("etag", "content-type", "content-length"):
        assert headed.headers[name] == got.headers[name]
