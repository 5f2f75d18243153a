"""A ledger, and a desk to work on it with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.anvil import Anvil
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import Ledger, running_ledger


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database with the schema, of each kind."""
    with opened_engine(database_url) as opened:
        yield opened


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """An empty SQLite database with the schema, where the kind makes no difference."""
    with opened_engine(sqlite_url) as opened:
        yield opened


@pytest.fixture
def own_ledger(fresh_anvil: Anvil, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger on a chain of this test alone."""
    with running_ledger(fresh_anvil, tmp_path) as running:
        yield running


@pytest.fixture
def sender(own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path) -> Sender:
    """A sender on a chain of this test alone."""
    return Sender(own_ledger, sqlite_engine, tmp_path)
