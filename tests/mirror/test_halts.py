"""What is not our chain is refused, a halt is written down, and mending its cause ends it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text, update

from ledger.chain.rpc import Node
from ledger.errors import (
    ChainMismatch,
    CodeMismatch,
    EventUnknown,
    JournalBroken,
    LedgerError,
    MirrorDamaged,
    MirrorOfAnother,
    NodeUnreachable,
    SchemaMismatch,
)
from ledger.mirror import contracts, follow
from ledger.mirror.lease import Stopped
from ledger.store import mirror_tables
from ledger.store.engine import writing
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Open
from tests.support.anvil import Anvil
from tests.support.happenings import Ledger, ProgrammeId, found_ledger
from tests.support.ports import free_port

ONE = ProgrammeId(1)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_FIRST_WAIT", 0.001)


def test_sync__of_a_chain_with_another_id__is_refused(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    other = dataclasses.replace(told_ledger.deployment, chain_id=5)
    mirrored = open_mirror(sqlite_url, other, told_ledger.anvil.url)
    with pytest.raises(ChainMismatch, match="31337"):
        mirrored.sync()


def test_sync__of_a_chain_with_another_beginning__is_refused(
    sqlite_url: str, told_ledger: Ledger, fresh_anvil: Anvil, open_mirror: Open
) -> None:
    fresh_anvil.mine(70)
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, fresh_anvil.url)
    with pytest.raises(ChainMismatch, match="first block"):
        mirrored.sync()


def test_sync__of_a_contract_with_other_code__is_refused(
    sqlite_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    address = "0x" + ledger.addresses["Credits"].hex()
    code = ledger.node.code(ledger.addresses["Credits"], "latest")
    ledger.anvil.rpc.call("anvil_setCode", address, "0x" + (code[:-1] + b"\0").hex())
    ledger.anvil.mine()
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    with pytest.raises(CodeMismatch, match="Credits"):
        mirrored.sync()


def test_sync__into_a_database_of_another_ledger__is_refused_and_leaves_it_alone(
    database_url: str,
    ledger: Ledger,
    told_ledger: Ledger,
    open_mirror: Open,
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    before = mirrored.sync()
    digest = mirrored.digest
    other = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    with pytest.raises(MirrorOfAnother, match="first block"):
        other.sync()
    assert mirrored.state == before
    assert mirrored.digest == digest


def test_sync__into_a_database_of_another_release__is_refused(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    with writing(mirrored.engine) as connection:
        connection.execute(update(mirror_tables.mirror_state).values(schema_version=999))
    with pytest.raises(SchemaMismatch, match="999"):
        mirrored.new_mirror().check_database()


def test_sync__of_an_event_that_nobody_knows__halts_there(
    database_url: str, told_ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    echoes = dict(contracts.ECHOES["Memberships"])
    del echoes["Locked"]
    monkeypatch.setattr(
        contracts, "ECHOES", {"Authority": contracts.ECHOES["Authority"], "Memberships": echoes}
    )
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    with pytest.raises(EventUnknown, match="Memberships"):
        mirrored.sync()
    halt = mirrored.state.halt
    assert halt is not None
    assert halt.code == "mirror.event_unknown"
    assert halt.block > 0
    monkeypatch.undo()
    mended = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    assert mended.sync().halt is None
    assert_mirrors_chain(mended, told_ledger)


def test_sync__onto_rows_that_somebody_changed__halts(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    ledger.award(ONE, (1, 10))
    before = mirrored.sync()
    with writing(mirrored.engine) as connection:
        connection.execute(update(mirror_tables.balances).values(balance=11))
    ledger.award(ONE, (1, 5))
    mirrored.mirror = mirrored.new_mirror()
    with pytest.raises(JournalBroken, match="was 11 and is 15 after 5"):
        mirrored.sync()
    assert mirrored.state.cursor == before.cursor
    assert mirrored.state.halt is not None


def test_sync__where_a_row_stands_already__says_that_the_mirror_is_damaged(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    block = mirrored.sync().cursor.number
    with writing(mirrored.engine) as connection:
        row = {"number": block + 1, "hash": b"\1" * 32, "timestamp": 1}
        connection.execute(mirror_tables.blocks.insert().values(row))
    ledger.award(ONE, (1, 5))
    with pytest.raises(MirrorDamaged):
        mirrored.sync()
    halt = mirrored.state.halt
    assert halt is not None
    assert halt.code == "mirror.damaged"


def test_sync__onto_a_journal_that_somebody_cut__halts(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    ledger.award(ONE, (1, 10), (2, 10))
    mirrored.sync()
    with writing(mirrored.engine) as connection:
        connection.execute(
            text(
                "DELETE FROM logs WHERE block_number = (SELECT max(block_number) FROM logs)"
                " AND log_index = 1"
            )
        )
    ledger.award(ONE, (1, 5))
    mirrored.mirror = mirrored.new_mirror()
    with pytest.raises(JournalBroken, match="sequence 3 stands where 2 should"):
        mirrored.sync()


def test_sync__where_no_node_answers__says_so_and_writes_no_halt(
    sqlite_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    before = mirrored.sync()
    mirrored.nodes = [Node(f"http://127.0.0.1:{free_port()}")]
    mirrored.mirror = mirrored.new_mirror()
    with pytest.raises(NodeUnreachable):
        mirrored.sync()
    assert mirrored.state == before


def test_sync__asked_to_end__stops_before_the_next_commit(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.stop.set()
    with pytest.raises(Stopped):
        mirrored.sync()


def test_sync__when_one_of_two_nodes_is_of_another_chain__uses_the_other(
    sqlite_url: str, told_ledger: Ledger, fresh_anvil: Anvil, open_mirror: Open
) -> None:
    mirrored = open_mirror(
        sqlite_url, told_ledger.deployment, fresh_anvil.url, told_ledger.anvil.url
    )
    mirrored.sync()
    assert_mirrors_chain(mirrored, told_ledger)


def test_sync__after_the_chain_was_reset__names_what_is_another(
    sqlite_url: str, start_anvil: Callable[..., Anvil], tmp_path: Path, open_mirror: Open
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    anvil = start_anvil()
    ledger = found_ledger(anvil, tmp_path / "one")
    ledger.close()
    mirrored = open_mirror(sqlite_url, ledger.deployment, anvil.url)
    before = mirrored.sync()
    anvil.rpc.call("anvil_reset")
    anvil.mine(3)
    with pytest.raises(LedgerError) as refused:
        mirrored.sync()
    assert isinstance(refused.value, ChainMismatch | CodeMismatch)
    assert mirrored.state.cursor == before.cursor
