"""The log of privileged calls: whoever changes, drops or adds a line is found out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from ledger.domain.access import AccessLine, check_lines, hash_line
from ledger.errors import AccessLogBroken
from ledger.office.access_log import add_line, read_end, read_lines, verify_access_log
from ledger.store.engine import reading, writing
from ledger.store.office_tables import access_log, access_log_end
from tests.support.desks import opened_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database with the schema, of each kind."""
    with opened_engine(database_url) as opened:
        yield opened


def add(engine: Engine, count: int) -> None:
    for number in range(count):
        with writing(engine) as connection:
            add_line(
                connection,
                at=number,
                account="0x" + "11" * 20,
                via="session:abc",
                action="operation.asked",
                subject=f"0x{number:064x}",
                detail={"command": "award", "名": "字"},
            )


def test_log__as_it_was_written__is_good(engine: Engine) -> None:
    with reading(engine) as connection:
        assert verify_access_log(connection) == 0
    add(engine, 5)

    with reading(engine) as connection:
        assert verify_access_log(connection) == 5


def test_log__written_by_many_at_once__has_one_order(engine: Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _each: add(engine, 5), range(6)))

    with reading(engine) as connection:
        assert verify_access_log(connection) == 30


COLUMNS = ("at", "account", "via", "action", "subject", "detail", "previous", "hash")


@pytest.mark.parametrize("column", COLUMNS)
def test_log__with_any_value_changed__is_broken(engine: Engine, column: str) -> None:
    add(engine, 4)
    value: Any = {"at": 77, "previous": bytes(32), "hash": bytes(32)}.get(column, "{}")
    with writing(engine) as connection:
        connection.execute(
            update(access_log).where(access_log.c.number == 2).values({column: value})
        )

    with reading(engine) as connection, pytest.raises(AccessLogBroken):
        verify_access_log(connection)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_log__with_a_line_dropped__is_broken(engine: Engine, number: int) -> None:
    add(engine, 4)
    with writing(engine) as connection:
        connection.execute(delete(access_log).where(access_log.c.number == number))

    with reading(engine) as connection, pytest.raises(AccessLogBroken):
        verify_access_log(connection)


def test_log__with_its_end_cut_off_and_the_note_of_it_changed__is_known_by_an_older_note(
    engine: Engine,
) -> None:
    add(engine, 4)
    with writing(engine) as connection:
        noted = read_end(connection)
        third = connection.execute(select(access_log).where(access_log.c.number == 3)).one()
        connection.execute(delete(access_log).where(access_log.c.number == 4))
        connection.execute(update(access_log_end).values(number=3, hash=third.hash))

    with reading(engine) as connection:
        assert verify_access_log(connection) == 3  # by itself it cannot tell
        with pytest.raises(AccessLogBroken):
            check_lines(read_lines(connection), last=noted)


def test_log__with_a_line_added_to_it__is_broken(engine: Engine) -> None:
    add(engine, 2)
    with writing(engine) as connection:
        lines = list(read_lines(connection))
        forged = replace(lines[-1], number=3, action="session.begun")
        values = {name: getattr(forged, name) for name in AccessLine.__slots__}
        connection.execute(insert(access_log), values)

    with reading(engine) as connection, pytest.raises(AccessLogBroken):
        verify_access_log(connection)


def test_hash__of_a_line__is_over_all_of_it() -> None:
    line = AccessLine(1, 2, "a", "b", "c", "d", "{}", bytes(32), bytes(32))

    others = [
        replace(line, **{name: value})
        for name, value in {
            "number": 2,
            "at": 3,
            "account": "x",
            "via": "x",
            "action": "x",
            "subject": "x",
            "detail": "x",
            "previous": b"\x01" * 32,
        }.items()
    ]
    assert hash_line(line) not in {hash_line(each) for each in others}
