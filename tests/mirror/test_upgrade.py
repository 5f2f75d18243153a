"""A release that wants other tables builds them from stored facts, while the old ones are read."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, select, text, update

import ledger.store
from ledger.errors import SchemaMismatch
from ledger.mirror import look
from ledger.mirror import upgrade as upgrading
from ledger.mirror.areas import AREA
from ledger.mirror.reports import Building, Report, Upgrading
from ledger.mirror.state import read_state
from ledger.mirror.upgrade import upgrade
from ledger.processes import own_environment
from ledger.store.bulk import insert_rows
from ledger.store.engine import POSTGRESQL, open_engine, reading, sqlite_file, writing
from ledger.store.mirror_tables import (
    DERIVED_TABLES,
    RAW_TABLES,
    SCHEMA_VERSION,
    entries,
    mirror_state,
)
from ledger.store.schema import upgrade_schema
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Mirrored, Open
from tests.mirror.test_facts import without_node
from tests.support.happenings import Ledger, wait_for

OLDER = SCHEMA_VERSION - 1


def make_older(engine: Engine) -> None:
    """Give a mirror the tables of an earlier release, with columns less and one more."""
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE balances DROP COLUMN contribution_count"))
        connection.execute(text("ALTER TABLE entries RENAME COLUMN kind TO sort"))
        connection.execute(text("DROP TABLE share_claims"))
        connection.execute(update(mirror_state).values(schema_version=OLDER))


def read_as_older(connection: Connection) -> list[tuple[int, ...]]:
    """What an earlier release's server asks, in the order in which it asks it."""
    state = read_state(connection)
    if state.schema_version != OLDER:
        raise SchemaMismatch(found=state.schema_version, needed=OLDER)
    rows = connection.execute(
        text(
            "SELECT entry_id, sort, balance, entry_count FROM entries JOIN balances "
            "USING (programme_id, org_id) ORDER BY entry_id"
        )
    )
    return [tuple(row) for row in rows]


@pytest.fixture
def older(database_url: str, told_ledger: Ledger, open_mirror: Open) -> tuple[Mirrored, str]:
    """A mirror of an earlier release, and the digest that it has with this one's tables."""
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    digest = mirrored.digest
    make_older(mirrored.engine)
    return mirrored, digest


def test_upgrade__from_older_tables__needs_no_node_and_gives_the_digest(
    older: tuple[Mirrored, str], told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored, digest = older
    before = mirrored.state
    alone = without_node(mirrored, open_mirror, told_ledger)
    upgrade(alone.mirror)
    assert mirrored.digest == digest
    assert mirrored.state.schema_version == SCHEMA_VERSION
    assert mirrored.state.generation == before.generation + 1
    assert alone.said[0] == Upgrading(OLDER, SCHEMA_VERSION)
    assert any(isinstance(report, Building) for report in alone.said)
    assert_leaves_nothing(mirrored.engine)
    assert_has_tables_of_this_release(mirrored.engine)
    mirrored.sync()
    assert_mirrors_chain(mirrored, told_ledger)


def assert_leaves_nothing(engine: Engine) -> None:
    """No area is left behind."""
    if engine.dialect.name == POSTGRESQL:
        assert AREA not in inspect(engine).get_schema_names()
    else:
        path = sqlite_file(engine)
        assert not path.with_name(path.name + ".rebuild").exists()


def assert_has_tables_of_this_release(engine: Engine) -> None:
    """The derived tables have the columns and the indexes of the code."""
    found = inspect(engine)
    for table in DERIVED_TABLES:
        columns = [column["name"] for column in found.get_columns(table.name)]
        assert columns == [column.name for column in table.columns]
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes


def test_upgrade__by_the_sync_of_a_new_release__happens_by_itself(
    older: tuple[Mirrored, str],
) -> None:
    mirrored, digest = older
    mirrored.mirror = mirrored.new_mirror()
    mirrored.sync()
    assert mirrored.digest == digest


def test_upgrade__while_an_older_server_reads__shows_it_the_old_tables_to_the_end(
    older: tuple[Mirrored, str],
    told_ledger: Ledger,
    open_mirror: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirrored, digest = older
    with reading(mirrored.engine) as connection:
        expected = read_as_older(connection)
    seen: list[list[tuple[int, ...]]] = []
    problems: list[BaseException] = []

    def read() -> None:
        while True:
            try:
                with reading(mirrored.engine) as connection:
                    seen.append(read_as_older(connection))
            except Exception as problem:  # noqa: BLE001  told to the test at the end
                problems.append(problem)
                return

    alone = without_node(mirrored, open_mirror, told_ledger)

    def wait_for_a_read(report: Report) -> None:
        if isinstance(report, Building):
            count = len(seen)
            wait_for(lambda: len(seen) > count, "the old server was not answered")

    monkeypatch.setattr("ledger.mirror.facts.LOGS_AT_ONCE", 100)
    monkeypatch.setattr(upgrading, "_FEW_BLOCKS", 1)
    alone.mirror.report = wait_for_a_read
    reader = threading.Thread(target=read)
    reader.start()
    upgrade(alone.mirror)
    reader.join(60)
    assert all(rows == expected for rows in seen)
    # It ends by saying which release is needed, or in the midst of what it asked.
    assert len(problems) == 1
    with pytest.raises(SchemaMismatch), reading(mirrored.engine) as connection:
        read_as_older(connection)
    assert mirrored.digest == digest


_KILLED = """
import os, signal, sys, threading
from pathlib import Path
from ledger.chain.deployments import read_deployment
from ledger.chain.rpc import Node
from ledger.mirror import facts, upgrade
from ledger.mirror.contracts import Followed
from ledger.mirror.look import Mirror
from ledger.mirror.reports import Building
from ledger.store.engine import open_engine

facts.LOGS_AT_ONCE = 50
url, path, part = sys.argv[1:]
reports = []

def die(report):
    reports.append(report)
    if sum(isinstance(each, Building) for each in reports) == int(part):
        os.kill(os.getpid(), signal.SIGKILL)

mirror = Mirror(
    open_engine(url, durable=False), [Node("http://127.0.0.1:1")],
    Followed(read_deployment(Path(path))), finality_blocks=64, stop=threading.Event(), report=die,
)
upgrade.upgrade(mirror)
"""


@pytest.mark.parametrize("part", [1, 4])
def test_upgrade__killed_in_the_midst__leaves_the_old_tables_and_is_finished_by_the_next(
    older: tuple[Mirrored, str], told_ledger: Ledger, open_mirror: Open, part: int
) -> None:
    mirrored, digest = older
    with reading(mirrored.engine) as connection:
        expected = read_as_older(connection)
    url = mirrored.engine.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, url, str(told_ledger.path), str(part)],
        env=own_environment(),
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    with reading(mirrored.engine) as connection:
        assert read_as_older(connection) == expected
    upgrade(without_node(mirrored, open_mirror, told_ledger).mirror)
    assert mirrored.digest == digest
    assert_leaves_nothing(mirrored.engine)


def test_mirror__of_an_older_release__ends_after_the_switch_and_halts_nothing(
    database_url: str, ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    old.sync()
    with writing(old.engine) as connection:
        connection.execute(update(mirror_state).values(schema_version=OLDER))
    with monkeypatch.context() as release:
        release.setattr(look, "SCHEMA_VERSION", OLDER)
        old.mirror = old.new_mirror()
        old.mirror.look()
    upgrade(without_node(old, open_mirror, ledger).mirror)
    ledger.anvil.mine()
    with monkeypatch.context() as release:
        release.setattr(look, "SCHEMA_VERSION", OLDER)
        with pytest.raises(SchemaMismatch):
            old.mirror.look()
    assert old.state.halt is None
    old.mirror = old.new_mirror()
    old.sync()
    assert_mirrors_chain(old, ledger)


def test_start__of_the_same_release__reads_nothing_again(
    database_url: str, told_ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    before = mirrored.sync()
    again = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    asked: list[object] = []
    for node in again.nodes:
        for method in ("receipts", "blocks"):
            monkeypatch.setattr(node, method, asked.append)
    after = again.sync()
    assert asked == []
    assert (after.cursor, after.generation) == (before.cursor, before.generation)
    assert not any(isinstance(report, Building) for report in again.said)


def test_upgrade__of_a_database_that_an_earlier_release_made__keeps_its_facts(
    bare_database_url: str, tmp_path: Path, told_ledger: Ledger, open_mirror: Open
) -> None:
    """The schema as revision 0004 has it, with the facts and none of the rest."""
    source = open_mirror(
        f"sqlite:///{tmp_path / 'source.sqlite3'}", told_ledger.deployment, told_ledger.anvil.url
    )
    source.sync()
    engine = open_engine(bare_database_url, durable=False)
    with writing(engine) as connection:
        config = Config()
        folder = Path(ledger.store.__file__).parent / "migrations"
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        with reading(source.engine) as facts:
            for table in (*RAW_TABLES, mirror_state):
                insert_rows(connection, table, [tuple(row) for row in facts.execute(select(table))])
        connection.execute(update(mirror_state).values(schema_version=2))
    upgrade_schema(engine)
    engine.dispose()
    mirrored = open_mirror(bare_database_url, told_ledger.deployment, told_ledger.anvil.url)
    upgrade(without_node(mirrored, open_mirror, told_ledger).mirror)
    assert mirrored.digest == source.digest
    with reading(mirrored.engine) as connection:
        assert connection.execute(select(entries).limit(1)).one_or_none() is not None
