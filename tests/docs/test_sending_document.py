"""docs/sending.md names tests that exist, in every row of its faults, and leaves no fault out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "sending.md").read_text("utf-8")

FAULTS = (
    "kill -9 before and after each of allocate, sign, commit, broadcast, receipt, record",
    "300 times in 1,000 intents",
    "32 senders on one key",
    "a replacement for 10 % more",
    "forgets its whole pool",
    "restarts from an older state",
    "reorganisations of 1 to 12 blocks",
    "lags behind",
    "one request 50 times at once",
    "`Idempotency-Key` 50 times",
    "a stuck transaction",
    "drops a transaction",
    "the key used elsewhere",
    "what nodes say (geth, Besu, anvil",
    "would revert",
    "in two encodings",
    "stand in it twice",
    "formula cells",
    "a million rows",
)
"""What commands must survive, in the words of the table."""


def test_document__of_sending__names_tests_that_exist() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", DOCUMENT))
    existing = {
        (path, each.name)
        for path in {path for path, _name in named}
        for each in ast.parse((ROOT / path).read_text("utf-8")).body
        if isinstance(each, ast.FunctionDef)
    }
    assert named
    assert named - existing == set()


def test_document__of_sending__has_a_test_in_every_row_of_faults() -> None:
    table = DOCUMENT.partition("| fault |")[2].partition("\n\n")[0].splitlines()[2:]
    assert table
    assert [row for row in table if "`tests/" not in row] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_document__of_sending__has_a_row_for_every_fault(fault: str) -> None:
    table = DOCUMENT.partition("| fault |")[2].partition("\n\n")[0].splitlines()
    assert [row for row in table if fault in row.partition(" | ")[0]]
