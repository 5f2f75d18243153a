"""Makes the files of `ledger/artifacts` from a compilation, and says which of them are stale.

The files are written so that they change only where a contract does: keys sorted, one value a
line, immutables by their names and not by the compiler's node numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ledger.chain.artifacts import BUILT, COMPILER_INPUT, AbiItem
from ledger.chain.compile import Compilation, compile_contracts
from ledger.chain.keccak import keccak256
from ledger.errors import ArtifactsStale

ARTIFACTS_FOLDER = Path("ledger/artifacts")

_NODE_NUMBER = re.compile(r"(?<=\))\d+(?=_storage)")


def build_artifacts(root: Path, *, node: Path | None = None) -> dict[str, bytes]:
    """Compile the checkout at `root`; the content of each file of the folder, by name."""
    compilation = compile_contracts(root, BUILT, node=node)
    files = {f"{name}.json": _artifact(compilation, name) for name in BUILT}
    files[COMPILER_INPUT] = _encode(compilation.standard_input)
    return files


def write_artifacts(root: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write the files that differ; their names."""
    stale = stale_artifacts(root, files)
    folder = root / ARTIFACTS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in files:
            (folder / name).write_bytes(files[name])
        else:
            (folder / name).unlink()
    return stale


def check_artifacts(root: Path, files: Mapping[str, bytes]) -> None:
    """Raise ArtifactsStale unless the committed files are exactly these."""
    stale = stale_artifacts(root, files)
    if stale:
        raise ArtifactsStale(names=", ".join(stale))


def stale_artifacts(root: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of the committed files that are missing, differ, or should not be there."""
    folder = root / ARTIFACTS_FOLDER
    committed = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    return tuple(
        name for name in sorted({*committed, *files}) if committed.get(name) != files.get(name)
    )


def _artifact(compilation: Compilation, name: str) -> bytes:
    source = f"contracts/{name}.sol"
    output = compilation.standard_output["contracts"][source][name]
    runtime = output["evm"]["deployedBytecode"]
    abi = msgspec.convert(output["abi"], tuple[AbiItem, ...])
    names = _variable_names(compilation.standard_output["sources"])
    return _encode(
        {
            "abi": output["abi"],
            "bytecode": "0x" + output["evm"]["bytecode"]["object"],
            "compiler": compilation.version,
            "deployedBytecode": {
                "immutableReferences": {
                    names[int(number)]: places
                    for number, places in runtime["immutableReferences"].items()
                },
                "object": "0x" + runtime["object"],
            },
            "errorIdentifiers": _identify(abi, "error", 4),
            "eventIdentifiers": _identify(abi, "event", 32),
            "metadataHash": "0x" + _metadata_hash(bytes.fromhex(runtime["object"])).hex(),
            "methodIdentifiers": output["evm"]["methodIdentifiers"],
            "name": name,
            "source": source,
            "storageLayout": _storage_layout(output["storageLayout"]),
        }
    )


def _identify(abi: tuple[AbiItem, ...], kind: str, length: int) -> dict[str, str]:
    return {
        item.signature: keccak256(item.signature.encode("ascii"))[:length].hex()
        for item in abi
        if item.type == kind
    }


def _metadata_hash(runtime: bytes) -> bytes:
    """The multihash of the metadata, from the CBOR map {ipfs, solc} that ends the code.

    The code's last two bytes are the map's length; its value for `ipfs` is 34 bytes.
    """
    length = int.from_bytes(runtime[-2:], "big")
    trailer = runtime[-2 - length : -2]
    start = trailer.index(b"ipfs\x58\x22") + 6
    return trailer[start : start + 34]


def _storage_layout(layout: Mapping[str, Any]) -> Any:
    """The layout without the compiler's node numbers, which change with every source."""
    plain = json.loads(_NODE_NUMBER.sub("", json.dumps(layout)))
    return _without(plain, "astId")


def _without(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(item, key) for name, item in value.items() if name != key}
    if isinstance(value, list):
        return [_without(item, key) for item in value]
    return value


def _variable_names(sources: Mapping[str, Any]) -> dict[int, str]:
    """The name of every variable that the compiler saw, by its node number."""
    return {
        node["id"]: node["name"]
        for source in sources.values()
        for node in _nodes(source["ast"])
        if node.get("nodeType") == "VariableDeclaration"
    }


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _encode(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
