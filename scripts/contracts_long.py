"""The long checks of the contracts. Started by `scripts/contracts-long`.

Each part's result is kept in `contracts/cache/long` as it ends. docs/contracts-checks.md is written
from what is kept: after a run of all checks, also where it was broken off, and on `--report`. Ends
with 1 where a check failed.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from bootstrap import ROOT, TOOLS, find_node, tool_environment

sys.path.insert(0, str(ROOT))

from contracts_forge import run_forge, version, with_programs
from contracts_report import write_report
from contracts_results import Results, provenance
from contracts_slither import run_slither

from ledger.chain.toolchain import find_foundry_tool
from tests.contracts.mutation.campaign import (
    MUTANTS_A_SOURCE,
    SOURCES,
    Outcome,
    explanations,
    run_campaign,
)

FOLDER = ROOT / "contracts" / "cache" / "long"
WORKSHOP = TOOLS / "long"  # copies of the contracts, where forge does not take them for ours
REPORT = ROOT / "docs" / "contracts-checks.md"
SECONDS_BETWEEN_SIGNS_OF_LIFE = 60.0
PROVED = re.compile(
    r"\[(PASS|FAIL|ERROR|TIMEOUT)\]\S* (check_\w+)\(.*?paths: (\d+), time: ([\d.]+)s"
)
KILLED_AT_LEAST = 0.9


def main(arguments: Sequence[str]) -> int:
    """Run the checks that are named, or all; the exit code."""
    options = _parse(arguments)
    results = Results(FOLDER, provenance())
    signal.signal(signal.SIGTERM, _break_off)
    failed = False
    try:
        for name in [] if options.report else options.checks or list(CHECKS):
            if not options.resume:
                results.forget(name)
            failed |= not _run(name, options, results)
    finally:
        if options.report or not options.checks:
            write_report(REPORT, results)
            _say(f"  written: {REPORT.relative_to(ROOT).as_posix()}")
    return int(failed)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/contracts-long", description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--resume", action="store_true", help="run only what has not passed yet")
    parser.add_argument("--report", action="store_true", help="run nothing, write the report")
    parser.add_argument("--mutants", type=int, default=MUTANTS_A_SOURCE, help="of each source")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="side by side")
    parser.add_argument("--seed", type=int, default=1, help="of forge's first part")
    options = parser.parse_args(arguments)
    unknown = set(options.checks) - set(CHECKS)
    if unknown:
        parser.error(f"unknown checks: {', '.join(sorted(unknown))}")
    return options


def _run(name: str, options: argparse.Namespace, results: Results) -> bool:
    _say(f"  {name} …")
    started = time.monotonic()
    ended = threading.Event()

    def give_signs_of_life() -> None:
        while not ended.wait(SECONDS_BETWEEN_SIGNS_OF_LIFE):
            _say(f"    {name} since {(time.monotonic() - started) / 60:.0f} min")

    threading.Thread(target=give_signs_of_life, daemon=True).start()
    try:
        passed = CHECKS[name](options, results)
    finally:
        ended.set()
    _say(f"  {name:<24}{time.monotonic() - started:8.1f} s  {'ok' if passed else 'FAILED'}")
    return passed


def _forge(options: argparse.Namespace, results: Results) -> bool:
    return run_forge(results, seed=options.seed, workers=options.workers, say=_say)


def _slither(_: argparse.Namespace, results: Results) -> bool:
    return _keep_whole("slither", results, lambda: run_slither(WORKSHOP / "slither"))


def _halmos(_: argparse.Namespace, results: Results) -> bool:
    return _keep_whole("halmos", results, _prove)


def _keep_whole(name: str, results: Results, check: Callable[[], dict[str, Any]]) -> bool:
    """A check of one part, unless it has passed already."""
    if results.of(name).get("all", {}).get("ok"):
        return True
    started = time.monotonic()
    result = check()
    results.keep(name, "all", result, seconds=time.monotonic() - started)
    return bool(result["ok"])


def _prove() -> dict[str, Any]:
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
        env=with_programs(programs, FOUNDRY_PROFILE="symbolic"),
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
            _say(f"    {proof['result']} {proof['name']}")
    if not proofs:
        _say(f"    {done.stdout[-2000:]}{done.stderr[-2000:]}")
    proved = bool(proofs) and all(proof["result"] == "PASS" for proof in proofs)
    return {
        "tool": version(programs / "halmos"),
        "proofs": proofs,
        "ok": proved and done.returncode == 0,
    }


def _mutation(options: argparse.Namespace, results: Results) -> bool:
    """The mutation run, a part each source."""
    kept = results.of("mutation")
    paths = [path for path in SOURCES if Path(path).stem not in kept]

    def keep(path: str, outcomes: list[Outcome], seconds: float) -> None:
        tested = {"path": path, "outcomes": [asdict(outcome) for outcome in outcomes]}
        results.keep("mutation", Path(path).stem, tested, seconds=seconds)

    run_campaign(
        ROOT,
        WORKSHOP / "mutation",
        forge=find_foundry_tool("forge"),
        node=find_node().folder / "node",
        environment=with_programs(),
        paths=paths,
        keep=keep,
        mutants=options.mutants,
        workers=options.workers,
        say=_say,
    )
    outcomes = [o for source in results.of("mutation").values() for o in source["outcomes"]]
    alive = [outcome for outcome in outcomes if not outcome["killed_by"]]
    explained = explanations()
    unexplained = [o for o in alive if (o["path"], o["source_line"], o["change"]) not in explained]
    for outcome in unexplained:
        _say(f"    unexplained: {outcome['path']}:{outcome['line']}: {outcome['change']}")
    return len(alive) <= (1 - KILLED_AT_LEAST) * len(outcomes) and not unexplained


# The short ones first.
CHECKS: dict[str, Callable[[argparse.Namespace, Results], bool]] = {
    "slither": _slither,
    "halmos": _halmos,
    "mutation": _mutation,
    "forge": _forge,
}


def _break_off(_signal: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
