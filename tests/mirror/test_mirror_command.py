"""`moonlake mirror` as a person and a script use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.processes import own_environment
from tests.chain.fake_node import FakeNode
from tests.mirror.conftest import Open
from tests.mirror.test_lies import LIES
from tests.support.devnet import MOONLAKE
from tests.support.happenings import Ledger
from tests.support.ports import free_port


class Command:
    """Runs `moonlake mirror …` on one database."""

    def __init__(self, database_url: str, ledger: Ledger, folder: Path) -> None:
        self._database = ("--database-url", database_url, "--home", str(folder / "home"))
        self._chain = ("--deployment", str(ledger.path), "--rpc-url", ledger.anvil.url)
        self._folder = folder

    def run(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run one subcommand; options that come later win."""
        chain = self._chain if name in {"sync", "follow", "rebuild"} else ()
        return subprocess.run(
            [*MOONLAKE, "mirror", name, *self._database, *chain, *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self._folder,
            env=own_environment(),
        )

    def json(self, name: str, *options: str) -> dict[str, Any]:
        """The JSON answer of a subcommand that succeeds."""
        ended = self.run(name, "--json", *options)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        answer: dict[str, Any] = json.loads(ended.stdout)
        return answer


@pytest.fixture
def command(sqlite_url: str, told_ledger: Ledger, tmp_path: Path) -> Command:
    return Command(sqlite_url, told_ledger, tmp_path)


def test_sync__then_status_digest_and_rebuild__agree(
    database_url: str, told_ledger: Ledger, open_mirror: Open, tmp_path: Path
) -> None:
    command = Command(database_url, told_ledger, tmp_path)
    head = told_ledger.node.block_number()
    synced = command.json("sync")
    assert (synced["block_number"], synced["lag_blocks"], synced["halted"]) == (head, 0, None)
    assert synced["verification"] == "receipts"
    status = command.json("status")
    assert status["block_hash"] == synced["block_hash"]
    digest = command.json("digest")
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    assert digest["digest"] == "0x" + mirrored.digest
    assert digest["block_number"] == head
    assert command.json("rebuild")["generation"] == 1
    assert command.json("digest") == digest


def test_sync__for_a_person__says_in_one_line_where_it_is(command: Command) -> None:
    ended = command.run("sync")
    assert ended.returncode == 0
    assert "proved" in ended.stdout
    assert "the mirror is at the chain's head" in ended.stderr


def test_status__of_an_empty_database__ends_with_6_and_what_to_do(command: Command) -> None:
    ended = command.run("status")
    assert ended.returncode == 6
    assert "moonlake mirror sync" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sync__from_a_liar__ends_with_4_and_status_with_6(
    command: Command, told_ledger: Ledger
) -> None:
    method, lie = LIES["the first log left out"]
    with FakeNode(upstream=told_ledger.anvil.url) as liar:
        liar.lies[method] = lie
        ended = command.run("sync", "--rpc-url", liar.url, "--json")
    assert ended.returncode == 4
    assert json.loads(ended.stdout)["error"]["code"] == "node.answer_invalid"
    status = command.run("status", "--json")
    assert status.returncode == 6
    assert json.loads(status.stdout)["halted"]["code"] == "node.answer_invalid"
    assert "Halted at block" in command.run("status").stdout


def test_sync__without_a_node__ends_with_4(command: Command) -> None:
    ended = command.run("sync", "--rpc-url", f"http://127.0.0.1:{free_port()}")
    assert ended.returncode == 4
    assert "node.unreachable" in ended.stderr


def test_sync__without_a_deployment__ends_with_3(command: Command, tmp_path: Path) -> None:
    ended = command.run("sync", "--deployment", str(tmp_path / "none.json"))
    assert ended.returncode == 3
    assert "setup.not_deployed" in ended.stderr
