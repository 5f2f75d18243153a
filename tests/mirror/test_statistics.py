"""PostgreSQL's planner is told of what was mirrored, as soon as it is much."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, insert

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
    statistics = Statistics(engine)
    add_blocks(engine, 1, 5000)

    assert statistics.refresh(5000) == ("blocks",)
    add_blocks(engine, 5001, 20_000)
    assert statistics.refresh(5000 + BLOCKS_BETWEEN - 1) == ()  # not looked at that often
    assert statistics.refresh(25_000) == ("blocks",)
    assert statistics.refresh(26_000) == ()
    engine.dispose()


def test_statistics__of_sqlite__are_none(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")

    assert Statistics(engine).refresh(5000) == ()
    engine.dispose()
