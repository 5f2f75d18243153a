"""The contracts of this build: what is deployed, and how it is spoken to.

Reads the JSON files of `ledger/artifacts`, which `ledger.chain.build` writes and a test compares
with the sources. Needs no compiler and no node. It refuses nothing but a missing name: the files
are part of the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from ledger.errors import NotFound

CONTRACTS = (
    "Authority",
    "Programmes",
    "Organisations",
    "Memberships",
    "Credits",
    "Benefits",
    "Shares",
    "Council",
    "CreditTokens",
)
"""The contracts of a ledger, in the order in which they are deployed."""

JOURNALLED = tuple(name for name in CONTRACTS if name != "CreditTokens")
"""Those that keep a journal, and so are mirrored. A credit token only reads from others."""

PARTS = ("Seat", "CreditToken")
"""What contracts put on the chain: a programme's seat, its credits for wallets to see."""

BUILT = CONTRACTS + PARTS
"""Everything that has an artifact."""

PACKAGE = "ledger.artifacts"
COMPILER_INPUT = "compiler-input.json"


class Slice(msgspec.Struct, frozen=True):
    """Where an immutable stands in the runtime code, in bytes."""

    start: int
    length: int


class Parameter(msgspec.Struct, frozen=True, rename="camel"):
    """A parameter of a function, an error or an event, as in the ABI."""

    name: str
    type: str
    internal_type: str = ""
    components: tuple[Parameter, ...] = ()
    indexed: bool = False

    @property
    def canonical(self) -> str:
        """Its type as it stands in a signature: `(uint32,uint64)[]` for an array of structs."""
        if not self.type.startswith("tuple"):
            return self.type
        inner = ",".join(part.canonical for part in self.components)
        return f"({inner}){self.type[len('tuple') :]}"


class AbiItem(msgspec.Struct, frozen=True, rename="camel"):
    """One line of an ABI: a function, an event, an error or the constructor."""

    type: str
    name: str = ""
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()
    state_mutability: str = ""
    anonymous: bool = False

    @property
    def signature(self) -> str:
        """Name and types, such as `award(uint16,(uint32,uint64,bytes32,bytes32)[],bytes32)`."""
        return f"{self.name}({','.join(part.canonical for part in self.inputs)})"


class Artifact(msgspec.Struct, frozen=True):
    """A compiled contract.

    `bytecode` is the code that a deployment sends, before the constructor's arguments;
    `runtime_code` what then stands on the chain, with zeros in the `immutables`. Identifiers are
    by signature: four bytes for functions and errors, 32 for events.
    """

    name: str
    source: str
    compiler: str
    metadata_hash: bytes
    abi: tuple[AbiItem, ...]
    raw_abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    runtime_code: bytes
    immutables: Mapping[str, tuple[Slice, ...]]
    functions: Mapping[str, bytes]
    errors: Mapping[str, bytes]
    events: Mapping[str, bytes]

    @property
    def constructor(self) -> tuple[Parameter, ...]:
        """The constructor's parameters, empty where it has none."""
        for item in self.abi:
            if item.type == "constructor":
                return item.inputs
        return ()

    def items(self, kind: str) -> tuple[AbiItem, ...]:
        """The ABI's lines of one kind: function, event, error."""
        return tuple(item for item in self.abi if item.type == kind)

    def runtime_with(self, values: Mapping[str, bytes]) -> bytes:
        """The runtime code that stands on the chain where the immutables have these 32-byte words.

        `values` names every immutable.
        """
        code = bytearray(self.runtime_code)
        for name, places in self.immutables.items():
            for place in places:
                code[place.start : place.start + place.length] = values[name]
        return bytes(code)


class _DeployedCode(msgspec.Struct, frozen=True, rename="camel"):
    object: str
    immutable_references: dict[str, tuple[Slice, ...]]


class _ArtifactFile(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    source: str
    compiler: str
    metadata_hash: str
    abi: msgspec.Raw
    bytecode: str
    deployed_bytecode: _DeployedCode
    method_identifiers: dict[str, str]
    error_identifiers: dict[str, str]
    event_identifiers: dict[str, str]


@cache
def load_artifact(name: str) -> Artifact:
    """The artifact of a contract in BUILT. Raises NotFound for any other name."""
    if name not in BUILT:
        raise NotFound(what="contract", key=name)
    content = resources.files(PACKAGE).joinpath(f"{name}.json").read_bytes()
    return decode_artifact(content)


def decode_artifact(content: bytes) -> Artifact:
    """An artifact from the bytes of its file."""
    file = msgspec.json.decode(content, type=_ArtifactFile)
    return Artifact(
        name=file.name,
        source=file.source,
        compiler=file.compiler,
        metadata_hash=_from_hex(file.metadata_hash),
        abi=msgspec.json.decode(file.abi, type=tuple[AbiItem, ...]),
        raw_abi=msgspec.json.decode(file.abi, type=tuple[dict[str, Any], ...]),
        bytecode=_from_hex(file.bytecode),
        runtime_code=_from_hex(file.deployed_bytecode.object),
        immutables=file.deployed_bytecode.immutable_references,
        functions=_identifiers(file.method_identifiers),
        errors=_identifiers(file.error_identifiers),
        events=_identifiers(file.event_identifiers),
    )


def load_compiler_input() -> bytes:
    """The standard JSON that the artifacts were compiled from, for audits and rebuilding."""
    return resources.files(PACKAGE).joinpath(COMPILER_INPUT).read_bytes()


def contract_of(parameter: str) -> str | None:
    """The contract that a constructor's parameter or an immutable names; None for other values.

    `authority_` and `authority` both mean Authority.
    """
    for name in CONTRACTS:
        if parameter.rstrip("_") == name[0].lower() + name[1:]:
            return name
    return None


def _identifiers(found: Mapping[str, str]) -> dict[str, bytes]:
    return {signature: _from_hex(identifier) for signature, identifier in found.items()}


def _from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
