"""The chain changes its mind: what it dropped goes, what it has instead comes, in one commit."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ledger.domain.ids import BlockNumber
from ledger.errors import NodeLagging, ReorganisationTooDeep
from ledger.mirror.contracts import Followed
from ledger.mirror.follow import follow
from ledger.mirror.marks import BlockMark
from ledger.mirror.pool import PASSING
from ledger.mirror.reports import Applied
from ledger.mirror.rollback import roll_back
from ledger.mirror.state import advance, read_state
from ledger.store import mirror_tables
from ledger.store.engine import writing
from tests.chain.fake_node import FakeNode
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Mirrored, Open
from tests.support.anvil import Anvil
from tests.support.happenings import Ledger, ProgrammeId, found_ledger, wait_for

ONE = ProgrammeId(1)


@contextlib.contextmanager
def following(mirrored: Mirrored) -> Iterator[None]:
    """Follow the chain in another thread meanwhile."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            follow(mirrored.mirror, poll_interval=0.01)
        except Exception as problem:  # noqa: BLE001  told to the test at the end
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        mirrored.stop.set()
        thread.join()
    assert problems == []


def wait_until_at_head(mirrored: Mirrored, ledger: Ledger) -> None:
    """Return when the mirror's cursor is the chain's head."""

    def is_at_head() -> bool:
        return "0x" + mirrored.state.cursor.hash.hex() == ledger.node.header("latest").hash

    wait_for(is_at_head, "the mirror did not reach the chain's head")


def reorganise(ledger: Ledger, depth: int, *, with_award: bool) -> None:
    """Replace the last blocks, the first new one holding another award if asked for."""
    transactions = []
    if with_award:
        operation = ledger.operation()
        calldata = ledger.award_call(ONE, [(2, 77)], operation)
        nonce = ledger.node.nonce(ledger.officers["council"].address, "latest")
        raw = ledger.sign("council", "Credits", calldata, nonce)
        transactions.append(["0x" + raw.hex(), 0])
    ledger.anvil.rpc.call("anvil_reorg", depth, transactions)


@pytest.mark.parametrize("with_award", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_follow__while_the_chain_is_reorganised__stays_equal_to_it(
    database_url: str, ledger: Ledger, open_mirror: Open, depth: int, with_award: bool
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    mirrored.sync()
    with following(mirrored):
        ledger.award(ONE, (1, 10), (2, 20))
        for number in range(3):
            ledger.award(ONE, (1, 5 + number), (3, 1))
            ledger.anvil.mine()
        wait_until_at_head(mirrored, ledger)
        reorganise(ledger, depth, with_award=with_award)
        wait_until_at_head(mirrored, ledger)
        assert_mirrors_chain(mirrored, ledger)
        ledger.award(ONE, (4, 9))
        wait_until_at_head(mirrored, ledger)
    assert_mirrors_chain(mirrored, ledger)
    replaced = [report for report in mirrored.said if isinstance(report, Applied)]
    assert [report.rolled_back for report in replaced if report.rolled_back] == [depth]


def test_sync__when_the_chain_was_reorganised_while_down__is_repaired_in_one_commit(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    for number in range(5):
        ledger.award(ONE, (1, 10 + number))
    before = mirrored.sync()
    reorganise(ledger, 3, with_award=True)
    ledger.award(ONE, (5, 1), (1, 2))
    mirrored.said.clear()
    mirrored.mirror = mirrored.new_mirror()
    after = mirrored.sync()
    applied = [report for report in mirrored.said if isinstance(report, Applied)]
    assert [report.rolled_back for report in applied] == [3]
    assert after.cursor.number == before.cursor.number + 1
    assert_mirrors_chain(mirrored, ledger)


def test_sync__after_a_reorganisation_of_a_reorganisation__equals_the_chain(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    for depth in (2, 4, 1, 3):
        for number in range(4):
            ledger.award(ONE, (1 + number, depth))
        mirrored.sync()
        reorganise(ledger, depth, with_award=bool(depth % 2))
        mirrored.sync()
        assert_mirrors_chain(mirrored, ledger)


def test_sync__when_final_blocks_are_gone__halts_and_keeps_what_was_there(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    mirrored.mirror = mirrored.new_mirror(finality_blocks=3)
    for number in range(6):
        ledger.award(ONE, (1, 10 + number))
    before = mirrored.sync()
    digest = mirrored.digest
    reorganise(ledger, 4, with_award=False)
    ledger.anvil.mine(2)
    with pytest.raises(ReorganisationTooDeep) as refused:
        mirrored.sync()
    assert refused.value.values["depth"] == 4
    after = mirrored.state
    assert mirrored.digest == digest
    assert after.cursor == before.cursor
    assert after.halt is not None
    assert after.halt.code == "mirror.reorganisation_too_deep"


def test_final_block__once_final__stays_so_through_many_small_reorganisations(
    sqlite_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    """Otherwise a chain could creep back, three blocks at a time, to its beginning."""
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    mirrored.mirror = mirrored.new_mirror(finality_blocks=3)
    ledger.anvil.mine(10)
    final = mirrored.sync().final_number
    assert final == ledger.node.block_number() - 3
    reorganise(ledger, 3, with_award=False)
    assert mirrored.sync().final_number == final
    ledger.anvil.rpc.call("anvil_rollback", 2)
    ledger.anvil.rpc.call("anvil_reorg", 1, [])
    assert mirrored.sync().final_number == final
    ledger.anvil.rpc.call("anvil_rollback", 1)
    ledger.anvil.rpc.call("anvil_reorg", 1, [])
    with pytest.raises(ReorganisationTooDeep):
        mirrored.sync()


def test_final_block__that_the_chain_itself_calls_final__is_taken_over(
    sqlite_url: str, start_anvil: Callable[..., Anvil], tmp_path: Path, open_mirror: Open
) -> None:
    anvil = start_anvil("--slots-in-an-epoch", "2")
    ledger = found_ledger(anvil, tmp_path)
    anvil.mine(10)
    called_final = int(ledger.node.header("finalized").number, 16)
    ledger.close()
    mirrored = open_mirror(sqlite_url, ledger.deployment, anvil.url)
    assert mirrored.sync().final_number == called_final
    assert called_final == anvil.rpc.head().number - 4


def test_look__at_a_node_that_lags__waits_and_takes_nothing_back(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    for number in range(4):
        ledger.award(ONE, (1, 10 + number))
    before = mirrored.sync()
    digest = mirrored.digest
    ledger.anvil.rpc.call("anvil_rollback", 2)
    with pytest.raises(NodeLagging):
        mirrored.mirror.look()
    assert mirrored.state == before
    assert mirrored.digest == digest
    ledger.anvil.mine()  # a block of another hash where one of ours stands
    mirrored.sync()
    assert_mirrors_chain(mirrored, ledger)


def test_look__while_the_chain_changes_under_it__never_halts(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    """The node told its head, and was reorganised before it was asked for the rest."""
    with FakeNode(upstream=ledger.anvil.url) as node:
        mirrored = open_mirror(database_url, ledger.deployment, node.url)
        mirrored.sync()
        for number in range(3):
            ledger.award(ONE, (1, 10 + number))
        head = ledger.anvil.rpc.call("eth_getBlockByNumber", "latest", False)
        reorganise(ledger, 2, with_award=True)
        node.lies["eth_getBlockByNumber"] = lambda params, result: (
            head if params[0] == "latest" else result
        )
        mirrored.mirror.look()
        assert_mirrors_chain(mirrored, ledger)
        with pytest.raises(PASSING):
            mirrored.mirror.look()
        node.lies.clear()
        assert mirrored.sync().halt is None
    assert_mirrors_chain(mirrored, ledger)


def test_look__at_a_node_that_tells_the_state_of_a_later_block__goes_on(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    """As anvil does where it seals a block between being asked and answering."""
    told: list[str] = []
    slots = 2 * len(Followed(ledger.deployment).contracts)  # of the first look

    def seal_meanwhile(params: list[Any], result: Any) -> Any:
        if len(told) == slots:
            return result
        if not told:
            ledger.award(ONE, (1, 99))
        told.append("a later block's")
        return ledger.anvil.rpc.call("eth_getStorageAt", *params[:-1], "latest")

    with FakeNode(upstream=ledger.anvil.url) as node:
        mirrored = open_mirror(database_url, ledger.deployment, node.url)
        ledger.award(ONE, (1, 10))
        node.lies["eth_getStorageAt"] = seal_meanwhile
        assert mirrored.sync().halt is None
        # The block that was sealed meanwhile is compared with its own state.
        assert mirrored.sync().halt is None
    assert len(told) == slots
    assert_mirrors_chain(mirrored, ledger)


# --- the law ------------------------------------------------------------------------------------


def test_rollback_then_sync__at_any_block__gives_the_same_digest(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    whole = mirrored.sync()
    digest = mirrored.digest
    first = whole.first_block - 1

    @given(cut=st.integers(first, whole.cursor.number))
    @settings(max_examples=25, deadline=None, database=None)
    def check(cut: int) -> None:
        take_back(mirrored, cut)
        mirrored.mirror = mirrored.new_mirror()
        assert mirrored.sync().cursor == whole.cursor
        assert mirrored.digest == digest

    check()


@pytest.mark.parametrize("cut", [30, 60, 90, 115, 135])
def test_rollback__to_a_block__equals_a_sync_up_to_it(
    database_url: str, told_ledger: Ledger, open_mirror: Open, tmp_path: Path, cut: int
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    take_back(mirrored, cut)
    head = told_ledger.anvil.rpc.call("eth_getBlockByNumber", hex(cut), False)
    with FakeNode(upstream=told_ledger.anvil.url) as node:
        node.lies["eth_getBlockByNumber"] = lambda params, result: (
            head if params[0] == "latest" else result
        )
        other = open_mirror(
            f"sqlite:///{tmp_path / 'other.sqlite3'}", told_ledger.deployment, node.url
        )
        assert other.sync().cursor.number == cut
        assert other.digest == mirrored.digest


def take_back(mirrored: Mirrored, cut: int) -> None:
    """Roll the database back to a block, as a reorganisation would, and set the cursor there."""
    with writing(mirrored.engine) as connection:
        block = connection.execute(
            select(mirror_tables.blocks).where(mirror_tables.blocks.c.number == cut)
        ).one()
        advance(
            connection,
            read_state(connection),
            cursor=BlockMark(block.number, bytes(block.hash), block.timestamp),
            final_number=0,
            head_number=cut,
        )
        roll_back(connection, BlockNumber(cut))
