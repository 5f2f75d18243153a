"""`moonlake devnet` as a person or a script runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.chain.devnet import devnet_folder, devnet_status, start_devnet
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.config import Settings
from ledger.processes import is_running, wait_until
from tests.support.devnet import (
    MOONLAKE,
    detached_devnet,
    environment_of,
    moonlake,
    moonlake_json,
    new_settings,
    wait_for_save,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return new_settings(tmp_path / "home")


def test_start__detached__answers_when_it_returns(settings: Settings) -> None:
    with detached_devnet(settings) as started:
        with DevnetRpc(started["url"]) as rpc:
            head = rpc.head()
        assert started["condition"] == "running"
        assert started["chain_id"] == 31337
        assert started["head"]["hash"] == "0x" + head.block_hash.hex()
        assert moonlake(settings, "devnet", "status").returncode == 0

        again = moonlake(settings, "devnet", "start")
        assert again.returncode == 3
        assert again.stderr.startswith("error: The devnet is already running on this data folder")
        assert again.stderr.count("\n") == 1
        refused = moonlake_json(settings, "devnet", "reset")
        assert refused["error"]["code"] == "setup.already_running"

        assert moonlake_json(settings, "devnet", "stop") == {"stopped": True}
        assert moonlake(settings, "devnet", "status").returncode == 1
        assert moonlake_json(settings, "devnet", "stop") == {"stopped": False}


def test_start__detached_on_a_port_in_use__fails_as_the_other_would(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.devnet_port))
        other.listen()

        done = moonlake(settings, "devnet", "start", "--detach", "--json")

    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "setup.port_in_use"


def test_start__detached_with_a_state_that_is_torn__says_why(settings: Settings) -> None:
    folder = devnet_folder(settings)
    folder.prepare()
    (folder.path / "state.json").write_bytes(b"torn")

    done = moonlake(settings, "devnet", "start", "--detach")

    assert done.returncode == 4
    assert "state.json is unusable" in done.stderr
    assert devnet_status(settings).condition == "stopped"


def test_start__without_anvil__says_where_to_get_it(settings: Settings) -> None:
    done = moonlake(settings, "devnet", "start", "--anvil", "/nowhere/anvil")

    assert done.returncode == 3
    assert done.stderr == (
        "error: anvil at /nowhere/anvil was not found. Correct MOONLAKE_ANVIL, "
        "or unset it to use the one from npm. [setup.tool_missing]\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_start__in_the_foreground__is_stopped_by_a_signal_and_saves(
    settings: Settings, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*MOONLAKE, "devnet", "start"],
        env=environment_of(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert wait_until(lambda: devnet_status(settings).condition == "running", seconds=60)
        found = devnet_status(settings)
        assert found.process is not None
        with DevnetRpc(found.url) as rpc:
            rpc.call("anvil_mine", "0x7")

        supervisor.send_signal(number)
        output, errors = supervisor.communicate(timeout=60)

    assert supervisor.returncode == 0, errors
    assert "Ctrl-C stops it." in output
    assert output.endswith("The devnet is stopped; its state is saved.\n")
    assert errors == ""
    assert not is_running(found.process.anvil)
    saved = devnet_status(settings).saved
    assert saved is not None
    assert saved.number == 7


def test_stop__of_a_devnet_of_another_command__names_that(settings: Settings) -> None:
    with start_devnet(settings, report=print, owner="moonlake up"):
        done = moonlake(settings, "devnet", "stop")

        assert done.returncode == 3
        assert f"`moonlake up` is already running on this data folder (process {os.getpid()})" in (
            done.stderr
        )
        assert devnet_status(settings).condition == "running"


def test_reset__begins_a_new_chain(settings: Settings) -> None:
    assert moonlake_json(settings, "devnet", "reset") == {"set_aside": None}
    with detached_devnet(settings) as first:
        wait_for_save(settings, 0)
    aside = Path(moonlake_json(settings, "devnet", "reset")["set_aside"])
    assert (aside / "state.json").exists()

    with detached_devnet(settings) as second:
        assert second["head"]["number"] == 0
        assert second["head"]["hash"] != first["head"]["hash"] or (
            second["head"]["timestamp"] == first["head"]["timestamp"]
        )


def test_genesis_time__given_to_a_detached_start__dates_block_0(settings: Settings) -> None:
    try:
        started = moonlake_json(
            settings, "devnet", "start", "--detach", "--genesis-time", "2026-03-01"
        )
        assert started["head"]["timestamp"] == "2026-03-01T00:00:00Z"
    finally:
        moonlake(settings, "devnet", "stop")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows who listens")
def test_start__on_the_port_of_another_folders_devnet__names_anvil(
    settings: Settings, tmp_path: Path
) -> None:
    other = settings.model_copy(update={"home": tmp_path / "other"})
    with detached_devnet(settings) as started:
        done = moonlake(other, "devnet", "start")

        assert f"is in use by anvil (process {started['anvil_pid']})" in done.stderr


def test_stop__of_a_fork__does_not_say_that_its_state_is_saved(
    settings: Settings, tmp_path: Path
) -> None:
    fork = new_settings(tmp_path / "fork")
    with detached_devnet(settings) as source:
        started = moonlake(fork, "devnet", "start", "--detach", "--fork-url", source["url"])
        assert started.returncode == 0, started.stderr

        stopped = moonlake(fork, "devnet", "stop")

    assert stopped.stdout == "The fork is stopped; nothing of it is kept.\n"


def test_start__detached_fork_of_nothing__says_its_problem_once(
    settings: Settings, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}"

    done = moonlake(settings, "devnet", "start", "--detach", "--fork-url", url)

    assert done.returncode == 4
    assert done.stderr.startswith("error: The devnet did not start: ")
    assert done.stderr.count("did not start") == 1
    assert done.stderr.count("anvil.log") == 1
    assert done.stderr.count("\n") == 1


def test_start__with_a_block_time_of_0__is_refused(settings: Settings) -> None:
    done = moonlake(settings, "devnet", "start", "--block-time", "0")

    assert done.returncode == 2
    assert not settings.home.exists()


@pytest.mark.parametrize("command", ["reset", "stop", "status"])
def test_command__on_a_folder_that_is_not_there__makes_none(
    settings: Settings, command: str
) -> None:
    moonlake(settings, "devnet", command)

    assert not settings.home.exists()


def test_start__detached_on_a_port_in_use__makes_no_folder(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.devnet_port))
        other.listen()

        done = moonlake(settings, "devnet", "start", "--detach")

    assert done.returncode == 3
    assert not settings.home.exists()
