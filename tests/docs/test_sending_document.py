"""docs/sending.md names tests that exist, and has one in every row of its faults."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "sending.md").read_text("utf-8")


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
