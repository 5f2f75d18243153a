"""Proves the next ranges in another process, while this one writes the range before.

Two processors work then: asking, reading and proving take about as long as decoding and writing.
What comes out are the same ranges, and the same errors in the place where they belong. A process
that dies takes nothing with it: nothing of its is written before it was handed over, and the range
is proved here instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ledger.chain.headers import Header
from ledger.chain.receipts import Log
from ledger.chain.rpc import Node
from ledger.domain.verification import Level
from ledger.mirror.contracts import Followed
from ledger.mirror.garbage import uncollected
from ledger.mirror.handover import (
    Failed,
    Forked,
    Ledger,
    Logs,
    Proved,
    Task,
    frame,
    read_answer,
    read_frame,
)
from ledger.mirror.marks import BlockMark
from ledger.mirror.prove import ChainForked, Journals, ProvedRange
from ledger.processes import UNSHADOWED

WORTH_A_PROCESS = 250
"""Blocks behind from which on a process pays: it takes 0.2 s to start."""

MOST_DEATHS = 3

_LOOK_SECONDS = 0.1
_PIPE_BYTES = 1 << 20
_COMMAND = "from ledger.mirror.prover_process import main; main()"


class ProverDied(Exception):
    """The other process ended by itself."""


class Ahead:
    """The ranges that another process proves. `pause` is called while it is waited for."""

    def __init__(self, followed: Followed, pause: Callable[[], None], *, level: Level) -> None:
        self._ledger = Ledger.of(followed, level)
        self._pause = pause
        self._process: OtherProcess | None = None
        self._tasks = 0
        self._next: tuple[Node, BlockMark, Journals] | None = None
        self._last = 0
        self._deaths = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Where something went wrong, what was proved ahead may be of no use."""
        if kind is not None:
            self.close()

    def is_worth_it(self, node: Node, parent: BlockMark, journals: Journals, head: Header) -> bool:
        """Whether the next range should be taken from the other process: it has it, or much is to
        be done, and the process did not die too often."""
        if self._deaths >= MOST_DEATHS:
            return False
        return self._has(node, parent, journals) or head.number - parent.number >= WORTH_A_PROCESS

    def take(self, node: Node, parent: BlockMark, journals: Journals, head: Header) -> ProvedRange:
        """The next range after `parent`, as `Prover.prove_range` would give it.

        Raises what that raises, and ProverDied.
        """
        try:
            if not self._has(node, parent, journals):
                self.begin(node, parent, journals, head)
            self._next = None
            found = self._receive()
        except ProverDied:
            self._deaths += 1
            raise
        if found.end.number < self._last:
            self._next = node, found.end, found.journals
        return found

    def begin(self, node: Node, parent: BlockMark, journals: Journals, head: Header) -> None:
        """Let the other process prove what comes after `parent`. Raises ProverDied."""
        if self._process is None:
            self._process = OtherProcess(_COMMAND, frame(self._ledger))
        self._tasks += 1
        self._last = head.number
        self._process.send(frame(Task(self._tasks, node.access, parent, dict(journals), head)))

    def close(self) -> None:
        """End the other process."""
        self._next = None
        if self._process is not None:
            self._process.end()
            self._process = None

    def _has(self, node: Node, parent: BlockMark, journals: Journals) -> bool:
        """Whether the next range of the task is the one after `parent`."""
        return self._next == (node, parent, journals)

    def _receive(self) -> ProvedRange:
        assert self._process is not None  # noqa: S101  there is one once a task was given
        logs: list[Log] = []
        while True:
            content = self._process.read(self._pause)
            with uncollected():
                answer = read_answer(content)
            if answer.task != self._tasks:
                continue
            match answer:
                case Logs():
                    logs += answer.logs
                case Proved():
                    return answer.with_logs(logs)
                case Forked():
                    raise ChainForked
                case Failed():
                    raise answer.as_error()


class OtherProcess:
    """The other process, and the pipes to and from it."""

    def __init__(self, command: str, first: bytes = b"") -> None:
        """`command` is a line of Python, `first` the first order where there is one already."""
        self._process = subprocess.Popen(
            [sys.executable, *UNSHADOWED, "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # ctrl-C is for us to hear
        )
        self._end = weakref.finalize(self, _end, self._process)
        assert self._process.stdout is not None  # noqa: S101
        self._output = self._process.stdout.fileno()
        with contextlib.suppress(OSError, AttributeError):  # a bound of the system, or not Linux
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self.send(first)

    def send(self, content: bytes) -> None:
        """Hand over an order. Raises ProverDied."""
        assert self._process.stdin is not None  # noqa: S101
        try:
            self._process.stdin.write(content)
        except BrokenPipeError as error:
            raise ProverDied from error

    def read(self, pause: Callable[[], None]) -> bytes:
        """The next answer. Raises ProverDied, and what `pause` raises while it is waited for."""

        def read(length: int) -> bytes:
            while not select.select([self._output], [], [], _LOOK_SECONDS)[0]:
                pause()
            return os.read(self._output, length)

        try:
            return read_frame(read)
        except EOFError as error:
            raise ProverDied from error

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def end(self) -> None:
        """End it, whatever it does."""
        self._end()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
