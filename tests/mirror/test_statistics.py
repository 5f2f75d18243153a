"""PostgreSQL's planner is told of what was mirrored, as soon as it is much."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from ledger.mirror import statistics
from ledger.mirror.statistics import BLOCKS_BETWEEN, Statistics
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import blocks
from ledger.store.schema import upgrade_schema
from tests.support.postgres import Cluster


def add_blocks(engine: Engine, first: int, count: int) -> None:
    rows = [
        {"number": number, "hash": number.to_bytes(32, "big"), "timestamp": number}
        for number in range(first, first + count)
    ]
    with writing(engine) as connection:
        connection.execute(insert(blocks), rows)


def test_statistics__of_tables_that_grew__are_taken_once(postgres_cluster: Cluster) -> None:
    engine = open_engine(postgres_cluster.new_database())
    upgrade_schema(engine)
    taken = Statistics(engine)
    add_blocks(engine, 1, 5000)

    assert taken.refresh(5000) == ("blocks",)
    add_blocks(engine, 5001, 20_000)
    assert taken.refresh(5000 + BLOCKS_BETWEEN - 1) == ()  # not looked at that often
    assert taken.refresh(25_000) == ("blocks",)
    assert taken.refresh(26_000) == ()
    engine.dispose()


def test_statistics__that_somebody_keeps_from_being_taken__stop_nothing(
    postgres_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(postgres_cluster.new_database())
    upgrade_schema(engine)
    add_blocks(engine, 1, 5000)
    monkeypatch.setattr(statistics, "_NOT_LONG", text("SET LOCAL lock_timeout = '20ms'"))

    with writing(engine) as connection:  # as VACUUM does
        connection.execute(text("LOCK TABLE blocks IN SHARE UPDATE EXCLUSIVE MODE"))
        assert Statistics(engine).refresh(5000) == ()
    monkeypatch.setattr(Statistics, "_grown", lambda _: ["blocks", "gone"])
    assert Statistics(engine).refresh(5000) == ("blocks",)
    engine.dispose()


def test_statistics__in_a_schema_with_capitals__are_taken(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_database()
    plain = open_engine(url)
    with writing(plain) as connection:
        connection.execute(text('CREATE SCHEMA "Mixed Case"'))
        connection.execute(
            text(f"ALTER DATABASE \"{plain.url.database}\" SET search_path = 'Mixed Case'")
        )
    plain.dispose()
    engine = open_engine(url)
    upgrade_schema(engine)
    add_blocks(engine, 1, 5000)

    assert Statistics(engine).refresh(5000) == ("blocks",)
    engine.dispose()


def test_statistics__of_sqlite__are_none(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")

    assert Statistics(engine).refresh(5000) == ()
    engine.dispose()
