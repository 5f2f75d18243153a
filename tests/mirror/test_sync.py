"""A mirror that catches up: equal to the chain, the same on both databases, once and again."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.logs import ContractEvents
from ledger.errors import MirrorEmpty
from ledger.mirror import bodies, prove
from ledger.store import mirror_tables
from ledger.store.engine import reading
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Open
from tests.support.happenings import Ledger, ProgrammeId, topics_of


def test_sync__after_everything_happened__equals_what_the_contracts_say(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    state = mirrored.sync()
    assert state.lag == 0
    assert state.halt is None
    assert_mirrors_chain(mirrored, told_ledger)


@pytest.mark.parametrize("contract", JOURNALLED)
def test_told_ledger__of_each_contract__has_every_event_of_its_journal(
    contract: str, told_ledger: Ledger
) -> None:
    """What the other tests stand on: everything that can happen did."""
    abi = ContractEvents(contract, load_artifact(contract).abi)
    answers = told_ledger.node.logs(
        0, told_ledger.node.block_number(), [told_ledger.addresses[contract]]
    )
    happened = {topics_of(each)[0] for each in answers}
    expected = [*abi.journal.values(), *abi.annexes.values()]
    assert [each.name for each in expected if each.topic not in happened] == []


def test_sync__after_everything_happened__keeps_every_log_of_ours(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    head = mirrored.sync().cursor.number
    answers = told_ledger.node.logs(0, head, list(told_ledger.addresses.values()))
    with reading(mirrored.engine) as connection:
        logs = connection.execute(
            select(mirror_tables.logs, mirror_tables.transactions.c.hash)
            .join(
                mirror_tables.transactions,
                (mirror_tables.transactions.c.block_number == mirror_tables.logs.c.block_number)
                & (
                    mirror_tables.transactions.c.transaction_index
                    == mirror_tables.logs.c.transaction_index
                ),
            )
            .order_by(mirror_tables.logs.c.block_number, mirror_tables.logs.c.log_index)
        ).all()
    held = [
        (hex(row.block_number), hex(row.log_index), "0x" + row.hash.hex(), "0x" + row.data.hex())
        for row in logs
    ]
    told = [
        (each.block_number, each.log_index, each.transaction_hash, each.data) for each in answers
    ]
    assert held == told


def test_digest__of_two_databases__is_the_same(
    sqlite_url: str, postgres_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    one = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    other = open_mirror(postgres_url, told_ledger.deployment, told_ledger.anvil.url)
    assert one.sync().cursor == other.sync().cursor
    assert one.digest == other.digest


@pytest.mark.parametrize(("most_logs", "most_blocks"), [(1, 2_000), (10_000, 1), (7, 3)])
def test_sync__in_small_ranges__gives_the_same_digest(
    database_url: str,
    told_ledger: Ledger,
    told_digest: str,
    open_mirror: Open,
    monkeypatch: pytest.MonkeyPatch,
    most_logs: int,
    most_blocks: int,
) -> None:
    monkeypatch.setattr(prove, "MOST_LOGS", most_logs)
    monkeypatch.setattr(prove, "MOST_BLOCKS", most_blocks)
    monkeypatch.setattr(prove, "_HEADERS_AT_ONCE", 2)
    monkeypatch.setattr(bodies, "MOST_AT_ONCE", 1)
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    assert len(mirrored.said) > 10
    assert mirrored.digest == told_digest


def test_sync__again_with_nothing_new__changes_no_row(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    first = mirrored.sync()
    digest = mirrored.digest
    again = mirrored.new_mirror().look()
    assert again.cursor == first.cursor
    assert again.looked_at >= first.looked_at
    assert mirrored.digest == digest


def test_sync__after_a_restart__goes_on_from_the_cursor(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    mirrored.sync()
    ledger.award(ProgrammeId(1), (1, 5), (2, 6), (1, 7))
    ledger.anvil.mine(3)
    ledger.reverse(ProgrammeId(1), 3)
    mirrored.mirror = mirrored.new_mirror()
    mirrored.sync()
    assert_mirrors_chain(mirrored, ledger)


def test_sync__of_a_quiet_chain__shows_its_last_block(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    block = ledger.award(ProgrammeId(1), (3, 11))
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    assert mirrored.sync().cursor.number == block
    assert_mirrors_chain(mirrored, ledger)


def test_state__of_an_empty_database__is_an_error_that_says_so(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    with pytest.raises(MirrorEmpty):
        _ = mirrored.state


def test_contracts__after_a_sync__are_those_of_the_deployment(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    with reading(mirrored.engine) as connection:
        rows = connection.execute(select(mirror_tables.contracts)).all()
        blocks = connection.execute(select(func.count()).select_from(mirror_tables.blocks))
        assert blocks.scalar_one() == mirrored.state.cursor.number + 1
    assert [(row.name, bytes(row.address)) for row in rows] == [
        (name, told_ledger.addresses[name]) for name in JOURNALLED
    ]
