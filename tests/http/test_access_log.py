"""The log of privileged calls: whoever changes, drops or adds a line is found out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, delete, insert, select, text, update

import ledger.store
from ledger.domain.access import AccessLine, check_lines, hash_line
from ledger.errors import AccessLogBroken
from ledger.office.access_log import (
    add_line,
    count_erased,
    read_end,
    read_lines,
    verify_access_log,
)
from ledger.office.log import empty_steps, note_step, read_steps
from ledger.store.engine import open_engine, reading, writing
from ledger.store.office_tables import access_log, access_log_end
from ledger.store.schema import upgrade_schema
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
                said="二" if number % 2 else "",
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


COLUMNS = (
    *("at", "account", "via", "action", "subject", "detail", "previous", "hash"),
    *("sealed", "said", "salt"),
)


@pytest.mark.parametrize("column", COLUMNS)
def test_log__with_any_value_changed__is_broken(engine: Engine, column: str) -> None:
    add(engine, 4)
    raw = dict.fromkeys(("previous", "hash", "sealed", "salt"), bytes(32))
    value: Any = {"at": 77, **raw}.get(column, "{}")
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


def test_log__whose_words_were_erased__holds_together_and_no_other_words_fit(
    engine: Engine,
) -> None:
    with writing(engine) as connection:
        note_step(connection, "application:0x01", "asked", actor="ann", at=7, detail="谁?")
    add(engine, 2)
    with writing(engine) as connection:
        note_step(connection, "application:0x01", "answered", actor="applicant", at=8, detail="我")
        assert verify_access_log(connection) == 4
        steps = read_steps(connection, "application:0x01")
        empty_steps(connection, "application:0x01")
        assert verify_access_log(connection) == 4
        assert count_erased(connection) == 2
        emptied = read_steps(connection, "application:0x01")
        connection.execute(update(access_log).where(access_log.c.number == 4).values(said="他"))
        with pytest.raises(AccessLogBroken):
            verify_access_log(connection)

    assert [(each.number, each.at, each.action, each.detail) for each in steps] == [
        (1, 7, "asked", "谁?"),
        (2, 8, "answered", "我"),
    ]
    assert [(each.actor, each.detail) for each in emptied] == [("ann", ""), ("applicant", "")]


def test_log__whose_words_lost_their_beginning_to_the_salt__is_broken(
    engine: Engine,
) -> None:
    with writing(engine) as connection:
        subject = "application:0x01"
        note_step(connection, subject, "sent_back", actor="ann", at=7, detail="not as it was")
        (line,) = read_lines(connection)
        changed = {"salt": (line.salt or b"") + b"not ", "said": "as it was"}
        connection.execute(update(access_log).values(**changed))

        with pytest.raises(AccessLogBroken, match="does not say what was said"):
            verify_access_log(connection)


def test_steps__of_a_release_with_two_logs__become_lines_of_the_one(bare_database_url: str) -> None:
    engine = open_engine(bare_database_url)
    with writing(engine) as connection:
        config = Config()
        folder = Path(ledger.store.__file__).parent / "migrations"
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0027")
        add_line_of_before(connection)
        row = "INSERT INTO office_log VALUES (:subject, :number, :at, :actor, :action, :detail)"
        for number, at, action, detail in ((1, 5, "opened", ""), (2, 6, "asked", "谁?")):
            values = {"subject": "application:0x01", "number": number, "at": at, "actor": "ann"}
            connection.execute(text(row), {**values, "action": action, "detail": detail})

    upgrade_schema(engine)

    with writing(engine) as connection:
        assert verify_access_log(connection) == 3
        steps = read_steps(connection, "application:0x01")
        note_step(connection, "application:0x01", "answered", actor="applicant", at=9)
        assert verify_access_log(connection) == 4
    engine.dispose()
    assert [(each.at, each.actor, each.action, each.detail) for each in steps] == [
        (5, "ann", "opened", ""),
        (6, "ann", "asked", "谁?"),
    ]


def add_line_of_before(connection: Connection) -> None:
    """A line as the release with two logs wrote it."""
    line = AccessLine(1, 1, "0x01", "session:a", "tried", "", "{}", bytes(32), bytes(32))
    values = asdict(replace(line, hash=hash_line(line)))
    kept = {name: values[name] for name in values if name not in ("sealed", "said", "salt")}
    names = ", ".join(f'"{name}"' for name in kept)
    places = ", ".join(f":{name}" for name in kept)
    connection.execute(text(f"INSERT INTO access_log ({names}) VALUES ({places})"), kept)
    end = {"hash": kept["hash"]}
    connection.execute(text("INSERT INTO access_log_end VALUES (1, 1, :hash)"), end)


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
