"""Whether the code on the chain is what the bundled sources compile to.

Two steps. The code that each contract has, whose hash the state proves, is that of this release's
artifacts with the immutables filled in from where the contracts are. And the artifacts are what a
compiler makes of the bundled sources, byte for byte. The second step needs a compiler, which runs
as a process of its own while everything else is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ledger.audit.bundle import Places
from ledger.audit.findings import Finding, Findings
from ledger.chain.artifacts import BUILT, CONTRACTS, load_artifact, load_compiler_input
from ledger.chain.immutables import Placement, runtime_code
from ledger.chain.keccak import keccak256
from ledger.errors import LedgerError


class CheckedCode(Protocol):
    """A compilation that is under way."""

    def codes(self) -> Mapping[str, tuple[bytes, bytes]]:
        """The creation code and the runtime code of each contract in BUILT, by name.

        Waits for the compiler. Raises ToolMissing, CompilationFailed.
        """
        ...

    def close(self) -> None:
        """End it, if it has not ended."""
        ...


Compiling = Callable[[bytes], CheckedCode]
"""Begins to compile the compiler's input."""


def check_code(
    places: Places,
    sources: bytes,
    code_hashes: Mapping[str, bytes],
    compiling: CheckedCode | None,
    findings: Findings,
) -> int:
    """Compare the proved code hashes with the release's, and these with the sources; how many."""
    placement = Placement(places.chain_id, places.recovery_delay, places.addresses)
    for name in CONTRACTS:
        found = code_hashes.get(name)
        if found is not None and found != keccak256(runtime_code(name, placement)):
            findings.add(Finding("code.differs", f"{name} at {places.contracts[name]}"))
    if sources != load_compiler_input():
        findings.add(Finding("code.sources", "sources.json"))
    elif compiling is None:
        findings.add(Finding("code.not_compiled", "sources.json"))
    else:
        _compare_compiled(compiling, findings)
    return len(code_hashes)


def _compare_compiled(compiling: CheckedCode, findings: Findings) -> None:
    try:
        codes = compiling.codes()
    except LedgerError as error:
        problem = str(error).rstrip(".")
        findings.add(Finding("code.no_compiler", "sources.json", {"problem": problem}))
        return
    for name in BUILT:
        artifact = load_artifact(name)
        if codes.get(name) != (artifact.bytecode, artifact.runtime_code):
            findings.add(Finding("code.compiled_differs", name))
