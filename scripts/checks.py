"""Runs every check of the repository, the tests last. Started by `scripts/test` in `.venv`.

Every check is run and reported even where an earlier one failed; the first failure decides the exit
code. Nothing is printed after pytest's closing line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bootstrap import ROOT, VENV, compiling_once, find_node

from ledger.chain.toolchain import find_foundry_tool

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: Sequence[str]) -> int:
    """Run all checks, or with arguments pytest alone; the exit code."""
    pytest = [str(VENV / "bin" / "python"), "-m", "pytest"]
    if arguments:
        return subprocess.run(
            [*pytest, *arguments], cwd=ROOT, env=_environment(), check=False
        ).returncode
    _install_system_packages()
    # The compiler of the contracts uses one core; the other checks are done beside it.
    lanes = _lanes()
    with ThreadPoolExecutor(len(lanes)) as pool:
        codes = [code for done in pool.map(_check_all, lanes) for code in done]
    print(flush=True)
    # Two for a processor: many tests wait, for a disk, a browser or a process that was killed.
    workers = str(2 * min(os.cpu_count() or 2, 4))
    tests = subprocess.run(
        [*pytest, "-n", workers, "--dist", "worksteal"], cwd=ROOT, env=_environment(), check=False
    )
    return next((code for code in [*codes, tests.returncode] if code), 0)


def _lanes() -> list[list[tuple[str, list[str]]]]:
    """Checks, each a name and a command, in lanes that are run side by side."""
    programs = VENV / "bin"
    return [
        [("contracts", [str(find_foundry_tool("forge")), "test"])],
        [
            ("style", [str(programs / "ruff"), "check", "."]),
            ("format", [str(programs / "ruff"), "format", "--check", "."]),
            ("types", [str(programs / "mypy")]),
            ("imports", [str(programs / "lint-imports"), "--no-cache"]),
        ],
    ]


def _check_all(lane: Sequence[tuple[str, Sequence[str]]]) -> list[int]:
    return [_check(name, command) for name, command in lane]


def _check(name: str, command: Sequence[str]) -> int:
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    result = "ok" if done.returncode == 0 else "FAILED"
    told = [f"  {name:<24}{time.monotonic() - started:6.1f} s  {result}"]
    if done.returncode != 0:
        told += [f"    {line}" for line in done.stdout.splitlines()]
    print("\n".join(told), flush=True)
    return done.returncode


def _environment() -> dict[str, str]:
    """Ours, with `.venv` and Node.js first on PATH: forge starts the compiler through it."""
    path = [str(VENV / "bin"), str(find_node().folder), os.environ.get("PATH", os.defpath)]
    return {**compiling_once(), "PATH": os.pathsep.join(path)}


def _install_system_packages() -> None:
    """Programs that come from no package index: only as root, and only where they are missing."""
    missing = []
    if not any(shutil.which(name) for name in BROWSERS):
        missing.append("chromium")
    if not _has_chinese_font():
        missing.append("fonts-noto-cjk")
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and not shutil.which("initdb"):
        missing.append("postgresql")
    if not missing:
        return
    names = ", ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"  Not on this machine: {names}. Tests that need them are skipped.", flush=True)
        return
    started = time.monotonic()
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *missing],
    ):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    print(f"  {'system packages':<24}{seconds:6.1f} s  {names}", flush=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        print(f"    apt-get failed: {''.join(said)}", flush=True)


def _has_chinese_font() -> bool:
    lister = shutil.which("fc-list")
    if lister is not None:
        listed = subprocess.run([lister, ":lang=zh"], capture_output=True, text=True, check=False)
        return bool(listed.stdout.strip())
    return any(Path("/usr/share/fonts").rglob("*CJK*"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
