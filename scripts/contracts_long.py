"""The long checks of the contracts, one after the other. Started by `scripts/contracts-long`.

Each keeps its result in `contracts/cache/long`; once there is one of each, docs/contracts-checks.md
is written anew. Ends with 1 where a check failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bootstrap import ROOT, find_node, tool_environment

sys.path.insert(0, str(ROOT))

from contracts_report import write_report
from contracts_slither import run_slither

from ledger.chain.toolchain import find_foundry_tool
from tests.contracts.mutation.campaign import MUTANTS_A_SOURCE, as_json, run_campaign

RESULTS = ROOT / "contracts" / "cache" / "long"
SECONDS_BETWEEN_SIGNS_OF_LIFE = 60.0
PROVED = re.compile(
    r"\[(PASS|FAIL|ERROR|TIMEOUT)\]\S* (check_\w+)\(.*?paths: (\d+), time: ([\d.]+)s"
)
KILLED_AT_LEAST = 0.9


def main(arguments: Sequence[str]) -> int:
    """Run the checks that are named, or all; the exit code."""
    checks: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "forge": _forge,
        "slither": lambda _: run_slither(RESULTS),
        "halmos": _halmos,
        "mutation": _mutation,
    }
    parser = argparse.ArgumentParser(prog="scripts/contracts-long", description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(checks))
    parser.add_argument("--mutants", type=int, default=MUTANTS_A_SOURCE, help="of each source")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of mutation")
    parser.add_argument("--seed", type=int, default=1, help="of forge's invariants")
    options = parser.parse_args(arguments)
    unknown = set(options.checks) - set(checks)
    if unknown:
        parser.error(f"unknown checks: {', '.join(sorted(unknown))}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed = False
    for name, check in checks.items():
        if options.checks and name not in options.checks:
            continue
        failed |= not _run(name, check, options)
    if all(_result_file(name).is_file() for name in checks):
        results = {name: json.loads(_result_file(name).read_text()) for name in checks}
        write_report(ROOT / "docs" / "contracts-checks.md", results)
        print("  written: docs/contracts-checks.md", flush=True)
    return int(failed)


def _run(
    name: str, check: Callable[[argparse.Namespace], dict[str, Any]], options: argparse.Namespace
) -> bool:
    print(f"  {name} …", flush=True)
    started = time.monotonic()
    ended = threading.Event()

    def give_signs_of_life() -> None:
        while not ended.wait(SECONDS_BETWEEN_SIGNS_OF_LIFE):
            print(f"    {name} since {(time.monotonic() - started) / 60:.0f} min", flush=True)

    threading.Thread(target=give_signs_of_life, daemon=True).start()
    try:
        result = check(options)
    finally:
        ended.set()
    seconds = time.monotonic() - started
    result["seconds"] = round(seconds)
    result["date"] = time.strftime("%Y-%m-%d", time.gmtime())
    _result_file(name).write_text(json.dumps(result, indent=1, ensure_ascii=False))
    print(f"  {name:<24}{seconds:8.1f} s  {'ok' if result['ok'] else 'FAILED'}", flush=True)
    return bool(result["ok"])


def _forge(options: argparse.Namespace) -> dict[str, Any]:
    """Every test of forge, with the long profile."""
    done = subprocess.run(
        [find_foundry_tool("forge"), "test", "--json", "--fuzz-seed", str(options.seed)],
        cwd=ROOT,
        env=_environment(FOUNDRY_PROFILE="long"),
        capture_output=True,
        text=True,
        check=False,
    )
    suites = next((json.loads(x) for x in done.stdout.splitlines() if x.startswith("{")), {})
    tests = [
        (f"{path.rpartition('/')[2]}: {name}", test)
        for path, suite in suites.items()
        for name, test in suite["test_results"].items()
    ]
    failed = [f"{name}: {test['reason']}" for name, test in tests if test["status"] != "Success"]
    for line in failed or ([] if tests else [done.stdout[-2000:], done.stderr[-2000:]]):
        print(f"    {line}", flush=True)
    kinds = [test["kind"] for _, test in tests]
    return {
        "tool": _version(find_foundry_tool("forge")),
        "seed": options.seed,
        "unit": sum("Unit" in kind for kind in kinds),
        "fuzz": sum("Fuzz" in kind for kind in kinds),
        "fuzz_runs": sum(kind["Fuzz"]["runs"] for kind in kinds if "Fuzz" in kind),
        "invariant_calls": sum(kind["Invariant"]["calls"] for kind in kinds if "Invariant" in kind),
        "failed": failed,
        "ok": bool(tests) and not failed and done.returncode == 0,
    }


def _halmos(_: argparse.Namespace) -> dict[str, Any]:
    """The symbolic tests, each a proof for all values of its arguments."""
    programs = tool_environment("halmos")
    done = subprocess.run(
        [
            *(str(programs / "halmos"), "--root", "."),
            *("--forge-build-out", "contracts/cache/symbolic/out", "--no-status"),
            *("--solver-command", str(programs / "yices-smt2"), "--loop", "34"),
            *("--solver-timeout-assertion", "300s", "--solver-timeout-branching", "100ms"),
        ],
        cwd=ROOT,
        env=_environment(programs, FOUNDRY_PROFILE="symbolic"),
        capture_output=True,
        text=True,
        check=False,
    )
    proofs = [
        {"name": name, "result": result, "paths": int(paths), "seconds": float(seconds)}
        for result, name, paths, seconds in PROVED.findall(done.stdout)
    ]
    for proof in proofs:
        if proof["result"] != "PASS":
            print(f"    {proof['result']} {proof['name']}", flush=True)
    if not proofs:
        print(f"    {done.stdout[-2000:]}{done.stderr[-2000:]}", flush=True)
    proved = bool(proofs) and all(proof["result"] == "PASS" for proof in proofs)
    return {
        "tool": _version(programs / "halmos"),
        "proofs": proofs,
        "ok": proved and done.returncode == 0,
    }


def _mutation(options: argparse.Namespace) -> dict[str, Any]:
    """The mutation run."""
    outcomes = run_campaign(
        ROOT,
        RESULTS / "mutation",
        forge=find_foundry_tool("forge"),
        node=find_node().folder / "node",
        environment=_environment(),
        mutants=options.mutants,
        workers=options.workers,
        say=lambda line: print(line, flush=True),
    )
    killed = sum(bool(outcome.killed_by) for outcome in outcomes)
    unexplained = [o for o in outcomes if not o.killed_by and not o.why_alive]
    for outcome in unexplained:
        print(f"    unexplained: {outcome.path}:{outcome.line}: {outcome.change}", flush=True)
    return {
        "outcomes": json.loads(as_json(outcomes)),
        "ok": killed >= KILLED_AT_LEAST * len(outcomes) and not unexplained,
    }


def _environment(*programs: Path, **settings: str) -> dict[str, str]:
    """Ours, with forge, Node.js and these programs first on PATH."""
    folders = [*programs, find_foundry_tool("forge").parent, find_node().folder]
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **settings}


def _version(program: Path) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0].strip()


def _result_file(name: str) -> Path:
    return RESULTS / f"{name}.json"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
