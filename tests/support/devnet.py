"""Devnets in data folders of their own, and the command line run as a person would."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.chain.devnet import DevnetOptions, devnet_status, start_devnet, stop_devnet
from ledger.chain.devnet_rpc import DevnetRpc, Head
from ledger.chain.devnet_running import RunningDevnet
from ledger.config import Settings, load_settings
from ledger.processes import own_environment, wait_until
from tests.support.ports import free_port

MOONLAKE = [sys.executable, "-c", "import sys; from ledger.cli.main import main; sys.exit(main())"]
"""The command `moonlake`, also where the package is not installed."""


def new_settings(home: Path) -> Settings:
    """Settings of a data folder and a free port, whatever the environment says."""
    return load_settings(home=home, devnet_port=free_port())


class Devnet:
    """A devnet run by this test, and what it said."""

    def __init__(self, running: RunningDevnet, rpc: DevnetRpc, said: list[str]) -> None:
        self.running = running
        self.rpc = rpc
        self.said = said

    def mine(self, blocks: int = 1) -> Head:
        """Mine empty blocks; the new head."""
        self.rpc.call("anvil_mine", hex(blocks))
        return self.rpc.head()


@contextlib.contextmanager
def running_devnet(settings: Settings, options: DevnetOptions | None = None) -> Iterator[Devnet]:
    """Start the devnet of a data folder and stop it at the end."""
    said: list[str] = []
    with (
        start_devnet(settings, options, report=said.append) as running,
        DevnetRpc(running.url) as rpc,
    ):
        yield Devnet(running, rpc, said)


def moonlake(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `moonlake …` on a data folder and wait for its end."""
    return subprocess.run(
        [*MOONLAKE, *arguments],
        env=environment_of(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def moonlake_json(settings: Settings, *arguments: str) -> dict[str, Any]:
    """Run `moonlake … --json`; its answer."""
    answer: dict[str, Any] = json.loads(moonlake(settings, *arguments, "--json").stdout)
    return answer


def environment_of(settings: Settings) -> dict[str, str]:
    """Our environment, with this data folder and port."""
    return own_environment(
        MOONLAKE_HOME=str(settings.home), MOONLAKE_DEVNET_PORT=str(settings.devnet_port)
    )


@contextlib.contextmanager
def detached_devnet(settings: Settings) -> Iterator[dict[str, Any]]:
    """`moonlake devnet start --detach`, stopped at the end; its answer."""
    try:
        started = moonlake(settings, "devnet", "start", "--detach", "--json")
        assert started.returncode == 0, started.stdout + started.stderr
        yield json.loads(started.stdout)
    finally:
        stop_devnet(settings, report=lambda _: None)


def wait_for_save(settings: Settings, number: int) -> None:
    """Return when a state that reaches a block is on the disk."""

    def is_saved() -> bool:
        saved = devnet_status(settings).saved
        return saved is not None and saved.number >= number

    assert wait_until(is_saved, seconds=30), f"block {number} was not saved"
