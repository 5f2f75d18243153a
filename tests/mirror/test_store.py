"""The database: opened, refused, and brought to this release's schema."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import ledger.store
from ledger.errors import (
    DatabaseDamaged,
    DatabaseUnusable,
    FolderUnusable,
    InvalidSetting,
    SchemaMismatch,
)
from ledger.store import import_tables, mirror_tables, office_tables, outbox_tables
from ledger.store.bulk import insert_rows, upsert_rows
from ledger.store.engine import open_engine, reading, writing
from ledger.store.migrations import HEAD
from ledger.store.schema import NEW, read_revision, upgrade_schema
from tests.support.ports import free_port

AREAS = (mirror_tables.metadata, import_tables.metadata, office_tables.metadata)
assert import_tables.metadata is outbox_tables.metadata  # one area, two modules


@pytest.fixture
def engine(bare_database_url: str) -> Iterator[Engine]:
    """An empty database of each kind."""
    opened = open_engine(bare_database_url)
    yield opened
    opened.dispose()


# --- the schema -----------------------------------------------------------------------------------


def test_revisions__on_an_empty_database__make_the_tables_that_the_code_has(
    engine: Engine,
) -> None:
    upgrade_schema(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, list(AREAS)) == []


def test_revisions__on_sqlite__make_the_very_same_statements(
    bare_sqlite_url: str, tmp_path: Path
) -> None:
    """Alembic's comparison sees neither checks nor how a table is stored; this one does."""
    upgraded, made = (
        open_engine(bare_sqlite_url),
        open_engine(f"sqlite:///{tmp_path / 'made.sqlite3'}"),
    )
    upgrade_schema(upgraded)
    for area in AREAS:
        area.create_all(made)
    assert _statements(upgraded) - {"alembic_version"} == _statements(made)
    upgraded.dispose()
    made.dispose()


def _statements(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        found = {name: " ".join(sql.split()) for name, sql in rows}
    found.pop("alembic_version", None)
    return set(found.values())


def test_head__of_the_code__is_that_of_the_revisions() -> None:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(ledger.store.__file__).parent / "migrations")
    )
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_upgrade__on_a_current_database__does_not_load_alembic(bare_database_url: str) -> None:
    engine = open_engine(bare_database_url)
    upgrade_schema(engine)
    engine.dispose()
    program = (
        "import sys; from ledger.store.engine import open_engine;"
        "from ledger.store.schema import upgrade_schema; upgrade_schema(open_engine(sys.argv[1]));"
        "sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, bare_database_url], check=True, timeout=60)


def test_upgrade__by_four_at_once__happens_once(bare_database_url: str) -> None:
    engines = [open_engine(bare_database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(engines)) as threads:
        list(threads.map(upgrade_schema, engines))
    with reading(engines[0]) as connection:
        assert read_revision(connection) == HEAD
    for engine in engines:
        engine.dispose()


def test_upgrade__of_a_newer_database__is_refused_and_changes_nothing(engine: Engine) -> None:
    upgrade_schema(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch) as refused:
        upgrade_schema(engine)
    assert refused.value.values == {"found": "9999", "needed": HEAD}
    with reading(engine) as connection:
        assert read_revision(connection) == "9999"


def test_revision__of_an_empty_database__is_none(engine: Engine) -> None:
    with reading(engine) as connection:
        assert read_revision(connection) == NEW


# --- opening --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_open__of_any_postgresql_url__takes_psycopg(scheme: str) -> None:
    engine = open_engine(f"{scheme}://somebody@127.0.0.1:1/nothing")
    assert engine.url.drivername == "postgresql+psycopg"
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "not a SQLAlchemy URL"),
        ("mysql://localhost/x", "mysql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_open__of_what_is_no_shared_database__is_refused(url: str, problem: str) -> None:
    with pytest.raises(InvalidSetting, match=problem):
        open_engine(url)


def test_open__where_a_file_stands_in_the_way__names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(FolderUnusable, match="home"):
        open_engine(f"sqlite:///{tmp_path / 'home' / 'ledger.sqlite3'}")


def test_open__of_a_file_that_is_no_database__says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").write_bytes(b"something else altogether" * 100)
    with pytest.raises(DatabaseDamaged, match="not a database"):
        open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")


def test_read__where_postgresql_does_not_answer__hides_the_password() -> None:
    engine = open_engine(f"postgresql://somebody:secret@127.0.0.1:{free_port()}/ledger")
    with pytest.raises(DatabaseUnusable) as refused, reading(engine):
        pass
    assert "secret" not in str(refused.value)
    engine.dispose()


def test_write__whose_server_ends__is_told_as_a_database_that_cannot_be_used(
    bare_postgres_url: str,
) -> None:
    engine = open_engine(bare_postgres_url)
    with pytest.raises(DatabaseUnusable), writing(engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_open__of_sqlite__keeps_commits_as_asked(
    bare_sqlite_url: str, durable: bool, level: int
) -> None:
    engine = open_engine(bare_sqlite_url, durable=durable)
    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == level
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    engine.dispose()


# --- reading and writing --------------------------------------------------------------------------


def test_read__while_another_writes__sees_one_moment(engine: Engine) -> None:
    upgrade_schema(engine)
    with reading(engine) as reader:
        assert _count(reader) == 0
        with writing(engine) as writer:
            insert_rows(writer, mirror_tables.blocks, [(1, b"1" * 32, 5)])
        assert _count(reader) == 0
    with reading(engine) as reader:
        assert _count(reader) == 1


def test_write__that_fails__leaves_nothing(engine: Engine) -> None:
    upgrade_schema(engine)

    def write_and_fail() -> None:
        with writing(engine) as connection:
            insert_rows(connection, mirror_tables.blocks, [(1, b"1" * 32, 5)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with reading(engine) as connection:
        assert _count(connection) == 0


@pytest.mark.parametrize("count", [1, 7, 8, 500])
def test_insert__of_any_number_of_rows__keeps_each_as_it_is(engine: Engine, count: int) -> None:
    upgrade_schema(engine)
    rows = [(7, number, number % 3, 1, bytes([number % 256]) * 64, b"") for number in range(count)]
    with writing(engine) as connection:
        insert_rows(connection, mirror_tables.logs, rows)
    with reading(engine) as connection:
        found = connection.execute(mirror_tables.logs.select().order_by("log_index"))
        assert [(*row[:4], bytes(row[4]), bytes(row[5])) for row in found] == rows


def test_upsert__of_known_and_new_rows__replaces_and_inserts(engine: Engine) -> None:
    upgrade_schema(engine)
    balances = mirror_tables.balances
    with writing(engine) as connection:
        upsert_rows(connection, balances, [(1, org, 5, 1, org, 5, 1) for org in range(9)])
        upsert_rows(connection, balances, [(1, 3, -8, 2, 10, 5, 1), (2, 3, 4, 1, 11, 0, 0)])
    with reading(engine) as connection:
        found = {(row[0], row[1]): row for row in connection.execute(balances.select())}
    assert len(found) == 10
    assert tuple(found[1, 3]) == (1, 3, -8, 2, 10, 5, 1)
    assert tuple(found[2, 3]) == (2, 3, 4, 1, 11, 0, 0)


def test_upsert__of_many_rows__twice_in_a_transaction__keeps_the_later(engine: Engine) -> None:
    upgrade_schema(engine)
    balances = mirror_tables.balances
    many = range(1, 1001)
    with writing(engine) as connection:
        upsert_rows(connection, balances, [(1, org, 5, 1, org, 5, 1) for org in many])
        upsert_rows(connection, balances, [(1, org, 7, 2, org, 7, 2) for org in many])
    with reading(engine) as connection:
        found = [tuple(row) for row in connection.execute(balances.select().order_by("org_id"))]
    assert found == [(1, org, 7, 2, org, 7, 2) for org in many]


def _count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM blocks")).scalar_one())
