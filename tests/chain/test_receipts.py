"""Receipts of real blocks proved, and refused once anything in them is altered."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import rlp as oracle

from ledger.chain.headers import Header
from ledger.chain.receipts import (
    Log,
    LogAnswer,
    ReceiptAnswer,
    check_receipts,
    decode_receipt,
    encode_receipt,
    read_log,
)
from ledger.chain.rlp import NotCanonical
from ledger.chain.tries import ordered_root
from ledger.errors import NotProved
from tests.chain.altering import altered, field_names, leaves, read_as
from tests.chain.varied_chain import MANY, VariedChain

READ = field_names(ReceiptAnswer, LogAnswer)


def receipts(chain: VariedChain, number: int) -> tuple[Header, Any, list[bytes]]:
    answer = chain.raw("eth_getBlockReceipts", hex(number))
    hashes = [bytes.fromhex(each["transactionHash"][2:]) for each in answer]
    return chain.header(number), answer, hashes


def prove(header: Header, answer: Any, hashes: list[bytes], **options: Any) -> list[Log]:
    return check_receipts(header, read_as(answer, list[ReceiptAnswer]), hashes, **options)


def expected_log(said: dict[str, Any]) -> Log:
    return Log(
        block_number=int(said["blockNumber"], 16),
        log_index=int(said["logIndex"], 16),
        transaction_index=int(said["transactionIndex"], 16),
        transaction_hash=bytes.fromhex(said["transactionHash"][2:]),
        address=bytes.fromhex(said["address"][2:]),
        topics=b"".join(bytes.fromhex(topic[2:]) for topic in said["topics"]),
        data=bytes.fromhex(said["data"][2:]),
    )


def test_check_receipts__of_a_real_chain__gives_the_logs_that_the_node_says(
    varied_chain: VariedChain,
) -> None:
    total = 0
    for number in varied_chain.numbers:
        header, answer, hashes = receipts(varied_chain, number)
        said = varied_chain.raw("eth_getLogs", {"blockHash": "0x" + header.hash.hex()})
        expected = [expected_log(log) for log in said]
        assert prove(header, answer, hashes) == expected
        assert prove(header, answer, hashes, blooms=False) == expected
        assert [read_log(log) for log in read_as(said, list[LogAnswer])] == expected
        total += len(expected)
    assert total > 240
    assert len(receipts(varied_chain, varied_chain.many_transactions)[1]) == MANY


def test_check_receipts__their_logs__are_tuples_of_bytes_and_numbers(
    varied_chain: VariedChain,
) -> None:
    log = prove(*receipts(varied_chain, varied_chain.many_logs))[0]
    assert isinstance(log, Log)
    assert tuple(map(type, log)) == (int, int, int, bytes, bytes, bytes, bytes)


def test_check_receipts__for_some_addresses__gives_their_logs_alone(
    varied_chain: VariedChain,
) -> None:
    given = receipts(varied_chain, varied_chain.many_logs)
    everything = prove(*given)
    assert prove(*given, addresses=frozenset({varied_chain.emitter})) == everything
    assert prove(*given, addresses=frozenset({bytes(20)})) == []
    types = receipts(varied_chain, varied_chain.many_types)
    ours = [log for log in prove(*types) if log.address == varied_chain.emitter]
    assert prove(*types, addresses=frozenset({varied_chain.emitter})) == ours


def test_check_receipts__of_json_with_blanks__are_proved_the_same(
    varied_chain: VariedChain,
) -> None:
    header, answer, hashes = receipts(varied_chain, varied_chain.many_logs)
    spaced = msgspec.json.decode(json.dumps(answer, indent=2), type=list[ReceiptAnswer])
    assert check_receipts(header, spaced, hashes) == prove(header, answer, hashes)


def test_encode_receipt__read_back__is_the_receipt(varied_chain: VariedChain) -> None:
    for number in varied_chain.numbers:
        header, answer, hashes = receipts(varied_chain, number)
        raws = [encode_receipt(each) for each in read_as(answer, list[ReceiptAnswer])]
        assert ordered_root(raws) == header.receipts_root
        decoded = [decode_receipt(raw) for raw in raws]
        assert [log for each in decoded for log in each.logs] == [
            (log.address, log.topics, log.data) for log in prove(header, answer, hashes)
        ]
        assert [hex(each.type) for each in decoded] == [each["type"] for each in answer]
        assert [each.succeeded for each in decoded] == [each["status"] == "0x1" for each in answer]
        assert [hex(each.cumulative_gas_used) for each in decoded] == [
            each["cumulativeGasUsed"] for each in answer
        ]


# --- answers that lie ---------------------------------------------------------------------------


@pytest.mark.parametrize("blooms", [True, False])
def test_check_receipts__with_any_value_altered__is_refused(
    varied_chain: VariedChain, blooms: bool
) -> None:
    header, answer, hashes = receipts(varied_chain, varied_chain.many_types)
    tried = set()
    for path in leaves(answer):
        names = [step for step in path if isinstance(step, str)]
        if READ.issuperset(names):
            with pytest.raises(NotProved) as caught:
                prove(header, altered(answer, path), hashes, blooms=blooms)
            assert caught.value.values["block"] == varied_chain.many_types
            tried.add(names[-1])
    assert tried == READ - {"logs"}


def with_logs(change: Callable[[list[Any]], list[Any]]) -> Callable[[list[Any]], list[Any]]:
    """Change the logs of the second receipt."""

    def changed(answer: list[Any]) -> list[Any]:
        return [answer[0], answer[1] | {"logs": change(answer[1]["logs"])}, *answer[2:]]

    return changed


def with_log(**fields: Any) -> Callable[[list[Any]], list[Any]]:
    """Change the first log of the second receipt."""
    return with_logs(lambda logs: [logs[0] | fields, *logs[1:]])


def lengthened(log: dict[str, Any]) -> dict[str, Any]:
    return log | {"topics": [*log["topics"][:-1], log["topics"][-1] + "00"]}


CHANGES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "no receipt": lambda answer: [],
    "a receipt missing": lambda answer: answer[:-1],
    "the first receipt missing": lambda answer: answer[1:],
    "a receipt twice": lambda answer: [*answer, answer[-1]],
    "a receipt in another's place": lambda answer: [answer[1], *answer[1:]],
    "two receipts swapped": lambda answer: [answer[1], answer[0], *answer[2:]],
    "no logs": with_logs(lambda logs: []),
    "the first log missing": with_logs(lambda logs: logs[1:]),
    "the last log missing": with_logs(lambda logs: logs[:-1]),
    "a log in the middle missing": with_logs(lambda logs: [*logs[:5], *logs[6:]]),
    "a log twice": with_logs(lambda logs: [logs[0], *logs]),
    "two logs swapped": with_logs(lambda logs: [logs[1], logs[0], *logs[2:]]),
    "two logs swapped and numbered anew": with_logs(
        lambda logs: [
            logs[1] | {"logIndex": logs[0]["logIndex"]},
            logs[0] | {"logIndex": logs[1]["logIndex"]},
            *logs[2:],
        ]
    ),
    "a removed log": with_log(removed=True),
    "a topic missing": with_log(topics=["0x" + "11" * 32] * 3),
    "five topics": with_log(topics=["0x" + "11" * 32] * 5),
    "a short topic": with_log(topics=["0x" + "11" * 31]),
    "two topics of odd lengths": with_log(topics=["0x" + "11" * 31, "0x" + "11" * 33]),
    "a topic with a byte too many": lambda answer: [
        *answer[:-1],
        answer[-1] | {"logs": [lengthened(log) for log in answer[-1]["logs"]]},
    ],
    "a topic that is not hex": with_log(topics=["0x" + "zz" * 32]),
    "a short address": with_log(address="0x11"),
    "data that are not hex": with_log(data="0xzz"),
    "data of half a byte": with_log(data="0x1"),
    "an odd status": lambda answer: [answer[0] | {"status": "0x2"}, *answer[1:]],
    "a type beyond bounds": lambda answer: [answer[0] | {"type": "0x80"}, *answer[1:]],
    "a type below zero": lambda answer: [answer[0] | {"type": "-0x1"}, *answer[1:]],
    "a type that is no number": lambda answer: [answer[0] | {"type": "legacy"}, *answer[1:]],
    "gas below zero": lambda answer: [answer[0] | {"cumulativeGasUsed": "-0x1"}, *answer[1:]],
    "a short bloom": lambda answer: [answer[0] | {"logsBloom": "0x00"}, *answer[1:]],
    "a bloom with an odd beginning": lambda answer: [
        answer[0] | {"logsBloom": "zz" + answer[0]["logsBloom"][2:]},
        *answer[1:],
    ],
    "a bloom that is not hex": lambda answer: [answer[0] | {"logsBloom": "0x"}, *answer[1:]],
}


@pytest.mark.parametrize("blooms", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_check_receipts__of_another_shape__are_refused_without_another_error(
    varied_chain: VariedChain, change: str, blooms: bool
) -> None:
    header, answer, hashes = receipts(varied_chain, varied_chain.many_logs)
    changed = CHANGES[change](copy.deepcopy(answer))
    with pytest.raises(NotProved) as caught:
        prove(header, changed, hashes, blooms=blooms)
    assert caught.value.values["block"] == varied_chain.many_logs


def test_check_receipts__with_topics_cut_elsewhere__are_refused_though_the_root_fits(
    varied_chain: VariedChain,
) -> None:
    """A topic of a0 bytes can lend one to the next, since a0 is also what stands between them."""
    header, answer, hashes = receipts(varied_chain, varied_chain.many_logs)
    logs = [log for each in answer for log in each["logs"] if len(log["topics"]) == 3]
    first, second, third = logs[0]["topics"]
    logs[0]["topics"] = [first, second[:-2], "0xa0" + third[2:]]
    with pytest.raises(NotProved, match="cannot be encoded"):
        prove(header, answer, hashes)


def test_check_receipts__under_a_header_with_another_bloom__are_refused(
    varied_chain: VariedChain,
) -> None:
    header, answer, hashes = receipts(varied_chain, varied_chain.many_logs)
    other = dataclasses.replace(header, logs_bloom=bytes(256))
    with pytest.raises(NotProved, match="the header's bloom"):
        prove(other, answer, hashes, blooms=False)


def test_check_receipts__with_other_transaction_hashes__are_refused(
    varied_chain: VariedChain,
) -> None:
    header, answer, hashes = receipts(varied_chain, varied_chain.many_logs)
    with pytest.raises(NotProved, match="transaction hash"):
        prove(header, answer, [hashes[1], hashes[0], *hashes[2:]])
    with pytest.raises(NotProved, match="transactions but"):
        prove(header, answer, hashes[1:])


def test_check_receipts__of_a_block_whose_producer_wrote_a_false_bloom__are_refused(
    varied_chain: VariedChain,
) -> None:
    """Roots that fit are not enough: a false bloom would hide logs from whoever skips by it."""
    header, answer, hashes = receipts(varied_chain, varied_chain.many_logs)
    empty = "0x" + bytes(256).hex()
    answer = [each | {"logsBloom": empty} for each in answer]
    raws = [encode_receipt(each) for each in read_as(answer, list[ReceiptAnswer])]
    forged = dataclasses.replace(header, receipts_root=ordered_root(raws), logs_bloom=bytes(256))
    with pytest.raises(NotProved, match="bloom of receipt 0"):
        prove(forged, answer, hashes)
    assert prove(forged, answer, hashes, blooms=False)


# --- single shapes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        *({"removed": True}, {"data": "0xz"}, {"transactionHash": "0x"}, {"address": "0x11"}),
        *({"logIndex": "-0x1"}, {"logIndex": hex(2**63)}, {"transactionIndex": hex(2**63)}),
        {"blockNumber": "0x" + "f" * 9000},
    ],
    ids=lambda each: f"{each}"[:40],
)
def test_read_log__odd_or_removed__is_refused(
    varied_chain: VariedChain, fields: dict[str, Any]
) -> None:
    said = varied_chain.raw("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})[0]
    with pytest.raises(ValueError):
        read_log(read_as(said | fields, LogAnswer))


LOG = [b"\x01" * 20, [b"\x02" * 32], b""]


@pytest.mark.parametrize(
    "fields",
    [
        [b"\x01", b"", bytes(256)],
        [b"\x02", b"", bytes(256), []],
        [b"\x01", b"\0", bytes(256), []],
        [b"\x01", b"", bytes(255), []],
        [b"\x01", b"", bytes(256), b""],
        [b"\x01", b"", bytes(256), [b""]],
        [b"\x01", b"", bytes(256), [LOG[:2]]],
        [b"\x01", b"", bytes(256), [[b"\x01" * 19, *LOG[1:]]]],
        [b"\x01", b"", bytes(256), [[LOG[0], [b"\x02" * 31], b""]]],
        [b"\x01", b"", bytes(256), [[LOG[0], [b"\x02" * 32] * 5, b""]]],
        [b"\x01", b"", bytes(256), [[LOG[0], b"", b""]]],
        [b"\x01", b"", bytes(256), [[LOG[0], [], []]]],
    ],
)
def test_decode_receipt__of_other_fields__is_refused(fields: list[Any]) -> None:
    assert decode_receipt(b"\x02" + oracle.encode([b"\x01", b"", bytes(256), [LOG]]))
    with pytest.raises(NotCanonical):
        decode_receipt(b"\x02" + oracle.encode(fields))


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\xc0", b"\x02\xc0", b"\x80"])
def test_decode_receipt__of_what_is_none__is_refused(raw: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode_receipt(raw)
