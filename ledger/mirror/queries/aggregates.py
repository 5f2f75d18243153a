"""Sums that are whole numbers on both databases: PostgreSQL's sum of BIGINTs is a decimal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, func


def total(amounts: ColumnElement[Any]) -> ColumnElement[int]:
    """The sum of the column; 0 for no rows."""
    return cast(func.coalesce(func.sum(amounts), 0), BigInteger)


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows meet the condition."""
    return total(case((condition, 1), else_=0))
