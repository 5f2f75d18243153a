"""Holds a database against a history that was proved elsewhere, row by row, column by column.

The proved blocks and logs are put into an empty database, what they mean is derived there, and then
every table of the mirror is compared: what is missing, what is added, what is altered. Of the
mirror's own notes (how far it is, which node it asked) nothing is compared, and of a contract not
its first block, which its logs do not say. Nothing is written into the database that is compared.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from ledger.chain.headers import Header
from ledger.chain.receipts import Log
from ledger.domain.ids import BlockNumber
from ledger.errors import BlocksDiffer
from ledger.mirror.contracts import Followed
from ledger.mirror.derive import Derivation
from ledger.mirror.reports import say_nothing
from ledger.mirror.state import read_state
from ledger.store.bulk import insert_rows
from ledger.store.engine import POSTGRESQL, open_engine, reading, writing
from ledger.store.mirror_tables import (
    DERIVED_TABLES,
    RAW_TABLES,
    blocks,
    contracts,
    logs,
    metadata,
    transactions,
)

COMPARED = (*RAW_TABLES, *DERIVED_TABLES)

_NOT_COMPARED = {("contracts", "first_block")}
_ROWS_AT_ONCE = 5_000
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not as it should be. `column` is empty where the whole row is missing or added;
    `found` is None where it is missing, `right` where it is added."""

    table: str
    key: tuple[Any, ...]
    column: str
    found: Any
    right: Any
    block: int | None
    log_index: int | None


def compare_database(
    engine: Engine, followed: Followed, history: Iterable[tuple[Header, Sequence[Log]]]
) -> Iterator[Difference]:
    """The differences between a database and a proved history, table after table.

    `history` are all blocks from the ledger's first on, with our logs in each. Raises BlocksDiffer
    where the database is at another block, MirrorEmpty, and FactsDamaged for a history that cannot
    be.
    """
    with proved_tables(followed, history) as (right, last):
        with reading(engine) as connection:
            found = read_state(connection).cursor.number
        if found != last:
            raise BlocksDiffer(block=found, last=last)
        with reading(engine) as here, reading(right) as there:
            yield from compare_tables(here, there)


@contextmanager
def proved_tables(
    followed: Followed, history: Iterable[tuple[Header, Sequence[Log]]]
) -> Iterator[tuple[Engine, BlockNumber]]:
    """A database for a while that holds a proved history and what it means; and its last block."""
    with tempfile.TemporaryDirectory() as folder:
        right = open_engine(f"sqlite:///{Path(folder, 'right.sqlite3')}", durable=False)
        try:
            metadata.create_all(right)
            last = _put_in(right, followed, history)
            derivation = Derivation(right, followed, stop=threading.Event(), report=say_nothing)
            with reading(right) as facts, writing(right) as target:
                derivation.derive(facts, target, until=last, last=last)
            yield right, last
        finally:
            right.dispose()


def compare_tables(
    here: Connection, there: Connection, tables: Sequence[Table] = COMPARED
) -> Iterator[Difference]:
    """The rows of `here` that are not those of `there`."""
    for table in tables:
        yield from _compare(table, here, there)


def _put_in(
    right: Engine, followed: Followed, history: Iterable[tuple[Header, Sequence[Log]]]
) -> BlockNumber:
    ids = {each.address: each.contract_id for each in followed.contracts}
    last = BlockNumber(followed.first_block - 1)
    with writing(right) as connection:
        rows = [
            (each.contract_id, each.name, each.address, each.code_hash, each.first_block)
            for each in followed.contracts
        ]
        insert_rows(connection, contracts, rows)
        for header, found in history:
            if header.number == followed.first_block:
                # The mirror also notes the block before the ledger's first; of it, only the hash
                # is proved.
                before = (header.number - 1, header.parent_hash, _UNKNOWN)
                insert_rows(connection, blocks, [before])
            last = header.number
            insert_rows(connection, blocks, [(last, header.hash, header.timestamp)])
            hashes = {
                (log.block_number, log.transaction_index): log.transaction_hash for log in found
            }
            insert_rows(connection, transactions, [(*key, each) for key, each in hashes.items()])
            insert_rows(
                connection,
                logs,
                [
                    (block, index, transaction, ids[address], topics, data)
                    for block, index, transaction, _, address, topics, data in found
                ],
            )
    return last


def _compare(table: Table, here: Connection, there: Connection) -> Iterator[Difference]:
    """Both sides in the order of their keys, side by side."""
    names = [column.name for column in table.columns]
    places = [names.index(column.name) for column in table.primary_key.columns]
    found, right = _rows(table, here), _rows(table, there)
    one, other = next(found, None), next(right, None)
    while one is not None or other is not None:
        mine = None if one is None else tuple(one[place] for place in places)
        yours = None if other is None else tuple(other[place] for place in places)
        if mine == yours and one is not None and other is not None:
            for name, is_, should in zip(names, one, other, strict=True):
                if should == _UNKNOWN and name == "timestamp":
                    continue
                if is_ != should and (table.name, name) not in _NOT_COMPARED:
                    yield _difference(table, other, name, is_, should)
            one, other = next(found, None), next(right, None)
        elif one is not None and (yours is None or (mine is not None and mine < yours)):
            yield _difference(table, one, "", one, None)
            one = next(found, None)
        elif other is not None:
            yield _difference(table, other, "", None, other)
            other = next(right, None)


def _rows(table: Table, connection: Connection) -> Iterator[tuple[Any, ...]]:
    order: list[Any] = [
        column.collate("C")
        if connection.dialect.name == POSTGRESQL and column.type.python_type is str
        else column
        for column in table.primary_key.columns
    ]
    statement = select(table).order_by(*order).execution_options(yield_per=_ROWS_AT_ONCE)
    for row in connection.execute(statement):
        yield tuple(bytes(each) if isinstance(each, memoryview) else each for each in row)


def _difference(
    table: Table, row: Sequence[Any], column: str, found: Any, right: Any
) -> Difference:
    values = dict(zip([each.name for each in table.columns], row, strict=True))
    key = tuple(values[each.name] for each in table.primary_key.columns)
    block = values.get("block_number", values.get("number") if table is blocks else None)
    return Difference(table.name, key, column, found, right, block, values.get("log_index"))
