"""Does for many threads at once what each of them asked for by itself.

While one request or commit is under way, the next ones gather; whoever is first then does them all.
A commit that survives a loss of power takes a disk some milliseconds, and a request to a node one:
thirty threads that each made their own would wait for thirty of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class _Entry(Generic[A, R]):
    def __init__(self, asked: A) -> None:
        self.asked = asked
        self.results: list[R] = []


class Combiner(Generic[A, R]):
    """`work` takes what was asked and gives as many results, in the same order.

    Where it raises, whoever called it gets the error, and each of the others tries again.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R]]) -> None:
        self._work = work
        self._working = threading.Lock()
        self._lock = threading.Lock()
        self._entries: list[_Entry[A, R]] = []

    def ask(self, asked: A) -> R:
        """The result for one thread."""
        entry: _Entry[A, R] = _Entry(asked)
        with self._lock:
            self._entries.append(entry)
        with self._working:
            if not entry.results:
                self._work_all(entry)
        return entry.results[0]

    def _work_all(self, own: _Entry[A, R]) -> None:
        with self._lock:
            entries, self._entries = self._entries, []
        try:
            results = self._work([each.asked for each in entries])
        except BaseException:
            with self._lock:
                self._entries += [each for each in entries if each is not own]
            raise
        for entry, result in zip(entries, results, strict=True):
            entry.results.append(result)
