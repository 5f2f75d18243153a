"""The office's rows for a request: one transaction, and a database that refuses as our error.

SQLite lets one process write at a time, so a write may wait for the mirror's, and in the end in
vain: that is told as a database that cannot be used now, and not as a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from fastapi import Request
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ledger.store.engine import database_unusable, reading, writing


def reading_office(request: Request) -> AbstractContextManager[Connection]:
    """A connection that sees one moment. Raises DatabaseUnusable and its like."""
    return _told(request, reading)


def writing_office(request: Request) -> AbstractContextManager[Connection]:
    """A connection that may write, committed at the end. Raises DatabaseUnusable and its like."""
    return _told(request, writing)


@contextmanager
def _told(
    request: Request, begin: Callable[[Engine], AbstractContextManager[Connection]]
) -> Iterator[Connection]:
    engine: Engine = request.app.state.office
    try:
        with begin(engine) as connection:
            yield connection
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
