"""`moonlake up` run as a person would, each in a data folder and on ports of its own."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.main import main
from ledger.config import Settings, load_settings
from ledger.processes import own_environment, wait_until
from tests.support.devnet import MOONLAKE
from tests.support.ports import free_port

READY_WITHIN = 240.0
STOPPED_WITHIN = 60.0


def stack_settings(home: Path) -> Settings:
    """Settings of a data folder with free ports, whatever the environment says."""
    return load_settings(home=home, port=free_port(), devnet_port=free_port())


class RunningStack:
    """A `moonlake up` process; `ready` is its JSON answer once it gave one."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self.settings = settings
        self._folder = settings.home.parent
        self._said = self._folder / f"{settings.home.name}-{settings.port}.said"
        self._answer = self._folder / f"{settings.home.name}-{settings.port}.answer"
        with self._said.open("wb") as said, self._answer.open("wb") as answer:
            self.process = subprocess.Popen(
                [*MOONLAKE, "up", "--json", *arguments],
                cwd=self._folder,
                env=own_environment(**settings.as_environment()),
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=said,
            )

    @property
    def said(self) -> str:
        """What it told people so far."""
        return self._said.read_text("utf-8")

    @property
    def answer(self) -> str:
        """What it wrote on stdout so far."""
        return self._answer.read_text("utf-8")

    def wait_until_ready(self) -> dict[str, Any]:
        """Its JSON answer. Fails where it ends before."""

        def is_ready() -> bool:
            return self.answer.rstrip().endswith("}") or self.process.poll() is not None

        assert wait_until(is_ready, seconds=READY_WITHIN, pause=0.05), self.said
        assert self.process.poll() is None, self.said + self.answer
        ready: dict[str, Any] = json.loads(self.answer)
        return ready

    def wait_until_said(self, text: str) -> None:
        """Return when it has told people this."""
        assert wait_until(
            lambda: text in self.said or self.process.poll() is not None,
            seconds=READY_WITHIN,
            pause=0.02,
        ), self.said
        assert text in self.said, self.said

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOPPED_WITHIN)

    def kill(self) -> None:
        """End it as a loss of power would: at once."""
        self.process.kill()
        self.process.wait(STOPPED_WITHIN)

    def children(self) -> dict[str, int]:
        """The numbers of the processes that it runs: anvil, mirror, serve, senders."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(status[1]) == self.process.pid and status[0] != "Z":
                    line = (entry / "cmdline").read_bytes().decode().split("\0")
                    for name in ("anvil", "mirror", "serve", "webhook", "notice"):
                        if any(Path(word).name == name for word in line):
                            found[name] = int(entry.name)
        return found

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a GET request to its server."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.port, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def is_ready_at(self, block: int) -> bool:
        """Whether its server says that it is ready, at this block or a later one."""
        try:
            status, body = self.get("/readyz")
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return False
        return status == 200 and body["block_number"] >= block


@contextlib.contextmanager
def running_stack(settings: Settings, *arguments: str) -> Iterator[RunningStack]:
    """Start it; at the end it is stopped, if it still runs."""
    stack = RunningStack(settings, *arguments)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.send_signal(signal.SIGINT)
            try:
                stack.process.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                stack.kill()


def kill_process(pid: int) -> None:
    """kill -9 of a process that the test itself started, or that one of its processes did."""
    os.kill(pid, signal.SIGKILL)


def moonlake(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `moonlake …` on a data folder and wait for its end."""
    return subprocess.run(
        [*MOONLAKE, *arguments],
        env=own_environment(**settings.as_environment()),
        cwd=settings.home.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def moonlake_json(settings: Settings, *arguments: str) -> Any:
    """Run `moonlake … --json`; its answer, whatever the exit code."""
    done = moonlake(settings, *arguments, "--json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


class CommandLine:
    """The command line run within this process, which spares each command a second of importing."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in settings.as_environment().items():
            monkeypatch.setenv(name, value)
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `moonlake …`."""
        stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        with self._monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["moonlake", *arguments])
            patched.setattr(sys, "stdout", stdout)
            patched.setattr(sys, "stderr", stderr)
            try:
                code = main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
        return subprocess.CompletedProcess(arguments, code, _read(stdout), _read(stderr))

    def json(self, *arguments: str) -> Any:
        """Run `moonlake … --json`; its answer, whatever the exit code."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def _read(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
