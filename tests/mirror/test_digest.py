"""The digest changes with any value of any table, and with nothing else."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Table,
    delete,
    insert,
    select,
    update,
)

from ledger.mirror.digest import compute_digest
from ledger.store.engine import open_engine, reading, writing
from ledger.store.mirror_tables import STATE_TABLES, blocks, logs, metadata, mirror_state
from ledger.store.schema import upgrade_schema
from tests.mirror.conftest import Mirrored
from tests.support.happenings import Ledger

TABLES = [table for table in metadata.tables.values() if table not in STATE_TABLES]
COLUMNS = [
    pytest.param(table, column.name, id=f"{table.name}.{column.name}")
    for table in TABLES
    for column in table.columns
]


class _Undo(Exception):
    """Takes back what a test tampered with."""


@pytest.fixture(scope="module")
def full(
    told_ledger: Ledger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mirrored, bytes]]:
    """A mirror in which every table has rows, and its digest. Tests undo what they do."""
    url = f"sqlite:///{tmp_path_factory.mktemp('full') / 'full.sqlite3'}"
    engine = open_engine(url)
    upgrade_schema(engine)
    mirrored = Mirrored(engine, told_ledger.deployment, (told_ledger.anvil.url,))
    mirrored.sync()
    with reading(engine) as connection:
        digest = compute_digest(connection)
    yield mirrored, digest
    for node in mirrored.nodes:
        node.close()
    engine.dispose()


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_digest__with_one_value_changed__is_another(
    full: tuple[Mirrored, bytes], table: Table, column: str
) -> None:
    mirrored, digest = full

    def tamper(connection: Connection) -> bytes:
        statement = select(table).order_by(*table.primary_key)
        if table is blocks:
            statement = statement.join(logs, logs.c.block_number == blocks.c.number)
        row = connection.execute(statement.limit(1)).one()
        here = [key == getattr(row, key.name) for key in table.primary_key]
        connection.execute(
            update(table)
            .where(*here)
            .values({column: _another(getattr(row, column), table.c[column])})
        )
        return compute_digest(connection)

    assert _after(mirrored, tamper) != digest


def _another(value: Any, column: Column[Any]) -> Any:
    if isinstance(value, int):
        return 1 - value if _is_flag(column) else value + 100_000
    if isinstance(value, str):
        return value + "x"
    if value is None:
        return 5 if isinstance(column.type, BigInteger) else b"\1" * 20
    return bytes([value[0] ^ 1, *value[1:]]) if value else b"\0"


def _is_flag(column: Column[Any]) -> bool:
    """Whether the column's own check allows 0 and 1 only."""
    return bool(column.constraints)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_digest__with_a_row_left_out__is_another(
    full: tuple[Mirrored, bytes], table: Table
) -> None:
    mirrored, digest = full

    def tamper(connection: Connection) -> bytes:
        statement = select(table).order_by(*table.primary_key)
        if table is blocks:
            statement = statement.join(logs, logs.c.block_number == blocks.c.number)
        row = connection.execute(statement.limit(1)).one()
        here = [key == getattr(row, key.name) for key in table.primary_key]
        assert connection.execute(delete(table).where(*here)).rowcount == 1
        return compute_digest(connection)

    assert _after(mirrored, tamper) != digest


def test_digest__of_the_state_and_empty_blocks__knows_nothing(
    full: tuple[Mirrored, bytes],
) -> None:
    mirrored, digest = full

    def tamper(connection: Connection) -> bytes:
        connection.execute(update(mirror_state).values(looked_at=1, head_number=1, generation=7))
        connection.execute(insert(blocks).values(number=10**9, hash=b"\0" * 32, timestamp=1))
        return compute_digest(connection)

    assert _after(mirrored, tamper) == digest


def _after(mirrored: Mirrored, tamper: Callable[[Connection], bytes]) -> bytes:
    found = []
    with contextlib.suppress(_Undo), writing(mirrored.engine) as connection:
        found.append(tamper(connection))
        raise _Undo
    return found[0]


def test_digest__of_an_empty_database__is_that_of_its_tables_names(database_url: str) -> None:
    """The format, written out: anybody can compute it."""
    engine = open_engine(database_url)
    upgrade_schema(engine)
    names = sorted(table.name for table in TABLES)
    expected = b"".join(
        b"t" + len(name).to_bytes(4, "big") + name.encode() + b"." for name in names
    )
    with reading(engine) as connection:
        assert compute_digest(connection) == hashlib.sha256(expected).digest()
    engine.dispose()


def test_digest__of_one_row__follows_the_format(database_url: str) -> None:
    engine = open_engine(database_url)
    upgrade_schema(engine)
    with writing(engine) as connection:
        row = {"block_number": 3, "log_index": 4, "change": "ü", "successor": None}
        row |= {"delay": -1, "effective_from": None, "actor": b"\x01" * 20}
        connection.execute(insert(metadata.tables["admin_changes"]).values(row))
    encoded = b"r" + b"".join(
        [
            *(b"i" + number.to_bytes(8, "big", signed=True) for number in (3, 4)),
            b"s" + (2).to_bytes(4, "big") + "ü".encode(),
            b"n",
            b"i" + (-1).to_bytes(8, "big", signed=True),
            b"n",
            b"b" + (20).to_bytes(4, "big") + b"\x01" * 20,
        ]
    )
    expected = b"".join(
        b"t"
        + len(name).to_bytes(4, "big")
        + name.encode()
        + (encoded if name == "admin_changes" else b"")
        + b"."
        for name in sorted(table.name for table in TABLES)
    )
    with reading(engine) as connection:
        assert compute_digest(connection) == hashlib.sha256(expected).digest()
    engine.dispose()
