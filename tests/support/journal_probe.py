"""Contracts that write any line of a journal and revert with any error, generated from the ABIs.

What they do with a value is done by Solidity, as our contracts do it: nothing in it comes from
Python's decoders, which are compared with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.abi import encode_arguments
from ledger.chain.artifacts import BUILT, AbiItem, Parameter, load_artifact
from ledger.chain.compile import compile_contracts
from ledger.chain.keccak import keccak256

CHECKOUT = Path(__file__).parents[2]
COPIED = ("foundry.toml", "package.json", "contracts/Journal.sol", "contracts/interfaces")
NAME = "JournalProbe"
ITEMS_A_CONTRACT = 40
"""So that none of them is larger than a contract may be."""

HEAD = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Journal} from "./Journal.sol";
"""
BODY = """
    function run(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done,) = address(this).delegatecall(calls[i]);
            require(done);
        }
    }

    function refusals(bytes[] calldata calls) external returns (bytes[] memory answers) {
        answers = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            bool done;
            (done, answers[i]) = address(this).delegatecall(calls[i]);
            require(!done);
        }
    }
}
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """One contract: its creation code, and the events and errors that it knows."""

    code: bytes
    items: Sequence[AbiItem]

    def call(self, item: AbiItem, values: Sequence[object]) -> bytes:
        """The call that writes this line, or reverts with this error."""
        inputs = taken(item)
        return _selector(function_name(item), inputs) + encode_arguments(inputs, values)

    @staticmethod
    def calls(name: str, calls: Sequence[bytes]) -> bytes:
        """Many of them in one: `run` or `refusals`."""
        inputs = [Parameter("calls", "bytes[]")]
        return _selector(name, inputs) + encode_arguments(inputs, [list(calls)])


def function_name(item: AbiItem) -> str:
    """The name of the function for an event or error."""
    return f"{item.type}{item.name}"


def taken(item: AbiItem) -> Sequence[Parameter]:
    """What the function takes: of an event all but sequence and head, which the journal gives."""
    return item.inputs[1:-1] if item.type == "event" else item.inputs


def journal_items(kind: str) -> list[AbiItem]:
    """Every event of a journal, or every error, of all contracts, each once."""
    found = {}
    for name in BUILT:
        for item in load_artifact(name).items(kind):
            if kind == "error" or (item.inputs and item.inputs[-1].name == "head"):
                found[item.signature] = item
    return [found[signature] for signature in sorted(found)]


def compile_probes(folder: Path, items: Sequence[AbiItem]) -> list[Probe]:
    """The contracts for these items."""
    for name in COPIED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, target)
        else:
            shutil.copy(CHECKOUT / name, target)
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    starts = range(0, len(items), ITEMS_A_CONTRACT)
    parts = [items[start : start + ITEMS_A_CONTRACT] for start in starts]
    source = HEAD + "".join(_source(place, part) for place, part in enumerate(parts))
    (folder / "contracts" / f"{NAME}.sol").write_text(source)
    output = compile_contracts(folder, [NAME]).standard_output
    built = output["contracts"][f"contracts/{NAME}.sol"]
    return [
        Probe(bytes.fromhex(built[f"{NAME}{place}"]["evm"]["bytecode"]["object"]), part)
        for place, part in enumerate(parts)
    ]


def _source(place: int, items: Sequence[AbiItem]) -> str:
    lines = [line for item in items for line in _declared(item)]
    return f"\ncontract {NAME}{place} is Journal {{\n" + "\n".join(lines) + BODY


def _declared(item: AbiItem) -> Iterator[str]:
    arguments = taken(item)
    parameters = ", ".join(_parameter(p, n) for n, p in enumerate(arguments))
    names = ", ".join(f"v{n}" for n in range(len(arguments)))
    yield f"    function {function_name(item)}({parameters}) external {{"
    if item.type == "error":
        yield f"        revert {item.name}({names});"
        yield "    }"
        fields = ", ".join(p.type for p in item.inputs)
        if item.name not in JOURNAL_ERRORS:
            yield f"    error {item.name}({fields});"
        return
    common = f", {names}" if names else ""
    yield "        Pen memory pen = _pen();"
    yield "        uint64 line = _next(pen);"
    yield f"        bytes32 hash = keccak256(abi.encode({item.name}.selector, line{common}));"
    yield f"        emit {item.name}(line{common}, _write(pen, hash));"
    yield "        _end(pen);"
    yield "    }"
    fields = ", ".join(f"{p.type} indexed" if p.indexed else p.type for p in item.inputs)
    yield f"    event {item.name}({fields});"


JOURNAL_ERRORS = ("JournalOperationDone", "JournalOperationIdMissing")
"""Those that every journal has already."""


def _parameter(parameter: Parameter, place: int) -> str:
    where = " calldata" if parameter.type in {"string", "bytes"} else ""
    return f"{parameter.type}{where} v{place}"


def _selector(name: str, inputs: Sequence[Parameter]) -> bytes:
    signature = f"{name}({','.join(part.canonical for part in inputs)})"
    return keccak256(signature.encode())[:4]
