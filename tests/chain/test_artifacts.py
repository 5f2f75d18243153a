"""The committed artifacts as they are read."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from ledger.chain.artifacts import (
    BUILT,
    CONTRACTS,
    JOURNALLED,
    PARTS,
    Parameter,
    contract_of,
    decode_artifact,
    load_artifact,
    load_compiler_input,
)
from ledger.chain.keccak import keccak256
from ledger.errors import NotFound

FOLDER = Path(__file__).parents[2] / "ledger" / "artifacts"


@pytest.mark.parametrize("name", BUILT)
def test_identifiers__of_every_abi_line__are_the_hashes_of_its_signature(name: str) -> None:
    artifact = load_artifact(name)

    for kind, length, identifiers in (
        ("function", 4, artifact.functions),
        ("error", 4, artifact.errors),
        ("event", 32, artifact.events),
    ):
        expected = {
            item.signature: keccak256(item.signature.encode())[:length]
            for item in artifact.items(kind)
        }
        assert identifiers == expected


@pytest.mark.parametrize("name", BUILT)
def test_artifact__of_every_contract__fits_the_chain_and_names_its_origin(name: str) -> None:
    artifact = load_artifact(name)

    assert artifact.name == name
    assert artifact.source == f"contracts/{name}.sol"
    assert artifact.runtime_code in artifact.bytecode or artifact.immutables
    assert 0 < len(artifact.runtime_code) <= 24_576  # EIP-170
    assert len(artifact.bytecode) <= 49_152  # EIP-3860
    assert artifact.metadata_hash[:2] == b"\x12\x20"  # a SHA-256 multihash
    assert artifact.metadata_hash in artifact.runtime_code
    if name not in PARTS:
        # OpenZeppelin's begin with an underscore; what they hold, ledger.chain.immutables says.
        assert all(
            contract_of(immutable) or immutable == "recoveryDelay" or immutable.startswith("_")
            for immutable in artifact.immutables
        )


def test_compiler_input__of_the_release__is_whole_and_names_no_machine() -> None:
    content = load_compiler_input()
    document = msgspec.json.decode(content)

    assert {f"contracts/{name}.sol" for name in BUILT} <= set(document["sources"])
    for path in document["sources"]:
        assert path.startswith(("contracts/", "node_modules/@openzeppelin/contracts/")), path
    assert document["settings"]["evmVersion"] == "cancun"
    assert document["settings"]["viaIR"] is True


def test_constructors__of_all_contracts__take_what_deploying_gives() -> None:
    given = {
        name: [parameter.name for parameter in load_artifact(name).constructor]
        for name in CONTRACTS
    }

    assert given["Authority"] == ["admin", "adminDelay"]
    for position, name in enumerate(CONTRACTS[1:], start=1):
        assert given[name]
        for parameter in given[name]:
            other = contract_of(parameter)
            if other is None:
                assert parameter in ("recoveryDelay_", "allianceApprovals_"), (name, parameter)
                continue
            # What a contract is wired to was deployed before it, or is deployed right after it.
            assert other in CONTRACTS[: position + 2], (name, parameter)


def test_journal__of_every_contract__begins_with_its_sequence_and_ends_with_its_head() -> None:
    echoes = {
        "Approval",
        "ApprovalForAll",
        "BatchMetadataUpdate",
        "ContractURIUpdated",
        "EIP712DomainChanged",
        "Locked",
        "MetadataUpdate",
        "Paused",
        "ProposalCalls",  # the line before it has their hash
        "Transfer",
        "Unlocked",
        "Unpaused",
    }
    for name in JOURNALLED:
        for item in load_artifact(name).items("event"):
            if item.name in echoes or item.name.startswith(("Role", "DefaultAdmin")):
                continue
            indexed = [parameter.indexed for parameter in item.inputs]
            assert item.inputs[0].type == "uint64", item.name
            assert item.inputs[0].indexed, item.name
            assert indexed == sorted(indexed, reverse=True), item.name
            assert (item.inputs[-1].name, item.inputs[-1].type) == ("head", "bytes32"), item.name
            assert not any(
                parameter.canonical.endswith(("]", "bytes", "string", ")"))
                for parameter in item.inputs
            )


def test_runtime__with_its_immutables__is_filled_at_every_place() -> None:
    artifact = load_artifact("Credits")
    words = {name: bytes([number]) * 32 for number, name in enumerate(artifact.immutables, 1)}

    code = artifact.runtime_with(words)

    assert len(code) == len(artifact.runtime_code)
    for name, places in artifact.immutables.items():
        assert places
        for place in places:
            assert code[place.start : place.start + place.length] == words[name]


def test_artifact__of_an_unknown_contract__is_not_found() -> None:
    with pytest.raises(NotFound):
        load_artifact("Treasury")


def test_signature__of_a_nested_struct__is_flattened() -> None:
    inner = Parameter("pair", "tuple[2]", components=(Parameter("low", "uint8"),))
    outer = Parameter("rows", "tuple[]", components=(inner, Parameter("names", "string[]")))

    assert outer.canonical == "((uint8)[2],string[])[]"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_file__of_every_artifact__is_formatted_stably(path: Path) -> None:
    content = path.read_text(encoding="utf-8")

    again = json.dumps(json.loads(content), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    assert content == again


def test_file__of_an_artifact__decodes_to_what_is_loaded() -> None:
    assert decode_artifact((FOLDER / "Credits.json").read_bytes()) == load_artifact("Credits")
