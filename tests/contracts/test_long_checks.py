"""What `scripts/contracts-long` found is kept by parts, and what is committed is of this code."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
COMMITTED = ROOT / "docs" / "contracts-checks.md"
OUTCOME = {
    "path": "contracts/Keys.sol",
    "line": 7,
    "source_line": "return a < b;",
    "operator": "operator",
    "change": "< -> <=",
}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("contracts_results")


@pytest.fixture
def report(kept: ModuleType) -> ModuleType:
    return importlib.import_module("contracts_report")


def test_results__of_a_part_that_ended__are_there_for_the_next_run(
    kept: ModuleType, tmp_path: Path
) -> None:
    here = kept.Provenance("abc", "code")
    kept.Results(tmp_path, here).keep("forge", "invariants 1", {"ok": True}, seconds=61.4)

    found = kept.Results(tmp_path, here).of("forge")["invariants 1"]

    assert (found["ok"], found["seconds"], found["commit"]) == (True, 61, "abc")


def test_results__of_other_code__are_not_taken_for_ours(kept: ModuleType, tmp_path: Path) -> None:
    before = kept.Provenance("abc", "code")
    kept.Results(tmp_path, before).keep("forge", "unit", {"ok": True}, seconds=1)

    after = dataclasses.replace(before, code="other")

    assert kept.Results(tmp_path, after).of("forge") == {}


def test_report__of_a_run_that_was_broken_off__says_what_did_not_run(
    kept: ModuleType, report: ModuleType, tmp_path: Path
) -> None:
    results = kept.Results(tmp_path, kept.Provenance("abc", "c0de"))
    outcomes = [{**OUTCOME, "killed_by": ""}, {**OUTCOME, "killed_by": "Keys.t.sol: test_it"}]
    results.keep("mutation", "Keys", {"path": OUTCOME["path"], "outcomes": outcomes}, seconds=60)

    report.write_report(tmp_path / "report.md", results)

    written = (tmp_path / "report.md").read_text("utf-8")
    assert "`c0de`" in written
    assert "1 min, on `abc`" in written
    assert "## Slither: not run on this code" in written
    assert "## Mutation: 1 of 2 killed, 50.0 %, not finished" in written
    assert "| `contracts/Keys.sol` | 2 | 1 |" in written
    assert "| `contracts/Credits.sol` | not run on this code |  |" in written
    assert "| `Keys.sol` `return a < b;` | `< -> <=` | not explained |" in written


def test_report__committed__is_of_the_code_that_is_deployed(kept: ModuleType) -> None:
    said = re.search(r"of the code `([0-9a-f]+)`", COMMITTED.read_text("utf-8"))

    assert said is not None
    assert said[1] == kept.code_digest(ROOT), (
        "the contracts' code has changed since scripts/contracts-long last checked it"
    )
