"""Our ABI codec against eth_abi, on every function of every contract and on types of all shapes."""

from __future__ import annotations

from typing import Any

import eth_abi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.chain.abi import UndecodableData, decode_arguments, encode_arguments
from ledger.chain.artifacts import CONTRACTS, AbiItem, Parameter, load_artifact
from ledger.errors import InvalidValue

ITEMS = {
    item.signature: item
    for name in CONTRACTS
    for item in load_artifact(name).abi
    if item.type in ("function", "error") and item.inputs
}.values()
NESTED = AbiItem(
    "function",
    "nested",
    (
        Parameter("text", "string"),
        Parameter("blobs", "bytes[2]"),
        Parameter("grid", "int8[3][]"),
        Parameter(
            "rows",
            "tuple[]",
            components=(
                Parameter("open", "bool"),
                Parameter("names", "string[]"),
                Parameter("pair", "tuple", components=(Parameter("low", "uint8"),)),
            ),
        ),
    ),
)


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Values in our own shape: structs as dicts."""
    kind = parameter.type
    if kind.endswith("]"):
        inner, _, length = kind[:-1].rpartition("[")
        element = values_of(Parameter(parameter.name, inner, components=parameter.components))
        sizes = (int(length), int(length)) if length else (0, 3)
        return st.lists(element, min_size=sizes[0], max_size=sizes[1])
    if kind == "tuple":
        return st.fixed_dictionaries({part.name: values_of(part) for part in parameter.components})
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    if kind.startswith("int"):
        half = 2 ** (int(kind[3:]) - 1)
        return st.integers(-half, half - 1)
    sizes_of = {"address": 20, "bytes32": 32, "bytes4": 4}
    if kind in sizes_of:
        return st.binary(min_size=sizes_of[kind], max_size=sizes_of[kind])
    return {"bool": st.booleans(), "bytes": st.binary(max_size=70), "string": st.text(max_size=40)}[
        kind
    ]


def as_tuples(parameter: Parameter, value: Any) -> Any:
    """The same value in eth_abi's shape."""
    if parameter.type.endswith("]"):
        inner = Parameter(
            "", parameter.type[: parameter.type.rindex("[")], components=parameter.components
        )
        return [as_tuples(inner, item) for item in value]
    if parameter.type == "tuple":
        return tuple(as_tuples(part, value[part.name]) for part in parameter.components)
    return "0x" + value.hex() if parameter.type == "address" else value


@pytest.mark.parametrize("item", [*ITEMS, NESTED], ids=lambda item: item.signature[:60])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_encoding__for_any_values__is_eth_abis_and_reads_back(
    item: AbiItem, data: st.DataObject
) -> None:
    values = [data.draw(values_of(parameter)) for parameter in item.inputs]
    types = [parameter.canonical for parameter in item.inputs]
    oracle = eth_abi.encode(
        types, [as_tuples(p, v) for p, v in zip(item.inputs, values, strict=True)]
    )

    encoded = encode_arguments(item.inputs, values)

    assert encoded == oracle
    assert list(decode_arguments(item.inputs, encoded).values()) == values


@settings(deadline=None)
@given(data=st.data(), noise=st.binary(min_size=1, max_size=1), cut=st.integers(1, 40))
def test_decoding__of_damaged_bytes__refuses_or_reads_other_values(
    data: st.DataObject, noise: bytes, cut: int
) -> None:
    values = [data.draw(values_of(parameter)) for parameter in NESTED.inputs]
    encoded = encode_arguments(NESTED.inputs, values)
    at = data.draw(st.integers(0, len(encoded) - 1))
    damaged = encoded[:at] + noise + encoded[at + 1 :]

    for wrong in (encoded[:-cut], encoded + noise):
        with pytest.raises(UndecodableData):
            decode_arguments(NESTED.inputs, wrong)
    try:
        read = decode_arguments(NESTED.inputs, damaged)
    except UndecodableData:
        return
    assert encode_arguments(NESTED.inputs, list(read.values())) == damaged


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint64", True),
        ("int64", 2**63),
        ("address", b"\1" * 19),
        ("address", "0x00"),
        ("bytes32", b"\1" * 31),
        ("bool", 1),
        ("bytes", "text"),
        ("fixed128x18", 1),
    ],
)
def test_encoding__of_a_value_of_another_type__names_the_parameter(kind: str, value: Any) -> None:
    with pytest.raises(InvalidValue, match="amount"):
        encode_arguments([Parameter("amount", kind)], [value])


def test_encoding__with_an_argument_missing__is_refused() -> None:
    with pytest.raises(InvalidValue, match="arguments"):
        encode_arguments([Parameter("amount", "uint8")], [])


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("uint8", b"\1" + bytes(31)),
        ("address", b"\1" * 32),
        ("bool", bytes(31) + b"\2"),
        ("bytes4", b"\1" * 32),
        ("int8", bytes(30) + b"\1\0"),
    ],
)
def test_decoding__of_a_word_with_dirty_padding__is_refused(kind: str, word: bytes) -> None:
    with pytest.raises(UndecodableData):
        decode_arguments([Parameter("value", kind)], word)
