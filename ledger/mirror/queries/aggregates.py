"""Sums that are whole numbers on both databases: PostgreSQL's sum of BIGINTs is a decimal.

And which entries are summed where contributions are meant.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, func

from ledger.mirror.accounts import CONTRIBUTIONS
from ledger.store.mirror_tables import entries


def total(amounts: ColumnElement[Any]) -> ColumnElement[int]:
    """The sum of the column; 0 for no rows."""
    return cast(func.coalesce(func.sum(amounts), 0), BigInteger)


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows meet the condition."""
    return total(case((condition, 1), else_=0))


def is_contribution() -> ColumnElement[bool]:
    """That an entry says what an organisation contributed: spending credits takes nothing of it."""
    return entries.c.kind.in_(CONTRIBUTIONS)
