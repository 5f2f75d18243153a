"""One node that tells something else than the chain: nothing of it gets in, and readiness tells."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from ledger.chain.transport import Patience
from ledger.errors import (
    JournalBroken,
    LedgerError,
    NodeAnswerInvalid,
    NodeLacksBlock,
    NodeRefused,
)
from ledger.mirror import ahead
from tests.chain.fake_node import Refusal
from tests.faults.conftest import ONE, Target
from tests.faults.proxy import BY_HASH, BY_NUMBER, RECEIPTS, Proxy
from tests.support.happenings import Ledger

Logs = list[dict[str, Any]]
Lie = Callable[[Logs], Logs]


def with_first(change: dict[str, Any]) -> Lie:
    return lambda logs: [logs[0] | change, *logs[1:]]


def altered(logs: Logs) -> Logs:
    data = logs[1]["data"]
    return [logs[0], logs[1] | {"data": data[:40] + "7" + data[41:]}, *logs[2:]]


FALSE_LOGS: dict[str, Lie] = {
    "empty": lambda logs: [],
    "without its head": lambda logs: logs[1:],
    "without its middle": lambda logs: [*logs[:2], *logs[3:]],
    "without its tail": lambda logs: logs[:-1],
    "with a log twice": lambda logs: [logs[0], *logs],
    "in another order": lambda logs: [logs[1], logs[0], *logs[2:]],
    "with an altered log": altered,
    "with a removed log": with_first({"removed": True}),
    "with a foreign block hash": with_first({"blockHash": "0x" + "33" * 32}),
}


def award(ledger: Ledger) -> int:
    """Five entries in one transaction."""
    return ledger.award(ONE, *[(each, 10 + each) for each in range(1, 6)])


def in_receipts(lie: Lie) -> Callable[[list[Any], Any], Any]:
    """The lie about a whole block's logs, told in its receipts."""

    def apply(_params: list[Any], receipts: Any) -> Any:
        changed = copy.deepcopy(receipts)
        for receipt in changed or []:
            if len(receipt["logs"]) > 2:
                receipt["logs"] = lie(receipt["logs"])
        return changed

    return apply


@pytest.mark.parametrize("what", FALSE_LOGS)
def test_answer__that_is_not_the_chains_logs__is_refused_and_readiness_says_so(
    target: Target, proxy: Proxy, ledger: Ledger, what: str
) -> None:
    before = target.state
    award(ledger)
    proxy.lies[RECEIPTS] = in_receipts(FALSE_LOGS[what])
    target.through(proxy.url)
    with pytest.raises((NodeAnswerInvalid, JournalBroken)) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    proxy.heal()
    target.through(proxy.url)
    target.sync()
    target.assert_equal()


def test_answer__that_is_false__is_refused_by_the_process_that_proves_ahead_too(
    target: Target, proxy: Proxy, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "WORTH_A_PROCESS", 1)
    before = target.state
    award(ledger)
    proxy.lies[RECEIPTS] = in_receipts(FALSE_LOGS["without its middle"])
    target.through(proxy.url, patience=Patience(attempts=1, timeout=20.0))
    with pytest.raises(NodeAnswerInvalid) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    proxy.heal()
    target.sync()
    target.assert_equal()


@pytest.mark.parametrize("method", [BY_NUMBER, BY_HASH, RECEIPTS])
def test_answer__that_is_null__is_waited_for_and_readiness_ends(
    target: Target, proxy: Proxy, ledger: Ledger, method: str
) -> None:
    before = target.state
    award(ledger)
    proxy.lies[method] = lambda params, found: None if params[0] != "latest" else found
    target.through(proxy.url)
    target.mirror.forget()
    with pytest.raises(NodeLacksBlock) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    proxy.heal()
    target.sync()
    target.assert_equal()


def test_node__that_has_pruned_the_state__is_compared_at_a_later_block(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses the state of early blocks; what it has is enough to prove the whole."""
    award(young_ledger)
    monkeypatch.setattr("ledger.mirror.prove.MOST_BLOCKS", 10)
    head = young_ledger.node.block_number()
    young_proxy.refuses = lambda method, params: (
        Refusal(-32000, "missing trie node 8a02 (path ) state is not available")
        if method in ("eth_getStorageAt", "eth_getProof")
        and is_before(young_ledger, params, head - 5)
        else None
    )
    new_target.through(young_proxy.url)
    new_target.sync()
    new_target.assert_equal()


def is_before(ledger: Ledger, params: list[Any], number: int) -> bool:
    """Whether a question is about the state of a block before that number."""
    state = params[-1]
    block = ledger.anvil.rpc.call("eth_getBlockByHash", state["blockHash"], False)
    return int(block["number"], 16) < number


def test_node__that_has_pruned_its_receipts__is_named_and_another_is_asked(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger
) -> None:
    award(young_ledger)
    young_proxy.gone_before = young_ledger.node.block_number()
    new_target.through(young_proxy.url)
    with pytest.raises(NodeRefused, match="pruned") as refused:
        new_target.sync()
    assert new_target.state.lag > 0
    new_target.assert_refused(new_target.state, refused.value)
    new_target.through(young_proxy.url, young_ledger.anvil.url)
    new_target.sync()
    new_target.assert_equal()


def test_node__behind_a_balancer_with_one_that_is_behind__never_takes_anything_back(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    """Each answer is of another node, every second of one that is some blocks behind."""
    for behind in (1, 3):
        proxy.behind = itertools.cycle([0, behind, 0, 0, behind])
        target.through(proxy.url)
        for _ in range(4):
            reached = target.state.cursor.number
            award(ledger)
            for _ in range(6):
                try:
                    target.mirror.look()
                except LedgerError as problem:
                    assert problem.code.startswith("node.")  # noqa: PT017
                assert target.state.cursor.number >= reached
                assert target.state.halt is None
    proxy.heal()
    target.sync()
    target.assert_equal()
