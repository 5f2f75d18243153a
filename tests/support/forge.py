"""What forge compiled for the tests of the contracts, taken for the compiler's own answer.

It is taken only where the compiler says, of the sources as they are now, the very metadata that
forge's answer has: they name the digest of every source, the compiler, and all settings. Two
answers to one question are the same; to ask without code takes seconds.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import solcx

from ledger.chain.artifacts import BUILT
from ledger.chain.compile import Compilation, find_compiler, standard_json

OUT = Path("contracts/out")
WITHOUT_CODE = ("abi", "metadata", "storageLayout", "evm.methodIdentifiers")


class NotCompiled(Exception):
    """forge compiled nothing here, or other sources."""


def compile_with_forges_code(root: Path) -> Compilation:
    """All contracts, with forge's code. Raises NotCompiled where it is not of these sources."""
    found = {name: _read(root, name) for name in BUILT}
    asked = standard_json(root, BUILT)
    short = copy.deepcopy(asked)
    short["settings"]["outputSelection"]["*"]["*"] = list(WITHOUT_CODE)
    with find_compiler(root) as compiler:
        output = solcx.compile_standard(short, solc_binary=compiler.program)
    declared = dict(_declarations(output["sources"]))
    for name, made in found.items():
        answer = output["contracts"][f"contracts/{name}.sol"][name]
        if made["rawMetadata"] != answer["metadata"]:
            raise NotCompiled(name)
        runtime = made["deployedBytecode"]
        answer["evm"]["bytecode"] = {"object": made["bytecode"]["object"].removeprefix("0x")}
        answer["evm"]["deployedBytecode"] = {
            "object": runtime["object"].removeprefix("0x"),
            "immutableReferences": _renumbered(
                runtime.get("immutableReferences", {}), _immutables(declared, name)
            ),
        }
    return Compilation(compiler.version, asked, output)


def _read(root: Path, name: str) -> dict[str, Any]:
    try:
        text = (root / OUT / f"{name}.sol" / f"{name}.json").read_text("utf-8")
    except FileNotFoundError:
        raise NotCompiled(name) from None
    found: dict[str, Any] = json.loads(text)
    return found


def _renumbered(references: Mapping[str, Any], ours: list[int]) -> dict[str, Any]:
    """The places of immutables by our numbers of them: numbers rise as the sources are read."""
    theirs = sorted(references, key=int)
    assert len(theirs) == len(ours), (theirs, ours)
    return {str(number): references[each] for number, each in zip(ours, theirs, strict=True)}


def _immutables(declared: Mapping[int, dict[str, Any]], name: str) -> list[int]:
    """The numbers of a contract's immutables, its own and those of what it is made of."""
    contract = next(
        node
        for node in declared.values()
        if node["nodeType"] == "ContractDefinition" and node["name"] == name
    )
    return sorted(
        node["id"]
        for base in contract["linearizedBaseContracts"]
        for node in declared[base]["nodes"]
        if node.get("mutability") == "immutable"
    )


def _declarations(sources: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    for source in sources.values():
        for node in source["ast"]["nodes"]:
            if node["nodeType"] == "ContractDefinition":
                yield node["id"], node
