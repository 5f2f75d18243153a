"""The OpenAPI document is valid, complete, and true: answers and problems are what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api.app import create_app
from tests.http.conftest import Ledger
from tests.http.facts import LAST_BLOCK
from tests.http.json_schema import objections


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> Any:
    """The document as it is served."""
    return client.get("/openapi.json").json()


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def refs(value: Any) -> set[str]:
    """Every reference in a part of the document."""
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(refs(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(refs(each) for each in value))
    return set()


def test_document__is_valid_and_its_references_lead_somewhere(document: Any) -> None:
    OpenAPI.model_validate(document)

    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Moonlake"
    for ref in refs(document):
        name = ref.removeprefix("#/components/schemas/")
        assert name in document["components"]["schemas"], ref


def test_document__says_that_head_is_answered__and_it_is(
    client: httpx.Client, document: Any
) -> None:
    assert "answers HEAD too" in document["info"]["description"]
    for path, methods in document["paths"].items():
        if "{" in path or "get" not in methods or path in {"/v1/stream", "/v1/sign-in/nonce"}:
            continue  # a stream does not end, and a nonce is another each time
        got, asked = client.get(path), client.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b""), path
        for name in ("content-type", "content-length", "etag", "cache-control", "link"):
            assert asked.headers.get(name) == got.headers.get(name), path


def test_document__lists_every_route_that_is_served(ledger: Ledger, document: Any) -> None:
    app = create_app(ledger.settings)
    served = {
        context.path
        for context in iter_route_contexts(app.routes)
        if isinstance(getattr(context, "route", context), APIRoute)
        and getattr(getattr(context, "route", context), "include_in_schema", True)
    }

    assert served >= set(document["paths"])
    assert {path for path in served if path.startswith("/v1")} <= set(document["paths"])
    assert {
        "/healthz",
        "/readyz",
        "/v1/status",
        "/v1/programmes",
        "/v1/programmes/{programme}",
        "/v1/programmes/{programme}/categories",
        "/v1/programmes/{programme}/epochs",
        "/v1/organisations",
        "/v1/organisations/{org_id}",
        "/v1/organisations/{org_id}/memberships",
        "/v1/organisations/{org_id}/balances",
        "/v1/organisations/{org_id}/entries",
        "/v1/memberships",
        "/v1/tokens/contract",
        "/v1/tokens/{token_id}",
        "/v1/tokens/{token_id}/image.svg",
        "/v1/memberships/{token_id}/credential",
        "/v1/memberships/{token_id}/credential.jwt",
        "/v1/programmes/{programme}/credential-status/{number}",
        "/.well-known/did.json",
        "/.well-known/jwks.json",
        "/v1/entries",
        "/v1/entries/{entry_id}",
        "/v1/rankings",
        "/v1/accounts/{address}",
        "/v1/evidence/{commitment}",
        "/v1/evidence/{commitment}/content",
        "/v1/organisations/{org_id}/memberships/{programme}/history",
        "/v1/organisations/{org_id}/statement.csv",
        "/v1/organisations/{org_id}/statement.xlsx",
        "/v1/sign-in/nonce",
        "/v1/sessions",
        "/v1/session",
        "/v1/api-keys",
        "/v1/api-keys/{prefix}",
        "/v1/access-log",
        "/v1/operations",
        "/v1/operations/{operation_id}",
        "/v1/stream",
        "/v1/awards",
        "/v1/reversals",
        "/v1/admissions",
        "/v1/renewals",
        "/v1/tier-changes",
        "/v1/recoveries",
        "/v1/objections",
        "/v1/recovery-withdrawals",
        "/v1/recovery-completions",
        "/v1/retirements",
        "/v1/mergers",
        "/v1/successions",
        "/v1/carry-overs",
        "/v1/organisations/{org_id}/history",
        "/v1/suspensions",
        "/v1/resumptions",
        "/v1/revocations",
        "/v1/declines",
        "/v1/budgets",
        "/v1/appointments",
        "/v1/dismissals",
        "/v1/audits",
        "/v1/audits/latest",
        "/v1/audits/latest/bundle",
        "/v1/organisations/{org_id}/certificate",
        "/v1/pauses",
        "/v1/pause-ends",
        "/v1/programme-profiles",
        "/v1/supply-caps",
        "/v1/approval-rules",
        "/v1/tiers",
        "/v1/tier-openings",
        "/v1/tier-closings",
        "/v1/category-openings",
        "/v1/category-closings",
        "/v1/epoch-boundaries",
        "/v1/category-budgets",
        "/v1/officers",
        "/v1/benefits",
        "/v1/benefits/{listing_id}",
        "/v1/benefits/{listing_id}/redemptions",
        "/v1/benefits/{listing_id}/preview",
        "/v1/benefit-closings",
        "/v1/redemptions",
        "/v1/redemptions/{redemption_id}",
        "/v1/organisations/{org_id}/redemptions",
        "/v1/fulfilments",
        "/v1/refunds",
        "/v1/shares",
        "/v1/shares/{distribution_id}",
        "/v1/shares/{distribution_id}/entitlements",
        "/v1/shares/{distribution_id}/entitlements/{org_id}",
        "/v1/organisations/{org_id}/shares",
        "/v1/share-withdrawals",
        "/v1/claims",
        "/v1/expiries",
        "/v1/organisations/{org_id}/expiries",
        "/v1/proposals",
        "/v1/proposals/{proposal_id}",
        "/v1/approvals",
        "/v1/executions",
        "/v1/proposal-cancellations",
        "/v1/typed-data",
        "/v1/signed-messages",
        "/v1/evidence",
        "/v1/applications",
        "/v1/applications/{application_id}",
        "/v1/applications/{application_id}/accounts",
        "/v1/applications/{application_id}/answers",
        "/v1/applications/{application_id}/consent-message",
        "/v1/applications/{application_id}/consents",
        "/v1/applications/{application_id}/documents",
        "/v1/applications/{application_id}/documents/{commitment}",
        "/v1/applications/{application_id}/forms",
        "/v1/applications/{application_id}/links",
        "/v1/applications/{application_id}/questions",
        "/v1/applications/{application_id}/send-backs",
        "/v1/applications/{application_id}/withdrawals",
        "/v1/invitations",
        "/v1/recommendations",
        "/v1/confirmations",
        "/v1/decisions",
        "/v1/decisions/{decision_id}",
        "/v1/organisations/{org_id}/profile",
        "/v1/organisations/{org_id}/profiles",
        "/v1/organisations/{org_id}/contacts",
        "/v1/organisations/{org_id}/export",
        "/v1/organisations/{org_id}/erasures",
        "/v1/unsubscriptions/{token}",
        "/v1/webhooks",
        "/v1/webhooks/{webhook_id}",
        "/v1/webhooks/{webhook_id}/secrets",
        "/v1/webhooks/{webhook_id}/disablements",
        "/v1/webhooks/{webhook_id}/enablements",
        "/v1/webhooks/{webhook_id}/deliveries",
        "/v1/webhooks/{webhook_id}/replays",
        "/v1/webhooks/{webhook_id}/tests",
    } == set(document["paths"])


def test_operations__have_stable_names_tags_words_and_problems(document: Any) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    names = []
    for path, method, operation in operations(document):
        names.append(operation["operationId"])
        verbs = {"get": "get|list", "post": "create", "delete": "delete"}
        assert re.fullmatch(rf"({verbs[method]})[A-Z]\w+", operation["operationId"])
        assert set(operation["tags"]) <= tags
        assert operation["description"]
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])
        for status, response in operation["responses"].items():
            assert response["description"]
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
        if path.startswith("/v1"):
            assert {"422", "500", "503"} <= set(operation["responses"])
        if "304" in operation["responses"]:
            assert "ETag" in operation["responses"]["200"]["headers"]
        if method != "get" and path != "/v1/sessions":
            assert {"401", "403"} <= set(operation["responses"])
        if "{" in path and "accounts" not in path:
            assert "404" in operation["responses"]
        if any(each["name"] == "cursor" for each in operation.get("parameters", ())):
            assert "400" in operation["responses"]
            assert "Link" in operation["responses"]["200"]["headers"]
    assert len(names) == len(set(names))


def unbounded(document: Any, schema: Any, at: str, seen: frozenset[str]) -> Iterator[str]:
    """The lists of an answer that may have any number of items."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in seen:
            return
        seen, schema = seen | {name}, document["components"]["schemas"][name]
    if schema.get("type") == "array":
        if "maxItems" not in schema:
            yield at
        yield from unbounded(document, schema["items"], f"{at}[]", seen)
    for name, each in schema.get("properties", {}).items():
        yield from unbounded(document, each, f"{at}.{name}", seen)
    for each in schema.get("anyOf", ()):
        yield from unbounded(document, each, at, seen)


WHOLE = "/v1/organisations/{org_id}/certificate"
"""A proof has all of its parts or is none."""


def test_lists__in_whatever_is_read__have_a_bound(document: Any) -> None:
    found = [
        each
        for path, method, operation in operations(document)
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        for each in unbounded(document, content.get("schema", {}), path, frozenset())
        if method == "get" and path != WHOLE and not each.endswith(".errors")
    ]
    assert found == []


def test_reads__have_a_tag_or_are_kept_by_nobody(
    client: httpx.Client, ledger: Ledger, document: Any
) -> None:
    tagged = 0
    for path, method, operation in operations(document):
        if method != "get" or path == "/v1/stream" or "502" in operation["responses"]:
            continue
        answer = client.get(asked(path, operation, ledger))
        is_tagged = "304" in operation["responses"]
        assert ("etag" in answer.headers) == (is_tagged and answer.status_code == 200), path
        assert (answer.headers["cache-control"] == "no-store") == ("etag" not in answer.headers)
        if is_tagged and answer.headers["content-type"] == "application/json":
            assert answer.json()["as_of"]["block_number"] == LAST_BLOCK, path
        elif is_tagged and "/statement." in path:
            assert answer.headers["as-of-block"] == str(LAST_BLOCK), path
        tagged += is_tagged
    assert tagged > 40


def test_routes__with_a_cursor__have_a_limit_and_answer_what_follows(document: Any) -> None:
    for path, _, operation in operations(document):
        names = {each["name"] for each in operation.get("parameters", ())}
        if names & {"cursor", "limit"}:
            assert "limit" in names, path
            assert names & {"cursor", "before"}, path
            assert "Link" in operation["responses"]["200"]["headers"], path


def test_schemas__have_plain_names(document: Any) -> None:
    names = set(document["components"]["schemas"])

    assert not any(name.endswith("View") or "_" in name for name in names)
    assert {"Organisation", "OrganisationsPage", "Membership", "Entry", "Problem"} <= names
    assert "HTTPValidationError" not in names


def asked(path: str, operation: Any, ledger: Ledger) -> str:
    """The route's path with the examples that the document gives for it."""
    if "{commitment}" in path:
        return path.replace("{commitment}", "0x" + ledger.seeded.evidence[0].hex())
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            value = parameter["schema"]["examples"][0]
            path = path.replace("{" + parameter["name"] + "}", str(value))
    needed = [
        f"{each['name']}={each['schema']['examples'][0]}"
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each["required"]
    ]
    return path + ("?" + "&".join(needed) if needed else "")


def test_answers__to_the_examples__are_as_declared(
    client: httpx.Client, ledger: Ledger, document: Any
) -> None:
    for path, method, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {})
        if method != "get" or "application/json" not in content or "401" in operation["responses"]:
            continue
        if "502" in operation["responses"]:
            continue  # it asks a node, which this ledger has not; tests/audit has one
        if operation["tags"] == ["credentials"]:
            continue  # they need an issuer's key, which test_credentials has
        answer = client.get(asked(path, operation, ledger))
        assert answer.status_code == 200, answer.text
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert objections(document, schema, answer.json()) == []


def test_examples__of_optional_filters__are_accepted(
    client: httpx.Client, ledger: Ledger, document: Any
) -> None:
    tried = 0
    for path, method, operation in operations(document):
        if method != "get" or path == "/v1/stream":
            continue
        for parameter in operation.get("parameters", ()):
            examples = parameter["schema"].get("examples") or [None]
            if parameter["in"] != "query" or examples[0] is None:
                continue
            if "401" in operation["responses"]:
                continue
            url = asked(path, operation, ledger)
            query = {**httpx.URL(url).params, parameter["name"]: examples[0]}
            path_alone = url.partition("?")[0]
            answer = client.get(path_alone, params=query)
            assert answer.status_code == 200, (path, parameter["name"], answer.text)
            tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/entries?limit=0", "/v1/organisations/99", "/v1/entries?cursor=x"]
)
def test_problems__are_as_declared(client: httpx.Client, document: Any, path: str) -> None:
    schema = {"$ref": "#/components/schemas/Problem"}

    assert objections(document, schema, client.get(path).json()) == []


def test_checker__of_schemas__objects_to_what_does_not_fit(document: Any) -> None:
    schema = {"$ref": "#/components/schemas/AsOf"}
    good = {"block_number": 1, "block_hash": "0x" + "ab" * 32, "timestamp": "2026-01-01T00:00:00Z"}

    assert objections(document, schema, good) == []
    for changed in (
        {"block_number": "1"},
        {"block_number": -1},
        {"block_hash": "0x"},
        {"timestamp": None},
        {"more": 1},
    ):
        assert objections(document, schema, {**good, **changed})
    assert objections(document, schema, {})


def test_types_for_typescript__are_served(client: httpx.Client) -> None:
    answer = client.get("/openapi.d.ts")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "export interface paths" in answer.text
