"""Audits over HTTP: verify now, what came out, the bundle, and certificates of answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ledger.audit.certificates import read_certificate, verify_certificate
from ledger.audit.folder import AuditFolder
from ledger.audit.verify import verify_bundle
from ledger.errors import AuditRunning
from ledger.processes import wait_until
from tests.audit.conftest import POLICY, RULES, Audited, Compiled, Served, served_ledger


@pytest.fixture(scope="module")
def served(audited: Audited, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_ledger(audited, tmp_path_factory.mktemp("served")) as found:
        yield found


def begin(served: Served, **command: Any) -> httpx.Response:
    return served.client.post("/v1/audits", json=command, headers=served.officer)


def ended(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def has_ended() -> bool:
        found.update(served.client.get("/v1/audits/latest").json())
        return found["state"] in {"done", "failed"}

    assert wait_until(has_ended, seconds=90, pause=0.05), found
    return found


def taken(folder: AuditFolder) -> int:
    """The lock, once whoever ended has given it back."""
    found: list[int] = []

    def is_free() -> bool:
        try:
            found.append(folder.lock())
        except AuditRunning:
            return False
        return True

    assert wait_until(is_free, seconds=20, pause=0.01)
    return found[0]


def test_audit__before_any_was_asked_for__is_none(served: Served) -> None:
    found = served.client.get("/v1/audits/latest").json()

    assert (found["state"], found["verdict"], found["bundle"]) == ("none", None, None)
    assert served.client.get("/v1/audits/latest/bundle").status_code == 404


def test_audit__asked_for_by_an_officer__runs_once_and_leaves_verdict_and_bundle(
    served: Served, audited: Audited, tmp_path: Path
) -> None:

    rules = [json.loads(rule.to_json()) for rule in RULES]
    first = begin(served, compile=False, expiry_epochs=POLICY.epochs, share_rules=rules)
    second = begin(served, compile=False)

    assert (first.status_code, first.headers["Location"]) == (202, "/v1/audits/latest")
    assert first.json()["state"] == "running"
    assert (second.status_code, second.json()["code"]) == (409, "audit.running")
    found = ended(served)
    assert found["state"] == "done", found
    assert found["verdict"]["verdict"] == "incomplete"
    assert [each["code"] for each in found["verdict"]["findings"]] == ["code.not_compiled"]
    assert found["verdict"]["last_block"] == audited.anchor.block_number
    bundle = tmp_path / "ledger.tar"
    bundle.write_bytes(served.client.get(found["bundle"]).content)
    assert bundle.read_bytes() == audited.bundle.read_bytes()
    verdict = verify_bundle(bundle, audited.anchor, compiling=Compiled, policy=POLICY, rules=RULES)
    assert verdict.exit_code == 0


@pytest.mark.parametrize(
    "command",
    [{"share_rules": [{"a": 1}]}, {"expiry_epochs": -1}, {"compile": "yes"}, {"more": 1}],
)
def test_audit__by_policies_that_are_none__is_not_begun(served: Served, command: Any) -> None:
    before = served.client.get("/v1/audits/latest").json()

    answer = begin(served, **command)

    assert answer.status_code == 422, answer.text
    assert served.client.get("/v1/audits/latest").json() == before


def test_audit__by_rules_that_no_command_line_can_hold__is_not_begun(served: Served) -> None:
    rule = json.loads(RULES[0].to_json())
    rule["weights"] = {f"category.{number}": "1/3" for number in range(8000)}

    answer = begin(served, compile=False, share_rules=[rule])

    assert (answer.status_code, answer.json()["code"]) == (422, "input.invalid_value"), answer.text


def test_audit__whose_process_is_gone__has_failed_and_can_be_begun_again(served: Served) -> None:

    handle = taken(served.folder)
    gone = msgspec.structs.replace(
        served.folder.read(), condition="running", process=(2**22 + 1, "never")
    )
    served.folder.write(gone)
    assert begin(served).status_code == 409

    os.close(handle)

    assert served.client.get("/v1/audits/latest").json()["state"] == "failed"
    assert begin(served, compile=False).status_code == 202
    assert ended(served)["state"] == "done"


@pytest.mark.parametrize("org_id", [1, 7])
def test_certificate__of_an_organisation__proves_what_the_other_answers_say(
    served: Served, audited: Audited, tmp_path: Path, org_id: int
) -> None:
    answer = served.client.get(f"/v1/organisations/{org_id}/certificate")
    balances = served.client.get(f"/v1/organisations/{org_id}/balances").json()

    assert answer.status_code == 200, answer.text
    file = tmp_path / "certificate.json"
    file.write_bytes(answer.content)
    found = read_certificate(file)
    header, findings = verify_certificate(found, audited.anchor)
    assert findings.exit_code == 0
    assert balances["as_of"]["block_hash"] == "0x" + header.hash.hex()
    proved = {each.programme_id: each.balance for each in found.standings}
    assert balances["items"]
    for each in balances["items"]:
        assert proved[each["programme_id"]] == each["credits"]
    again = served.client.get(
        f"/v1/organisations/{org_id}/certificate", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_certificate__of_an_earlier_block__is_of_that_block(served: Served, tmp_path: Path) -> None:
    before = served.client.get("/v1/status").json()["as_of"]["block_number"] - 2
    answer = served.client.get("/v1/organisations/1/certificate", params={"as_of_block": before})

    file = tmp_path / "certificate.json"
    file.write_bytes(answer.content)
    header, findings = verify_certificate(read_certificate(file), None)
    assert header.number == before
    assert set(findings.counts) == {"anchor.none"}
    assert served.client.get("/v1/organisations/99999/certificate").status_code == 404
