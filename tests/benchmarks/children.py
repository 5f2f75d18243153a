"""Runs `moonlake mirror …` as a process of its own, and watches what memory it takes.

Memory is the proportional share (PSS) of the process and all that it started, taken together and
looked at four times a second: what two of them share counts once.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.devnet import MOONLAKE

_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Ran:
    """How long a process took, from its start to its end, the processor's time that it and its own
    processes took, in seconds both, and the most memory, in MB."""

    seconds: float
    processor: float
    peak: float


class MemoryWatch(threading.Thread):
    """Watches the memory of a process and its descendants until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        """Look until `end`."""
        while not self._over.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, sum(_share(pid) for pid in _family(self._pid)) / 1024)

    def end(self) -> float:
        """Stop watching; the peak in MB."""
        self._over.set()
        self.join()
        return self.peak


def command(*arguments: str) -> list[str]:
    """The command line of `moonlake`."""
    return [*MOONLAKE, *arguments]


def run(arguments: Sequence[str]) -> Ran:
    """Run `moonlake …` to its end. Raises RuntimeError with what it says where it fails."""
    begin, before = time.perf_counter(), _processor()
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        watch = MemoryWatch(process.pid)
        watch.start()
        said, _ = process.communicate()
        seconds = time.perf_counter() - begin
        peak = watch.end()
    if process.returncode:
        raise RuntimeError(f"moonlake {' '.join(arguments)}: {said.decode()}")
    return Ran(seconds, _processor() - before, peak)


@contextlib.contextmanager
def running(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`moonlake …` while it runs; ended at the end."""
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _share(pid: int) -> int:
    """The process's proportional share of memory, in kB."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def spare_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))
