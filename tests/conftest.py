"""What tests of more than one folder use. Every program here is real, on loopback and a free port.

`anvil` is shared by all tests of a worker, so a test that counts blocks, reorganises or stops it
takes `fresh_anvil`. `database_url` runs a test twice: on SQLite and on PostgreSQL. It is a copy
of what was migrated once; a test that is about making tables takes `bare_database_url`.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.anvil import Anvil, running_anvil
from tests.support.databases import copy_migrated, migrate
from tests.support.ports import free_port as _free_port
from tests.support.postgres import Cluster, cluster_or_skip

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def pytest_configure() -> None:
    """Hear interrupts and hang-ups, which a test run in the background is started deaf to: what
    tests start, and interrupt, would be deaf as well."""
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture
def free_port() -> int:
    """A port on loopback that nobody listens on."""
    return _free_port()


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    """A chain that all tests of this worker write to."""
    with running_anvil(tmp_path_factory.mktemp("anvil")) as running:
        yield running


@pytest.fixture
def fresh_anvil(start_anvil: Callable[..., Anvil]) -> Anvil:
    """A chain of this test alone, at block 0."""
    return start_anvil()


@pytest.fixture
def start_anvil(tmp_path: Path) -> Iterator[Callable[..., Anvil]]:
    """Starts chains of this test alone; takes more arguments for anvil's command line."""
    with ExitStack() as started:
        yield lambda *arguments, accounts=10: started.enter_context(
            running_anvil(tmp_path, *arguments, accounts=accounts)
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all folders: a process has one loop of Playwright's."""
    program = shutil.which("chromium")
    if program is None:
        reason = "Chromium is not on this machine"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  few tests need it

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL cluster of this worker."""
    with cluster_or_skip() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: Cluster) -> str:
    """A PostgreSQL database with the schema, to be copied."""
    url = postgres_cluster.new_database()
    migrate(url)
    return url


@pytest.fixture
def postgres_url(postgres_cluster: Cluster, migrated_postgres: str) -> Iterator[str]:
    """A PostgreSQL database of this test alone, with the schema and no row."""
    url = postgres_cluster.new_database(migrated_postgres)
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database of this test alone, with the schema and no row."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    copy_migrated(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone, of each kind, with the schema and no row."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def bare_sqlite_url(tmp_path: Path) -> str:
    """A SQLite database of this test alone, not made yet."""
    return f"sqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture
def bare_postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """A PostgreSQL database of this test alone, without a table."""
    url = postgres_cluster.new_database()
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone, of each kind, without a table."""
    name = {"sqlite": "bare_sqlite_url", "postgresql": "bare_postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url
