"""Our decoders against web3.py's on random events and random values, and journals that are broken.

web3.py is the oracle: it takes a hundred times as long and has been read by many more people.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import eth_abi
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3._utils.events import get_event_data

from ledger.chain import logs as chain_logs
from ledger.chain.artifacts import CONTRACTS, AbiItem, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.logs import (
    JOURNAL_HEAD_SLOT,
    JOURNAL_SEQUENCE_SLOT,
    ContractEvents,
    EventDecoder,
    JournalCursor,
    UndecodableLog,
    UnsupportedEvent,
    journal_event_hash,
    namespaced_slot,
    next_head,
)
from ledger.chain.receipts import Log
from ledger.domain.ids import BlockNumber, LogIndex
from ledger.errors import EventUnknown, JournalBroken

ADDRESS = b"\xad" * 20
CODEC = Web3().codec


def values_of(kind: str) -> st.SearchStrategy[Any]:
    if kind.startswith("uint"):
        return st.integers(0, (1 << int(kind[4:])) - 1)
    if kind.startswith("int"):
        return st.integers(-(1 << int(kind[3:]) - 1), (1 << int(kind[3:]) - 1) - 1)
    if kind.startswith("bytes"):
        return st.binary(min_size=int(kind[5:]), max_size=int(kind[5:]))
    return st.booleans() if kind == "bool" else st.binary(min_size=20, max_size=20)


KINDS = st.one_of(
    st.sampled_from(["bool", "address"]),
    st.builds(
        lambda sign, size: f"{sign}int{8 * size}", st.sampled_from(["", "u"]), st.integers(1, 32)
    ),
    st.builds(lambda size: f"bytes{size}", st.integers(1, 32)),
)


@st.composite
def events(draw: st.DrawFn) -> list[tuple[str, bool]]:
    """Types and whether each is indexed, at most three of them, in any order."""
    kinds = draw(st.lists(KINDS, max_size=12))
    indexed = draw(st.sets(st.integers(0, len(kinds)), max_size=3))
    return [(kind, place in indexed) for place, kind in enumerate(kinds)]


def event_of(fields: list[tuple[str, bool]], name: str = "Happened") -> dict[str, Any]:
    inputs = [
        {"name": f"field{place}", "type": kind, "indexed": indexed, "internalType": kind}
        for place, (kind, indexed) in enumerate(fields)
    ]
    return {"type": "event", "name": name, "anonymous": False, "inputs": inputs}


def decoder_of(abi: dict[str, Any]) -> EventDecoder:
    return EventDecoder(msgspec.convert(abi, AbiItem))


def log_of(abi: dict[str, Any], values: list[Any]) -> tuple[bytes, bytes]:
    """Topics and data as a contract would log them, by eth_abi."""
    kinds = [field["type"] for field in abi["inputs"]]
    signature = f"{abi['name']}({','.join(kinds)})"
    shown = [as_eth_abi(*pair) for pair in zip(kinds, values, strict=True)]
    split: dict[bool, list[tuple[str, Any]]] = {True: [], False: []}
    for field, kind, value in zip(abi["inputs"], kinds, shown, strict=True):
        split[field["indexed"]].append((kind, value))
    topics = [keccak256(signature.encode())]
    topics += [eth_abi.encode([kind], [value]) for kind, value in split[True]]
    kinds, shown = [kind for kind, _ in split[False]], [value for _, value in split[False]]
    return b"".join(topics), eth_abi.encode(kinds, shown)


def as_eth_abi(kind: str, value: Any) -> Any:
    return "0x" + value.hex() if kind == "address" else value


def by_web3(abi: dict[str, Any], topics: bytes, data: bytes) -> dict[str, Any]:
    entry = {
        "address": "0x" + ADDRESS.hex(),
        "topics": [topics[at : at + 32] for at in range(0, len(topics), 32)],
        "data": data,
        "blockHash": bytes(32),
        "blockNumber": 1,
        "logIndex": 0,
        "transactionHash": bytes(32),
        "transactionIndex": 0,
    }
    decoded = get_event_data(CODEC, abi, entry)["args"]  # type: ignore[arg-type]
    kinds = {field["name"]: field["type"] for field in abi["inputs"]}
    return {
        name: bytes.fromhex(value[2:]) if kinds[name] == "address" else value
        for name, value in decoded.items()
    }


@settings(deadline=None)
@given(events(), st.data())
def test_decode__of_any_event__gives_what_web3_gives(
    fields: list[tuple[str, bool]], data: st.DataObject
) -> None:
    abi = event_of(fields)
    values = [data.draw(values_of(kind)) for kind, _ in fields]
    topics, words = log_of(abi, values)
    decoder = decoder_of(abi)
    assert list(decoder.decode(topics, words)) == values
    assert decoder.decode_named(topics, words) == by_web3(abi, topics, words)


@settings(deadline=None)
@given(events(), st.integers(1, 5), st.integers(1, 6), st.data())
def test_decode_all__of_any_logs_of_an_event__gives_what_decode_gives(
    fields: list[tuple[str, bool]], count: int, at_once: int, data: st.DataObject
) -> None:
    abi = event_of(fields)
    logs = [log_of(abi, [data.draw(values_of(kind)) for kind, _ in fields]) for _ in range(count)]
    decoder = decoder_of(abi)
    topics, words = [log[0] for log in logs], [log[1] for log in logs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain_logs, "_DECODED_AT_ONCE", at_once)
        assert decoder.decode_all(topics, words) == [decoder.decode(*log) for log in logs]


@settings(deadline=None)
@given(events().filter(len), st.data())
def test_decode_all__with_any_bit_of_any_log_turned__is_as_strict_as_decode(
    fields: list[tuple[str, bool]], data: st.DataObject
) -> None:
    abi = event_of(fields)
    logs = [log_of(abi, [data.draw(values_of(kind)) for kind, _ in fields]) for _ in range(3)]
    odd = data.draw(st.integers(0, 2))
    turned = bytearray(logs[odd][0] + logs[odd][1])
    bit = data.draw(st.integers(0, 8 * len(turned) - 1))
    turned[bit // 8] ^= 1 << bit % 8
    split = len(logs[odd][0])
    logs[odd] = bytes(turned[:split]), bytes(turned[split:])
    decoder = decoder_of(abi)
    try:
        expected = [decoder.decode(*log) for log in logs]
    except UndecodableLog:
        with pytest.raises(UndecodableLog):
            decoder.decode_all([log[0] for log in logs], [log[1] for log in logs])
    else:
        assert decoder.decode_all([log[0] for log in logs], [log[1] for log in logs]) == expected


@pytest.mark.parametrize("change", ["topics", "data", "event"])
def test_decode_all__with_one_log_of_another_shape__is_refused(change: str) -> None:
    abi = event_of([("uint64", True), ("bytes32", False)])
    topics, data = log_of(abi, [1, b"\x05" * 32])
    other = log_of(event_of([("uint64", True), ("bytes32", False)], "Other"), [1, b"\x05" * 32])
    odd = {"topics": (topics + bytes(32), data), "data": (topics, data[:-1]), "event": other}
    decoder = decoder_of(abi)
    assert len(decoder.decode_all([topics] * 2, [data] * 2)) == 2
    with pytest.raises(UndecodableLog):
        decoder.decode_all([topics, odd[change][0]], [data, odd[change][1]])


REAL = [
    (name, event)
    for name in CONTRACTS
    for event in load_artifact(name).raw_abi
    if event["type"] == "event" and event["name"] != "ProposalCalls"
]
"""All but the one that has fields without a fixed place."""


@settings(deadline=None, max_examples=10)
@pytest.mark.parametrize(
    ("contract", "event"), REAL, ids=lambda v: v if isinstance(v, str) else v["name"]
)
@given(data=st.data())
def test_decode__of_our_contracts_events__gives_what_web3_gives(
    contract: str, event: dict[str, Any], data: st.DataObject
) -> None:
    values = [data.draw(values_of(field["type"])) for field in event["inputs"]]
    topics, words = log_of(event, values)
    decoder = decoder_of(event)
    assert decoder.topic == load_artifact(contract).events[decoder.signature]
    assert decoder.decode_named(topics, words) == by_web3(event, topics, words)


@settings(deadline=None)
@given(events().filter(len), st.data())
def test_decode__with_any_bit_turned__gives_other_values_or_is_refused(
    fields: list[tuple[str, bool]], data: st.DataObject
) -> None:
    """No two logs of an event mean the same: what differs in bits differs in meaning."""
    abi = event_of(fields)
    topics, words = log_of(abi, [data.draw(values_of(kind)) for kind, _ in fields])
    decoder = decoder_of(abi)
    values = decoder.decode(topics, words)
    bit = data.draw(st.integers(0, 8 * (len(topics) + len(words)) - 1))
    turned = bytearray(topics + words)
    turned[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(UndecodableLog):
        assert decoder.decode(bytes(turned[: len(topics)]), bytes(turned[len(topics) :])) != values


DIRTY = [
    ("uint64", 1 << 64),
    ("uint8", 256),
    ("uint8", 1 << 255),
    ("uint72", 1 << 72),
    ("bool", 2),
    ("bool", 1 << 255),
    ("address", 1 << 160),
    ("bytes4", 1),
    ("bytes31", 255),
    ("int8", 0x80),
    ("int8", (1 << 256) - 0x81),
    ("int8", (1 << 64) - 1),
    ("int64", 1 << 63),
    ("int64", (1 << 255) - 1),
    ("int64", 1 << 255),
    ("int64", (1 << 256) - (1 << 63) - 1),
    ("int72", 1 << 71),
]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(("kind", "word"), DIRTY)
def test_decode__of_a_word_that_its_type_does_not_write__is_refused(
    kind: str, word: int, indexed: bool
) -> None:
    abi = event_of([("uint256", indexed), (kind, indexed), ("int256", indexed)])
    decoder = decoder_of(abi)
    topics, data = log_of(abi, [(1 << 256) - 1, next_value(kind), -1])
    dirty = word.to_bytes(32, "big")
    if indexed:
        topics = topics[:64] + dirty + topics[96:]
    else:
        data = data[:32] + dirty + data[64:]
    with pytest.raises(UndecodableLog, match="beyond its type"):
        decoder.decode(topics, data)


def next_value(kind: str) -> Any:
    if kind == "bool":
        return True
    if kind == "address":
        return bytes(20)
    return bytes(int(kind[5:])) if kind.startswith("bytes") else 1


@pytest.mark.parametrize("topics", [0, 1, 2, 4])
def test_decode__of_another_number_of_topics__is_refused(topics: int) -> None:
    abi = event_of([("uint64", True), ("uint8", True), ("bytes32", False)])
    given_topics, data = log_of(abi, [1, 2, b"\x05" * 32])
    with pytest.raises(UndecodableLog):
        decoder_of(abi).decode((given_topics + bytes(32))[: 32 * topics], data)


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b""])
def test_decode__of_data_of_another_length__is_refused(change: Any) -> None:
    abi = event_of([("uint64", True), ("bytes32", False)])
    topics, data = log_of(abi, [1, b"\x05" * 32])
    with pytest.raises(UndecodableLog, match="bytes of topics"):
        decoder_of(abi).decode(topics, change(data))


def test_decode__of_another_event__is_refused() -> None:
    topics, data = log_of(event_of([("uint64", True)], "Other"), [1])
    with pytest.raises(UndecodableLog, match="not Happened"):
        decoder_of(event_of([("uint64", True)])).decode(topics, data)


def test_decode__of_an_indexed_field_of_a_dynamic_type__gives_its_hash() -> None:
    decoder = decoder_of(event_of([("string", True), ("uint8[2]", True), ("tuple", True)]))
    topics = decoder.topic + b"\x01" * 32 + b"\x02" * 32 + b"\x03" * 32
    assert decoder.decode(topics, b"") == (b"\x01" * 32, b"\x02" * 32, b"\x03" * 32)


@pytest.mark.parametrize("kind", ["string", "bytes", "uint8[]", "uint8[2]", "tuple"])
def test_event_decoder__of_an_event_without_fixed_places__is_not_made(kind: str) -> None:
    with pytest.raises(UnsupportedEvent):
        decoder_of(event_of([(kind, False)]))
    with pytest.raises(UnsupportedEvent, match="anonymous"):
        decoder_of(event_of([]) | {"anonymous": True})


# --- journals -----------------------------------------------------------------------------------

CREDITS = ContractEvents("Credits", load_artifact("Credits").abi)
ENTRY = next(iter(CREDITS.journal.values()))


def journal(count: int) -> list[Log]:
    """Entries with a head that follows, made from the rule in IJournal.sol by hand."""
    logs, head = [], bytes(32)
    for sequence in range(1, count + 1):
        words = [sequence] + [1] * (len(ENTRY.fields) - 2)
        payload = b"".join(word.to_bytes(32, "big") for word in words)
        topics, data = ENTRY.topic + payload[:96], payload[96:]
        head = keccak256(head + keccak256(topics + data))
        place = (BlockNumber(9), LogIndex(sequence - 1), 0, bytes(32), ADDRESS)
        logs.append(Log(*place, topics, data + head))
    return logs


def test_journal_cursor__over_a_whole_journal__is_at_its_head() -> None:
    logs = journal(20)
    whole = JournalCursor.at_start().advance_all(logs)
    assert whole == JournalCursor(sequence=20, head=logs[-1].data[-32:])  # type: ignore[arg-type]
    one_by_one = JournalCursor.at_start()
    for log in logs:
        one_by_one = one_by_one.advance(log)
        assert ENTRY.decode(log.topics, log.data)[-1] == one_by_one.head
    assert one_by_one == whole
    assert JournalCursor.at_start().advance_all([]) == JournalCursor.at_start()


def test_next_head__of_an_event_s_hash__is_what_the_cursor_computes() -> None:
    (log,) = journal(1)
    event_hash = journal_event_hash(log.topics, log.data)
    assert next_head(bytes(32), event_hash) == log.data[-32:]


BREAKS: dict[str, Any] = {
    "the first missing": lambda logs: logs[1:],
    "one missing": lambda logs: [*logs[:4], *logs[5:]],
    "one twice": lambda logs: [*logs[:5], *logs[4:]],
    "two swapped": lambda logs: [*logs[:4], logs[5], logs[4], *logs[6:]],
    "begun again": lambda logs: [*logs, *logs],
}


@pytest.mark.parametrize("change", BREAKS)
def test_journal_cursor__over_another_list__is_refused(change: str) -> None:
    with pytest.raises(JournalBroken):
        JournalCursor.at_start().advance_all(BREAKS[change](journal(10)))


@pytest.mark.parametrize("field", ["topics", "data"])
def test_journal_cursor__over_a_log_with_any_byte_altered__is_refused(field: str) -> None:
    before, log = journal(2)
    cursor = JournalCursor.at_start().advance(before)
    content: bytes = getattr(log, field)
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 0x40
        with pytest.raises(JournalBroken) as caught:
            cursor.advance(log._replace(**{field: bytes(altered)}))
        assert caught.value.values["block"] == 9
        assert caught.value.values["log_index"] == 1
        assert caught.value.values["contract"] == "0x" + ADDRESS.hex()


@pytest.mark.parametrize("fields", [{"data": b""}, {"topics": b""}, {"topics": ENTRY.topic}])
def test_journal_cursor__over_a_log_that_is_too_short__is_refused(fields: dict[str, bytes]) -> None:
    with pytest.raises(JournalBroken):
        JournalCursor.at_start().advance(journal(1)[0]._replace(**fields))


def test_contract_events__of_each_contract__know_all_events_and_which_are_the_journal_s() -> None:
    for name in CONTRACTS:
        artifact = load_artifact(name)
        known = ContractEvents(name, artifact.abi)
        read = {*known.journal, *known.echoes, *known.annexes}
        assert read == set(artifact.events.values())
        assert not {*known.journal} & {*known.echoes}
        for decoder in known.journal.values():
            assert decoder.fields[-1] == "head"
    memberships = ContractEvents("Memberships", load_artifact("Memberships").abi)
    assert {"Transfer", "Locked"} <= {each.name for each in memberships.echoes.values()}
    assert "MembershipAdmitted" in {each.name for each in memberships.journal.values()}


def test_contract_events__given_a_log__say_which_event_and_its_fields() -> None:
    (log,) = journal(1)
    decoder, values = CREDITS.decode(log)
    assert decoder is ENTRY
    assert decoder.is_journal
    assert dict(zip(decoder.fields, values, strict=True))["head"] == log.data[-32:]


def test_contract_events__given_an_event_that_is_not_theirs__say_so() -> None:
    (log,) = journal(1)
    with pytest.raises(EventUnknown) as caught:
        CREDITS.decode(log._replace(topics=b"\x09" * 128))
    assert caught.value.values["topic"] == "0x" + "09" * 32
    assert caught.value.values["contract"] == "Credits"
    with pytest.raises(EventUnknown):
        CREDITS.decode(log._replace(topics=b""))


def test_contract_events__given_a_log_that_cannot_be_theirs__say_so() -> None:
    (log,) = journal(1)
    with pytest.raises(JournalBroken, match="EntryPosted has") as caught:
        CREDITS.decode(log._replace(data=log.data + bytes(32)))
    assert caught.value.values["block"] == 9


def test_namespaced_slot__of_the_journal__is_the_one_that_solidity_computes() -> None:
    # The example of ERC-7201 itself.
    example = "183a6125c38840424c4a85fa12bab2ab606c4b6d0e7cc73c0c06ba5300eab500"
    assert namespaced_slot("example.main").hex() == example
    assert namespaced_slot("moonlake.storage.Journal") == JOURNAL_HEAD_SLOT
    assert (
        int.from_bytes(JOURNAL_SEQUENCE_SLOT, "big") == int.from_bytes(JOURNAL_HEAD_SLOT, "big") + 1
    )


def test_journal_cursor__once_made__cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        JournalCursor.at_start().sequence = 5  # type: ignore[misc, assignment]
