"""A copy of the checkout in which mutants are compiled and tested.

The tests deploy built artifacts and import no contract's source. So a mutant is compiled alone and
put in its artifact's place, and forge tests it without compiling anything: two seconds, where a
build takes a minute. Nothing outside the copy is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.chain.compile import standard_json

COMPILER = Path(__file__).with_name("compiler.cjs")
COPIED = ("contracts", "tests/contracts", "ledger/chain/solc.cjs", "foundry.toml", "package.json")
UNCOPIED = shutil.ignore_patterns("out", "cache", "symbolic", "mutation", "README.md")
# Of the processor, not of the clock: a busy or paused machine kills no mutant.
SECONDS_A_TEST = 120
SECONDS_WITH_A_BUILD = 900
LIMITED = 'ulimit -S -t "$0" && exec "$@"'
# Figures of gas are of the whole compiler's code; invariants take too long for each mutant.
UNTESTED = "Gas|Invariants"
# As in foundry.toml, but where the older code generator can, since it is three times as fast.
QUICK = {"viaIR": False, "optimizer": {"enabled": True, "runs": 200}}
NO_METADATA = {"metadata": {"appendCBOR": False, "bytecodeHash": "none"}}


class MutantInvalid(Exception):
    """The compiler refuses a mutant, or makes the same code of it as of the original."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What the tests said: the one that failed, or none."""

    failed: str


def make_copy(root: Path, folder: Path) -> None:
    """A copy of the checkout's contracts and tests at `folder`, without anything built."""
    if folder.exists():
        shutil.rmtree(folder)
    for name in COPIED:
        source, target = root / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=UNCOPIED)
        else:
            shutil.copy2(source, target)
    (folder / "node_modules").symlink_to((root / "node_modules").resolve())


@dataclass
class Laboratory:
    """One built copy and one compiler, for one mutant at a time."""

    folder: Path
    forge: Path
    node: Path
    environment: Mapping[str, str]
    _compiler: subprocess.Popen[str] | None = None
    _quick: dict[str, bool] = field(default_factory=dict)
    _originals: dict[str, bytes] = field(default_factory=dict)

    def build(self) -> None:
        """Build contracts and tests. Raises CalledProcessError with what forge said."""
        subprocess.run(
            [self.forge, "build"],
            cwd=self.folder,
            env=self._environment(),
            check=True,
            capture_output=True,
            text=True,
        )

    def syntax_trees(self, paths: Sequence[str]) -> dict[str, Any]:
        """The compiler's syntax tree of each source."""
        names = [Path(path).stem for path in paths]
        document = standard_json(self.folder, names)
        document["settings"]["outputSelection"] = {"*": {"": ["ast"]}}
        sources = self._compile(document)["sources"]
        return {path: sources[path]["ast"] for path in paths}

    def original(self, contract: str) -> dict[str, str]:
        """A contract's unmutated code. Finds out which code generator can compile it."""
        for quick in (True, False):
            self._quick[contract] = quick
            try:
                return self._code(contract, {})
            except MutantInvalid:
                if not quick:
                    raise
        raise AssertionError

    def mutated(self, contract: str, path: str, source: bytes) -> dict[str, str]:
        """A contract's code with one of its sources replaced. Raises MutantInvalid."""
        return self._code(contract, {path: source.decode()})

    def install(self, contract: str, code: Mapping[str, str]) -> None:
        """Put a contract's code in place of what is built."""
        path = self._artifact(contract)
        self._originals.setdefault(contract, path.read_bytes())
        artifact = json.loads(self._originals[contract])
        for kind in ("bytecode", "deployedBytecode"):
            artifact[kind]["object"] = "0x" + code[kind]
        path.write_text(json.dumps(artifact))

    def restore(self, contract: str) -> None:
        """Put back what was built."""
        self._artifact(contract).write_bytes(self._originals[contract])

    def test(self, *, only: str = "", fuzz_runs: int = 32, seconds: int = SECONDS_A_TEST) -> Tested:
        """Run the tests until one fails, or until they took that much time of the processor."""
        chosen = ["--match-contract", only] if only else ["--no-match-contract", UNTESTED]
        command = [self.forge, "test", "--fail-fast", "--json", "--threads", "1", *chosen]
        done = subprocess.run(
            ["sh", "-c", LIMITED, str(seconds), *map(str, command)],
            cwd=self.folder,
            env={**self._environment(), "FOUNDRY_FUZZ_RUNS": str(fuzz_runs)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == -signal.SIGXCPU:
            return Tested("no end")
        for path, suite in _suites(done):
            for name, test in suite["test_results"].items():
                if test["status"] == "Failure":
                    return Tested(f"{path.rpartition('/')[2]}: {name}")
        if done.returncode != 0:
            raise RuntimeError(f"forge failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return Tested("")

    def test_compiled(self, path: str, source: bytes, *, only: str) -> Tested:
        """Run tests that compile a source themselves, with another in its place: a minute."""
        place = self.folder / path
        before = place.read_bytes()
        place.write_bytes(source)
        try:
            return self.test(only=only, seconds=SECONDS_WITH_A_BUILD)
        finally:
            place.write_bytes(before)
            self.build()

    def close(self) -> None:
        """End the compiler."""
        if self._compiler is not None and self._compiler.stdin is not None:
            self._compiler.stdin.close()
            self._compiler.wait()

    def _code(self, contract: str, replaced: Mapping[str, str]) -> dict[str, str]:
        path = f"contracts/{contract}.sol"
        document = standard_json(self.folder, [contract])
        for name, text in replaced.items():
            document["sources"][name]["content"] = text
        settings = document["settings"]
        settings.update(NO_METADATA)
        if self._quick[contract]:
            settings.update(QUICK)
        kinds = ("evm.bytecode.object", "evm.deployedBytecode.object")
        settings["outputSelection"] = {path: {contract: list(kinds)}}
        answer = self._compile(document)
        problems = [e["message"] for e in answer.get("errors", ()) if e["severity"] == "error"]
        if problems:
            raise MutantInvalid(problems[0])
        evm = answer["contracts"][path][contract]["evm"]
        return {kind: evm[kind]["object"] for kind in ("bytecode", "deployedBytecode")}

    def _compile(self, document: Mapping[str, Any]) -> Any:
        if self._compiler is None:
            self._compiler = subprocess.Popen(
                [self.node, COMPILER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._compiler.stdin is not None
        assert self._compiler.stdout is not None
        self._compiler.stdin.write(json.dumps(document) + "\n")
        self._compiler.stdin.flush()
        return json.loads(self._compiler.stdout.readline())

    def _artifact(self, contract: str) -> Path:
        return self.folder / "contracts" / "out" / f"{contract}.sol" / f"{contract}.json"

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FOUNDRY_")}
        return {**kept, **self.environment}


def _suites(done: subprocess.CompletedProcess[str]) -> list[tuple[str, Any]]:
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            return list(json.loads(line).items())
    return []
