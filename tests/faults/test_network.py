"""Nodes that are busy, silent, dead, frozen or that take no large requests, one after the other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ledger.errors import LedgerError, NodeAnswerTooLarge, NodeLagging, NodeUnreachable
from ledger.mirror import pool, standing
from ledger.mirror.reports import NodePassedOver
from tests.chain.fake_node import Body, Cut, Fault, Hang, HangUp, Refusal, Status
from tests.faults.conftest import HASTY, ONE, QUICK, Target
from tests.faults.proxy import BY_HASH, BY_NUMBER, RECEIPTS, Proxy
from tests.support.happenings import Ledger, wait_for
from tests.support.ports import free_port

STUMBLES: dict[str, Fault] = {
    "429": Status(429, {"Retry-After": "0"}),
    "503": Status(503),
    "timeout": Hang(),
    "cut body": Cut(0.7),
    "hang up": HangUp(),
    "half an answer": Body(b'{"jsonrpc":"2.0","id":1,"resu'),
    "rate limit": Body(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"rate limit"}}'),
}


@pytest.mark.parametrize("what", STUMBLES)
def test_node__that_stumbles__is_asked_a_bounded_number_of_times_and_then_waited_for(
    target: Target, proxy: Proxy, ledger: Ledger, what: str
) -> None:
    before = target.state
    ledger.award(ONE, (1, 10), (2, 20))
    target.through(proxy.url, patience=HASTY if what == "timeout" else QUICK)
    proxy.faults.extend([STUMBLES[what]] * 100)
    with pytest.raises(NodeUnreachable) as refused:
        target.mirror.look()
    assert proxy.requests == QUICK.attempts
    target.assert_refused(before, refused.value)
    proxy.faults.clear()
    proxy.faults.append(STUMBLES[what])
    target.sync()
    target.assert_equal()


# --- too much at once ---------------------------------------------------------------------------

TOO_MUCH = (
    (-32005, "query returned more than 10000 results"),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2]."),
    (-32602, "Log response size exceeded. You can make requests with up to a 2K block range"),
    (-32602, "query exceeds max results 20000, retry with the range 1-2"),
    (-32602, "query exceeds max block range 100000"),
    (-32614, "eth_getLogs is limited to a 10,000 range"),
    (-32600, "block range is too wide"),
    (-32600, "block range is too wide (maximum 10)"),
    (-32000, "Block range limit exceeded."),
    (-32000, "exceed maximum block range: 50000"),
    (-32701, "exceed maximum block range: 50000"),
    (-32000, "requested too many blocks from 1 to 100, maximum is set to 10"),
    (-32602, "Max range: 800"),
    (-32005, "Maximum allowed number of requested blocks is 1000"),
    (-32000, "logs matched by query exceeds limit of 10000"),
    (-32020, "backend response too large"),
    (-32000, "Block range is too large"),
    (-32602, "block range too large"),
    (-32000, "eth_getLogs range is too large, max is 10k blocks"),
    (-32000, "please limit the query to at most 1000 blocks"),
    (-32000, "block range greater than 10000 max"),
    (-32000, "block range exceeds 1000"),
    (-32000, "query must be smaller than size 1024"),
    (-32000, "maximum [from, to] blocks distance: 100"),
    (-32600, "exceeds the range allowed for your plan (100 > 10)"),
    (-32005, "Requested range exceeds maximum range limit"),
    (35, "ranges over 10000 blocks are not supported on freetier"),
    (-32000, "response size should not greater than 10000000 bytes"),
    (-32003, "response too large"),
    (-32600, "batch too large"),
    (-32600, "Batch size too large"),
    (-32005, "Number of requests exceeds max batch size"),
    (-32000, "query timeout exceeded"),
)  # fmt: skip
"""What nodes and providers say who are asked for too many blocks, logs or calls at once."""


class Narrow(Proxy):
    """Takes so many calls in a request, and refuses more in one of many ways."""

    most = 1
    said: tuple[int, str] = (0, "")
    largest = 0
    refusals = 0

    def reply_to_batch(self, request: list[Any]) -> Any:
        """The answer to a whole request of several calls."""
        if len(request) > self.most:
            self.refusals += 1
            error = {"code": self.said[0], "message": self.said[1]}
            return {"jsonrpc": "2.0", "id": None, "error": error}
        self.largest = max(self.largest, len(request))
        return [self.answer(call) for call in request]


@pytest.mark.parametrize("most", [1, 3])
def test_node__that_takes_no_large_request__is_asked_for_less_down_to_one_block(
    new_target: Target, young_ledger: Ledger, most: int
) -> None:
    with Narrow(young_ledger.anvil.url) as narrow:
        narrow.most = most
        narrow.said = TOO_MUCH[-4]
        new_target.through(narrow.url)
        new_target.sync()
        assert narrow.refusals > 0
        assert 0 < narrow.largest <= most
    new_target.assert_equal()


def test_refusals__of_every_provider__are_known_to_mean_too_much(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    target.through(proxy.url)
    for code, message in TOO_MUCH:
        proxy.refuses = lambda method, params: Refusal(code, message)  # noqa: B023
        with pytest.raises(NodeAnswerTooLarge):
            target.nodes[0].logs(0, 10, [])
    proxy.heal()
    target.sync()
    target.assert_equal()


@pytest.mark.parametrize("method", [BY_NUMBER, BY_HASH, RECEIPTS])
def test_node__that_refuses_even_one_block__is_waited_for(
    target: Target, proxy: Proxy, ledger: Ledger, method: str
) -> None:
    before = target.state
    ledger.award(ONE, (1, 1))
    ledger.award(ONE, (1, 1))
    proxy.refuses = lambda asked, params: (
        Refusal(*TOO_MUCH[0]) if asked == method and params[0] != "latest" else None
    )
    target.through(proxy.url)
    with pytest.raises(LedgerError) as refused:
        target.mirror.look()
    assert proxy.requests < 40
    target.assert_refused(before, refused.value)
    proxy.heal()
    target.sync()
    target.assert_equal()


# --- dead, frozen -------------------------------------------------------------------------------


def test_node__that_is_dead__is_waited_for_until_it_lives(target: Target, ledger: Ledger) -> None:
    before = target.state
    target.through(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NodeUnreachable) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    target.through(ledger.anvil.url)
    target.sync()
    target.assert_equal()


def test_node__whose_process_is_stopped__is_waited_for_until_it_goes_on(
    target: Target, ledger: Ledger
) -> None:
    before = target.state
    ledger.award(ONE, (1, 5))
    target.through(ledger.anvil.url, patience=HASTY)
    pid = ledger.anvil.process._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(NodeUnreachable, match="timed out") as refused:
            target.mirror.look()
        target.assert_refused(before, refused.value)
    finally:
        os.kill(pid, signal.SIGCONT)
    target.sync()
    target.assert_equal()


# --- a pool -------------------------------------------------------------------------------------


def freeze(proxy: Proxy, ledger: Ledger) -> None:
    """It answers well, and its chain does not go on."""
    proxy.frozen_at = ledger.node.block_number()


def hang(proxy: Proxy, ledger: Ledger) -> None:
    """It says nothing."""
    proxy.faults.extend([Hang()] * 1000)


def die(proxy: Proxy, ledger: Ledger) -> None:
    """It takes no connection any more."""
    proxy.faults.extend([HangUp()] * 1000)


def lie(proxy: Proxy, ledger: Ledger) -> None:
    """It leaves logs out."""
    proxy.lies[RECEIPTS] = lambda params, receipts: [{**each, "logs": []} for each in receipts]


@pytest.mark.parametrize("fault", [freeze, hang, die, lie], ids=lambda each: each.__name__)
@pytest.mark.parametrize("position", [0, 1])
def test_pool__with_one_bad_node__follows_the_other_and_says_so(
    target: Target,
    proxy: Proxy,
    ledger: Ledger,
    fault: Callable[[Proxy, Ledger], None],
    position: int,
) -> None:
    urls = [ledger.anvil.url]
    urls.insert(position, proxy.url)
    target.through(*urls, patience=HASTY if fault is hang else QUICK)
    with target.following():
        wait_for(lambda: target.is_at_head, "it did not catch up")
        fault(proxy, ledger)
        for number in range(3):
            ledger.award(ONE, (1 + number, 3))
            wait_for(lambda: target.is_at_head, "the bad node stopped the mirror")
        assert target.readiness.status() == 200
        if fault is not lie or position == 0:
            wait_for(lambda: bool(passed_over(target, proxy)), "nobody was told")
        proxy.heal()
        ledger.award(ONE, (1, 3))
        wait_for(lambda: target.is_at_head, "it did not go on")
    target.assert_equal()


def passed_over(target: Target, proxy: Proxy) -> list[LedgerError]:
    """What was told to be wrong with a node."""
    return [
        each.problem
        for each in target.said
        if isinstance(each, NodePassedOver) and each.url == proxy.url
    ]


def test_pool__whose_first_node_lags__takes_blocks_from_the_other_and_tells_by_how_much(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    target.through(proxy.url, ledger.anvil.url)
    with target.following():
        wait_for(lambda: target.is_at_head, "it did not catch up")
        freeze(proxy, ledger)
        ledger.award(ONE, (1, 3))
        wait_for(lambda: target.is_at_head, "it waited for the node that lags")
        wait_for(lambda: bool(passed_over(target, proxy)), "nobody was told")
    problem = passed_over(target, proxy)[0]
    assert isinstance(problem, NodeLagging)
    assert problem.values["wanted"] > problem.values["head"]
    target.assert_equal()


def test_pool__with_a_dead_node__asks_it_seldom(
    target: Target, proxy: Proxy, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes of a follower's looks, two a second, on a clock of our own."""
    now = 0.0

    def clock() -> float:
        return now

    target.through(proxy.url, ledger.anvil.url)
    tried = pool.Pool(target.nodes, target.stop, target.said.append, clock=clock)
    monkeypatch.setattr(standing, "FIRST_REST", 1.0)
    die(proxy, ledger)
    minutes: list[int] = []
    for _ in range(10):
        begun = proxy.requests
        for _ in range(120):
            tried.ask(lambda node: node.chain_id())
            now += 0.5
        minutes.append(proxy.requests - begun)
    # The first minute finds it out, by twice the time each; then it is asked about once a minute.
    assert minutes[0] <= 12 * QUICK.attempts
    assert max(minutes[2:]) <= 2 * QUICK.attempts
    proxy.heal()
    target.sync()
    target.assert_equal()


@pytest.mark.parametrize("what", ["dead", "refusing"])
def test_follower__of_one_bad_node__asks_it_a_bounded_number_of_times(
    target: Target, proxy: Proxy, ledger: Ledger, what: str
) -> None:
    ledger.award(ONE, (1, 3))
    target.through(proxy.url)
    if what == "dead":
        die(proxy, ledger)
        most = QUICK.attempts
    else:
        proxy.refuses = lambda method, params: Refusal(-32601, "Method not found")
        most = 3
    for look in range(1, 4):
        with pytest.raises(LedgerError):
            target.mirror.look()
        assert proxy.requests <= look * most
    proxy.heal()
    target.sync()
    target.assert_equal()
