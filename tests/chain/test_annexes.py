"""Events that carry what a line of the journal has only the hash of: read strictly or not."""

from __future__ import annotations

from collections.abc import Callable

import eth_abi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.chain.artifacts import AbiItem, Parameter, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.logs import AnnexDecoder, ContractEvents, UndecodableLog, UnsupportedEvent

COUNCIL = ContractEvents("Council", load_artifact("Council").abi)
(CALLS,) = COUNCIL.annexes.values()
SIGNATURE = b"ProposalCalls(uint64,(address,bytes)[])"
TOPICS = keccak256(SIGNATURE) + (7).to_bytes(32, "big")


def written(calls: list[tuple[bytes, bytes]]) -> bytes:
    """The calls as Solidity writes them into a log: eth_abi is the oracle."""
    return eth_abi.encode(["(address,bytes)[]"], [calls])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.binary(max_size=70)), max_size=5))
def test_annex__of_any_calls__gives_them_back(calls: list[tuple[bytes, bytes]]) -> None:
    found = CALLS.decode_named(TOPICS, written(calls))
    assert found["proposalId"] == 7
    assert [(call["target"], call["data"]) for call in found["calls"]] == calls


GIVEN = written([(b"\x11" * 20, b"\1\2\3\4\5"), (b"\x22" * 20, b"\6\7\x08\x09")])

ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-32],
    "longer": lambda data: data + bytes(32),
    "a dirty address": lambda data: data.replace(
        bytes(12) + b"\x11" * 20, b"\1" * 12 + b"\x11" * 20
    ),
    "dirty padding": lambda data: data.replace(b"\1\2\3\4\5\0", b"\1\2\3\4\5\1"),
    "another offset": lambda data: bytes(31) + b"\x40" + data[32:],
    "more calls than there are": lambda data: data[:63] + b"\3" + data[64:],
    "none": lambda data: b"",
}


@pytest.mark.parametrize("how", ALTERATIONS)
def test_annex__written_in_another_way__is_refused(how: str) -> None:
    altered = ALTERATIONS[how](GIVEN)
    assert altered != GIVEN
    with pytest.raises(UndecodableLog):
        CALLS.decode_named(TOPICS, altered)


@pytest.mark.parametrize(
    "topics", [TOPICS[:32], TOPICS + bytes(32), bytes(32) + TOPICS[32:], TOPICS[:32] + b"\xff" * 32]
)
def test_annex__with_other_topics__is_refused(topics: bytes) -> None:
    with pytest.raises(UndecodableLog):
        CALLS.decode_named(topics, GIVEN)


def test_annex__of_a_journal_s_shape__is_not_made() -> None:
    """A journal event has a fixed place for every field; one that has not is refused outright."""
    fields = (
        Parameter("sequence", "uint64", indexed=True),
        Parameter("text", "string"),
        Parameter("head", "bytes32"),
    )
    with pytest.raises(UnsupportedEvent):
        AnnexDecoder(AbiItem("event", "Happened", fields))
    with pytest.raises(UnsupportedEvent):
        ContractEvents("Other", [AbiItem("event", "Happened", fields)])


def test_annexes__of_all_events__are_neither_journal_nor_echo() -> None:
    assert CALLS.topic not in COUNCIL.journal
    assert CALLS.topic not in COUNCIL.echoes
