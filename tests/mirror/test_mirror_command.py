"""`moonlake mirror` as a person and a script use it."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ledger.cli.main import main
from ledger.mirror import follow
from tests.chain.fake_node import FakeNode
from tests.mirror.conftest import Open
from tests.mirror.test_lies import LIES
from tests.support.happenings import Ledger
from tests.support.ports import free_port


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Command:
    """Runs `moonlake mirror …` on one database, in this process: SQLAlchemy takes a second."""

    def __init__(
        self,
        database_url: str,
        ledger: Ledger,
        folder: Path,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self._database = ("--database-url", database_url, "--home", str(folder / "home"))
        self._chain = ("--deployment", str(ledger.path), "--rpc-url", ledger.anvil.url)
        self._capture = capture

    def run(self, name: str, *options: str) -> Ended:
        """Run one subcommand; options that come later win."""
        chain = self._chain if name in {"sync", "follow", "rebuild"} else ()
        arguments = ["moonlake", "mirror", name, *self._database, *chain, *options]
        self._capture.readouterr()
        with mock.patch.object(sys, "argv", arguments), kept_signals():
            try:
                code = main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        said = self._capture.readouterr()
        return Ended(code, said.out, said.err)

    def json(self, name: str, *options: str) -> dict[str, Any]:
        """The JSON answer of a subcommand that succeeds."""
        ended = self.run(name, "--json", *options)
        assert ended.code == 0, ended.out + ended.err
        answer: dict[str, Any] = json.loads(ended.out)
        return answer


@contextlib.contextmanager
def kept_signals() -> Iterator[None]:
    """Give back what a command set for signals."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@pytest.fixture
def command(
    bare_sqlite_url: str, told_ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Command:
    return Command(bare_sqlite_url, told_ledger, tmp_path, capsys)


def test_sync__then_status_digest_and_rebuild__agree(
    bare_database_url: str,
    told_ledger: Ledger,
    open_mirror: Open,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = Command(bare_database_url, told_ledger, tmp_path, capsys)
    head = told_ledger.node.block_number()
    synced = command.json("sync")
    assert (synced["block_number"], synced["lag_blocks"], synced["halted"]) == (head, 0, None)
    assert synced["verification"] == "receipts"
    status = command.json("status")
    assert status["block_hash"] == synced["block_hash"]
    digest = command.json("digest")
    mirrored = open_mirror(bare_database_url, told_ledger.deployment, told_ledger.anvil.url)
    assert digest["digest"] == "0x" + mirrored.digest
    assert digest["block_number"] == head
    assert command.json("rebuild")["generation"] == 1
    assert command.json("digest") == digest


def test_sync__for_a_person__says_in_one_line_where_it_is(command: Command) -> None:
    ended = command.run("sync")
    assert ended.code == 0
    assert "proved" in ended.out
    assert "the mirror is at the chain's head" in ended.err


def test_status__of_an_empty_database__ends_with_6_and_what_to_do(command: Command) -> None:
    ended = command.run("status")
    assert ended.code == 6
    assert "moonlake mirror sync" in ended.err
    assert "Traceback" not in ended.err


def test_sync__from_a_liar__ends_with_4_and_status_with_6(
    command: Command, told_ledger: Ledger
) -> None:
    method, lie = LIES["the first log left out"]
    with FakeNode(upstream=told_ledger.anvil.url) as liar:
        liar.lies[method] = lie
        ended = command.run("sync", "--rpc-url", liar.url, "--json")
    assert ended.code == 4
    assert json.loads(ended.out)["error"]["code"] == "node.answer_invalid"
    status = command.run("status", "--json")
    assert status.code == 6
    assert json.loads(status.out)["halted"]["code"] == "node.answer_invalid"
    assert "Halted at block" in command.run("status").out


def test_sync__without_a_node__ends_with_4(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_LOOKS_OF_SYNC", 1)
    ended = command.run("sync", "--rpc-url", f"http://127.0.0.1:{free_port()}")
    assert ended.code == 4
    assert "node.unreachable" in ended.err


def test_sync__without_a_deployment__ends_with_3(command: Command, tmp_path: Path) -> None:
    ended = command.run("sync", "--deployment", str(tmp_path / "none.json"))
    assert ended.code == 3
    assert "setup.not_deployed" in ended.err


def test_rebuild__without_a_node__builds_from_what_is_stored(
    command: Command, told_ledger: Ledger
) -> None:
    command.json("sync")
    digest = command.json("digest")
    nowhere = f"http://127.0.0.1:{free_port()}"
    rebuilt = command.run("rebuild", "--rpc-url", nowhere)
    assert rebuilt.code == 0
    assert "Building tables from stored facts" in rebuilt.err
    assert command.json("digest") == digest
    assert command.json("rebuild", "--from-chain")["generation"] == 2
    assert command.json("digest") == digest
    assert told_ledger.node.block_number() == digest["block_number"]


def test_status__tells_what_was_done_and_by_whom(command: Command) -> None:
    synced = command.json("sync")
    status = command.json("status")
    assert status["verified"] == [
        {"first_block": 1, "last_block": status["block_number"], "level": "receipts"}
    ]
    assert status["commits"] >= 1
    assert status["events"] == synced["events"] > 0
    assert status["reorganisations"] == 0
    assert status["leader"] == {"epoch": 1, "holder": None}
    assert [node["condition"] for node in status["nodes"]] == ["in_use"]
    assert "proved by receipts" in command.run("status").out
