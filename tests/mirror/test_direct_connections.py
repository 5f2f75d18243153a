"""A database that is asked directly: what it answers, and what becomes of one that is gone."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete, make_url, text

from ledger.processes import wait_until
from ledger.store import direct_file
from ledger.store.direct import DirectConnections, NotDirect, Row
from ledger.store.direct_file import FileConnections
from ledger.store.direct_server import ServerConnections
from ledger.store.engine import POSTGRESQL, open_engine, writing
from ledger.store.mirror_tables import mirror_state
from tests.support.loops import run_apart
from tests.support.roads import Road

COUNT = "SELECT COUNT(*) FROM mirror_state"
SUM = "SELECT CAST(SUM(e) AS BIGINT), COUNT(*) FROM unnest($1::bigint[]) AS e"


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is looked at."""
    times = iter(range(1, 1_000_000))
    return lambda: float(next(times))


def read(connections: DirectConnections, statement: str, *values: str | int) -> list[Row]:
    return run_apart(connections.read(statement, *values))


def test_database__whose_places_are_all_taken_by_routes__still_answers(database_url: str) -> None:
    engine = open_engine(database_url)
    arguments = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0}
    engine = create_engine(engine.url, **arguments)
    kind = ServerConnections if engine.dialect.name == POSTGRESQL else FileConnections

    with engine.connect():
        connections = kind(engine)
        assert read(connections, COUNT) in ([(0,)], [(1,)])
    connections.close()
    engine.dispose()


def test_file__that_a_backup_took_the_place_of__is_read_from_then_on(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    file = Path(engine.url.database or "")
    with writing(engine) as connection:
        connection.execute(delete(mirror_state))
    connections = FileConnections(engine, clock=ticking())
    assert read(connections, COUNT) == [(0,)]
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    other = tmp_path / "other"
    shutil.copyfile(file, other)
    changed = create_engine(f"sqlite:///{other}")
    with changed.begin() as connection:
        connection.execute(text("CREATE TABLE another (one)"))
        connection.execute(text("INSERT INTO another VALUES (7)"))
    changed.dispose()
    for suffix in ("-wal", "-shm"):
        for each in (file, other):
            each.with_name(each.name + suffix).unlink(missing_ok=True)

    other.replace(file)

    assert read(connections, "SELECT one FROM another") == [(7,)]
    connections.close()


def test_database__that_is_gone__is_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    now = 100.0
    connections = FileConnections(engine, clock=lambda: now)
    tried: list[str] = []
    with pytest.raises(NotDirect):
        read(connections, "SELECT * FROM nothing")
    monkeypatch.setattr(direct_file, "_to_file", lambda _path: tried.append("again"))

    with pytest.raises(NotDirect):
        read(connections, "SELECT 1")
    assert tried == []
    now = 102.0
    with pytest.raises(NotDirect):
        read(connections, "SELECT 1")
    assert tried == ["again"]


def test_file__that_another_has_for_itself__holds_up_nobody(tmp_path: Path) -> None:
    file = tmp_path / "a b?.sqlite3"
    connections = FileConnections(open_engine(f"sqlite:///{file.as_posix()}"), clock=ticking())

    # Asked in the thread that serves all: a statement must not wait for whoever has the file.
    assert read(connections, "PRAGMA busy_timeout") == [(0,)]
    assert read(connections, "PRAGMA query_only") == [(1,)]
    connections.close()


def test_file__that_is_gone__is_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite3"
    connections = FileConnections(open_engine(f"sqlite:///{file}"), clock=ticking())
    file.unlink()

    with pytest.raises(NotDirect):
        read(connections, "SELECT 1")
    assert not file.exists()


def test_file__that_cannot_be_looked_at__is_its_routes_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = FileConnections(open_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}"))

    def refuse(_path: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(direct_file, "file_identity", refuse)
    with pytest.raises(NotDirect):
        read(connections, "SELECT 1")


def test_server__asked_by_many_at_once__answers_each(postgres_url: str) -> None:
    async def ask() -> list[list[Row]]:
        connections = ServerConnections(open_engine(postgres_url))
        found = await asyncio.gather(
            *(connections.read(SUM, "{" + f"{each},1" + "}") for each in range(8))
        )
        found.append(
            await connections.read("SELECT $1::bigint, NULL::text, 'a', '\\x00'::bytea", 5)
        )
        connections.close()
        return found

    *sums, odd = run_apart(ask())

    assert sums == [[(each + 1, 2)] for each in range(8)]
    assert odd == [(5, None, "a", b"\0")]


def test_server__sent_more_than_a_socket_takes_at_once__has_it_all(postgres_url: str) -> None:
    many = range(10**9, 10**9 + 500_000)

    async def ask() -> list[Row]:
        connections = ServerConnections(open_engine(postgres_url))
        found = await connections.read(SUM, "{" + ",".join(map(str, many)) + "}")
        found += await connections.read(SUM, "{1}")
        connections.close()
        return found

    assert run_apart(ask()) == [(sum(many), len(many)), (1, 1)]


def test_server__that_refuses_a_statement__is_its_routes_to_tell(postgres_url: str) -> None:
    async def ask() -> list[Row]:
        connections = ServerConnections(open_engine(postgres_url), clock=ticking())
        for statement, value in (("SELECT * FROM nothing", "1"), (SUM, "no array")):
            with pytest.raises(NotDirect):
                await connections.read(statement, *([value] if "$1" in statement else []))
        found = await connections.read(SUM, "{1}")
        connections.close()
        return found

    assert run_apart(ask()) == [(1, 1)]


@pytest.mark.parametrize("while_it_is_asked", [True, False])
def test_server__that_ends_a_connection__is_connected_to_again(
    postgres_url: str, *, while_it_is_asked: bool
) -> None:
    end = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid")

    async def ask() -> list[Row]:
        engine = open_engine(postgres_url)
        connections = ServerConnections(engine, clock=ticking())
        ((pid,),) = await connections.read("SELECT pg_backend_pid()")
        waiting = asyncio.ensure_future(
            connections.read("SELECT 1 FROM pg_sleep(60)" if while_it_is_asked else "SELECT 1")
        )
        await asyncio.sleep(0.05)
        with engine.connect() as other:
            other.execute(end, {"pid": pid})
        if while_it_is_asked:
            with pytest.raises(NotDirect):
                await waiting
        else:
            await waiting
            await asyncio.sleep(0.05)  # the loop hears of it
        found = await connections.read("SELECT pg_backend_pid() != $1::int", pid)
        connections.close()
        engine.dispose()
        return found

    assert run_apart(asyncio.wait_for(ask(), 20)) == [(True,)]


def test_server__whose_answer_is_lost_on_the_way__is_connected_to_again(
    postgres_url: str,
) -> None:
    url = make_url(postgres_url)

    async def ask() -> list[Row]:
        async with Road(url.host or "", url.port or 0) as road:
            engine = open_engine(url.set(port=road.port).render_as_string(hide_password=False))
            connections = ServerConnections(engine, clock=ticking(), answer_seconds=0.5)
            await asyncio.gather(*(connections.read("SELECT 1") for _ in range(3)))
            road.lose_all()
            with pytest.raises(NotDirect):
                await connections.read("SELECT 1")
            found = await connections.read("SELECT $1::bigint", 7)
            connections.close()
            engine.dispose()
        return found

    assert run_apart(asyncio.wait_for(ask(), 20)) == [(7,)]


def test_server__where_a_table_is_locked__keeps_nothing_of_those_who_gave_up(
    postgres_url: str,
) -> None:
    engine = open_engine(postgres_url)
    waiting = text(
        "SELECT COUNT(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    async def ask() -> list[Row]:
        connections = ServerConnections(engine, clock=ticking(), answer_seconds=0.3)
        with engine.connect() as other:
            other.execute(text("LOCK TABLE mirror_state"))
            for _ in range(2):
                with pytest.raises(NotDirect):
                    await connections.read(COUNT)
            assert wait_until(lambda: other.execute(waiting).scalar_one() == 0, seconds=10)
        found = await connections.read("SELECT 1 WHERE 1 = $1::int", 1)
        connections.close()
        return found

    assert run_apart(asyncio.wait_for(ask(), 20)) == [(1,)]
    engine.dispose()


def test_server__asked_directly__plans_for_nobody_else_in_that_way(postgres_url: str) -> None:
    setting = "SELECT current_setting('plan_cache_mode')"
    engine = open_engine(postgres_url)

    async def ask() -> list[Row]:
        connections = ServerConnections(engine)
        found = await connections.read(setting)
        connections.close()
        return found

    assert run_apart(ask()) == [("force_generic_plan",)]
    with engine.connect() as connection:
        assert connection.execute(text(setting)).scalar_one() == "auto"
    engine.dispose()


def test_server__asked_while_a_table_is_small__plans_for_when_it_is_not(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE small AS SELECT 1 AS one"))
        connection.execute(text("CREATE INDEX by_one ON small (one)"))
        connection.execute(text("ANALYZE small"))

    async def ask() -> list[Row]:
        connections = ServerConnections(engine)
        found = await connections.read("EXPLAIN SELECT one FROM small WHERE one = 1")
        connections.close()
        return found

    plan = run_apart(ask())

    assert "by_one" in plan[0][0]
    engine.dispose()


def test_server__that_is_asked_at_the_end__holds_nobody_up(postgres_url: str) -> None:
    async def ask() -> None:
        engine = open_engine(postgres_url)
        connections = ServerConnections(engine)
        await connections.read("SELECT 1")
        waiting = asyncio.ensure_future(connections.read("SELECT 1 FROM pg_sleep(60)"))
        await asyncio.sleep(0.05)
        connections.close()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        engine.dispose()

    run_apart(asyncio.wait_for(ask(), 20))
