"""A node that alters one thing in one answer is refused, and nothing of it gets in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledger.chain.headers import header_hash
from ledger.errors import (
    ChainMismatch,
    CodeMismatch,
    JournalBroken,
    LedgerError,
    MirrorEmpty,
    NodeAnswerInvalid,
    NodeAnswerUnreadable,
    NodeLacksBlock,
)
from ledger.mirror import follow, pool
from ledger.mirror.reports import NodePassedOver
from tests.chain.fake_node import FakeNode
from tests.mirror.conftest import Mirrored, Open
from tests.support.happenings import Ledger

Lie = Callable[[list[Any], Any], Any]


def change(*path: str | int, to: Any) -> Lie:
    """Another value at one place of the answer, wherever the answer has that place."""

    def lie(params: list[Any], result: Any) -> Any:
        changed = copy.deepcopy(result)
        holder = changed
        try:
            for step in path[:-1]:
                holder = holder[step]
            if not isinstance(holder, dict) or path[-1] in holder:
                holder[path[-1]] = to(holder[path[-1]]) if callable(to) else to
        except (IndexError, KeyError, TypeError):
            return result
        return changed

    return lie


def last_digit(text: str) -> str:
    """The same hex with another last digit."""
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def where_logs_are(lie: Callable[[list[Any]], list[Any]]) -> Lie:
    """Alters the receipts of blocks in which something of ours was logged."""

    def apply(params: list[Any], result: Any) -> Any:
        return lie(copy.deepcopy(result)) if any(each["logs"] for each in result) else result

    return apply


def without_first_log(receipts: list[Any]) -> list[Any]:
    holder = next(each for each in receipts if each["logs"])
    holder["logs"] = holder["logs"][1:]
    return receipts


def without_last_log(receipts: list[Any]) -> list[Any]:
    holder = next(each for each in receipts if each["logs"])
    holder["logs"] = holder["logs"][:-1]
    return receipts


def with_a_log_twice(receipts: list[Any]) -> list[Any]:
    holder = next(each for each in receipts if each["logs"])
    holder["logs"] = [holder["logs"][0], *holder["logs"]]
    return receipts


def with_logs_reordered(receipts: list[Any]) -> list[Any]:
    holder = next(each for each in receipts if each["logs"])
    first, *others = holder["logs"]
    holder["logs"] = [*others, first] if others else [{**first, "logIndex": "0x5"}]
    return receipts


def in_log(field: str, to: Any) -> Lie:
    def alter(receipts: list[Any]) -> list[Any]:
        log = next(each for each in receipts if each["logs"])["logs"][0]
        log[field] = to(log[field]) if callable(to) else to
        return receipts

    return where_logs_are(alter)


HEADERS, BODIES = "eth_getBlockByNumber", "eth_getBlockByHash"
RECEIPTS, STORAGE, PROOF = "eth_getBlockReceipts", "eth_getStorageAt", "eth_getProof"

LIES: dict[str, tuple[str, Lie]] = {
    "a header's hash": (HEADERS, change("hash", to=last_digit)),
    "a header's parent": (HEADERS, change("parentHash", to=last_digit)),
    "a header's bloom, emptied": (HEADERS, change("logsBloom", to="0x" + "00" * 256)),
    "a header's receipts root": (HEADERS, change("receiptsRoot", to=last_digit)),
    "a header's state root": (HEADERS, change("stateRoot", to=last_digit)),
    "a header's time": (HEADERS, change("timestamp", to=last_digit)),
    "a header's number": (HEADERS, change("number", to=last_digit)),
    "a transaction's hash": (BODIES, change("transactions", 0, "hash", to=last_digit)),
    "a transaction's calldata": (BODIES, change("transactions", 0, "input", to=last_digit)),
    "a transaction left out": (BODIES, change("transactions", to=lambda found: found[1:])),
    "a transaction elsewhere": (BODIES, change("transactions", 0, "transactionIndex", to="0x9")),
    "a receipt left out": (RECEIPTS, lambda _, receipts: receipts[1:]),
    "all receipts left out": (RECEIPTS, lambda _, receipts: []),
    "a receipt twice": (RECEIPTS, lambda _, receipts: [*receipts, *receipts]),
    "no logs": (RECEIPTS, lambda _, receipts: [{**each, "logs": []} for each in receipts]),
    "a receipt's status": (RECEIPTS, change(0, "status", to="0x0")),
    "the first log left out": (RECEIPTS, where_logs_are(without_first_log)),
    "the last log left out": (RECEIPTS, where_logs_are(without_last_log)),
    "a log twice": (RECEIPTS, where_logs_are(with_a_log_twice)),
    "logs in another order": (RECEIPTS, where_logs_are(with_logs_reordered)),
    "a log's data": (RECEIPTS, in_log("data", last_digit)),
    "a log's topics": (RECEIPTS, in_log("topics", lambda topics: [last_digit(topics[0])])),
    "a log's address": (RECEIPTS, in_log("address", "0x" + "11" * 20)),
    "a log's index": (RECEIPTS, in_log("logIndex", "0x77")),
    "a log's transaction": (RECEIPTS, in_log("transactionHash", "0x" + "22" * 32)),
    "a log's block": (RECEIPTS, in_log("blockHash", "0x" + "33" * 32)),
    "a log said to be removed": (RECEIPTS, in_log("removed", True)),
    "a contract's journal": (STORAGE, lambda _, word: last_digit(word)),
    "a proof's last node": (PROOF, change("accountProof", -1, to=last_digit)),
    "a proof of nothing": (PROOF, change("accountProof", to=[])),
    "a storage proof cut": (PROOF, change("storageProof", 0, "proof", to=lambda found: found[:-1])),
    "a storage proof padded": (
        PROOF,
        change("storageProof", 1, "proof", to=lambda found: [*found, found[-1]]),
    ),
    "the chain's id": ("eth_chainId", lambda _, number: "0x2"),
    "a contract's code": ("eth_getCode", lambda _, code: code + "00"),
    "no such block": (BODIES, lambda _, block: None),
    "no receipts": (RECEIPTS, lambda _, receipts: None),
    "nonsense": (RECEIPTS, lambda _, receipts: {"logs": 5}),
}
WAITED_FOR = {"no such block", "no receipts", "nonsense"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between two looks at a node that goes on lying."""
    monkeypatch.setattr(pool, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(follow, "_FIRST_WAIT", 0.001)


@pytest.mark.parametrize("what", LIES)
def test_sync__from_a_node_that_lies__takes_nothing_in(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open, what: str
) -> None:
    method, lie = LIES[what]
    with FakeNode(upstream=told_ledger.anvil.url) as liar:
        liar.lies[method] = lie
        mirrored = open_mirror(sqlite_url, told_ledger.deployment, liar.url)
        with pytest.raises(LedgerError) as refused:
            mirrored.sync()
        assert any(asked == method for asked, _ in liar.asked)
    expected = (NodeAnswerInvalid, JournalBroken, ChainMismatch, CodeMismatch)
    if what in WAITED_FOR:
        expected = (NodeLacksBlock, NodeAnswerUnreadable)
    assert isinstance(refused.value, expected)
    assert_nothing_is_in(mirrored, halted=what not in WAITED_FOR)


def assert_nothing_is_in(mirrored: Mirrored, *, halted: bool) -> None:
    """No block was applied; a mirror that had begun says why it stopped."""
    try:
        state = mirrored.state
    except MirrorEmpty:
        return
    assert state.cursor.number == state.first_block - 1
    assert (state.halt is not None) == halted


@pytest.mark.parametrize("what", LIES)
def test_sync__with_an_honest_node_behind_a_liar__is_complete(
    sqlite_url: str, told_ledger: Ledger, told_digest: str, open_mirror: Open, what: str
) -> None:
    method, lie = LIES[what]
    with FakeNode(upstream=told_ledger.anvil.url) as liar:
        liar.lies[method] = lie
        mirrored = open_mirror(sqlite_url, told_ledger.deployment, liar.url, told_ledger.anvil.url)
        state = mirrored.sync()
        assert any(isinstance(report, NodePassedOver) for report in mirrored.said)
    assert state.halt is None
    assert mirrored.digest == told_digest


def test_sync__after_a_halt__goes_on_when_the_node_is_honest_again(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    method, lie = LIES["the last log left out"]
    with FakeNode(upstream=told_ledger.anvil.url) as node:
        node.lies[method] = lie
        mirrored = open_mirror(database_url, told_ledger.deployment, node.url)
        with pytest.raises(NodeAnswerInvalid):
            mirrored.sync()
        halt = mirrored.state.halt
        assert halt is not None
        assert halt.code == "node.answer_invalid"
        assert "receipts root" in halt.reason
        node.lies.clear()
        mirrored.mirror = mirrored.new_mirror()
        assert mirrored.sync().halt is None


def test_sync__from_a_node_that_lies_once__asks_again_and_goes_on(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    """Answers of two chains look like lies while the chain is reorganised."""
    method, lie = LIES["a header's hash"]
    lies = iter([lie])

    def lie_once(params: list[Any], result: Any) -> Any:
        return next(lies, lambda _, told: told)(params, result)

    with FakeNode(upstream=told_ledger.anvil.url) as node:
        node.lies[method] = lie_once
        mirrored = open_mirror(sqlite_url, told_ledger.deployment, node.url)
        assert mirrored.sync().lag == 0


def test_sync__from_whoever_makes_blocks_that_hide_logs__is_refused_by_the_state(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    """The header is consistent in itself: only the contract's own state tells."""
    node = told_ledger.node
    true_header = node.header("latest")
    forged = msgspec.structs.replace(true_header, logs_bloom="0x" + "00" * 256)
    forged_hash = "0x" + header_hash(forged).hex()
    answers = told_ledger.anvil.rpc.call("eth_getBlockByNumber", "latest", False)
    forged_block = answers | {"logsBloom": forged.logs_bloom, "hash": forged_hash}
    with FakeNode(upstream=told_ledger.anvil.url) as producer:
        producer.lies["eth_getBlockByNumber"] = lambda params, block: (
            forged_block if block["number"] == true_header.number else block
        )

        def on_true_block(method: str) -> Callable[[list[Any]], Any]:
            def answer(params: list[Any]) -> Any:
                state = params[-1]
                if isinstance(state, dict) and state["blockHash"] == forged_hash:
                    state = {"blockHash": true_header.hash}
                return told_ledger.anvil.rpc.call(method, *params[:-1], state)

            return answer

        for method in ("eth_getCode", STORAGE, PROOF):
            producer.methods[method] = on_true_block(method)
        mirrored = open_mirror(sqlite_url, told_ledger.deployment, producer.url)
        with pytest.raises(JournalBroken, match="Authority"):
            mirrored.sync()
    assert_nothing_is_in(mirrored, halted=True)
