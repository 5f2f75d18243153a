"""Writes docs/contracts-checks.md from the results of the long checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = """# The contracts' long checks: the last run

Written by `scripts/contracts-long`, which runs them all in environments of their own; with a name
(`scripts/contracts-long slither`) one of them. `scripts/test` runs the short ones. Answers and
explanations are kept beside the tests: `tests/contracts/slither.json` and
`tests/contracts/mutation/survivors.json`. A finding without an answer, or a survivor without an
explanation, fails the run.
"""


def write_report(path: Path, results: Mapping[str, Any]) -> None:
    """Write the report of one result of each check."""
    path.parent.mkdir(exist_ok=True)
    parts = [
        HEAD,
        *_forge(results["forge"]),
        *_slither(results["slither"]),
        *_halmos(results["halmos"]),
        *_mutation(results["mutation"]),
    ]
    path.write_text("\n".join(parts) + "\n", "utf-8")


def _forge(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Forge, with the long profile: {_verdict(result)}\n"
    yield _table(
        ("what", "figure"),
        [
            ("program", result["tool"]),
            ("unit tests", f"{result['unit']:,}"),
            ("fuzz tests", f"{result['fuzz']:,}"),
            ("their runs in all", f"{result['fuzz_runs']:,}"),
            ("commands given by the stateful invariants", f"{result['invariant_calls']:,}"),
            ("failed", ", ".join(result["failed"]) or "none"),
            ("seed, date, time", f"{result['seed']}, {_when(result)}"),
        ],
    )


def _slither(result: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{n} {impact.lower()}" for impact, n in sorted(result["counts"].items()))
    yield f"## Slither: {_verdict(result)}\n"
    yield f"{result['tool']}, solc {result['compiler']}, {_when(result)}. Findings: {counts}.\n"
    yield _table(
        ("impact", "check", "where", "answer"),
        [(f["impact"], f["check"], f"`{f['element']}`", f["answer"]) for f in result["findings"]],
    )


def _halmos(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Halmos, for all values: {_verdict(result)}\n"
    yield f"{result['tool']}, solved by yices, {_when(result)}. See `tests/contracts/symbolic`.\n"
    yield _table(
        ("proof", "result", "paths"),
        [(_spoken(p["name"]), p["result"].lower(), str(p["paths"])) for p in result["proofs"]],
    )


def _mutation(result: Mapping[str, Any]) -> Iterator[str]:
    outcomes = result["outcomes"]
    killed = [outcome for outcome in outcomes if outcome["killed_by"]]
    share = 100 * len(killed) / len(outcomes)
    yield f"## Mutation: {len(killed)} of {len(outcomes)} killed, {share:.1f} %\n"
    yield (
        "A sample of each source with a fixed seed; mutants that do not compile, or compile to the "
        f"same code, are left out (`tests/contracts/mutation`). {_when(result)}.\n"
    )
    sources = sorted({outcome["path"] for outcome in outcomes})
    yield _table(
        ("source", "mutants", "killed"),
        [(f"`{path}`", str(_count(outcomes, path)), str(_count(killed, path))) for path in sources],
    )
    alive = [outcome for outcome in outcomes if not outcome["killed_by"]]
    if not alive:
        return
    yield "### Survivors\n"
    yield _table(
        ("where", "change", "why it lives"),
        [
            (
                f"`{o['path'].rpartition('/')[2]}` `{_code(o['source_line'])}`",
                f"`{_code(o['change'])}`",
                o["why_alive"] or "not explained",
            )
            for o in alive
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(text: str) -> str:
    return text.replace("|", "\\|")


def _count(outcomes: Sequence[Mapping[str, Any]], path: str) -> int:
    return sum(outcome["path"] == path for outcome in outcomes)


def _spoken(name: str) -> str:
    return name.removeprefix("check_").replace("__", ", ").replace("_", " ")


def _verdict(result: Mapping[str, Any]) -> str:
    return "passed" if result["ok"] else "failed"


def _when(result: Mapping[str, Any]) -> str:
    return f"{result['date']}, {result['seconds'] / 60:.0f} min"
