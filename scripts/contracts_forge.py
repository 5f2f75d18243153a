"""Runs forge's tests with the long profile, in parts that are kept one by one.

The invariants' million commands are given in parts, each from a ledger and with a seed of its own,
so that they can be broken off and gone on with, and run beside each other.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap import ROOT, find_node
from contracts_results import Results

from ledger.chain.toolchain import find_foundry_tool

TESTS = ROOT / "tests" / "contracts"
INVARIANT_PARTS = 16  # of 65,536 commands each: foundry.toml, profile.long.invariant
FUZZ, INVARIANT = "testFuzz", "invariant_"


@dataclass(frozen=True, slots=True)
class Part:
    """Tests that are run together, and the seed that they are run with."""

    name: str
    chosen: Sequence[str]
    seed: int


def forge_parts(seed: int) -> Iterator[Part]:
    """All tests, each in one part; the invariants in each of theirs."""
    yield Part("unit", ("--no-match-test", f"^({FUZZ}|{INVARIANT})"), seed)
    for number in range(seed, seed + INVARIANT_PARTS):
        yield Part(f"invariants {number}", ("--match-test", f"^{INVARIANT}"), number)
    for path in sorted(TESTS.glob("*.t.sol")):
        if f"function {FUZZ}" in path.read_text("utf-8"):
            place = path.relative_to(ROOT).as_posix()
            name = path.name.partition(".")[0]
            yield Part(f"fuzz {name}", ("--match-path", place, "--match-test", f"^{FUZZ}"), seed)


def run_forge(results: Results, *, seed: int, workers: int, say: Callable[[str], None]) -> bool:
    """Run the parts that have not passed yet; whether all have now."""
    forge, environment = find_foundry_tool("forge"), with_programs(FOUNDRY_PROFILE="long")
    subprocess.run([forge, "build"], cwd=ROOT, env=environment, capture_output=True, check=True)
    kept = {name for name, part in results.of("forge").items() if part["ok"]}
    tool = version(forge)

    def run_part(part: Part) -> bool:
        started = time.monotonic()
        result = {"tool": tool, **_test(forge, part, environment)}
        seconds = time.monotonic() - started
        results.keep("forge", part.name, result, seconds=seconds)
        verdict = "ok" if result["ok"] else "FAILED"
        say("\n".join([f"    {part.name:<28}{seconds:8.0f} s  {verdict}", *result["failed"]]))
        return bool(result["ok"])

    pool = ThreadPoolExecutor(workers)
    try:
        wanted = [part for part in forge_parts(seed) if part.name not in kept]
        passed = [one.result() for one in [pool.submit(run_part, part) for part in wanted]]
    finally:
        pool.shutdown(cancel_futures=True)
    return all(passed)


def _test(forge: Path, part: Part, environment: Mapping[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [
            *(str(forge), "test", "--json", "--threads", "1"),
            *("--fuzz-seed", str(part.seed), *part.chosen),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        raise RuntimeError(f"forge was broken off by signal {-done.returncode}: {part.name}")
    suites = next((json.loads(x) for x in done.stdout.splitlines() if x.startswith("{")), {})
    tests = [
        (f"{path.rpartition('/')[2]}: {name}", test)
        for path, suite in suites.items()
        for name, test in suite["test_results"].items()
    ]
    failed = [f"{name}: {test['reason']}" for name, test in tests if test["status"] != "Success"]
    if not tests:
        raise RuntimeError(f"forge ran nothing: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    ok = not failed and done.returncode == 0
    kinds = [test["kind"] for _, test in tests]
    return {
        "seed": part.seed,
        "unit": sum("Unit" in kind for kind in kinds),
        "fuzz": sum("Fuzz" in kind for kind in kinds),
        "fuzz_runs": sum(kind["Fuzz"]["runs"] for kind in kinds if "Fuzz" in kind),
        "invariant_calls": sum(kind["Invariant"]["calls"] for kind in kinds if "Invariant" in kind),
        "failed": failed,
        "ok": ok,
    }


def with_programs(*programs: Path, **settings: str) -> dict[str, str]:
    """Our environment, with forge, Node.js and these programs first on PATH."""
    folders = [*programs, find_foundry_tool("forge").parent, find_node().folder]
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **settings}


def version(program: Path) -> str:
    """The first line of what a program says of itself."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0].strip()
