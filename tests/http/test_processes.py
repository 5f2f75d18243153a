"""Several processes serve one database: one that dies is replaced, and all end when asked to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ledger.processes import own_environment, wait_until
from tests.http.conftest import Templates
from tests.support.devnet import MOONLAKE


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


@pytest.fixture
def server(
    templates: Templates, tmp_path: Path, free_port: int
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`moonlake serve` with two processes, and its URL."""
    settings = templates.copy("sqlite", tmp_path).settings.model_copy(
        update={"port": free_port, "serve_processes": 2}
    )
    with subprocess.Popen(
        [*MOONLAKE, "serve"],
        env=own_environment(**settings.as_environment()),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            url = f"http://127.0.0.1:{free_port}"
            assert wait_until(lambda: is_up(url), seconds=60)
            yield process, url
        finally:
            process.terminate()
            process.wait(30)


def is_up(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    return False


def test_process__that_is_killed__is_replaced(
    server: tuple[subprocess.Popen[bytes], str],
) -> None:
    process, url = server
    assert wait_until(lambda: len(children_of(process.pid)) == 2, seconds=30)
    first = children_of(process.pid)

    os.kill(first[0], signal.SIGKILL)

    assert wait_until(lambda: len(set(children_of(process.pid)) - {first[0]}) == 2, seconds=30)
    assert is_up(url)


def test_stream__that_is_open__does_not_hold_up_the_end(
    server: tuple[subprocess.Popen[bytes], str],
) -> None:
    process, url = server
    with (
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
        client.stream("GET", "/v1/stream") as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(httpx.TransportError):
            for _line in lines:
                pass
    assert process.wait(30) == 0
    assert time.monotonic() - begun < 30
