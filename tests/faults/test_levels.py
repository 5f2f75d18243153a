"""The level for nodes that serve no receipts: the same rows, and journals that let no line go."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ledger.domain.verification import Level
from ledger.errors import JournalBroken, LedgerError, NodeAnswerInvalid, NodeRefused
from ledger.mirror.ranges import read_ranges, weakest_level
from ledger.store.engine import reading
from tests.chain.fake_node import Refusal
from tests.faults.conftest import ONE, Target, Targets
from tests.faults.proxy import LOGS, RECEIPTS, Proxy
from tests.faults.test_answers import FALSE_LOGS, award
from tests.faults.test_chain import digest_of, reorganise
from tests.faults.test_network import TOO_MUCH
from tests.support.happenings import Ledger, wait_for


def without_receipts(method: str, params: list[Any]) -> Refusal | None:
    """A node that serves neither receipts nor proofs."""
    if method in (RECEIPTS, "eth_getProof"):
        return Refusal(-32601, f"the method {method} does not exist")
    return None


def last_logs(ledger: Ledger, lie: Callable[[Any], Any]) -> Callable[[list[Any], Any], Any]:
    """The lie about the logs of the last block alone."""
    number = hex(ledger.node.block_number())

    def apply(_params: list[Any], logs: Any) -> Any:
        changed = copy.deepcopy(logs)
        before = [each for each in changed if each["blockNumber"] != number]
        after = [each for each in changed if each["blockNumber"] == number]
        return [*before, *lie(after)] if after else changed

    return apply


def test_level__of_heads__gives_the_digest_of_receipts_from_a_node_without_any(
    new_target: Target, targets: Targets, kind: str, young_proxy: Proxy, young_ledger: Ledger
) -> None:
    award(young_ledger)
    young_proxy.refuses = without_receipts
    new_target.through(young_proxy.url)
    with pytest.raises(NodeRefused):
        new_target.mirror.look()
    new_target.through(young_proxy.url, level=Level.HEADS)
    new_target.sync()
    new_target.assert_equal()
    assert all(method != RECEIPTS for method, _ in young_proxy.asked[-10:])
    proved = targets.make(kind, young_ledger)
    proved.sync()
    assert digest_of(new_target) == digest_of(proved)


@pytest.mark.parametrize("what", FALSE_LOGS)
def test_level__of_heads__refuses_logs_that_are_not_the_chains(
    target: Target, proxy: Proxy, ledger: Ledger, what: str
) -> None:
    before = target.state
    award(ledger)
    proxy.refuses = without_receipts
    proxy.lies[LOGS] = last_logs(ledger, FALSE_LOGS[what])
    target.through(proxy.url, level=Level.HEADS)
    with pytest.raises((NodeAnswerInvalid, JournalBroken)) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    proxy.heal()
    target.through(proxy.url, level=Level.HEADS)
    target.sync()
    target.assert_equal()


def test_level__of_heads__asks_for_narrower_ranges_down_to_one_block(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger
) -> None:
    """Whatever the provider says, and however narrow its bound is."""
    widths: list[int] = []
    said = iter(TOO_MUCH * 100)

    def bounded(method: str, params: list[Any]) -> Refusal | None:
        if method != LOGS:
            return None
        width = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        if width > 1:
            return Refusal(*next(said))
        widths.append(width)
        return None

    young_proxy.refuses = bounded
    new_target.through(young_proxy.url, level=Level.HEADS)
    new_target.sync()
    assert set(widths) == {1}
    new_target.assert_equal()


def test_levels__of_the_blocks__are_kept_with_them_and_follow_a_reorganisation(
    new_target: Target, young_ledger: Ledger
) -> None:
    new_target.sync()
    award(young_ledger)
    award(young_ledger)
    new_target.through(young_ledger.anvil.url, level=Level.HEADS)
    new_target.sync()
    receipts, heads = ranges_of(new_target)
    assert (receipts[1] + 1, heads[1]) == (heads[0], young_ledger.node.block_number())
    assert (receipts[2], heads[2]) == (Level.RECEIPTS, Level.HEADS)
    reorganise(young_ledger, 1)
    young_ledger.anvil.mine()
    new_target.through(young_ledger.anvil.url)
    new_target.sync()
    head = young_ledger.node.block_number()
    assert [each[2] for each in ranges_of(new_target)] == ["receipts", "heads", "receipts"]
    assert ranges_of(new_target)[-1][:2] == (head - 1, head)
    new_target.assert_equal()


def ranges_of(target: Target) -> list[tuple[int, int, Level]]:
    with reading(target.engine) as connection:
        found = read_ranges(connection, target.state)
    assert weakest_level(found) == min(each.level for each in found)
    return [(each.first, each.last, each.level) for each in found]


def test_level__of_heads__follows_reorganisations_too(target: Target, ledger: Ledger) -> None:
    target.through(ledger.anvil.url, level=Level.HEADS)
    with target.following():
        ledger.anvil.mine(4)
        ledger.award(ONE, (1, 2), (2, 3))
        wait_for(lambda: target.is_at_head, "it did not reach the head")
        reorganise(ledger, 3)
        wait_for(lambda: target.is_at_head, "it did not follow")
    target.assert_equal()


def test_level__of_heads__from_a_node_that_refuses_logs__waits(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    before = target.state
    award(ledger)
    proxy.refuses = lambda method, params: (
        Refusal(*TOO_MUCH[0]) if method == LOGS else without_receipts(method, params)
    )
    target.through(proxy.url, level=Level.HEADS)
    with pytest.raises(LedgerError) as refused:
        target.mirror.look()
    target.assert_refused(before, refused.value)
    proxy.heal()
    target.sync()
    target.assert_equal()
