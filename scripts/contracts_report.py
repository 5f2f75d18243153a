"""Writes docs/contracts-checks.md from the results of the long checks that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts_forge import INVARIANT_PARTS, forge_parts
from contracts_results import Results

from tests.contracts.mutation.campaign import SOURCES, explanations

HEAD = """# The contracts' long checks: the last run

Written by `scripts/contracts-long`, which runs them all in environments of their own; with a name
(`scripts/contracts-long slither`) one of them. `scripts/test` runs the short ones. Answers and
explanations are kept beside the tests: `tests/contracts/slither.json` and
`tests/contracts/mutation/survivors.json`. A finding without an answer, or a survivor without an
explanation, fails the run.
"""
CODE = """What follows is of the code `{code}`: a digest of all contracts' deployed code without
metadata, which a test compares with what is in `ledger/artifacts`. The commit stands beside the
time.
"""
STRENGTH = """The invariants look over the whole ledger every 64 calls, or more often, and at the
end of each 256, since what is wrong then stays wrong; each command is looked at as it is given. A
fuzz test has 20,000 runs, if it does not itself say less.
"""
NOT_RUN = "not run on this code"

Kept = Mapping[str, Mapping[str, Any]]


def write_report(path: Path, results: Results) -> None:
    """Write the report of what is kept of the code as it is now."""
    forge, mutation = results.of("forge"), results.of("mutation")
    slither, halmos = results.of("slither"), results.of("halmos")
    parts = [
        HEAD,
        CODE.format(code=results.provenance.code),
        *_forge(forge),
        *_slither(slither.get("all")),
        *_halmos(halmos.get("all")),
        *_mutation(mutation),
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(parts) + "\n", "utf-8")


def _forge(kept: Kept) -> Iterator[str]:
    if not kept:
        yield f"## Forge, with the long profile: {NOT_RUN}\n"
        return
    parts = list(kept.values())
    invariants = [part for part in parts if part["invariant_calls"]]
    failed = [failure for part in parts for failure in part["failed"]]
    first = min(part["seed"] for part in parts)
    missing = [part.name for part in forge_parts(first) if part.name not in kept]
    verdict = "passed" if all(part["ok"] for part in parts) else "failed"
    yield f"## Forge, with the long profile: {verdict}{', not finished' if missing else ''}\n"
    yield _table(
        ("what", "figure"),
        [
            ("program", parts[0]["tool"]),
            ("unit tests", f"{_sum(parts, 'unit'):,}"),
            ("fuzz tests", f"{_sum(parts, 'fuzz'):,}"),
            ("their runs in all", f"{_sum(parts, 'fuzz_runs'):,}"),
            ("commands given by the stateful invariants", f"{_sum(parts, 'invariant_calls'):,}"),
            ("in so many parts, each with a seed", f"{len(invariants)} of {INVARIANT_PARTS}"),
            ("failed", ", ".join(failed) or "none"),
            ("not run yet", ", ".join(missing) or "nothing"),
            ("first seed", str(first)),
            ("date, time of all parts together", _when(parts)),
        ],
    )
    yield STRENGTH


def _slither(result: Mapping[str, Any] | None) -> Iterator[str]:
    if result is None:
        yield f"## Slither: {NOT_RUN}\n"
        return
    counts = ", ".join(f"{n} {impact.lower()}" for impact, n in sorted(result["counts"].items()))
    yield f"## Slither: {_verdict(result)}\n"
    yield (
        f"{result['tool']}, solc {result['compiler']}, {_when([result])}. Findings: {counts}. "
        "Those of high and medium impact:\n"
    )
    yield _table(
        ("impact", "check", "where", "answer"),
        [(f["impact"], f["check"], f"`{f['element']}`", f["answer"]) for f in result["findings"]],
    )


def _halmos(result: Mapping[str, Any] | None) -> Iterator[str]:
    if result is None:
        yield f"## Halmos, for all values: {NOT_RUN}\n"
        return
    yield f"## Halmos, for all values: {_verdict(result)}\n"
    yield f"{result['tool']}, solved by yices, {_when([result])}. See `tests/contracts/symbolic`.\n"
    yield _table(
        ("proof", "result", "paths"),
        [(_spoken(p["name"]), p["result"].lower(), str(p["paths"])) for p in result["proofs"]],
    )


def _mutation(kept: Kept) -> Iterator[str]:
    if not kept:
        yield f"## Mutation: {NOT_RUN}\n"
        return
    tested = {source["path"]: source["outcomes"] for source in kept.values()}
    outcomes = [outcome for found in tested.values() for outcome in found]
    alive = [outcome for outcome in outcomes if not outcome["killed_by"]]
    killed = len(outcomes) - len(alive)
    share = 100 * killed / len(outcomes)
    unfinished = "" if set(SOURCES) <= set(tested) else ", not finished"
    yield f"## Mutation: {killed} of {len(outcomes)} killed, {share:.1f} %{unfinished}\n"
    yield (
        "A sample of each source with a fixed seed; mutants that do not compile, or compile to the "
        "same code, are left out (`tests/contracts/mutation`). "
        f"{_when(list(kept.values()))}.\n"
    )
    yield _table(
        ("source", "mutants", "killed"),
        [_mutated(path, tested.get(path)) for path in sorted(SOURCES)],
    )
    if alive:
        yield "### Survivors\n"
        yield _table(("where", "change", "why it lives"), [_survivor(o) for o in alive])


def _mutated(path: str, outcomes: Sequence[Mapping[str, Any]] | None) -> tuple[str, str, str]:
    if outcomes is None:
        return f"`{path}`", NOT_RUN, ""
    killed = sum(bool(outcome["killed_by"]) for outcome in outcomes)
    return f"`{path}`", str(len(outcomes)), str(killed)


def _survivor(outcome: Mapping[str, Any]) -> tuple[str, str, str]:
    path, line, change = outcome["path"], outcome["source_line"], outcome["change"]
    return (
        f"`{path.rpartition('/')[2]}` `{_code(line)}`",
        f"`{_code(change)}`",
        explanations().get((path, line, change), "not explained"),
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sum(parts: Sequence[Mapping[str, Any]], figure: str) -> int:
    return sum(part[figure] for part in parts)


def _code(text: str) -> str:
    return text.replace("|", "\\|")


def _spoken(name: str) -> str:
    return name.removeprefix("check_").replace("__", ", ").replace("_", " ")


def _verdict(result: Mapping[str, Any]) -> str:
    return "passed" if result["ok"] else "failed"


def _when(parts: Sequence[Mapping[str, Any]]) -> str:
    commits = " and ".join(f"`{commit}`" for commit in sorted({p["commit"] for p in parts}))
    minutes = _sum(parts, "seconds") / 60
    return f"{max(part['date'] for part in parts)}, {minutes:.0f} min, on {commits}"
