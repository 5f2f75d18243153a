"""A ledger in which everything happened, and the bundle, anchor and certificate of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from ledger.audit.anchors import Anchor, read_anchor
from ledger.audit.exporting import Exporter, ask_anchor, export_certificate
from ledger.audit.folder import AuditFolder
from ledger.chain.artifacts import BUILT, load_artifact
from ledger.chain.rpc import Node
from ledger.config import Settings
from ledger.domain.expiry import ExpiryPolicy
from ledger.mirror.contracts import Followed
from ledger.mirror.follow import sync
from ledger.mirror.look import Mirror
from ledger.mirror.reports import say_nothing as report_nothing
from ledger.office.sessions import begin_session
from ledger.store.engine import open_engine, writing
from ledger.store.schema import upgrade_schema
from tests.http.conftest import serving
from tests.support.anvil import running_anvil
from tests.support.databases import copy_migrated
from tests.support.dealings import RULE, Dealings
from tests.support.happenings import Ledger, found_ledger
from tests.support.stories import tell_everything

POLICY = ExpiryPolicy(0)
"""Credits expire with their own epoch."""

RULES = (RULE,)
"""By which pools are shared."""


ORG_ID = 7
"""An organisation with credits and memberships."""


class Compiled:
    """Stands for the compiler, which takes half a minute: it gives the release's own code."""

    def __init__(self, standard_input: bytes) -> None:
        self.standard_input = standard_input
        self.closed = False

    def codes(self) -> dict[str, tuple[bytes, bytes]]:
        """The code of the artifacts, which a test of its own compares with the compiler's."""
        found = {name: load_artifact(name) for name in BUILT}
        return {name: (each.bytecode, each.runtime_code) for name, each in found.items()}

    def close(self) -> None:
        """Ends it."""
        self.closed = True


@dataclass(frozen=True)
class Audited:
    """A ledger's bundle, and what an auditor has beside it."""

    ledger: Ledger
    bundle: Path
    anchor: Anchor
    anchor_file: Path
    certificate: bytes
    org_id: int


def say_nothing(_done: int, _total: int) -> None:
    """No progress is shown."""


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """Everything but an expiry happened once, and was exported. For tests that send nothing."""
    with _audited(tmp_path_factory.mktemp("audited"), _tell_all_but_expiries) as found:
        yield found


@pytest.fixture(scope="session")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """Everything happened once; what expired did so too early."""
    with _audited(tmp_path_factory.mktemp("expired"), tell_everything) as found:
        yield found


def _tell_all_but_expiries(ledger: Ledger) -> None:
    ask = Dealings.ask

    def ask_unless_expiry(told: Dealings, officer: str, *command: Any) -> int:
        return 0 if "expire" in command else ask(told, officer, *command)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dealings, "ask", ask_unless_expiry)
        tell_everything(ledger)


@contextmanager
def _audited(folder: Path, tell: Callable[[Ledger], None]) -> Iterator[Audited]:
    with running_anvil(folder) as anvil:
        ledger = found_ledger(anvil, folder)
        tell(ledger)
        last = ledger.node.block_number()
        bundle, anchor = folder / "bundle.tar", folder / "anchor.json"
        Exporter(ledger.node, ledger.deployment, say_nothing).export(bundle, last)
        anchor.write_bytes(ask_anchor(ledger.node, ledger.deployment, last)[0])
        certificate = export_certificate(ledger.node, ledger.deployment, ORG_ID, last)
        yield Audited(ledger, bundle, read_anchor(anchor), anchor, certificate, ORG_ID)
        ledger.close()


@contextmanager
def mirrored_database(ledger: Ledger, url: str) -> Iterator[tuple[Engine, Followed]]:
    """A database that mirrored the ledger up to its last block."""
    with ExitStack() as opened:
        copy_migrated(url)
        engine = open_engine(url, durable=False)
        opened.callback(engine.dispose)
        upgrade_schema(engine)
        node = opened.enter_context(Node(ledger.anvil.url))
        followed = Followed(ledger.deployment)
        mirror = Mirror(
            engine,
            [node],
            followed,
            finality_blocks=64,
            stop=threading.Event(),
            report=report_nothing,
        )
        sync(mirror)
        yield engine, followed


@dataclass(frozen=True)
class Served:
    """A server over the audited ledger, its data folder, and an officer's headers for it."""

    client: httpx.Client
    folder: AuditFolder
    officer: dict[str, str]


@contextmanager
def served_ledger(audited: Audited, home: Path) -> Iterator[Served]:
    """A server over the audited ledger, with an officer of the council signed in."""
    url = f"sqlite:///{home / 'moonlake.sqlite3'}"
    with ExitStack() as opened:
        engine, _ = opened.enter_context(mirrored_database(audited.ledger, url))
        with writing(engine) as connection:
            account = audited.ledger.officers["council"].address
            new = begin_session(connection, account, now=time.time())
        settings = Settings(
            home=home,
            database_url=url,
            rpc_url=audited.ledger.anvil.url,
            deployment=audited.ledger.path,
            stale_after=1e9,
        )
        client = opened.enter_context(serving(settings, time.time))
        yield Served(
            client,
            AuditFolder(home / "audit"),
            {"Cookie": f"moonlake_session={new.token}", "X-CSRF-Token": new.csrf_token},
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many bits are flipped."""
    parser.addoption("--flips", type=int, default=150, help="bits flipped in a bundle")


@pytest.fixture(scope="session")
def flips(request: pytest.FixtureRequest) -> int:
    """How many bits to flip."""
    return int(request.config.getoption("--flips", 150))
