"""A ledger and a sender on it, on each database; a chain of its own where a test breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.anvil import Anvil
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import Ledger, running_ledger


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the run of kills is."""
    parser.addoption("--intents", type=int, default=80, help="intents of a killed sender")
    parser.addoption("--sender-kills", type=int, default=24, help="kills, on each database")


@pytest.fixture(scope="module")
def ledger(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger that the tests of a module share, each with a database of its own."""
    with running_ledger(anvil, tmp_path_factory.mktemp("ledger")) as running:
        yield running


@pytest.fixture
def own_ledger(fresh_anvil: Anvil, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger on a chain of this test alone."""
    with running_ledger(fresh_anvil, tmp_path) as running:
        yield running


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
def sender(ledger: Ledger, engine: Engine, tmp_path: Path) -> Sender:
    """A sender on the shared chain."""
    return Sender(ledger, engine, tmp_path)


@pytest.fixture
def own_sender(own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path) -> Sender:
    """A sender on a chain of this test alone."""
    return Sender(own_ledger, sqlite_engine, tmp_path, deadline=10.0)
