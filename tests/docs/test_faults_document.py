"""The list of faults names tests that exist, and every test of tests/faults is in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"


def named() -> set[str]:
    """The tests that the document names."""
    return set(re.findall(r"`(tests/[\w/]+\.py::test_\w+)`", DOCUMENT.read_text("utf-8")))


def contained_in(path: Path) -> set[str]:
    """The tests of a file, as the document names them."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = (each for each in tree.body if isinstance(each, ast.FunctionDef))
    name = path.relative_to(ROOT).as_posix()
    return {f"{name}::{each.name}" for each in functions if each.name.startswith("test_")}


def test_document__of_faults__names_tests_that_exist() -> None:
    files = {name.partition("::")[0] for name in named()}
    existing = {test for file in files for test in contained_in(ROOT / file)}
    assert named() - existing == set()


def test_document__of_faults__names_every_test_of_faults() -> None:
    every = {
        test for path in (ROOT / "tests/faults").glob("test_*.py") for test in contained_in(path)
    }
    assert every - named() == set()


def test_document__of_faults__has_a_test_in_every_row() -> None:
    rows = [
        line
        for line in DOCUMENT.read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| fault", "| ---"))
    ]
    assert [row for row in rows if "`tests/" not in row] == []
