"""A contract that gives the digest of any message, written in Solidity as our contracts write it.

It is compiled for the test: nothing in it comes from Python's encoder.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from ledger.chain.artifacts import AbiItem
from ledger.chain.compile import compile_contracts

CHECKOUT = Path(__file__).parents[2]

SOURCE = Path(__file__).with_name("TypedProbe.sol")


def compile_probe(folder: Path) -> tuple[bytes, dict[str, AbiItem]]:
    """The probe's creation code, and its functions by name."""
    for name in ("foundry.toml", "package.json"):
        shutil.copy(CHECKOUT / name, folder / name)
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    (folder / "contracts").mkdir()
    shutil.copy(SOURCE, folder / "contracts")
    output = compile_contracts(folder, ["TypedProbe"]).standard_output
    probe = output["contracts"]["contracts/TypedProbe.sol"]["TypedProbe"]
    items = msgspec.convert(probe["abi"], tuple[AbiItem, ...])
    functions = {item.name: item for item in items if item.type == "function"}
    return bytes.fromhex(probe["evm"]["bytecode"]["object"]), functions
