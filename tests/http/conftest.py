"""A seeded ledger on each database, shared by all tests that only read, and clients of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from ledger.config import Settings
from ledger.processes import wait_until
from ledger.store.engine import open_engine
from tests.http.seed import Seeded, seed
from tests.support.postgres import Cluster

NOW = 1_766_700_000.0
"""The time at which the seeded mirror last looked at the chain."""


@dataclass(frozen=True)
class Ledger:
    """A seeded ledger: its settings, and what it holds."""

    settings: Settings
    seeded: Seeded


def settings_for(home: Path, url: str) -> Settings:
    """Settings that no environment changes."""
    return Settings(home=home, database_url=url, language="zh-CN", _env_file=None)


def seeded_ledger(home: Path, url: str) -> Ledger:
    """A ledger filled by the seeder, of the caller alone."""
    engine = open_engine(url)
    try:
        return Ledger(settings_for(home, url), seed(engine, home, looked_at=NOW))
    finally:
        engine.dispose()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The seeded ledger on each kind of database. Tests leave it as it is."""
    home = tmp_path_factory.mktemp(f"seeded-{request.param}")
    if request.param == "sqlite":
        return seeded_ledger(home, f"sqlite:///{home / 'ledger.sqlite3'}")
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return seeded_ledger(home, cluster.new_database())


@pytest.fixture(scope="session")
def client(ledger: Ledger) -> Iterator[httpx.Client]:
    """A client of the seeded ledger, one second after the mirror's last look."""
    with serving(ledger.settings, lambda: NOW + 1) as running:
        yield running


@pytest.fixture
def own_ledger(database_url: str, tmp_path: Path) -> Ledger:
    """A seeded ledger of this test alone, which may change it."""
    return seeded_ledger(tmp_path, database_url)


@pytest.fixture
def serve() -> Iterator[Callable[..., httpx.Client]]:
    """Serves settings until the end of the test; `clock` gives the time."""
    with ExitStack() as running:
        yield lambda settings, clock=lambda: NOW + 1: running.enter_context(
            serving(settings, clock)
        )


@contextmanager
def serving(settings: Settings, clock: Callable[[], float]) -> Iterator[httpx.Client]:
    """A client of a real server on a free port of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        config = uvicorn.Config(create_app(settings, clock=clock), log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert wait_until(lambda: server.started, seconds=20, pause=0.01)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(timeout=20)
