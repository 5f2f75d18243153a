"""A mirrored database held against a bundle: equal, and then changed in every column there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.audit.comparing import Comparison
from ledger.errors import BlocksDiffer
from ledger.mirror.compare import COMPARED, compare_database, compare_tables, proved_tables
from ledger.mirror.contracts import Followed
from ledger.store.engine import reading
from ledger.store.mirror_tables import mirror_state
from tests.audit.conftest import Audited, mirrored_database

NOT_COMPARED = {("contracts", "first_block")}


@dataclass(frozen=True)
class Mirrored:
    """A database, and what a bundle's history makes of the same tables."""

    engine: Engine
    followed: Followed
    right: Engine


@pytest.fixture(scope="module")
def mirrored(expired: Audited, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    """Of the ledger in which everything happened."""
    folder = tmp_path_factory.mktemp("mirrored")
    with ExitStack() as opened:
        url = f"sqlite:///{folder / 'moonlake.sqlite3'}"
        engine, _ = opened.enter_context(mirrored_database(expired.ledger, url))
        comparison = opened.enter_context(Comparison.opened(expired.bundle))
        of_bundle = Followed(comparison)
        right, _ = opened.enter_context(proved_tables(of_bundle, comparison.history()))
        yield Mirrored(engine, of_bundle, right)


def test_compare__of_an_honest_mirror__finds_nothing(mirrored: Mirrored, expired: Audited) -> None:
    with Comparison.opened(expired.bundle) as comparison:
        found = list(compare_database(mirrored.engine, mirrored.followed, comparison.history()))

    assert found == []


def test_compare__of_a_database_at_another_block__is_refused(
    mirrored: Mirrored, expired: Audited, tmp_path: Path
) -> None:
    with mirrored.engine.connect() as connection:
        number = connection.execute(select(mirror_state.c.cursor_number)).scalar_one()
    assert number == expired.anchor.block_number
    with Comparison.opened(expired.bundle) as comparison:
        history = list(comparison.history())[:-1]
    differences = compare_database(mirrored.engine, mirrored.followed, history)

    with pytest.raises(BlocksDiffer, match=str(number - 1)):
        next(differences)


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.name)
def test_compare__after_one_value_changed_in_any_column__names_the_row(
    mirrored: Mirrored, table: Table
) -> None:
    missed: list[str] = []
    refused: list[str] = []
    with reading(mirrored.right) as there:
        for column in table.columns:
            if (table.name, column.name) in NOT_COMPARED:
                continue
            with mirrored.engine.connect() as here:
                row = here.execute(select(table).order_by(*table.primary_key.columns)).all()[-1]
                changed = _change(here, table, row, column.name)
                found = list(compare_tables(here, there, [table]))
                here.rollback()
            if changed and not any(each.table == table.name for each in found):
                missed.append(column.name)
            if not changed:
                refused.append(column.name)

    assert missed == []
    assert len(refused) < len(table.columns)


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.name)
def test_compare__after_a_row_was_taken_out__names_it(mirrored: Mirrored, table: Table) -> None:
    with reading(mirrored.right) as there, mirrored.engine.connect() as here:
        row = here.execute(select(table).order_by(*table.primary_key.columns)).all()[-1]
        here.execute(delete(table).where(_is(table, row)))
        found = list(compare_tables(here, there, [table]))
        here.rollback()
        before = list(compare_tables(here, there, [table]))

    assert [(each.column, each.found) for each in found] == [("", None)]
    assert before == []


def test_compare__after_a_row_was_put_in__names_it(mirrored: Mirrored) -> None:
    balances = next(table for table in COMPARED if table.name == "balances")
    with reading(mirrored.right) as there, mirrored.engine.connect() as here:
        _add(here, balances)
        found = list(compare_tables(here, there, [balances]))
        here.rollback()

    assert [(each.column, each.right) for each in found] == [("", None)]


def _add(here: Connection, table: Table) -> None:
    row = dict(here.execute(select(table).limit(1)).one()._mapping)
    here.execute(insert(table).values({**row, "org_id": 4_000_000_000}))


def _is(table: Table, row: Any) -> Any:
    condition = None
    for column in table.primary_key.columns:
        one = column == getattr(row, column.name)
        condition = one if condition is None else condition & one
    return condition


def _change(here: Connection, table: Table, row: Any, column: str) -> bool:
    """Give a row another value; False where the database itself takes none."""
    for value in _others(getattr(row, column), table.c[column].type.python_type):
        change = update(table).where(_is(table, row)).values({column: value})
        try:
            with here.begin_nested():
                here.execute(change)
        except IntegrityError:
            continue
        return True
    return False


def _others(value: Any, kind: type[Any]) -> list[Any]:
    if value is None:
        return {bytes: [b"\7" * 20, b"\7" * 32], str: ["x"]}.get(kind, [7])
    if isinstance(value, bytes):
        return [bytes([value[0] ^ 1]) + value[1:] if value else b"\1"]
    if isinstance(value, str):
        return [value + "x"]
    return [value + 1, value - 1, value + 1_000_000]
