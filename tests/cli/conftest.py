"""A demonstration that was recorded once, and copies of it to run and to break."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stacks import RunningStack, running_stack, stack_settings


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the whole demonstration, stopped; recorded once for all workers.

    Beside it, `ready.json` is what `moonlake up --demo` answered.
    """
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "recorded-demonstration"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready.json").exists():
            with running_stack(stack_settings(folder / "home"), "--demo") as stack:
                ready = stack.wait_until_ready()
                assert stack.stop() == 0, stack.said
            (folder / "ready.json").write_text(json.dumps(ready), "utf-8")
    return folder


@pytest.fixture(scope="session")
def recorded_ready(recorded: Path) -> dict[str, Any]:
    """What the first `moonlake up --demo` answered."""
    answer: dict[str, Any] = json.loads((recorded / "ready.json").read_text("utf-8"))
    return answer


@pytest.fixture
def copied(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the recorded data folder."""
    return Path(shutil.copytree(recorded / "home", tmp_path / "home"))


@pytest.fixture
def start(copied: Path) -> Iterator[Callable[..., RunningStack]]:
    """Starts `moonlake up` on the copy, on the same ports each time; stops what still runs."""
    settings = stack_settings(copied)
    started: list[RunningStack] = []

    def begin(*arguments: str, **changed: str) -> RunningStack:
        started.append(RunningStack(settings.model_copy(update=changed), *arguments))
        return started[-1]

    yield begin
    for stack in started:
        if stack.process.poll() is None:
            stack.kill()


@pytest.fixture(scope="module")
def demonstration(
    recorded: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    """A running demonstration that the tests of a module share and may write to."""
    home = Path(shutil.copytree(recorded / "home", tmp_path_factory.mktemp("shared") / "home"))
    with running_stack(stack_settings(home), "--demo") as stack:
        stack.wait_until_ready()
        yield stack
