"""Mirrors as processes of their own: killed at any moment, two at once, asked to end."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ledger.errors import MirrorEmpty
from ledger.processes import own_environment
from tests.chain.fake_node import FakeNode, Hang, HangUp
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Mirrored, Open
from tests.support.devnet import MOONLAKE
from tests.support.happenings import Ledger, ProgrammeId, wait_for

ONE = ProgrammeId(1)


class Follower:
    """A running `moonlake mirror follow`; its reports go into a file, line by line."""

    def __init__(self, database_url: str, ledger: Ledger, folder: Path, url: str) -> None:
        self._log = folder / f"follower-{time.monotonic_ns()}.log"
        arguments = [
            *("mirror", "follow", "--json", "--home", str(folder / "home")),
            *("--rpc-url", url, "--deployment", str(ledger.path)),
            *("--database-url", database_url),
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*MOONLAKE, *arguments],
                stdout=log,
                stderr=log,
                env=own_environment(),
                cwd=folder,
            )

    @property
    def said(self) -> list[str]:
        """The kinds of its reports so far."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line)["report"] for line in lines if line.startswith("{")]

    @property
    def log(self) -> str:
        """All that it wrote."""
        return self._log.read_text()

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


Start = Callable[..., Follower]


@pytest.fixture
def start_follower(ledger: Ledger, tmp_path: Path) -> Iterator[Start]:
    """Starts followers of the test's ledger, killed at the end."""
    with contextlib.ExitStack() as started:

        def start(database_url: str, url: str = ledger.anvil.url) -> Follower:
            follower = Follower(database_url, ledger, tmp_path, url)
            started.callback(follower.process.wait, 20)
            started.callback(follower.process.kill)
            return follower

        yield start


def reaches(mirrored: Mirrored, block: int) -> bool:
    """Whether the mirror has applied a block."""
    with contextlib.suppress(MirrorEmpty):
        return mirrored.state.cursor.number >= block
    return False


def test_follower__killed_at_random_moments__loses_nothing_and_doubles_nothing(
    database_url: str, ledger: Ledger, open_mirror: Open, start_follower: Start, tmp_path: Path
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    chance = random.Random(20)
    for _ in range(4):
        follower = start_follower(database_url)
        target = ledger.node.block_number()
        wait_for(lambda: reaches(mirrored, target), follower.log)  # noqa: B023
        # Blocks keep coming while the process dies somewhere in the midst of them.
        for _ in range(chance.randrange(4, 12)):
            ledger.award(
                ONE, *[(chance.randrange(1, 6), 1 + chance.randrange(9)) for _ in range(20)]
            )
        follower.end(signal.SIGKILL)
        assert "Traceback" not in follower.log
    mirrored.sync()
    assert_mirrors_chain(mirrored, ledger)
    clean = open_mirror(
        f"sqlite:///{tmp_path / 'clean.sqlite3'}", ledger.deployment, ledger.anvil.url
    )
    clean.sync()
    assert mirrored.digest == clean.digest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_follower__asked_to_end__ends_well(
    database_url: str,
    ledger: Ledger,
    open_mirror: Open,
    start_follower: Start,
    number: signal.Signals,
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    follower = start_follower(database_url)
    wait_for(lambda: "caught_up" in follower.said, "it did not catch up")
    assert follower.end(number) == 0
    assert "Traceback" not in follower.log
    assert_mirrors_chain(mirrored, ledger)


def test_follower__while_another_leads__waits_and_takes_over_when_that_is_killed(
    database_url: str, ledger: Ledger, open_mirror: Open, start_follower: Start
) -> None:
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    first = start_follower(database_url)
    wait_for(lambda: "caught_up" in first.said, "the first did not catch up")
    second = start_follower(database_url)
    wait_for(lambda: "other_leads" in second.said, "the second did not say that it waits")
    assert "applied" not in second.said
    first.end(signal.SIGKILL)
    block = ledger.award(ONE, (1, 5))
    wait_for(lambda: reaches(mirrored, block), "the second did not take over")
    assert_mirrors_chain(mirrored, ledger)
    assert second.end(signal.SIGTERM) == 0


def test_follower__asked_to_end_while_another_leads__ends_well(
    database_url: str, ledger: Ledger, start_follower: Start
) -> None:
    first = start_follower(database_url)
    wait_for(lambda: "caught_up" in first.said, "the first did not catch up")
    second = start_follower(database_url)
    wait_for(lambda: "other_leads" in second.said, "the second did not say that it waits")
    assert second.end(signal.SIGTERM) == 0
    assert first.end(signal.SIGTERM) == 0


def test_follower__while_the_node_is_away__waits_for_it(
    sqlite_url: str, ledger: Ledger, open_mirror: Open, start_follower: Start
) -> None:
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    with FakeNode(upstream=ledger.anvil.url) as node:
        follower = start_follower(sqlite_url, node.url)
        wait_for(lambda: "caught_up" in follower.said, "it did not catch up")
        node.faults.extend([HangUp()] * 1000)
        wait_for(lambda: "waiting" in follower.said, "it did not say that it waits")
        block = ledger.award(ONE, (1, 5))
        node.faults.clear()
        wait_for(lambda: reaches(mirrored, block), follower.log)
        assert follower.end(signal.SIGTERM) == 0


def test_follower__of_a_node_that_hangs__still_ends_when_asked(
    sqlite_url: str, ledger: Ledger, start_follower: Start
) -> None:
    with FakeNode(upstream=ledger.anvil.url) as node:
        follower = start_follower(sqlite_url, node.url)
        wait_for(lambda: "caught_up" in follower.said, "it did not catch up")
        node.faults.append(Hang())
        wait_for(lambda: not node.faults, "it did not ask the node again")
        assert follower.end(signal.SIGTERM) == 0


def test_follower__whose_database_drops_its_connections__comes_back(
    postgres_url: str, ledger: Ledger, open_mirror: Open, start_follower: Start
) -> None:
    mirrored = open_mirror(postgres_url, ledger.deployment, ledger.anvil.url)
    follower = start_follower(postgres_url)
    wait_for(lambda: "caught_up" in follower.said, "it did not catch up")
    name = postgres_url.rpartition("/")[2]
    admin = create_engine(postgres_url.replace(name, "postgres"), isolation_level="AUTOCOMMIT")
    mirrored.engine.dispose()
    for _ in range(3):
        with admin.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
        block = ledger.award(ONE, (1, 5))
        wait_for(lambda: reaches(mirrored, block), follower.log)  # noqa: B023
    admin.dispose()
    assert_mirrors_chain(mirrored, ledger)
    assert follower.end(signal.SIGTERM) == 0
