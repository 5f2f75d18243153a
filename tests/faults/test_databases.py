"""Databases that are locked, that die in a commit, and that two mirrors write at once."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, event, text

from ledger.mirror import follow
from ledger.mirror.reports import Waiting
from ledger.processes import wait_until
from ledger.store import engine as store
from tests.faults.conftest import ONE, Target, Targets
from tests.support.happenings import Ledger, wait_for
from tests.support.postgres import Cluster

UNUSABLE = "setup.database_unusable"


@contextmanager
def locked(target: Target) -> Iterator[None]:
    """Somebody else holds the right to write, and does not let go."""
    other = create_engine(target.engine.url)
    try:
        with other.connect() as connection:
            if other.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("LOCK TABLE mirror_state, logs IN EXCLUSIVE MODE"))
            yield
            connection.rollback()
    finally:
        other.dispose()


def test_database__that_is_locked_for_long__is_waited_for_and_readiness_ends(
    target: Target, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SQLite waits, and PostgreSQL, which waits in the statement itself."""
    monkeypatch.setattr(follow, "_DATABASE_WAIT", 0.05)
    if target.engine.dialect.name == "sqlite":
        target.engine.dispose()

        @event.listens_for(target.engine, "checkout")
        def _be_impatient(connection: object, _record: object, _proxy: object) -> None:
            connection.execute("PRAGMA busy_timeout = 50")  # type: ignore[attr-defined]

    with target.following():
        wait_for(lambda: target.is_at_head, "it did not catch up")
        with locked(target):
            looked = target.state.looked_at
            ledger.award(ONE, (1, 6))
            if target.engine.dialect.name == "sqlite":
                wait_for(lambda: is_told(target, UNUSABLE), "it does not say that it waits")
                wait_for(lambda: target.readiness.status() == 503, "it is said to be ready")
            # Where it waits in silence, the age of its last look tells.
            later = looked / 1000 + 31
            assert target.readiness.status(at=later) == 503
        wait_for(lambda: target.is_at_head, "it did not go on")
        wait_for(lambda: target.readiness.status() == 200, "it is not ready again")
    target.assert_equal()


def is_told(target: Target, code: str) -> bool:
    """Whether the mirror said that it waits for this."""
    return any(isinstance(each, Waiting) and each.problem.code == code for each in target.said)


def test_postgresql__killed_in_a_commit__recovers_and_the_mirror_goes_on(
    targets: Targets,
    postgres_cluster: Cluster,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A backend that is killed takes the whole cluster down: all of it recovers from its log."""
    monkeypatch.setattr(follow, "_DATABASE_WAIT", 0.05)
    target = targets.get("postgresql")
    kills = iter(range(3))
    armed = threading.Event()

    @event.listens_for(target.engine, "commit")
    def _kill(connection: Connection) -> None:
        if not armed.is_set() or next(kills, None) is None:
            return
        armed.clear()
        driver = connection.connection.driver_connection
        assert driver is not None
        os.kill(driver.info.backend_pid, signal.SIGKILL)

    with target.following():
        for number in range(3):
            wait_for(lambda: answers(target), "it did not catch up")
            armed.set()
            ledger.award(ONE, (1 + number, 8))
            wait_for(lambda: not armed.is_set(), "nothing was committed")
            wait_for(lambda: answers(target), "it did not come back")
    assert next(kills, None) is None
    event.remove(target.engine, "commit", _kill)
    assert wait_until(postgres_cluster.answers, seconds=30)
    target.assert_equal()


def test_connection__cut_as_the_commit_was_done__leaves_it_done_once(
    targets: Targets, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has committed, and nobody hears of it."""
    monkeypatch.setattr(follow, "_DATABASE_WAIT", 0.05)
    target = targets.get("postgresql")
    armed = threading.Event()
    cuts: list[int] = []

    @event.listens_for(target.engine, "commit")
    def _cut(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        if armed.is_set() and driver is not None:
            armed.clear()
            cuts.append(driver.info.backend_pid)
            driver.execute("COMMIT")
            driver.close()

    try:
        with target.following():
            for number in range(3):
                wait_for(lambda: answers(target), "it did not catch up")
                armed.set()
                ledger.award(ONE, (1 + number, 8))
                wait_for(lambda: not armed.is_set(), "nothing was committed")
                wait_for(lambda: answers(target), "it did not come back")
            wait_for(lambda: is_told(target, UNUSABLE), "it does not say what happened")
    finally:
        event.remove(target.engine, "commit", _cut)
    assert len(cuts) == 3
    target.assert_equal()


def test_database__whose_file_is_gone__is_waited_for_and_a_backup_in_its_place_is_taken(
    targets: Targets, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had the old file open would go on with it, unseen, and lose all at its end."""
    monkeypatch.setattr(follow, "_DATABASE_WAIT", 0.05)
    target = targets.make("sqlite")
    target.sync()
    path = store.sqlite_file(target.engine)
    target.engine.dispose()  # and so all is in the one file
    backup = path.with_suffix(".backup")
    shutil.copyfile(path, backup)
    with target.following():
        ledger.award(ONE, (1, 6))
        wait_for(lambda: target.is_at_head, "it did not follow")
        assert target.readiness.status() == 200
        for each in path.parent.glob(f"{path.name}*"):
            if not each.name.endswith("-lock"):
                each.unlink()
        wait_for(lambda: is_told(target, UNUSABLE), "it goes on with a file that nobody sees")
        assert target.readiness.status() == 503
        assert not path.exists()
        backup.rename(path)
        wait_for(lambda: answers(target), "it does not take the backup")
        wait_for(lambda: target.readiness.status() == 200, "it is not ready again")
    target.assert_equal()


def answers(target: Target) -> bool:
    """Whether the database answers, and its mirror is at the chain's head."""
    try:
        return target.is_at_head
    except Exception:  # noqa: BLE001  a cluster that recovers refuses in many ways
        return False


def test_mirrors__two_on_one_database__one_leads_and_nothing_is_written_twice(
    target: Target, targets: Targets, ledger: Ledger
) -> None:
    other = Target(store.open_engine(target.url, durable=False), target.url, ledger)
    try:
        with target.following(), other.following():
            for number in range(4):
                ledger.award(ONE, (1 + number, 1))
                wait_for(lambda: target.is_at_head, "neither of them leads")
            target.stop.set()
            ledger.award(ONE, (1, 1))
            wait_for(lambda: target.is_at_head, "the other did not take over")
        target.assert_equal()
    finally:
        other.close_nodes()
        other.readiness.close()
        other.engine.dispose()


_NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$
"""


@contextmanager
def full(target: Target) -> Iterator[None]:
    """No row has room: SQLite's file may not grow, PostgreSQL says what it then says."""
    if target.engine.dialect.name == "sqlite":
        bound = threading.Event()
        bound.set()

        def _bound(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages if bound.is_set() else 2**30}")

        event.listen(target.engine, "checkout", _bound)
        yield
        bound.clear()
        return
    other = create_engine(target.engine.url)
    with other.begin() as connection:
        connection.exec_driver_sql(_NO_ROOM)
        connection.exec_driver_sql(
            "CREATE TRIGGER no_room BEFORE INSERT ON logs EXECUTE FUNCTION no_room()"
        )
    try:
        yield
    finally:
        with other.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER no_room ON logs")
            connection.exec_driver_sql("DROP FUNCTION no_room")
        other.dispose()


def test_disk__that_is_full__is_waited_for_and_readiness_says_so_at_once(
    new_target: Target, young_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_DATABASE_WAIT", 0.05)
    target = new_target
    with target.following():
        wait_for(lambda: answers(target), "it did not catch up")
        before = target.state.cursor
        with full(target):
            # Enough that no page has room for it.
            block = young_ledger.award(ONE, *[(1 + each % 5, 1) for each in range(400)])
            wait_for(lambda: is_told(target, "setup.disk_full"), "it does not say that it waits")
            wait_for(lambda: target.readiness.status() == 503, "it is said to be ready")
            assert target.state.cursor == before
        wait_for(lambda: target.state.cursor.number >= block, "it did not go on")
        wait_for(lambda: target.readiness.status() == 200, "it is not ready again")
    target.assert_equal()
