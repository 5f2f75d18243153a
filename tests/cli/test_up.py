"""`moonlake up` starts, stops, starts again, and comes back from what a machine can do to it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.chain.devnet_state import PREVIOUS, STATE
from ledger.config import load_settings
from ledger.data import ROSTER
from ledger.processes import wait_until
from tests.support.ports import free_port
from tests.support.stacks import (
    RunningStack,
    kill_process,
    moonlake,
    moonlake_json,
    running_stack,
    stack_settings,
)

Start = Callable[..., RunningStack]

AWARD = ("credit", "award", "community", "galaxyspace", "3", "data.acquire", "--no-evidence")
SEASON_ENTRIES = 270


def test_up__second_start__has_the_same_digest_and_ctrl_c_stops_everything(
    start: Start, recorded_ready: dict[str, Any]
) -> None:
    mail = {"smtp_url": "smtp://127.0.0.1:9", "smtp_from": "office@example.org"}
    stack = start("--demo", **mail)

    ready = stack.wait_until_ready()
    children = stack.children()
    code = stack.stop()

    assert (ready["digest"], ready["block"]) == (recorded_ready["digest"], recorded_ready["block"])
    assert ready["made_up"] is True
    assert set(children) == {"anvil", "mirror", "serve", "webhook", "notice"}
    assert code == 0, stack.said
    assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())
    assert "Traceback" not in stack.said


def test_up__digest_of_a_rebuilt_mirror__is_that_of_the_followed_one(
    start: Start, recorded_ready: dict[str, Any]
) -> None:
    stack = start("--demo")
    stack.wait_until_ready()
    elsewhere = stack.settings.home.parent / "elsewhere.sqlite3"
    url = ("--database-url", f"sqlite:///{elsewhere}")

    moonlake_json(stack.settings, "mirror", "sync", *url)

    assert (
        moonlake_json(stack.settings, "mirror", "digest", *url)["digest"]
        == (recorded_ready["digest"])
    )


def test_up__killed_and_started__loses_nothing_and_does_nothing_twice(start: Start) -> None:
    first = start("--demo")
    first.wait_until_ready()
    done = moonlake_json(first.settings, *AWARD)
    block = done["operation"]["block_number"]
    assert wait_until(lambda: first.is_ready_at(block), seconds=30)
    first.kill()

    second = start("--demo")
    second.wait_until_ready()

    shown = moonlake_json(second.settings, "operation", "show", done["operation"]["operation_id"])
    assert shown["operation"]["state"] == "included"
    _, entries = second.get("/v1/entries?limit=1")
    assert entries["items"][0]["entry_id"] == SEASON_ENTRIES + 1
    assert second.stop() == 0
    assert "Traceback" not in first.said + second.said


def test_up__each_child_killed_in_turn__is_started_again_and_is_said(start: Start) -> None:
    stack = start("--demo")
    block = stack.wait_until_ready()["block"]

    for place, name in enumerate(("serve", "mirror", "anvil"), start=1):
        told = len(stack.said)
        kill_process(stack.children()[name])

        assert wait_until(lambda told=told: "again" in stack.said[told:], seconds=60), stack.said
        assert wait_until(lambda block=block: stack.is_ready_at(block), seconds=60), stack.said
        done = moonlake_json(stack.settings, *AWARD)
        assert done["entry_ids"] == [SEASON_ENTRIES + place], (name, done)
        block = done["operation"]["block_number"]
        assert wait_until(lambda block=block: stack.is_ready_at(block), seconds=60), stack.said
    assert stack.stop() == 0


def test_up__devnet_that_lost_its_last_blocks__is_mended_and_what_was_signed_is_sent_again(
    start: Start,
) -> None:
    first = start("--demo")
    first.wait_until_ready()
    state = first.settings.home / "devnet" / STATE
    kept = first.settings.home / "older-state.json"
    shutil.copy(state, kept)
    done = moonlake_json(first.settings, *AWARD)
    block = done["operation"]["block_number"]
    assert wait_until(lambda: first.is_ready_at(block), seconds=30)
    first.kill()
    # As if it had been killed before the last save.
    assert wait_until(lambda: not _anvil_is_there(first), seconds=30)
    for name in (STATE, PREVIOUS, "last-words.json", "chain.json"):
        (first.settings.home / "devnet" / name).unlink(missing_ok=True)
    shutil.copy(kept, state)

    second = start("--demo")
    second.wait_until_ready()

    assert "lost" in second.said
    assert "Sent again after the last end: Award 3 credits" in second.said
    _, entries = second.get("/v1/entries?limit=1")
    assert entries["items"][0]["entry_id"] == SEASON_ENTRIES + 1
    assert entries["items"][0]["operation_id"] == done["operation"]["operation_id"]


def test_up__killed_again_and_again_while_it_records_the_demonstration__goes_on_from_there(
    tmp_path: Path, recorded_ready: dict[str, Any]
) -> None:
    """Each start has to come to the next moment from where the one before was killed."""
    settings = stack_settings(tmp_path / "home")
    said = []
    for moment in (
        "Deploying the contracts.",
        "Founded the programme community.",
        "Registered 44 organisations.",
        "Recording the season: 20 of",
    ):
        with running_stack(settings, "--demo") as stack:
            stack.wait_until_said(moment)
            stack.kill()
        said.append(stack.said)

    with running_stack(settings, "--demo") as last:
        ready = last.wait_until_ready()
        _, entries = last.get("/v1/entries?limit=1")
        counts = moonlake_json(settings, "import", "roster", str(ROSTER), "--dry-run")["counts"]
        said.append(last.said)

    assert entries["items"][0]["entry_id"] == SEASON_ENTRIES
    assert ready["block"] >= recorded_ready["block"] - 1
    assert counts["organisation"] == {"add": 0, "keep": 44, "cannot": 0}
    assert counts["membership"] == {"add": 0, "keep": 29, "cannot": 0}
    assert not any("Traceback" in each for each in said), said


def test_up__ctrl_c_while_it_records__stops_without_a_traceback_and_says_what_next(
    tmp_path: Path,
) -> None:
    with running_stack(stack_settings(tmp_path / "home"), "--demo") as stack:
        stack.wait_until_said("Founded the programme community.")
        code = stack.stop()

    assert code == 130
    assert "the next start goes on from there" in stack.said
    assert "Traceback" not in stack.said


def test_up__port_in_use__is_said_at_once_and_nothing_is_left_running(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path / "home")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.port))
        taken.listen()

        done = moonlake(settings, "up")

    assert done.returncode == 3
    assert f"Port {settings.port} on 127.0.0.1 is in use" in done.stderr
    assert "MOONLAKE_PORT" in done.stderr
    assert not settings.home.exists()


def test_up__devnets_port_in_use__names_its_setting(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path / "home")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.devnet_port))
        taken.listen()

        done = moonlake(settings, "up")

    assert done.returncode == 3
    assert "MOONLAKE_DEVNET_PORT" in done.stderr
    assert not settings.home.exists()


def test_up__one_port_for_server_and_devnet__is_refused_at_once(tmp_path: Path) -> None:
    port = free_port()
    settings = load_settings(home=tmp_path / "home", port=port, devnet_port=port)

    done = moonlake(settings, "up")

    assert done.returncode == 3
    assert f"{port} is the devnet's port too" in done.stderr
    assert not settings.home.exists()


def test_up__fresh_with_a_port_in_use__moves_nothing(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path / "home")
    (settings.home / "evidence").mkdir(parents=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.port))
        taken.listen()

        done = moonlake(settings, "up", "--fresh")

    assert done.returncode == 3
    assert [path.name for path in settings.home.iterdir()] == ["evidence"]


def test_up__data_folder_that_is_a_file__is_said(tmp_path: Path) -> None:
    (tmp_path / "home").touch()

    done = moonlake(stack_settings(tmp_path / "home"), "up")

    assert done.returncode == 3
    assert "cannot be used" in done.stderr
    assert "MOONLAKE_HOME" in done.stderr


def test_up__anvil_that_is_not_there__is_said(tmp_path: Path) -> None:
    settings = load_settings(
        home=tmp_path / "home", port=free_port(), devnet_port=free_port(), anvil=tmp_path / "none"
    )

    done = moonlake(settings, "up")

    assert done.returncode == 3
    assert "[setup.tool_missing]" in done.stderr


def test_up__already_running_on_the_folder__is_said(demonstration: RunningStack) -> None:
    home = demonstration.settings.home
    settings = load_settings(home=home, port=free_port(), devnet_port=free_port())

    done = moonlake(settings, "up")

    assert done.returncode == 3
    assert "[setup.already_running]" in done.stderr


def test_up__chain_that_was_reset__is_one_line_and_fresh_is_a_way_on(
    start: Start, copied: Path
) -> None:
    settings = stack_settings(copied)
    assert moonlake(settings, "devnet", "reset").returncode == 0
    before = moonlake(settings, "mirror", "status")

    refused = moonlake(settings, "up")
    status = moonlake(settings, "mirror", "status")
    operations = moonlake_json(settings, "operation", "list")["operations"]
    listed = moonlake(settings, "operation", "list")

    for said in (before, status):
        assert said.returncode == 6
        assert "of a chain that is not here any more" in said.stdout
        assert "proved" not in said.stdout
    assert moonlake_json(settings, "mirror", "status")["of_other_chain"] is True
    assert operations
    assert all(each["of_other_chain"] for each in operations)
    assert "included (on another chain)" in listed.stdout
    assert refused.returncode == 4
    assert "Deploying" not in refused.stderr
    assert not list((copied / "deployments").glob("*.json"))
    assert "[chain.data_of_other_chain]" in refused.stderr
    assert "moonlake up --fresh" in refused.stderr
    stack = start("--fresh")
    ready = stack.wait_until_ready()
    assert ready["made_up"] is False
    assert stack.get("/v1/organisations")[1]["items"] == []
    (aside,) = (copied / "set-aside").iterdir()
    assert (aside / "moonlake.sqlite3").exists()
    assert (aside / "evidence").exists()


def test_up__demo_on_a_ledger_of_ones_own__is_refused_and_changes_nothing(
    tmp_path: Path,
) -> None:
    settings = stack_settings(tmp_path / "home")
    with running_stack(settings) as stack:
        ready = stack.wait_until_ready()
        stack.stop()

    done = moonlake(settings, "up", "--demo")

    assert ready["made_up"] is False
    assert "[input.demonstration_refused]" in done.stderr


def test_doctor__of_an_empty_folder__finds_nothing_wrong_and_makes_nothing(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path / "home")

    found = moonlake_json(settings, "doctor")

    assert found["healthy"] is True, found
    assert not settings.home.exists()


def test_doctor__with_problems__ends_with_1_and_says_what_to_do(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path / "home")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.port))
        taken.listen()

        done = moonlake(settings, "doctor")

    assert done.returncode == 1
    assert "problem" in done.stdout
    assert "MOONLAKE_PORT" in done.stdout


def _anvil_is_there(stack: RunningStack) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", stack.settings.devnet_port)) == 0
