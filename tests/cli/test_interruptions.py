"""Commands that are interrupted, or cut off: what they say is a way on that does it once."""

from __future__ import annotations

import csv
import errno
import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ledger.chain.rpc import Node
from ledger.errors import NodeRefused, NodeUnreachable
from tests.support.stacks import CommandLine, RunningStack

AWARD = ("credit", "award", "community", "landspace", "1", "data.acquire", "--no-evidence")
SIGNED = ("--as", "council")
IMPORT = ("import", "awards")
OF_IMPORT = ("--programme", "community", "--no-evidence", *SIGNED)
NO_ROOM = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

Answers = list[NodeRefused | None]


@pytest.fixture
def command_line(demonstration: RunningStack, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(demonstration.settings, monkeypatch)


@pytest.fixture
def at_broadcast(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has something happen once, when a transaction is handed to the node: before, or after."""

    def arrange(happens: Callable[[], object], *, after: bool) -> None:
        hand_over, left = Node.send_raw_transactions, [1]

        def send(node: Node, raws: Sequence[bytes]) -> Answers:
            now = bool(left) and bool(left.pop())
            if now and not after:
                happens()
            answers = hand_over(node, raws)
            if now and after:
                happens()
            return answers

        monkeypatch.setattr(Node, "send_raw_transactions", send)

    return arrange


def write_awards(path: Path, count: int) -> str:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("reference", "organisation", "amount", "category"))
        writer.writerows((f"{path.name}-{n}", "landspace", 1, "data.acquire") for n in range(count))
    return str(path)


def finish(command_line: CommandLine, operation_id: str) -> Any:
    return command_line.json(*AWARD, *SIGNED, "--operation-id", operation_id)


@pytest.mark.parametrize(
    ("number", "after"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, True)],
    ids=["ctrl-c-after-the-broadcast", "ended-before-it", "hung-up-after-it"],
)
def test_award__interrupted__names_its_operation_with_which_it_is_done_once(
    command_line: CommandLine,
    at_broadcast: Callable[..., None],
    number: signal.Signals,
    after: bool,
) -> None:
    at_broadcast(lambda: os.kill(os.getpid(), number), after=after)
    stopped = command_line.run(*AWARD, *SIGNED)

    assert stopped.returncode == 130
    assert stopped.stdout == ""
    assert re.fullmatch(r"error: Interrupted\. .*\[command\.interrupted\]\n", stopped.stderr)
    (operation_id,) = re.findall("0x[0-9a-f]{64}", stopped.stderr)
    done = finish(command_line, operation_id)
    assert done["operation"]["state"] in ("included", "final")
    again = finish(command_line, operation_id)
    assert again["entry_ids"] == done["entry_ids"]


def test_award__interrupted_as_json__is_one_document(
    command_line: CommandLine, at_broadcast: Callable[..., None]
) -> None:
    at_broadcast(lambda: os.kill(os.getpid(), signal.SIGTERM), after=False)
    error = command_line.json(*AWARD, *SIGNED)["error"]

    assert error["code"] == "command.interrupted"
    assert finish(command_line, error["values"]["operation_id"])["entry_ids"]


def test_award__whose_node_goes_away_after_the_broadcast__is_not_to_be_asked_for_anew(
    command_line: CommandLine, at_broadcast: Callable[..., None]
) -> None:
    def go_away() -> None:
        raise NodeUnreachable(url="http://node", problem="it was unplugged")

    at_broadcast(go_away, after=True)
    cut_off = command_line.run(*AWARD, *SIGNED)

    assert cut_off.returncode == 7
    assert "it was unplugged" in cut_off.stderr
    assert cut_off.stderr.endswith("[sending.outcome_open]\n")
    (operation_id,) = re.findall("0x[0-9a-f]{64}", cut_off.stderr)
    (entry,) = finish(command_line, operation_id)["entry_ids"]
    assert command_line.json(*AWARD, *SIGNED)["entry_ids"] == [entry + 1]


def test_award__whose_node_is_away_from_the_start__keeps_nothing(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = NodeUnreachable(url="http://node", problem="it was never there")
    monkeypatch.setattr(Node, "ask", mock.Mock(side_effect=error))

    assert command_line.run(*AWARD, *SIGNED).returncode == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_import__interrupted__goes_on_with_the_same_command(
    command_line: CommandLine,
    at_broadcast: Callable[..., None],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    path = write_awards(tmp_path / f"{number.name}.csv", 5)
    at_broadcast(lambda: os.kill(os.getpid(), number), after=True)
    stopped = command_line.run(*IMPORT, path, *OF_IMPORT)

    assert stopped.returncode == 130
    last = stopped.stderr.splitlines()[-1]
    assert last.startswith("error: Interrupted. What was sent is recorded; the same command again")
    again = command_line.json(*IMPORT, path, *OF_IMPORT)
    assert again["counts"] == {"included": 5}
    assert len({each["entry"] for each in again["rows"]}) == 5
    assert not list(tmp_path.glob(".*"))


def test_import__interrupted_before_anything_is_written_down__leaves_nothing(
    command_line: CommandLine, tmp_path: Path
) -> None:
    path = write_awards(tmp_path / "early.csv", 5)
    before = command_line.json("import", "list")["imports"]
    with mock.patch("ledger.services.imports.planning.Plan.judge", side_effect=KeyboardInterrupt):
        answer = command_line.json(*IMPORT, path, *OF_IMPORT)

    assert answer["error"]["code"] == "command.interrupted"
    assert command_line.json("import", "list")["imports"] == before


def test_results__on_a_full_disk__go_to_the_data_folder(
    command_line: CommandLine, demonstration: RunningStack, tmp_path: Path
) -> None:
    path = write_awards(tmp_path / "full.csv", 3)
    with mock.patch("os.fsync", side_effect=[NO_ROOM, None]):
        answer = command_line.json(*IMPORT, path, *OF_IMPORT)

    assert answer["counts"] == {"included": 3}
    kept = Path(answer["results"])
    assert kept.parent == demonstration.settings.home / "imports"
    assert len(kept.read_text("utf-8-sig").splitlines()) == 4


def test_results__where_no_disk_takes_them__say_that_the_rows_are_sent(
    command_line: CommandLine, tmp_path: Path
) -> None:
    path = write_awards(tmp_path / "nowhere.csv", 3)
    named = ("--results", str(tmp_path / "results.csv"))
    with mock.patch("os.fsync", side_effect=NO_ROOM):
        refused = command_line.run(*IMPORT, path, *OF_IMPORT, *named)

    assert refused.returncode == 3
    assert "What could be sent is sent" in refused.stderr
    (import_id,) = re.findall(r"`moonlake import show (\w+) --results", refused.stderr)
    shown = command_line.json("import", "show", import_id, *named)
    assert shown["counts"] == {"included": 3}
    assert (tmp_path / "results.csv").exists()
