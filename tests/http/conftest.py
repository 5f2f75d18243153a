"""A seeded ledger on each database, shared by all tests that only read, and clients of it."""

from __future__ import annotations

import shutil
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
from api.wire import Protocol
from ledger.config import Settings
from ledger.processes import wait_until
from ledger.store.engine import open_engine
from tests.http.facts import Seeded
from tests.http.seed import seed
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
    return Settings(
        home=home,
        database_url=url,
        language="zh-CN",
        rpc_url="http://127.0.0.1:9",  # where no node is: what is read needs none
        rate_limit=0,
        _env_file=None,
    )


class Templates:
    """Seeded databases, each made once; a test gets a copy of its own in no time."""

    def __init__(self, folder: Path, cluster: Callable[[], Cluster]) -> None:
        self._folder = folder
        self._cluster = cluster
        self._made: dict[str, Ledger] = {}

    def copy(self, kind: str, home: Path) -> Ledger:
        """A copy of the seeded ledger on this kind of database, its evidence under `home`."""
        made = self._made.get(kind) or self._made.setdefault(kind, self._make(kind))
        shutil.copytree(made.settings.home / "evidence", home / "evidence")
        if kind == "sqlite":
            file = home / "ledger.sqlite3"
            shutil.copyfile(made.settings.home / "ledger.sqlite3", file)
            return Ledger(settings_for(home, f"sqlite:///{file}"), made.seeded)
        url = self._cluster().new_database(made.settings.database_url)
        return Ledger(settings_for(home, url), made.seeded)

    def drop(self, ledger: Ledger) -> None:
        """Be rid of a copy: a cluster of hundreds is slow to look through."""
        if not ledger.settings.database_url.startswith("sqlite"):
            self._cluster().drop_database(ledger.settings.database_url)

    def _make(self, kind: str) -> Ledger:
        home = self._folder / kind
        home.mkdir()
        file = home / "ledger.sqlite3"
        url = f"sqlite:///{file}" if kind == "sqlite" else self._cluster().new_database()
        engine = open_engine(url)
        seeded = seed(engine, home, looked_at=NOW)
        engine.dispose()
        return Ledger(settings_for(home, url), seeded)


@pytest.fixture(scope="session")
def templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """The seeded databases of this worker."""
    folder = tmp_path_factory.mktemp("templates")
    return Templates(folder, lambda: request.getfixturevalue("postgres_cluster"))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def ledger(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Ledger:
    """The seeded ledger on each kind of database. Tests leave it as it is."""
    return templates.copy(request.param, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def client(ledger: Ledger) -> Iterator[httpx.Client]:
    """A client of the seeded ledger, one second after the mirror's last look."""
    with serving(ledger.settings, lambda: NOW + 1) as running:
        yield running


@pytest.fixture(scope="module")
def writable_client(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a ledger of its own, which a module's tests may write to."""
    copy = templates.copy("sqlite", tmp_path_factory.mktemp("writable"))
    with serving(copy.settings, lambda: NOW + 1) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def own_ledger(
    request: pytest.FixtureRequest, templates: Templates, tmp_path: Path
) -> Iterator[Ledger]:
    """A seeded ledger of this test alone, which may change it."""
    copy = templates.copy(request.param, tmp_path)
    yield copy
    templates.drop(copy)


@pytest.fixture
def serve() -> Iterator[Callable[..., httpx.Client]]:
    """Serves settings until the end of the test; `clock` gives the time."""
    with ExitStack() as running:
        yield lambda settings, clock=lambda: NOW + 1: running.enter_context(
            serving(settings, clock)
        )


@contextmanager
def serving(
    settings: Settings, clock: Callable[[], float], *, not_ready_while: Path | None = None
) -> Iterator[httpx.Client]:
    """A client of a real server on a free port of loopback."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        app = create_app(settings, clock=clock, not_ready_while=not_ready_while)
        config = uvicorn.Config(app, http=Protocol, log_level="critical")
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
