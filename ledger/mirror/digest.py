"""One hash over all mirrored facts, the same on every database.

It covers each table of the mirror, row by row in the order of the primary key, with what is derived
from the facts. It leaves out what says how this mirror is rather than what happened: the tables of
its state (what its rows rest on, who writes it), and blocks without a log of ours.

    digest  = SHA-256(table*)
    table   = 't' name rows '.'
    row     = 'r' value*
    value   = 'i' 8 bytes signed, big endian | 'b' length bytes | 's' length UTF-8 | 'n' for null

with names and lengths as four bytes, big endian, before the content. Tables in the order of their
names, values in the order of the table's columns.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, Table, exists, select

from ledger.store.mirror_tables import DERIVED_TABLES, RAW_TABLES, blocks, logs

_ROWS_AT_ONCE = 5000

_number = struct.Struct(">cq").pack
_head = struct.Struct(">cI").pack


def compute_digest(connection: Connection) -> bytes:
    """The digest, 32 bytes. The connection must see one moment (`ledger.store.engine.reading`)."""
    digest = hashlib.sha256()
    for table in digested_tables():
        name = table.name.encode("ascii")
        digest.update(_head(b"t", len(name)) + name)
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(_all_rows(table))
        for part in rows.partitions():
            digest.update(b"".join([_encode_row(row) for row in part]))
        digest.update(b".")
    return digest.digest()


def digested_tables() -> tuple[Table, ...]:
    """The tables that the digest covers, in its order."""
    return tuple(sorted((*RAW_TABLES, *DERIVED_TABLES), key=lambda table: table.name))


def _all_rows(table: Table) -> Select[Any]:
    statement = select(table).order_by(*table.primary_key)
    if table is blocks:
        statement = statement.where(exists().where(logs.c.block_number == blocks.c.number))
    return statement


def _encode_row(row: Iterable[Any]) -> bytes:
    return b"r" + b"".join([_encode_value(value) for value in row])


def _encode_value(value: Any) -> bytes:
    if isinstance(value, int):
        return _number(b"i", value)
    if value is None:
        return b"n"
    if isinstance(value, str):
        raw = value.encode()
        return _head(b"s", len(raw)) + raw
    return _head(b"b", len(value)) + bytes(value)
