"""A mirror built anew is the followed one, and takes its place between two reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from sqlalchemy import func, select, text, update

from ledger.errors import NodeAnswerInvalid
from ledger.mirror import exclusion, pool
from ledger.mirror.digest import compute_digest
from ledger.mirror.rebuild import rebuild
from ledger.store import mirror_tables
from ledger.store.engine import reading, writing
from ledger.store.office_tables import labels
from tests.chain.fake_node import FakeNode
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Open
from tests.mirror.test_lies import LIES
from tests.mirror.test_reorganisation import following, wait_until_at_head
from tests.support.happenings import Ledger, ProgrammeId, wait_for

ONE = ProgrammeId(1)


def test_rebuild__of_a_followed_mirror__gives_the_same_digest(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    mirrored.sync()
    with following(mirrored):
        for number in range(5):
            ledger.award(ONE, (1, 10 + number), (2, 1))
            wait_until_at_head(mirrored, ledger)
        ledger.anvil.rpc.call("anvil_reorg", 2, [])
        ledger.award(ONE, (4, 9))
        wait_until_at_head(mirrored, ledger)
    digest = mirrored.digest
    mirrored.stop.clear()
    state = rebuild(mirrored.new_mirror())
    assert state.generation == 1
    assert mirrored.digest == digest
    assert_mirrors_chain(mirrored, ledger)


def test_rebuild__into_an_empty_database__is_a_first_mirror(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    assert rebuild(mirrored.mirror).generation == 0
    assert_mirrors_chain(mirrored, told_ledger)


def test_rebuild__of_a_damaged_mirror__mends_it_and_ends_the_halt(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    digest = mirrored.digest
    with writing(mirrored.engine) as connection:
        connection.execute(text("DELETE FROM entries WHERE entry_id = 2"))
        connection.execute(update(mirror_tables.balances).values(balance=1))
        connection.execute(update(mirror_tables.mirror_state).values(halted_code="mirror.damaged"))
        connection.execute(labels.insert().values(_label()))
    state = rebuild(mirrored.new_mirror())
    assert state.halt is None
    assert mirrored.digest == digest
    with reading(mirrored.engine) as connection:
        assert connection.execute(select(func.count()).select_from(labels)).scalar_one() == 1


def _label() -> dict[str, str]:
    return {column.name: "office" for column in labels.columns}


def test_rebuild__beside_a_follower__is_noticed_by_it(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    ledger.award(ONE, (1, 10))
    mirrored.sync()
    with following(mirrored):
        other = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
        for _ in range(2):
            rebuild(other.new_mirror())
            ledger.award(ONE, (1, 3), (2, 4))
            wait_until_at_head(mirrored, ledger)
    assert mirrored.state.generation == 2
    assert_mirrors_chain(mirrored, ledger)


def test_rebuild__while_readers_read__shows_them_a_whole_mirror_each_time(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    digest = mirrored.digest
    seen: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.wait(0.02):  # else it takes the processor from the one that rebuilds
            seen.append(mirrored.digest)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        rebuild(open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url).mirror)
        count = len(seen)
        wait_for(lambda: len(seen) > count, "the reader stopped")
    finally:
        ended.set()
        reader.join()
    assert set(seen) == {digest}


def test_rebuild__from_a_node_that_lies__leaves_the_old_mirror(
    database_url: str, told_ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_PAUSE_SECONDS", 0.0)
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    before = mirrored.sync()
    digest = mirrored.digest
    method, lie = LIES["the last log left out"]
    with FakeNode(upstream=told_ledger.anvil.url) as liar:
        liar.lies[method] = lie
        other = open_mirror(database_url, told_ledger.deployment, liar.url)
        with pytest.raises(NodeAnswerInvalid):
            rebuild(other.mirror, from_chain=True)
    assert mirrored.state == before
    assert mirrored.digest == digest
    # what an unfinished rebuild leaves is no hindrance to the next one
    rebuild(mirrored.new_mirror())
    assert mirrored.digest == digest


class Meanwhile(threading.Event):
    """Does something the first time that somebody waits for it."""

    def __init__(self, *, do: Callable[[], object]) -> None:
        super().__init__()
        self._do: list[Callable[[], object]] = [do]

    def wait(self, _timeout: float | None = None) -> bool:
        while self._do:
            self._do.pop()()
        return self.is_set()


def test_rebuild__that_an_earlier_reader_holds_up__takes_a_reorganisation_of_that_time_in(
    postgres_url: str, ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusion, "LONGEST_SECONDS", 0.1)
    mirrored = open_mirror(postgres_url, ledger.deployment, ledger.anvil.url)
    ledger.award(ONE, (1, 10))
    mirrored.sync()
    with ExitStack() as opened:
        before = mirrored.digest
        reader = opened.enter_context(reading(mirrored.engine))
        reader.execute(text("SELECT 1"))  # it has begun, and is at no table yet

        def reorganise() -> None:
            ledger.anvil.rpc.call("anvil_reorg", 1, [])
            ledger.award(ONE, (2, 7))
            mirrored.sync()
            assert compute_digest(reader).hex() == before
            opened.close()

        held_up = mirrored.new_mirror()
        held_up.stop = Meanwhile(do=reorganise)
        assert rebuild(held_up).generation == 1
        assert reader.closed
    assert_mirrors_chain(mirrored, ledger)


def test_rebuild__of_tables_that_others_use__leaves_their_views_and_rights(
    postgres_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(postgres_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    digest = mirrored.digest
    with writing(mirrored.engine) as connection:
        connection.execute(text("CREATE VIEW totals AS SELECT sum(amount) FROM entries"))
        connection.execute(text("GRANT SELECT ON balances TO PUBLIC"))
        total = connection.execute(text("SELECT * FROM totals")).scalar_one()
        connection.execute(text("DELETE FROM entries WHERE entry_id = 2"))
    rebuild(mirrored.new_mirror())
    assert mirrored.digest == digest
    with reading(mirrored.engine) as connection:
        assert connection.execute(text("SELECT * FROM totals")).scalar_one() == total
        rights = connection.execute(
            text("SELECT relacl::text FROM pg_class WHERE oid = 'balances'::regclass")
        )
        assert "=r/" in rights.scalar_one()
