"""Ledgers to mirror, and mirrors of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from ledger.chain.deployments import Deployment
from ledger.chain.rpc import Node
from ledger.chain.transport import Patience
from ledger.domain.verification import Level
from ledger.mirror.contracts import Followed
from ledger.mirror.digest import compute_digest
from ledger.mirror.follow import sync
from ledger.mirror.look import Mirror
from ledger.mirror.reports import Report
from ledger.mirror.state import MirrorState, read_state
from ledger.store.engine import open_engine, reading
from ledger.store.schema import upgrade_schema
from tests.mirror.story import Told
from tests.support.anvil import Anvil, running_anvil
from tests.support.databases import copy_migrated
from tests.support.happenings import Ledger, found_ledger
from tests.support.stories import tell_everything

IMPATIENT = Patience(attempts=1, timeout=10.0)
FINALITY = 64


class Mirrored:
    """A database, and a mirror that fills it; `said` is what the mirror reported."""

    def __init__(self, engine: Engine, deployment: Deployment, urls: tuple[str, ...]) -> None:
        self.engine = engine
        self.stop = threading.Event()
        self.said: list[Report] = []
        self.nodes = [Node(url, patience=IMPATIENT) for url in urls]
        self.followed = Followed(deployment)
        self.mirror = self.new_mirror()

    def new_mirror(
        self, *, finality_blocks: int = FINALITY, level: Level = Level.RECEIPTS
    ) -> Mirror:
        """A mirror that remembers nothing, as after a start."""
        return Mirror(
            self.engine,
            self.nodes,
            self.followed,
            finality_blocks=finality_blocks,
            level=level,
            stop=self.stop,
            report=self.said.append,
        )

    def sync(self) -> MirrorState:
        """Bring it to the chain's head."""
        return sync(self.mirror)

    @property
    def state(self) -> MirrorState:
        """What the database says of itself."""
        with reading(self.engine) as connection:
            return read_state(connection)

    @property
    def digest(self) -> str:
        """The digest of the database."""
        with reading(self.engine) as connection:
            return compute_digest(connection).hex()


Open = Callable[..., Mirrored]


@pytest.fixture
def open_mirror() -> Iterator[Callable[..., Mirrored]]:
    """Opens a mirror: `open_mirror(database_url, deployment, *node_urls)`."""
    with ExitStack() as opened:

        def open_one(database_url: str, deployment: Deployment, *urls: str) -> Mirrored:
            copy_migrated(database_url)
            engine = open_engine(database_url, durable=False)
            opened.callback(engine.dispose)
            upgrade_schema(engine)
            mirrored = Mirrored(engine, deployment, urls)
            for node in mirrored.nodes:
                opened.callback(node.close)
            return mirrored

        yield open_one


@pytest.fixture(scope="session")
def told_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger in which everything happened once. Only for tests that send nothing."""
    folder = tmp_path_factory.mktemp("told")
    with running_anvil(folder) as anvil:
        ledger = found_ledger(anvil, folder)
        tell_everything(ledger)
        yield ledger
        ledger.close()


@pytest.fixture(scope="session")
def told_digest(told_ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of an honest mirror of that ledger."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('honest') / 'honest.sqlite3'}")
    upgrade_schema(engine)
    mirrored = Mirrored(engine, told_ledger.deployment, (told_ledger.anvil.url,))
    mirrored.sync()
    digest = mirrored.digest
    mirrored.nodes[0].close()
    engine.dispose()
    return digest


@pytest.fixture
def ledger(fresh_anvil: Anvil, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of this test alone, with one programme and five members."""
    found = found_ledger(fresh_anvil, tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="session")
def empty_mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A database that nothing is ever written to."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('empty') / 'empty.sqlite3'}")
    upgrade_schema(engine)
    with reading(engine) as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def told(empty_mirror: Connection) -> Told:
    """A book that knows the story."""
    return Told(empty_mirror)
