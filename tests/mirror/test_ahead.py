"""What another process proved ahead is written as if this one had proved it, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger.chain.headers import check_header
from ledger.chain.logs import JournalCursor
from ledger.chain.rpc import Node
from ledger.chain.transport import Patience
from ledger.domain.verification import Level
from ledger.errors import NodeUnreachable
from ledger.mirror import ahead, prove
from ledger.mirror.ahead import Ahead
from ledger.mirror.contracts import Followed
from ledger.mirror.lease import Stopped
from ledger.mirror.marks import BlockMark
from ledger.mirror.prove import Prover, look_at_head
from ledger.mirror.reports import Applied
from ledger.processes import identify_process, is_running, own_environment, wait_until
from tests.chain.fake_node import FakeNode, Hang
from tests.mirror.conftest import Mirrored, Open
from tests.support.happenings import Ledger


@pytest.fixture(autouse=True)
def _always_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WORTH_A_PROCESS", 1)


def process_of(mirrored: Mirrored) -> subprocess.Popen[bytes]:
    """The process that proves ahead of a mirror."""
    found = mirrored.mirror._ahead._process
    assert found is not None
    return found._process


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize(("most_logs", "most_blocks"), [(10_000, 2_000), (7, 3)])
def test_sync__proved_ahead__gives_the_digest_of_one_process(
    database_url: str,
    told_ledger: Ledger,
    told_digest: str,
    open_mirror: Open,
    monkeypatch: pytest.MonkeyPatch,
    most_logs: int,
    most_blocks: int,
    level: Level,
) -> None:
    monkeypatch.setattr(prove, "MOST_LOGS", most_logs)
    monkeypatch.setattr(prove, "MOST_BLOCKS", most_blocks)
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.mirror = mirrored.new_mirror(level=level)
    assert mirrored.sync().lag == 0
    assert mirrored.digest == told_digest
    commits = [each for each in mirrored.said if isinstance(each, Applied)]
    assert len(commits) > 10 or most_logs > 10


def test_sync__whose_other_process_is_killed__goes_on_without_it(
    sqlite_url: str,
    told_ledger: Ledger,
    told_digest: str,
    open_mirror: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prove, "MOST_BLOCKS", 10)
    # However fast it is, it cannot have passed everything on before it dies.
    monkeypatch.setattr(ahead, "_PIPE_BYTES", 4096)
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    # What it had passed on before its death is used; then the range is proved here.
    while mirrored.mirror.look().lag:
        if mirrored.mirror._ahead._process is not None:
            process = process_of(mirrored)
            process.kill()
            process.wait()
    assert mirrored.mirror._ahead._deaths > 1
    assert mirrored.digest == told_digest


def test_sync__that_ends__leaves_no_other_process(
    sqlite_url: str, told_ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "MOST_BLOCKS", 10)
    mirrored = open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.mirror.look()
    process = process_of(mirrored)
    assert process.poll() is None
    mirrored.sync()
    assert process.poll() is not None


def test_take__of_a_node_that_does_not_answer__is_the_error_of_one_process(
    told_ledger: Ledger,
) -> None:
    followed = Followed(told_ledger.deployment)
    first = followed.first_block
    parent = BlockMark.of(check_header(told_ledger.node.header(first - 1)))
    journals = {each: JournalCursor.at_start() for each in followed.addresses}
    with FakeNode(upstream=told_ledger.anvil.url) as fake:
        dead = fake.url
    head = look_at_head(told_ledger.node)
    prover = Ahead(followed, lambda: None, level=Level.RECEIPTS)
    with Node(dead, patience=Patience(attempts=1)) as node, prover:
        with pytest.raises(NodeUnreachable) as raised:
            prover.take(node, parent, journals, head)
        with pytest.raises(NodeUnreachable) as expected:
            Prover(followed).prove_range(node, parent, journals, head)
    assert raised.value.values == expected.value.values
    prover.close()


def test_take__when_the_mirror_is_to_stop__stops(
    told_ledger: Ledger, open_mirror: Open, sqlite_url: str
) -> None:
    with FakeNode(upstream=told_ledger.anvil.url) as fake:
        mirrored = open_mirror(sqlite_url, told_ledger.deployment, fake.url)
        fake.lies["eth_getBlockReceipts"] = lambda _params, _result: mirrored.stop.wait(30)
        timer = threading.Timer(0.5, mirrored.stop.set)
        timer.start()
        with pytest.raises(Stopped):
            mirrored.sync()
        timer.join()
    assert mirrored.mirror._ahead._process is None


def test_prover_process__whose_parent_is_killed__ends(told_ledger: Ledger, tmp_path: Path) -> None:
    """However it ends, and whatever the other process waits for."""
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    with FakeNode(upstream=told_ledger.anvil.url) as fake:
        fake.faults += [Hang() for _ in range(10)]
        parent = subprocess.Popen(
            [sys.executable, str(script), str(told_ledger.path), fake.url],
            stdout=subprocess.PIPE,
            env=own_environment(PYTHONPATH=os.pathsep.join(sys.path)),
        )
        assert parent.stdout is not None
        with parent.stdout:
            child = identify_process(int(parent.stdout.readline()))
            assert wait_until(lambda: bool(fake.paths), seconds=30)
            parent.send_signal(signal.SIGKILL)
            parent.wait()
        assert wait_until(lambda: not is_running(child), seconds=10)


_PARENT = """
import sys, time
from pathlib import Path
from ledger.chain.deployments import read_deployment
from ledger.chain.headers import Header
from ledger.chain.logs import JournalCursor
from ledger.chain.rpc import Node
from ledger.domain.verification import Level
from ledger.mirror.ahead import Ahead
from ledger.mirror.contracts import Followed
from ledger.mirror.marks import BlockMark

followed = Followed(read_deployment(Path(sys.argv[1])))
ahead = Ahead(followed, lambda: None, level=Level.RECEIPTS)
word = bytes(32)
head = Header(100, word, word, word, word, word, bytes(256), 0)
journals = {each: JournalCursor.at_start() for each in followed.addresses}
ahead.begin(Node(sys.argv[2]), BlockMark(0, word, 0), journals, head)
print(ahead._process.pid, flush=True)
time.sleep(60)
"""
