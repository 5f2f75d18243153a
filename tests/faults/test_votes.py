"""A liar whose chain is consistent in itself: the other nodes' votes keep it out, and tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from ledger.errors import LedgerError, NodeAlone, NodesDisagree
from ledger.mirror.reports import NodePassedOver, Waiting
from ledger.store.engine import reading
from ledger.store.mirror_tables import blocks
from tests.faults.conftest import ONE, Target
from tests.faults.forger import Forger
from tests.faults.proxy import Proxy
from tests.support.happenings import Ledger, wait_for


@pytest.fixture
def forger(ledger: Ledger) -> Iterator[Forger]:
    """A node that can serve a chain of its own."""
    with Forger(ledger.anvil.url) as running:
        yield running


def longer(forger: Forger, ledger: Ledger) -> None:
    """Its chain goes on from the true head."""
    forger.forge(ledger.node.block_number(), 5)


def as_long(forger: Forger, ledger: Ledger) -> None:
    """Its chain has another last block."""
    forger.forge(ledger.node.block_number() - 1, 1)


def shorter(forger: Forger, ledger: Ledger) -> None:
    """Its chain left the true one two blocks ago, and is behind."""
    forger.forge(ledger.node.block_number() - 2, 1)


FORGERIES = [longer, as_long, shorter]


def problems_of(target: Target) -> list[LedgerError]:
    """All that was told to be wrong, of whichever node."""
    return [each.problem for each in target.said if isinstance(each, NodePassedOver | Waiting)]


def assert_nothing_forged(target: Target, forger: Forger) -> None:
    """No block of the forged chain is among the mirrored ones."""
    forged = {bytes.fromhex(each["hash"][2:]) for each in forger.forged}
    with reading(target.engine) as connection:
        held = {bytes(each) for each in connection.execute(select(blocks.c.hash)).scalars()}
    assert not forged & held


@pytest.mark.parametrize("position", [0, 2])
@pytest.mark.parametrize("forge", FORGERIES, ids=lambda each: each.__name__)
def test_pool__of_three_with_a_consistent_liar__follows_the_two_others(
    target: Target,
    proxy: Proxy,
    forger: Forger,
    ledger: Ledger,
    forge: Callable[[Forger, Ledger], None],
    position: int,
) -> None:
    urls = [ledger.anvil.url, proxy.url]
    urls.insert(position, forger.url)
    target.through(*urls)
    ledger.award(ONE, (1, 2))
    forge(forger, ledger)
    with target.following():
        for number in range(3):
            wait_for(lambda: target.is_at_head, "the liar stopped the mirror")
            assert_nothing_forged(target, forger)
            ledger.award(ONE, (1 + number, 2))
        wait_for(lambda: target.is_at_head, "the liar stopped the mirror")
        assert_nothing_forged(target, forger)
        assert target.readiness.status() == 200
    forger.heal()
    target.assert_equal()


def test_pool__whose_nodes_disagree__tells_which_has_which_block(
    target: Target, proxy: Proxy, forger: Forger, ledger: Ledger
) -> None:
    target.through(ledger.anvil.url, proxy.url, forger.url)
    ledger.award(ONE, (1, 2))
    as_long(forger, ledger)
    target.mirror.look()
    told = next(each for each in problems_of(target) if isinstance(each, NodesDisagree))
    assert told.values["block"] == ledger.node.block_number()
    for node, found in (
        (ledger.anvil.url, ledger.node.header("latest").hash),
        (proxy.url, ledger.node.header("latest").hash),
        (forger.url, forger.forged[-1]["hash"]),
    ):
        assert f"{node} has {found}" in str(told)
    forger.heal()
    target.assert_equal()


def test_pool__of_three_of_which_one_alone_is_ahead__waits_for_another_to_follow(
    target: Target, proxy: Proxy, forger: Forger, ledger: Ledger
) -> None:
    before = target.state
    proxy.frozen_at = forger.frozen_at = ledger.node.block_number()
    ledger.award(ONE, (1, 2))
    target.through(ledger.anvil.url, proxy.url, forger.url)
    target.mirror.look()
    assert target.state.cursor == before.cursor
    assert any(isinstance(each, NodeAlone) for each in problems_of(target))
    proxy.heal()
    with target.following():
        wait_for(lambda: target.is_at_head, "two of three were not enough")
    target.assert_equal()


@pytest.mark.parametrize("position", [0, 1])
def test_pool__of_two_that_contradict_each_other__takes_neither_and_waits(
    target: Target, forger: Forger, ledger: Ledger, position: int
) -> None:
    """No proof settles it, and two votes are no majority."""
    before = target.state
    urls = [ledger.anvil.url]
    urls.insert(position, forger.url)
    target.through(*urls)
    ledger.award(ONE, (1, 2))
    as_long(forger, ledger)
    with pytest.raises(NodesDisagree) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    forger.heal()
    with target.following():
        wait_for(lambda: target.is_at_head, "it did not go on")
    target.assert_equal()


@pytest.mark.parametrize("position", [0, 1])
def test_pool__of_two_with_a_consistent_but_shorter_chain__follows_the_longer(
    target: Target, forger: Forger, ledger: Ledger, position: int
) -> None:
    urls = [ledger.anvil.url]
    urls.insert(position, forger.url)
    ledger.award(ONE, (1, 2))
    ledger.award(ONE, (1, 2))
    target.sync()
    target.through(*urls)
    shorter(forger, ledger)
    with target.following():
        for number in range(3):
            ledger.award(ONE, (1 + number, 2))
            wait_for(lambda: target.is_at_head, "the liar stopped the mirror")
            assert_nothing_forged(target, forger)
    assert target.state.halt is None
    forger.heal()
    target.assert_equal()
