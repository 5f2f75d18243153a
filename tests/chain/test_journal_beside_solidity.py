"""Heads, lines and refusals beside Solidity's own, on a thousand random cases of each."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from ledger.chain.abi import decode_arguments
from ledger.chain.artifacts import AbiItem, Parameter
from ledger.chain.logs import EventDecoder, JournalCursor, journal_event_hash, next_head
from ledger.chain.receipts import Log
from ledger.chain.reverts import decode_revert, show_value
from ledger.domain.ids import BlockNumber, LogIndex
from ledger.errors import JournalBroken
from tests.support.anvil import Anvil
from tests.support.journal_probe import Probe, compile_probes, journal_items, taken

CASES = 1000
CALLS_A_TRANSACTION = 50
NUMBER = re.compile(r"^(u?)int(\d+)$")
TEXTS = ("", "data.acquire", "发射", "x" * 90)


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> list[Probe]:
    items = journal_items("event") + journal_items("error")
    return compile_probes(tmp_path_factory.mktemp("probes"), items)


def drawn(dice: random.Random, parameter: Parameter) -> Any:
    """A value of an ABI type; the ends of its range are as likely as all that lies between."""
    number = NUMBER.match(parameter.type)
    if number:
        bits = int(number[2])
        least, most = (0, 2**bits - 1) if number[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return dice.choice((least, most, 0, 1, dice.randint(least, most)))
    if parameter.type == "bool":
        return dice.choice((False, True))
    if parameter.type == "string":
        return dice.choice(TEXTS)
    if parameter.type == "bytes":
        return dice.randbytes(dice.choice((0, 1, 32, 65)))
    size = 20 if parameter.type == "address" else int(parameter.type.removeprefix("bytes"))
    return dice.choice((bytes(size), dice.randbytes(size)))


def cases(
    probe: Probe, kind: str, probes: list[Probe], dice: random.Random
) -> list[tuple[AbiItem, list[Any]]]:
    """This probe's share of the cases: every one of its items, then any of them."""
    every = [item for each in probes for item in each.items if item.type == kind]
    own = [item for item in probe.items if item.type == kind]
    if not own:
        return []
    more = [dice.choice(own) for _ in range(CASES * len(own) // len(every))]
    return [(item, [drawn(dice, part) for part in taken(item)]) for item in own + more]


def deploy(anvil: Anvil, probe: Probe) -> str:
    made = anvil.send(data="0x" + probe.code.hex())
    assert made["status"] == "0x1"
    return str(made["contractAddress"])


def batches(calls: Sequence[bytes]) -> list[Sequence[bytes]]:
    starts = range(0, len(calls), CALLS_A_TRANSACTION)
    return [calls[start : start + CALLS_A_TRANSACTION] for start in starts]


def log_of(answer: dict[str, Any], place: int) -> Log:
    return Log(
        block_number=BlockNumber(int(answer["blockNumber"], 16)),
        log_index=LogIndex(place),
        transaction_index=0,
        transaction_hash=bytes(32),
        address=bytes.fromhex(answer["address"][2:]),
        topics=b"".join(bytes.fromhex(topic[2:]) for topic in answer["topics"]),
        data=bytes.fromhex(answer["data"][2:]),
    )


def test_lines__of_random_events__fold_into_soliditys_head_and_read_as_written(
    anvil: Anvil, probes: list[Probe]
) -> None:
    compared = 0
    for probe in probes:
        address = deploy(anvil, probe)
        chosen = cases(probe, "event", probes, random.Random(f"lines {compared}"))
        logs: list[Log] = []
        for batch in batches([probe.call(item, values) for item, values in chosen]):
            data = "0x" + Probe.calls("run", batch).hex()
            receipt = anvil.send(to=address, data=data, gas=hex(16_000_000))
            assert receipt["status"] == "0x1"
            logs += [log_of(answer, len(logs) + n) for n, answer in enumerate(receipt["logs"])]
        cursor = JournalCursor.at_start().advance_all(logs)
        head, sequence = (
            anvil.rpc.call("eth_call", {"to": address, "data": data}, "latest")
            for data in ("0x8f7dcfa3", "0x529d15cc")  # head(), sequence()
        )
        assert "0x" + cursor.head.hex() == head
        assert cursor.sequence == int(sequence, 16) == len(logs) == len(chosen)
        for log, (item, values) in zip(logs, chosen, strict=True):
            fields = EventDecoder(item).decode(log.topics, log.data)
            assert list(fields[1:-1]) == values
        compared += len(logs)
    assert compared >= CASES


def test_line__with_any_bit_flipped__has_another_head(anvil: Anvil, probes: list[Probe]) -> None:
    dice = random.Random("bits")
    probe = probes[0]
    address = deploy(anvil, probe)
    chosen = cases(probe, "event", probes, dice)[:CALLS_A_TRANSACTION]
    calls = [probe.call(item, values) for item, values in chosen]
    receipt = anvil.send(to=address, data="0x" + Probe.calls("run", calls).hex(), gas="0xf42400")
    cursor = JournalCursor.at_start()
    for place, answer in enumerate(receipt["logs"]):
        log = log_of(answer, place)
        bit = dice.randrange(8 * (len(log.topics) + len(log.data)))
        both = int.from_bytes(log.topics + log.data, "big") ^ 1 << bit
        flipped = both.to_bytes(len(log.topics) + len(log.data), "big")
        size = len(log.topics)
        with pytest.raises(JournalBroken):
            cursor.advance(log._replace(topics=flipped[:size], data=flipped[size:]))
        eventual = next_head(cursor.head, journal_event_hash(log.topics, log.data))
        cursor = cursor.advance(log)
        assert cursor.head == eventual == log.data[-32:]


def test_refusals__of_random_errors__are_read_as_solidity_wrote_them(
    anvil: Anvil, probes: list[Probe]
) -> None:
    compared = 0
    answers = [Parameter("answers", "bytes[]")]
    for probe in probes:
        address = deploy(anvil, probe)
        chosen = cases(probe, "error", probes, random.Random(f"refusals {compared}"))
        found: list[bytes] = []
        for batch in batches([probe.call(item, values) for item, values in chosen]):
            call = {"to": address, "data": "0x" + Probe.calls("refusals", batch).hex()}
            data = bytes.fromhex(anvil.rpc.call("eth_call", call, "latest")[2:])
            found += decode_arguments(answers, data)["answers"]
        for said, (item, values) in zip(found, chosen, strict=True):
            refusal = decode_revert(said)
            shown = [show_value(p, v) for p, v in zip(item.inputs, values, strict=True)]
            assert refusal.values["name"] == item.name
            assert list(refusal.values["arguments"].values()) == shown or _a_tier(item)
        compared += len(found)
    assert compared >= CASES


def _a_tier(item: AbiItem) -> bool:
    """Its key may be a tier's number, which is shown as such."""
    return item.name == "ProgrammesUnchanged"
