"""How a subject's state at a moment is read from its history: its last version up to that block.

An anti-join and not a grouped maximum: where the result is asked for page by page, the database
then walks the subject's index and stops at the page's end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, bindparam, exists, tuple_

from ledger.mirror.queries.moments import Moment

AT = bindparam("at", type_=BigInteger)
"""The block that an answer is true at."""

NOW = bindparam("now", type_=BigInteger)
"""That block's time, which decides what has lapsed."""


def true_at(moment: Moment) -> Mapping[str, Any]:
    """The values of AT and NOW."""
    return {"at": moment.block_number, "now": moment.timestamp}


def is_last_version(table: FromClause, *subject: str) -> ColumnElement[bool]:
    """That a row of a `..._versions` table is its subject's state at AT.

    `subject` are the columns that say whose state it is.
    """
    later = table.alias()
    follows = and_(
        *(later.c[name] == table.c[name] for name in subject),
        later.c.block_number <= AT,
        tuple_(later.c.block_number, later.c.log_index)
        > tuple_(table.c.block_number, table.c.log_index),
    )
    return and_(table.c.block_number <= AT, ~exists().where(follows).correlate(table))
