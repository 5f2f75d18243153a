"""A mutation run: how many small mistakes in the contracts the tests notice.

Takes the same mutants each time: of each source a sample with a fixed seed. A mutant that does not
compile, or compiles to the same code, is none. The others are tested until a test fails; one that
no unit test notices is given to the invariants too. What survives must be explained in
survivors.json, by its line and change.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.contracts.mutation.laboratory import Laboratory, MutantInvalid, Tested, make_copy
from tests.contracts.mutation.mutants import Mutant, mutants_of

SURVIVORS = Path(__file__).with_name("survivors.json")
SEED = "moonlake"
MUTANTS_A_SOURCE = 12

# Each mutated source, and the contracts whose code it becomes part of and whose tests must notice.
# Of a source that all contracts share, one contract is enough.
SOURCES: Mapping[str, Sequence[str]] = {
    "contracts/AwardMessage.sol": ("Credits",),
    "contracts/Authority.sol": ("Authority",),
    "contracts/Benefits.sol": ("Benefits",),
    "contracts/Council.sol": ("Council", "Seat"),
    "contracts/CreditBook.sol": ("Credits",),
    "contracts/CreditToken.sol": ("CreditTokens", "CreditToken"),
    "contracts/CreditTokens.sol": ("CreditTokens", "CreditToken"),
    "contracts/Credits.sol": ("Credits",),
    "contracts/Journal.sol": ("Authority",),
    "contracts/Keys.sol": ("Programmes", "Credits"),
    "contracts/MembershipTokens.sol": ("Memberships",),
    "contracts/Memberships.sol": ("Memberships",),
    "contracts/Organisations.sol": ("Organisations",),
    "contracts/Programmes.sol": ("Programmes",),
    "contracts/Roles.sol": ("Authority",),
    "contracts/Seat.sol": ("Council", "Seat"),
    "contracts/Shares.sol": ("Shares",),
    "contracts/SignedMessages.sol": ("Organisations",),
}
# Tests of these compile them, so that they do not see a mutant in another contract's artifact.
COMPILED_BY = {"contracts/Journal.sol": "JournalTest", "contracts/Keys.sol": "KeysTest"}
# Their code is part of another contract's, and the tests compare the two.
TOGETHER = {"contracts/Seat.sol", "contracts/CreditToken.sol"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: the test that killed it, or none."""

    path: str
    line: int
    source_line: str
    operator: str
    change: str
    killed_by: str


def run_campaign(
    root: Path,
    folder: Path,
    *,
    forge: Path,
    node: Path,
    environment: Mapping[str, str],
    paths: Sequence[str],
    keep: Callable[[str, list[Outcome], float], None],
    mutants: int = MUTANTS_A_SOURCE,
    workers: int = 2,
    say: Callable[[str], None] = print,
) -> None:
    """Make, compile and test the mutants of these sources.

    Each source's outcomes go to `keep` as they are known, with the seconds that they took.
    """
    if not paths:
        return
    first = Laboratory(folder / "1", forge, node, environment)
    make_copy(root, first.folder)
    started = time.monotonic()
    first.build()
    say(f"    built in {time.monotonic() - started:.0f} s")
    laboratories = [first]
    for number in range(2, workers + 1):
        copy = folder / str(number)
        if copy.exists():
            shutil.rmtree(copy)
        shutil.copytree(first.folder, copy, symlinks=True)
        laboratories.append(Laboratory(copy, forge, node, environment))
    trees = first.syntax_trees(paths)
    free: SimpleQueue[Laboratory] = SimpleQueue()
    for laboratory in laboratories:
        free.put(laboratory)

    def test_source(path: str) -> None:
        laboratory = free.get()
        try:
            started = time.monotonic()
            outcomes = _test_source(laboratory, path, trees[path], mutants)
            killed = sum(bool(outcome.killed_by) for outcome in outcomes)
            seconds = time.monotonic() - started
            say(f"    {Path(path).stem:<18}{killed:3} of {len(outcomes):3}{seconds:8.0f} s")
            keep(path, outcomes, seconds)
        finally:
            free.put(laboratory)

    pool = ThreadPoolExecutor(workers)
    try:
        for tested in [pool.submit(test_source, path) for path in paths]:
            tested.result()
    finally:
        pool.shutdown(cancel_futures=True)
        for laboratory in laboratories:
            laboratory.close()


def _test_source(
    laboratory: Laboratory, path: str, tree: Mapping[str, Any], wanted: int
) -> list[Outcome]:
    contracts = SOURCES[path]
    source = (laboratory.folder / path).read_bytes()
    originals = {contract: laboratory.original(contract) for contract in contracts}
    outcomes: list[Outcome] = []
    try:
        _install(laboratory, originals)
        unharmed = laboratory.test()
        if unharmed.failed:
            raise RuntimeError(f"{path} fails unmutated: {unharmed.failed}")
        for mutant in _sample(path, mutants_of(path, source, tree)):
            if len(outcomes) == wanted:
                break
            _install(laboratory, originals)
            tested = _test(laboratory, mutant, originals)
            if tested is not None:
                outcomes.append(_judge(mutant, tested))
    finally:
        for contract in contracts:
            laboratory.restore(contract)
    return outcomes


def _install(laboratory: Laboratory, code: Mapping[str, Mapping[str, str]]) -> None:
    for contract, compiled in code.items():
        laboratory.install(contract, compiled)


def _test(
    laboratory: Laboratory, mutant: Mutant, originals: Mapping[str, Mapping[str, str]]
) -> Tested | None:
    """What the tests say of a mutant; None where it is none."""
    source = mutant.apply((laboratory.folder / mutant.path).read_bytes())
    tested = None
    for contract in originals:
        try:
            code = laboratory.mutated(contract, mutant.path, source)
        except MutantInvalid:
            return None
        if code == originals[contract]:
            continue
        laboratory.install(contract, code)
        if mutant.path not in TOGETHER or contract == list(originals)[-1]:
            tested = laboratory.test()
            if tested.failed:
                return tested
    if tested is None:
        return None
    tested = laboratory.test(only="Invariants")
    if not tested.failed and mutant.path in COMPILED_BY:
        tested = laboratory.test_compiled(mutant.path, source, only=COMPILED_BY[mutant.path])
    return tested


def _sample(path: str, mutants: Sequence[Mutant]) -> Iterator[Mutant]:
    """All of them in an order that is random and always the same."""
    shuffled = list(mutants)
    random.Random(f"{SEED} {path}").shuffle(shuffled)
    return iter(shuffled)


def _judge(mutant: Mutant, tested: Tested) -> Outcome:
    return Outcome(
        path=mutant.path,
        line=mutant.line,
        source_line=mutant.source_line,
        operator=mutant.operator,
        change=mutant.change,
        killed_by=tested.failed,
    )


def explanations() -> dict[tuple[str, str, str], str]:
    """Why a mutant may live, by its source, its line's text and its change."""
    return {
        (entry["source"], entry["line"], entry["change"]): entry["why"]
        for entry in json.loads(SURVIVORS.read_text("utf-8"))
    }


if __name__ == "__main__":
    sys.exit("run scripts/contracts-long mutation")
