"""A mirror that cannot write says so at once, without writing, and takes it back when it can."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

from sqlalchemy import Engine, event

from ledger.mirror.follow import follow
from ledger.mirror.reports import Waiting
from ledger.mirror.trouble import Trouble, is_in_trouble
from ledger.store.engine import open_engine, reading
from tests.mirror.conftest import Open
from tests.support.happenings import Ledger, ProgrammeId, wait_for


def asks(engine: Engine) -> Callable[[], bool]:
    """Whether the mirror of a database is in trouble, as another process sees it."""

    def look() -> bool:
        with reading(engine) as connection:
            return is_in_trouble(connection)

    return look


def test_trouble__told_and_closed__is_seen_by_others_while_it_lasts(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    server = open_engine(database_url)
    is_told = asks(server)
    trouble = Trouble(mirrored.engine)

    def tells() -> bool:
        trouble.tell()
        return is_told()

    try:
        assert not is_told()
        assert tells()
        assert tells()
        trouble.close()
        # PostgreSQL ends a connection, and gives its locks back, a moment after it was left.
        wait_for(lambda: not is_told(), "it is not taken back")
        wait_for(tells, "it is not told again")
        trouble.close()
        trouble.close()
        wait_for(lambda: not is_told(), "it is not taken back again")
    finally:
        trouble.close()
        server.dispose()


def test_follow__while_it_cannot_write__is_in_trouble_and_then_goes_on(
    sqlite_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    mirrored.sync()
    refused = threading.Event()

    @event.listens_for(mirrored.engine, "checkout")
    def _refuse(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA query_only = {int(refused.is_set())}")

    server = open_engine(sqlite_url)
    is_told = asks(server)
    following = threading.Thread(
        target=follow, args=(mirrored.new_mirror(),), kwargs={"poll_interval": 0.02}
    )
    following.start()
    try:
        refused.set()
        ledger.award(ProgrammeId(1), (1, 5))
        wait_for(is_told, "the mirror does not say that it cannot write")
        assert any(isinstance(each, Waiting) for each in mirrored.said)
        refused.clear()
        wait_for(lambda: not is_told(), "the mirror does not take it back")
        assert mirrored.state.cursor.number == ledger.node.block_number()
    finally:
        mirrored.stop.set()
        following.join()
        server.dispose()
