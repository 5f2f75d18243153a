"""Thousands of requests made from the OpenAPI, by every kind of caller: no server error, no answer
that the document does not declare.

`MOONLAKE_TEST_FUZZ=10000` is the long form; a short one is in every run. Both databases.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from tests.http.fuzz import Fuzzer, Made
from tests.http.json_schema import objections
from tests.http.test_rights import ROLES, House
from tests.http.test_rights import house as house  # noqa: PLC0414  the fixture

COUNT = int(os.environ.get("MOONLAKE_TEST_FUZZ", "600"))
MINE = {"issuer", "registrar", "treasurer", "council", "admin", "member", "stranger"}

# The server of these tests has no key, so that a command that all allows ends here.
NO_KEY = "access.server_cannot_sign"
NO_LEDGER = "setup.not_deployed"
"""No ledger is deployed behind this server, so that nothing of it can be proved."""


def known(house: House) -> dict[str, list[Any]]:
    """Values that the ledger has, by the names of fields and parameters."""
    community = [each["entry_id"] for each in house.ledger.seeded.entries[:40]]
    return {
        "org_id": [1, 4, 17, 28, 45, 46],
        "organisation": [1, 4, 17, 45],
        "organisations": [4, 17],
        "entry_id": community,
        "entries": community,
        "programme": ["community", "alliance", "fund-group", "1", "2", "9"],
        "as_of_block": [0, 1, 60, 120, 121],
        "commitment": ["0x" + each.hex() for each in house.ledger.seeded.evidence[:3]],
        "category": ["satellite.manufacture", "data.acquire"],
        "token_id": [8589934596, 4294967297],
        "listing": [1, 2, 3],
        "listing_id": [1, 2, 3],
        "redemption": [1, 2, 3, 4],
        "redemptions": [1, 2, 3],
        "redemption_id": [1, 2, 3, 4],
        "distribution": [1, 2],
        "distribution_id": [1, 2],
        "proposal": [1, 2, 3, 4],
        "proposal_id": [1, 2, 3, 4],
        "council": ["community", "0", "alliance"],
    }


def test_requests__made_from_the_document__are_answered_as_it_says(house: House) -> None:
    document = house.client.get("/openapi.json").json()
    roles = [(role, house.headers(role)) for role in ROLES]
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    for number, made in enumerate(Fuzzer(document, known(house), seed=7).requests(COUNT)):
        role, headers = roles[number // 7 % len(roles)]
        headers = {name: value for name, value in headers.items() if name != "Idempotency-Key"}
        answer = house.client.request(
            made.method, made.path, headers={**headers, **made.headers}, content=made.content
        )
        statuses[answer.status_code] += 1
        faults += [f"{role} {made}: {fault}" for fault in _faults(document, made, answer)]
    assert faults == []
    assert sum(statuses.values()) == COUNT
    # They reach what they are meant to: good answers, refusals, and what is not there.
    assert {200, 401, 403, 404, 422} <= set(statuses), statuses


def _faults(document: Any, made: Made, answer: Any) -> list[str]:
    """What is wrong with an answer."""
    status = answer.status_code
    kind = answer.headers.get("content-type", "")
    if status >= 500:
        code = answer.json().get("code") if "json" in kind else ""
        return [] if code in {NO_KEY, NO_LEDGER} else [f"{status} {answer.text[:300]}"]
    declared = _operation(document, made.operation_id)["responses"]
    if str(status) not in declared:
        # A path whose place was filled so that it leads elsewhere, or to nothing at all, and a
        # body that is no JSON, are HTTP's own refusals.
        return [] if status in {400, 404, 405, 307} else [f"{status} is not declared"]
    if status == 304:
        return [] if not answer.content else ["a body with 304"]
    if status >= 400:
        schema: Any = {"$ref": "#/components/schemas/Problem"}
        if kind != "application/problem+json":
            return [f"{status} as {kind}"]
        return objections(document, schema, answer.json())
    content = declared[str(status)].get("content", {}).get("application/json")
    if content is None or kind != "application/json":
        return []
    return objections(document, content["schema"], answer.json())


def _operation(document: Any, operation_id: str) -> Any:
    return next(
        operation
        for methods in document["paths"].values()
        for operation in methods.values()
        if operation["operationId"] == operation_id
    )


def test_generator__of_the_same_seed__makes_the_same_requests(house: House) -> None:
    document = house.client.get("/openapi.json").json()

    one, two = (list(Fuzzer(document, known(house), seed=3).requests(100)) for _ in range(2))

    assert one == two
    assert len({each.operation_id for each in one}) > 30


def test_checker__of_answers__objects_to_what_is_not_declared(house: House) -> None:
    document = house.client.get("/openapi.json").json()
    made = Made("getStatus", "GET", "/v1/status", {}, None)
    good = house.client.get("/v1/status")
    assert _faults(document, made, good) == []

    class Other:
        def __init__(self, status: int, body: Any) -> None:
            self.status_code, self.text, self.content = status, str(body), b"x"
            self.headers = {"content-type": "application/json"}
            self.json = lambda: body

    for status, body in ((200, {}), (500, {"code": "x"}), (418, {}), (422, {}), (304, {})):
        assert _faults(document, made, Other(status, body)), status
