"""Who leads, who takes over from whom, and that whoever lost the lead writes nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine, select, update

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.mirror import lease as leases
from ledger.mirror.lease import (
    BEAT_SECONDS,
    Leader,
    Lease,
    LeaseLost,
    Stopped,
    lead,
    lock_file,
    open_lock,
    read_leader,
)
from ledger.mirror.reports import OtherLeads
from ledger.store.engine import POSTGRESQL, open_engine, reading, writing
from ledger.store.mirror_tables import mirror_lease, mirror_state
from ledger.store.schema import upgrade_schema
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Open
from tests.mirror.test_processes import Start, reaches, start_follower
from tests.mirror.test_reorganisation import following, wait_until_at_head
from tests.support.happenings import Ledger, wait_for

__all__ = ["start_follower"]

ONE = ProgrammeId(1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database of each kind."""
    opened = open_engine(database_url, durable=False)
    upgrade_schema(opened)
    yield opened
    opened.dispose()


def leader_of(engine: Engine) -> Leader:
    """Who leads a database."""
    with reading(engine) as connection:
        return read_leader(connection)


def hold_lock(engine: Engine, held: ExitStack) -> None:
    """Hold the lock as a paused process does, without a sign of life."""
    assert open_lock(engine, held, leases._LEASE).take()


def test_lead__once_after_another__counts_epochs_and_leaves_nobody(engine: Engine) -> None:
    for epoch in (1, 2, 3):
        with lead(engine, threading.Event()) as lease:
            assert lease.epoch == epoch
            found = leader_of(engine)
            assert (found.epoch, found.locked) == (epoch, True)
            assert found.holder.endswith(f":{os.getpid()}")
        assert leader_of(engine).holder == ""


def test_lead__without_anything_to_commit__gives_signs_of_life(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", BEAT_SECONDS / 10)
    with lead(engine, threading.Event()):
        first = leader_of(engine).beat
        wait_for(lambda: leader_of(engine).beat > first + 1, "there was no beat")


def test_fence__of_an_epoch_that_is_over__writes_nothing(engine: Engine) -> None:
    with lead(engine, threading.Event()) as lease:
        with writing(engine) as connection:
            connection.execute(update(mirror_lease).values(epoch=lease.epoch + 1))
        with pytest.raises(LeaseLost):
            _write_late(engine, lease)
        assert leader_of(engine).holder != "the late one"


def _write_late(engine: Engine, lease: Lease) -> None:
    with writing(engine) as connection:
        connection.execute(update(mirror_lease).values(holder="the late one"))
        lease.fence(connection)


def test_lead__of_one_that_lost_it__ends_without_taking_it_from_the_other(engine: Engine) -> None:
    with lead(engine, threading.Event()), writing(engine) as connection:
        connection.execute(update(mirror_lease).values(epoch=7, holder="the other"))
    assert leader_of(engine).holder == "the other"


def test_lead__while_the_lock_is_held_and_the_beat_stands_still__takes_over_without_the_lock(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "EXPIRY_SECONDS", 0.5)
    monkeypatch.setattr(leases, "BEAT_SECONDS", BEAT_SECONDS / 10)
    waited: list[None] = []
    with ExitStack() as paused:
        hold_lock(engine, paused)
        with lead(engine, threading.Event(), lambda: waited.append(None)) as lease:
            assert waited == [None]
            assert not leader_of(engine).locked
            paused.close()
            wait_for(lambda: leader_of(engine).locked, "the lock was not taken when it was free")
            assert leader_of(engine).epoch == lease.epoch


def test_lead__where_the_lock_is_free_and_another_leads_without_it__waits(
    engine: Engine,
) -> None:
    """What a paused leader comes back to: its lock says nothing any more."""
    with lead(engine, threading.Event()):
        pass
    with writing(engine) as connection:
        connection.execute(update(mirror_lease).values(locked=0, holder="the other"))
    stop = threading.Event()
    with pytest.raises(Stopped), lead(engine, stop, stop.set):
        pytest.fail("it took the lead")
    assert leader_of(engine).holder == "the other"


def test_watch__of_one_who_was_paused_itself__does_not_count_the_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = leases._Watch()
    leader = Leader(1, 5, locked=True, holder="somebody")
    assert not watch.has_expired(leader)
    now[0] += 100 * leases.EXPIRY_SECONDS
    assert not watch.has_expired(leader)
    for _ in range(int(leases.EXPIRY_SECONDS / 0.2) + 1):
        now[0] += 0.2
        expired = watch.has_expired(leader)
    assert expired


def test_follower__paused_and_continued__writes_nothing_after_another_took_over(
    database_url: str,
    ledger: Ledger,
    open_mirror: Open,
    start_follower: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "EXPIRY_SECONDS", 1.0)
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    paused = start_follower(database_url)
    wait_for(lambda: "caught_up" in paused.said, "the first did not catch up")
    _pause_between_commits(mirrored.engine, paused.process.pid)
    before = leader_of(mirrored.engine)
    try:
        with following(mirrored):
            block = ledger.award(ONE, (OrgId(1), 5))
            wait_for(lambda: reaches(mirrored, block), "nobody took over")
            assert leader_of(mirrored.engine).epoch == before.epoch + 1
            os.kill(paused.process.pid, signal.SIGCONT)
            wait_for(lambda: "other_leads" in paused.said, "it did not notice that it lost")
            ledger.award(ONE, (OrgId(2), 7))
            wait_until_at_head(mirrored, ledger)
            # The other still leads, and has the lock now, which was given back.
            wait_for(lambda: leader_of(mirrored.engine).locked, "the lock was not given back")
            assert leader_of(mirrored.engine).epoch == before.epoch + 1
        assert OtherLeads() in mirrored.said
        block = ledger.award(ONE, (OrgId(3), 2))
        wait_for(lambda: reaches(mirrored, block), "the first did not lead again")
    finally:
        os.kill(paused.process.pid, signal.SIGCONT)
    assert paused.end(signal.SIGTERM) == 0
    assert "Traceback" not in paused.log
    assert_mirrors_chain(mirrored, ledger)


def _pause_between_commits(engine: Engine, pid: int) -> None:
    """Pause a process where it holds no transaction open, so that others can write."""

    def is_free() -> bool:
        os.kill(pid, signal.SIGSTOP)
        with contextlib.suppress(Exception):
            if engine.dialect.name == POSTGRESQL or lock_file(engine, leases._LEASE).exists():
                with writing(engine) as connection:
                    if engine.dialect.name == POSTGRESQL:
                        connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
                    connection.execute(select(mirror_state).with_for_update())
                    connection.execute(select(mirror_lease).with_for_update())
                return True
        os.kill(pid, signal.SIGCONT)
        return False

    wait_for(is_free, "it was always writing")
