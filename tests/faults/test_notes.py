"""What a person finds in the database about the nodes, and which blocks are final."""

from __future__ import annotations

import pytest

from ledger.domain.verification import Finality
from ledger.mirror import nodes
from ledger.mirror.nodes import Condition, NodeNote, read_nodes
from ledger.store.engine import reading
from tests.chain.fake_node import HangUp
from tests.faults.conftest import FINALITY, ONE, Target
from tests.faults.proxy import BY_NUMBER, Proxy
from tests.faults.test_network import freeze, lie
from tests.support.happenings import Ledger, wait_for


def notes_of(target: Target) -> list[NodeNote]:
    with reading(target.engine) as connection:
        return list(read_nodes(connection))


def test_nodes__of_a_pool__are_noted_with_what_was_wrong_with_them(
    target: Target, proxy: Proxy, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "_AT_MOST_EVERY", 0.0)

    def condition() -> Condition:
        found: Condition = notes_of(target)[0].condition
        return found

    target.through(proxy.url, ledger.anvil.url)
    with target.following():
        wait_for(lambda: target.is_at_head, "it did not catch up")
        wait_for(lambda: condition() is Condition.IN_USE, "it is not noted")
        freeze(proxy, ledger)
        ledger.award(ONE, (1, 1))
        wait_for(lambda: condition() is Condition.LAGGING, "it is not noted to lag")
        noted = notes_of(target)[0]
        assert noted.name == proxy.url.removeprefix("http://")
        assert noted.head_number == proxy.frozen_at
        assert f"behind block {ledger.node.block_number()}" in noted.problem
        proxy.heal()
        wait_for(lambda: condition() is Condition.STANDING_BY, "its coming back is not noted")
        assert notes_of(target)[0].problem == ""
        assert notes_of(target)[1].condition is Condition.IN_USE
    target.through(proxy.url, ledger.anvil.url)
    lie(proxy, ledger)
    ledger.award(ONE, (1, 1))
    target.sync()
    liar, honest = notes_of(target)
    assert (liar.condition, liar.code) == (Condition.PASSED_OVER, "node.answer_invalid")
    assert f"Block {ledger.node.block_number()}" in liar.problem
    assert honest.condition is Condition.IN_USE
    proxy.heal()
    target.through(ledger.anvil.url)
    target.sync()
    assert [each.position for each in notes_of(target)] == [0]
    proxy.faults.append(HangUp())
    target.assert_equal()


@pytest.mark.parametrize(
    ("finality", "expected"),
    [(Finality.DEPTH, FINALITY), (Finality.TAG, 3), (Finality.EITHER, 3)],
    ids=str,
)
def test_finality__by_depth_or_by_tag__is_as_the_settings_say(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger, finality: Finality, expected: int
) -> None:
    """The chain calls final what is three blocks deep, the settings what is eight."""
    young_proxy.methods[BY_NUMBER] = lambda params: young_proxy.ask_upstream(
        BY_NUMBER,
        hex(young_ledger.node.block_number() - 3) if params[0] == "finalized" else params[0],
        *params[1:],
    )
    new_target.through(young_proxy.url, finality=finality)
    state = new_target.sync()
    assert state.final_number == young_ledger.node.block_number() - expected
    new_target.assert_equal()


def test_finality__by_a_tag_that_nodes_tell_differently__is_the_lowest(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger
) -> None:
    """A node that calls its head final would stop the mirror at the next reorganisation."""
    young_proxy.methods[BY_NUMBER] = lambda params: young_proxy.ask_upstream(
        BY_NUMBER, "latest" if params[0] == "finalized" else params[0], *params[1:]
    )
    new_target.through(young_proxy.url, young_ledger.anvil.url, finality=Finality.TAG)
    with new_target.following():
        wait_for(lambda: new_target.is_at_head, "it did not catch up")
        for _ in range(3):
            young_ledger.anvil.mine()
            wait_for(lambda: new_target.is_at_head, "it did not follow")
    honest = int(young_ledger.node.header("finalized").number, 16)
    assert new_target.state.final_number <= max(honest, new_target.state.first_block - 1)
    new_target.assert_equal()
