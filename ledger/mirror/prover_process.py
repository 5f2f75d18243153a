"""The process that proves ahead of a mirror: `python -c "… import main; main()"`, on pipes.

Standard input brings what is followed and then tasks, standard output takes proved ranges, in order
and one more than is read at the moment. A new task ends the one before it. It ends with its parent,
however that ends, since its input then ends. It knows no database, and decides nothing.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ledger.chain.jsonrpc import Access
from ledger.chain.rpc import Node
from ledger.errors import LedgerError
from ledger.mirror import prove
from ledger.mirror.contracts import Followed
from ledger.mirror.handover import (
    Failed,
    Forked,
    Ledger,
    Task,
    frame,
    frames_of,
    read_frame,
    read_order,
)
from ledger.mirror.prove import ChainForked, Prover

_IN, _OUT = 0, 1
_FRAMES_AHEAD = 8
"""Of about 1 MB each: the next range and half of the one after it."""

_SWITCH_SECONDS = 0.0005
"""Threads that wait for a node's answer get the processor sooner than after Python's usual 5 ms."""


class _Superseded(Exception):
    """There is another task."""


class _Orders:
    """Reads orders in a thread of its own. The last task is the one that counts."""

    def __init__(self) -> None:
        first = read_order(read_frame(_read))
        assert isinstance(first, Ledger)  # noqa: S101  the parent is of this release
        self.followed, self.level = Followed(first), first.level
        prove.MOST_LOGS, prove.MOST_BLOCKS = first.most_logs, first.most_blocks
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    def next(self) -> Task:
        """The last task, waiting for one if there is none."""
        task = self._tasks.get()
        while not self._tasks.empty():
            task = self._tasks.get()
        return task

    def check(self) -> None:
        """Raise _Superseded where there is another task."""
        if not self._tasks.empty():
            raise _Superseded

    def _listen(self) -> None:
        while True:
            try:
                order = read_order(read_frame(_read))
            except EOFError:
                os._exit(0)  # the parent is gone, and nobody wants what is under way
            assert isinstance(order, Task)  # noqa: S101
            self._tasks.put(order)


class _Answers:
    """Writes answers in a thread of its own, so that proving goes on while the parent is busy."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[bytes] = queue.Queue(maxsize=_FRAMES_AHEAD)
        threading.Thread(target=self._write, name="answers", daemon=True).start()

    def put(self, content: bytes) -> None:
        """Hand over; waits while as much waits as may."""
        self._waiting.put(content)

    def _write(self) -> None:
        while True:
            rest = memoryview(self._waiting.get())
            while rest:
                rest = rest[os.write(_OUT, rest) :]


def main() -> None:
    """Prove what is asked for until the input ends."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.disable()  # see ledger.mirror.garbage; there are cycles in errors alone
    orders, answers = _Orders(), _Answers()
    with ThreadPoolExecutor(2) as executor, _nodes() as node_of:
        prover = Prover(orders.followed, orders.check, executor, level=orders.level)
        while True:
            task = orders.next()
            try:
                node = node_of(task.access)
                ranges = prover.prove_ranges(node, task.parent, task.journals, task.head)
                for proved in ranges:
                    for part in frames_of(task.number, proved):
                        answers.put(part)
            except _Superseded:
                pass
            except ChainForked:
                answers.put(frame(Forked(task.number)))
            except LedgerError as error:
                answers.put(frame(Failed.of(task.number, error)))
            gc.collect()


class _Nodes:
    """The nodes asked so far, with the connections that they keep open."""

    def __init__(self) -> None:
        self._nodes: dict[Access, Node] = {}

    def __call__(self, access: Access) -> Node:
        if access not in self._nodes:
            self._nodes[access] = Node.of(access)
        return self._nodes[access]

    def close(self) -> None:
        for node in self._nodes.values():
            node.close()


@contextmanager
def _nodes() -> Iterator[_Nodes]:
    nodes = _Nodes()
    try:
        yield nodes
    finally:
        nodes.close()


def _read(length: int) -> bytes:
    return os.read(_IN, length)
