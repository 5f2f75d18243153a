"""The house is as the design draws it: who imports whom, what stands where, what locks may say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ledger", "api")


def _tracked_files(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *patterns],
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def _modules() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def test_imports__of_every_module__point_downwards() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module__says_what_it_is_for(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))

    assert ast.get_docstring(tree), "a module opens with why it exists"


def test_folders__have_names_that_say_something() -> None:
    vague = re.compile(r"(?:^|_)(?:utils?|helpers?|common|misc|managers?)(?:$|_)")

    found = [
        path
        for path in _modules()
        if any(vague.search(part) for part in (path.stem, path.parent.name))
    ]

    assert found == []


def test_top_level__holds_what_the_design_fixes() -> None:
    fixed = {"contracts", "ledger", "api", "scripts", "tests"}

    assert all((ROOT / name).is_dir() for name in fixed)
    assert (ROOT / "hardhat-free-devnet.md").is_file()
    assert (ROOT / "pyproject.toml").is_file()


def test_lock_files__name_no_host() -> None:
    locks = _tracked_files("package-lock.json", "requirements/*.txt", ".npmrc")
    assert locks

    # npm keeps a package's own funding page; nothing is fetched from there.
    lines = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in locks
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if "://" in line and '"url": "https://' not in line
    ]

    assert lines == []


def test_environment__is_read_by_config_alone() -> None:
    readers = re.compile(r"\bos\.environ\b|\bos\.getenv\b|\bgetenv\(")

    found = {
        str(path.relative_to(ROOT))
        for path in _modules()
        if readers.search(path.read_text("utf-8"))
    }

    # Starting a program hands it our own environment on; that reads no setting.
    assert found <= {"ledger/config.py", "ledger/processes.py", "ledger/chain/toolchain.py"}
