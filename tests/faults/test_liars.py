"""One node of a pool means harm, and says what no honest node says: the others are followed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ledger.chain.headers import HeaderAnswer, header_hash
from ledger.chain.logs import JOURNAL_HEAD_SLOT, journal_event_hash, next_head
from ledger.domain.verification import Finality, Level
from ledger.errors import (
    MirrorEmpty,
    NodeLacksBlock,
    NodeRefused,
    NodesDisagree,
    NodeUnreachable,
)
from ledger.mirror.prove import look_at_head
from ledger.mirror.standing import Standing
from tests.chain.fake_node import Refusal
from tests.faults.conftest import ONE, Target
from tests.faults.proxy import BY_NUMBER, LOGS, STORAGE, Proxy
from tests.faults.test_levels import without_receipts
from tests.faults.test_notes import notes_of
from tests.support.happenings import Ledger, wait_for


@pytest.fixture
def third(ledger: Ledger) -> Iterator[Proxy]:
    """One more way to the chain's node."""
    with Proxy(ledger.anvil.url) as running:
        yield running


def forged(block: Any, **fields: str) -> Any:
    """The block with other fields, and the hash that is right for them."""
    changed = {**block, **fields}
    return changed | {"hash": "0x" + header_hash(msgspec.convert(changed, HeaderAnswer)).hex()}


# --- votes --------------------------------------------------------------------------------------


def test_pool__of_two_of_which_one_gives_other_blocks_than_asked_for__follows_the_other(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    """Each of its answers is true of some block: such a one has no vote against the other's."""
    target.through(ledger.anvil.url, proxy.url)
    proxy.methods[BY_NUMBER] = lambda params: proxy.ask_upstream(
        BY_NUMBER, "0x1" if params[0] not in ("latest", "finalized", "0x0") else params[0], False
    )
    with target.following():
        for number in range(2):
            ledger.award(ONE, (1 + number, 2))
            wait_for(lambda: target.is_at_head, "the liar stopped the mirror")
        wait_for(lambda: "in its place" in notes_of(target)[1].problem, "nobody was told")
        assert target.readiness.status() == 200
    proxy.heal()
    target.assert_equal()


@pytest.mark.parametrize("nodes", [2, 3])
def test_mirror__that_begins__does_not_stand_on_what_one_node_says(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger, nodes: int
) -> None:
    """The block before the first, forged: a mirror that began there could never go on.

    Here that is the genesis, which a node is asked for once before.
    """
    parent = hex(new_target.followed.first_block - 1)

    def forge_later(params: list[Any], block: Any) -> Any:
        again = young_proxy.asked.count((BY_NUMBER, [parent, False])) > 1
        return forged(block, extraData="0x66") if again and params[0] == parent else block

    young_proxy.lies[BY_NUMBER] = forge_later
    urls = [young_proxy.url, young_ledger.anvil.url, young_ledger.anvil.url][:nodes]
    new_target.through(*urls)
    if nodes == 2:
        with pytest.raises(NodesDisagree):
            new_target.mirror.look()
        with pytest.raises(MirrorEmpty):
            _ = new_target.state
        young_proxy.heal()
    new_target.sync()
    new_target.assert_equal()


# --- a node that is ahead, in its own words -----------------------------------------------------


def test_pool__of_two_of_which_one_is_ahead_in_word_alone__follows_the_other(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    target.through(proxy.url, ledger.anvil.url)
    proxy.lies[BY_NUMBER] = lambda params, block: (
        forged(block, number="0x7fffffffffffffff") if params[0] == "latest" else block
    )
    with target.following():
        for number in range(3):
            block = ledger.award(ONE, (1 + number, 2))
            wait_for(lambda: target.state.cursor.number == block, "the liar stopped the mirror")  # noqa: B023
        looked = target.state.looked_at
        wait_for(lambda: target.state.looked_at > looked, "a quiet chain is not looked at")
        assert target.state.lag == 0
        assert target.readiness.status() == 200
    proxy.heal()
    target.through(ledger.anvil.url)
    target.sync()
    target.assert_equal()


@pytest.mark.parametrize("problem", [NodeUnreachable, NodeLacksBlock])
def test_node__that_tells_its_head_and_fails_at_all_else__is_left_alone_ever_longer(
    ledger: Ledger, problem: type[NodeUnreachable] | type[NodeLacksBlock]
) -> None:
    """It is ahead, and would be asked first each time that it seems well."""
    now = 0.0
    node = ledger.node
    standing = Standing(0, node, lambda: now)
    head = look_at_head(node)
    failed = problem(url=node.url, problem="nothing", method="none", block=head.number)
    for _ in range(16):
        standing.failed(failed)
        began = now
        while standing.is_resting:
            now += 1.0
        standing.saw(head)
        assert standing.is_sound
    assert now - began > 40
    standing.did_well()
    standing.failed(failed)
    now += 1.0
    assert not standing.is_resting


# --- finality -----------------------------------------------------------------------------------


@pytest.mark.parametrize("finality", [Finality.EITHER, Finality.TAG])
def test_finality__that_one_node_tells_and_no_other_knows__is_not_taken(
    new_target: Target, young_proxy: Proxy, young_ledger: Ledger, finality: Finality
) -> None:
    """What is final stays so: a head that is called final would halt the mirror for good."""
    with Proxy(young_ledger.anvil.url) as other:
        other.refuses = lambda method, params: (
            Refusal(-39001, "unknown block") if params[:1] == ["finalized"] else None
        )
        young_proxy.methods[BY_NUMBER] = lambda params: young_proxy.ask_upstream(
            BY_NUMBER, "latest" if params[0] == "finalized" else params[0], *params[1:]
        )
        new_target.through(young_proxy.url, other.url, finality=finality)
        with new_target.following():
            for _ in range(3):
                young_ledger.anvil.mine()
                wait_for(lambda: new_target.is_at_head, "it did not follow")
        assert new_target.state.final_number < new_target.state.cursor.number
        young_ledger.anvil.rpc.call("anvil_reorg", 1, [])
        young_ledger.anvil.mine()
        new_target.through(young_ledger.anvil.url)
        new_target.sync()
        new_target.assert_equal()


# --- words --------------------------------------------------------------------------------------


def test_node__whose_words_fit_into_no_database__stops_nothing(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    """PostgreSQL takes no character of number 0, and a person's terminal should take none below 32.

    Every problem of a node is noted in the database, at each look.
    """
    before = target.state
    proxy.refuses = lambda method, params: Refusal(-32000, "no\0\x1b[2J\nBlock 7: all is well.")
    target.through(proxy.url)
    ledger.award(ONE, (1, 2))
    with pytest.raises(NodeRefused) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    target.through(proxy.url, ledger.anvil.url)
    with target.following():
        wait_for(lambda: target.is_at_head, "the words stopped the mirror")
        wait_for(lambda: notes_of(target)[0].code == "node.refused", "nobody was told")
    assert notes_of(target)[0].problem.isprintable()
    proxy.heal()
    target.assert_equal()


# --- logs at the level of heads -----------------------------------------------------------------


_AMOUNT, _BALANCE_AFTER = 3 * 32 - 1, 4 * 32 - 1
"""The last bytes of these words in the data of EntryPosted."""


class Bookkeeper:
    """Tells a history of its own: the amounts that it likes, and the heads that are right for them.

    Amounts stand in no bloom, so that the true headers do not contradict it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._credits = "0x" + ledger.addresses["Credits"].hex()
        self._first = ledger.node.block_number() + 1
        self._before = ledger.node.storage(
            [(ledger.addresses["Credits"], JOURNAL_HEAD_SLOT)], "latest"
        )[0]
        self._head = self._before

    def tell_logs(self, _params: list[Any], logs: Any) -> Any:
        """The true logs, but for a credit more in each entry."""
        told = copy.deepcopy(logs)
        self._head = self._before
        for log in told:
            if log["address"] == self._credits and int(log["blockNumber"], 16) >= self._first:
                topics = b"".join(bytes.fromhex(each[2:]) for each in log["topics"])
                data = bytearray.fromhex(log["data"][2:])
                for place in (_AMOUNT, _BALANCE_AFTER):
                    data[place] += 1
                self._head = next_head(self._head, journal_event_hash(topics, bytes(data)))
                data[-32:] = self._head
                log["data"] = "0x" + data.hex()
        return told

    def tell_storage(self, params: list[Any], word: Any) -> Any:
        """The contract's head after them."""
        if params[:2] == [self._credits, "0x" + JOURNAL_HEAD_SLOT.hex()]:
            return "0x" + self._head.hex()
        return word


def test_level__of_heads__takes_no_history_that_one_node_of_three_made_up(
    target: Target, proxy: Proxy, third: Proxy, ledger: Ledger
) -> None:
    liar = Bookkeeper(ledger)
    target.sync()
    ledger.award(ONE, (1, 10), (2, 20))
    proxy.refuses = without_receipts
    proxy.lies[LOGS] = liar.tell_logs
    proxy.lies[STORAGE] = liar.tell_storage
    target.through(proxy.url, ledger.anvil.url, third.url, level=Level.HEADS)
    target.sync()
    assert any(method == LOGS for method, _ in proxy.asked)
    target.assert_equal()
