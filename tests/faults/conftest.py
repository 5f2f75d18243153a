"""One chain and one mirror of it on each database, that all faults of a worker happen to in turn.

A test leaves the mirror equal to the chain, so that the next one begins with a mirror in force; a
mirror that a failed test left otherwise is thrown away.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ledger.chain.rpc import Node
from ledger.chain.transport import Patience
from ledger.errors import LedgerError, MirrorEmpty
from ledger.mirror import ahead, follow, pool, standing
from ledger.mirror.contracts import Followed
from ledger.mirror.look import Mirror
from ledger.mirror.reports import Report
from ledger.mirror.state import MirrorState, read_state
from ledger.store.engine import open_engine, reading
from tests.faults.proxy import Proxy
from tests.faults.readiness import Readiness
from tests.mirror.comparison import assert_mirrors_chain
from tests.support.anvil import running_anvil
from tests.support.databases import migrate
from tests.support.happenings import Ledger, ProgrammeId, found_ledger
from tests.support.postgres import Cluster, find_postgres

ONE = ProgrammeId(1)
FINALITY = 8
QUICK = Patience(attempts=3, timeout=5.0, longest=20.0, first_pause=0.001, longest_pause=0.01)
HASTY = Patience(attempts=3, timeout=0.3, longest=5.0, first_pause=0.001, longest_pause=0.01)
"""For nodes that are meant to say nothing."""

DATABASES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often a mirror is killed; the long run takes 100."""
    parser.addoption("--kills", type=int, default=10, help="kills of a mirror, on each database")


class Target:
    """A mirror of the chain in one database, asked through whichever nodes a test names."""

    def __init__(self, engine: Engine, url: str, ledger: Ledger) -> None:
        self.engine = engine
        self.url = url
        self.ledger = ledger
        self.followed = Followed(ledger.deployment)
        self.stop = threading.Event()
        self.said: list[Report] = []
        self.nodes: list[Node] = []
        self.mirror = self.through(ledger.anvil.url)
        self.readiness = Readiness(url)

    def through(self, *urls: str, patience: Patience = QUICK, **options: Any) -> Mirror:
        """A mirror that has just started, asking these nodes."""
        self.close_nodes()
        self.said.clear()
        self.stop.clear()
        self.nodes = [Node(url, patience=patience) for url in urls]
        given: dict[str, Any] = {"finality_blocks": FINALITY, **options}
        self.mirror = Mirror(
            self.engine,
            self.nodes,
            self.followed,
            stop=self.stop,
            report=self.said.append,
            **given,
        )
        return self.mirror

    def close_nodes(self) -> None:
        """Close the connections."""
        for node in self.nodes:
            node.close()

    @property
    def state(self) -> MirrorState:
        """What the database says of itself."""
        with reading(self.engine) as connection:
            return read_state(connection)

    def sync(self) -> MirrorState:
        """Bring it to the head of the chain that its nodes tell."""
        return follow.sync(self.mirror)

    def assert_equal(self) -> None:
        """It is the chain, row by row, and readiness says so."""
        assert_mirrors_chain(self, self.ledger)  # type: ignore[arg-type]
        assert self.readiness.status() == 200

    def assert_refused(self, before: MirrorState, problem: LedgerError) -> None:
        """Nothing got in, and readiness says no: at once where it halted, else when it is due."""
        state = self.state
        assert state.cursor == before.cursor
        assert (state.halt is None) == isinstance(problem, pool.PASSING)
        later = time.time() + 31.0 if state.halt is None else time.time()
        assert self.readiness.status(at=later) == 503

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Follow in another thread meanwhile; no problem may end it."""
        problems: list[BaseException] = []

        def run() -> None:
            try:
                follow.follow(self.mirror, poll_interval=0.01)
            except Exception as problem:  # noqa: BLE001  told to the test at the end
                problems.append(problem)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            thread.join()
        assert problems == []

    @property
    def is_at_head(self) -> bool:
        """Whether its cursor is the chain's head."""
        try:
            return "0x" + self.state.cursor.hash.hex() == self.ledger.node.header("latest").hash
        except MirrorEmpty:
            return False


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between two looks at a node that goes on being wrong."""
    monkeypatch.setattr(pool, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(pool, "_SURVEY_EVERY", 0.02)
    monkeypatch.setattr(pool, "_VOTE_SECONDS", 5.0)
    monkeypatch.setattr(standing, "FIRST_REST", 0.05)
    monkeypatch.setattr(ahead, "WORTH_A_PROCESS", 1_000_000)
    monkeypatch.setattr(follow, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(follow, "_LONGEST_WAIT", 0.05)


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger with one programme and five members, that every test adds to."""
    folder = tmp_path_factory.mktemp("faults")
    with running_anvil(folder) as anvil:
        found = found_ledger(anvil, folder)
        yield found
        found.close()


@pytest.fixture(scope="session")
def young_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Another one, whose chain stays short: for mirrors that begin with nothing."""
    folder = tmp_path_factory.mktemp("young")
    with running_anvil(folder) as anvil:
        found = found_ledger(anvil, folder)
        yield found
        found.close()


@pytest.fixture
def young_proxy(young_ledger: Ledger) -> Iterator[Proxy]:
    """A proxy before the short chain's node."""
    with Proxy(young_ledger.anvil.url) as running:
        yield running


@pytest.fixture
def proxy(ledger: Ledger) -> Iterator[Proxy]:
    """A proxy before the chain's node."""
    with Proxy(ledger.anvil.url) as running:
        yield running


class Targets:
    """The mirrors of a worker, one a database; a new one where the last test left none in force."""

    def __init__(self, folder: Path, cluster: Callable[[], Cluster], ledger: Ledger) -> None:
        self._folder = folder
        self._cluster = cluster
        self._ledger = ledger
        self._opened = ExitStack()
        self._made: dict[str, Target] = {}
        self._empty: dict[str, str] = {}

    def close(self) -> None:
        """Close all of them."""
        self._opened.close()

    def get(self, kind: str) -> Target:
        """The mirror of this kind, at the chain's head."""
        target = self._made.get(kind) or self.make(kind)
        target.through(self._ledger.anvil.url)
        try:
            target.sync()
        except LedgerError:
            target = self.make(kind)
            target.sync()
        self._made[kind] = target
        return target

    def make(self, kind: str, ledger: Ledger | None = None) -> Target:
        """A mirror that nothing is in yet, of the long chain or another."""
        if kind not in self._empty:
            self._empty[kind] = self._make_empty(kind)
        url = self._new_url(kind, self._empty[kind])
        engine = open_engine(url, durable=False)
        target = Target(engine, url, ledger or self._ledger)
        self._opened.callback(engine.dispose)
        self._opened.callback(target.readiness.close)
        self._opened.callback(target.close_nodes)
        return target

    def _make_empty(self, kind: str) -> str:
        """A database with all tables, to be copied: to make them takes a second."""
        url = self._new_url(kind)
        migrate(url)
        return url

    def _new_url(self, kind: str, template: str = "") -> str:
        if kind == "postgresql":
            return self._cluster().new_database(template)
        path = self._folder / f"faults-{time.monotonic_ns()}.sqlite3"
        if template:
            shutil.copyfile(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def targets(
    ledger: Ledger, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Targets]:
    """The mirrors that all tests of a worker share."""

    def cluster() -> Cluster:
        found: Cluster = request.getfixturevalue("postgres_cluster")
        return found

    if find_postgres() is not None:
        cluster()  # before the mirrors, so that it ends after them

    shared = Targets(tmp_path_factory.mktemp("targets"), cluster, ledger)
    yield shared
    shared.close()


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    name: str = request.param
    if name == "postgresql":
        request.getfixturevalue("postgres_cluster")
    return name


@pytest.fixture
def target(targets: Targets, kind: str) -> Target:
    """A mirror of the chain, in force, on each kind of database."""
    return targets.get(kind)


@pytest.fixture
def new_target(targets: Targets, kind: str, young_ledger: Ledger) -> Target:
    """A mirror of the short chain with nothing in it, on each kind of database."""
    return targets.make(kind, young_ledger)
