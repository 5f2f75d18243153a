"""A mirror rebuilt from its own facts is the same; damaged facts are noticed, and told by place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, bindparam, delete, select, text, update

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import FactsDamaged
from ledger.mirror import derive, facts, facts_process
from ledger.mirror.rebuild import rebuild
from ledger.mirror.reports import Building
from ledger.store.engine import writing
from ledger.store.mirror_tables import DERIVED_TABLES, blocks, logs, mirror_state
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Mirrored, Open
from tests.support.happenings import Ledger
from tests.support.ports import free_port


def without_node(mirrored: Mirrored, open_mirror: Open, ledger: Ledger) -> Mirrored:
    """The same database, in the hands of a mirror whose node is not there."""
    url = mirrored.engine.url.render_as_string(hide_password=False)
    return open_mirror(url, ledger.deployment, f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    ("at_once", "apart"),
    [(facts.LOGS_AT_ONCE, False), (7, False), (facts.LOGS_AT_ONCE, True), (7, True)],
)
def test_rebuild__from_facts__asks_no_node_and_gives_the_same_digest(
    database_url: str,
    told_ledger: Ledger,
    open_mirror: Open,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    apart: bool,
) -> None:
    """`apart` is with the facts read by another process, as many are; in small parts the first of
    them are read here, while it starts."""
    if apart:
        monkeypatch.setattr(derive, "WORTH_A_PROCESS", 0)
        if at_once == facts.LOGS_AT_ONCE:
            monkeypatch.setattr(facts_process, "PARTS_READ_HERE", 0)
    monkeypatch.setattr(facts, "LOGS_AT_ONCE", at_once)
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    before = mirrored.sync()
    digest = mirrored.digest
    with writing(mirrored.engine) as connection:
        for table in DERIVED_TABLES:
            connection.execute(delete(table))
    assert mirrored.digest != digest

    alone = without_node(mirrored, open_mirror, told_ledger)
    after = rebuild(alone.mirror)

    assert mirrored.digest == digest
    assert (after.cursor, after.generation) == (before.cursor, before.generation + 1)
    assert_mirrors_chain(mirrored, told_ledger)
    parts = [report for report in alone.said if isinstance(report, Building)]
    with writing(mirrored.engine) as connection:
        stored = connection.execute(text("SELECT count(*) FROM logs")).scalar_one()
    assert sum(part.logs for part in parts) == stored
    assert (len(parts) > 1) == (at_once < stored)
    assert mirrored.sync().cursor == before.cursor


Damage = Callable[[Connection, tuple[int, int]], None]
ONE_LOG = (logs.c.block_number == bindparam("block")) & (logs.c.log_index == bindparam("log"))


def _at(place: tuple[int, int]) -> dict[str, int]:
    return {"block": place[0], "log": place[1]}


def _flip(column: str, byte: int) -> Damage:
    def damage(connection: Connection, place: tuple[int, int]) -> None:
        found = connection.execute(select(logs.c[column]).where(ONE_LOG), _at(place)).scalar_one()
        raw = bytearray(found)
        raw[byte] ^= 1
        connection.execute(update(logs).where(ONE_LOG).values({column: bytes(raw)}), _at(place))

    return damage


def _other_contract(connection: Connection, place: tuple[int, int]) -> None:
    connection.execute(update(logs).where(ONE_LOG).values(contract_id=99), _at(place))


def _no_block(connection: Connection, place: tuple[int, int]) -> None:
    connection.execute(delete(blocks).where(blocks.c.number == place[0]))


DAMAGES: dict[str, Damage] = {
    "a bit of the amount": _flip("data", 95),
    "a bit of the head": _flip("data", -1),
    "a bit of the sequence": _flip("topics", 63),
    "a bit of an indexed field": _flip("topics", 127),
    "a bit of what event it is": _flip("topics", 31),
    "another contract": _other_contract,
    "its block gone": _no_block,
}


def _middle_entry(connection: Connection) -> tuple[int, int]:
    found = connection.execute(
        text("SELECT block_number, log_index FROM entries ORDER BY entry_id")
    )
    rows = found.all()
    return tuple(rows[len(rows) // 2])


@pytest.mark.parametrize(
    ("name", "apart"), [*((name, False) for name in DAMAGES), ("a bit of the amount", True)]
)
def test_rebuild__from_a_damaged_fact__names_it_and_leaves_the_mirror(
    sqlite_url: str,
    told_ledger: Ledger,
    open_mirror: Open,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    apart: bool,
) -> None:
    if apart:
        monkeypatch.setattr(derive, "WORTH_A_PROCESS", 0)
        monkeypatch.setattr(facts_process, "PARTS_READ_HERE", 0)
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    with writing(mirrored.engine) as connection:
        place = _middle_entry(connection)
        DAMAGES[name](connection, place)
    _refused(mirrored, place)


def test_rebuild__on_either_database__leaves_the_mirror_where_a_fact_is_damaged(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    right = mirrored.digest
    with writing(mirrored.engine) as connection:
        place = _middle_entry(connection)
        DAMAGES["a bit of the amount"](connection, place)
    _refused(mirrored, place)
    # The chain has what was lost.
    rebuild(mirrored.new_mirror(), from_chain=True)
    assert mirrored.digest == right


def test_rebuild__from_facts_without_a_log_in_the_midst__names_the_next_of_its_journal(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    with writing(mirrored.engine) as connection:
        block, log = place = _middle_entry(connection)
        connection.execute(delete(logs).where(ONE_LOG), _at(place))
        following = connection.execute(
            text(
                "SELECT block_number, log_index FROM logs JOIN contracts USING (contract_id) "
                "WHERE name = 'Credits' AND (block_number, log_index) > (:block, :log) "
                "ORDER BY block_number, log_index LIMIT 1"
            ),
            {"block": block, "log": log},
        ).one()
    _refused(mirrored, tuple(following))


def test_rebuild__from_facts_without_the_last_of_a_journal__says_so(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    block = ledger.award(ProgrammeId(1), (OrgId(1), 5), (OrgId(2), 3))
    mirrored.sync()
    with writing(mirrored.engine) as connection:
        connection.execute(delete(logs).where(ONE_LOG), {"block": block, "log": 1})
    with pytest.raises(FactsDamaged, match="the journal of Credits is at event 1, and it was at 2"):
        rebuild(mirrored.new_mirror())


def _refused(mirrored: Mirrored, place: tuple[int, ...]) -> None:
    before, digest = mirrored.state, mirrored.digest
    with pytest.raises(FactsDamaged) as refused:
        rebuild(mirrored.new_mirror())
    assert refused.value.code == "mirror.facts_damaged"
    assert (refused.value.values["block"], refused.value.values["log_index"]) == place
    assert (mirrored.state, mirrored.digest) == (before, digest)


def test_rebuild__of_facts_of_another_ledger__asks_the_chain(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    digest = mirrored.digest
    with writing(mirrored.engine) as connection:
        connection.execute(update(mirror_state).values(deployment=b"\1" * 32))
    assert rebuild(mirrored.new_mirror()).deployment == mirrored.followed.digest
    assert mirrored.digest == digest
