"""Memory that the processes of one server share: who has how many connections, who asked how much.

It is made before they are started, and nothing in it needs a lock: a process that is killed at any
moment leaves nothing locked. A number that two of them change within the same microsecond may lose
one of the changes, so it is for what may be off by one in a thousand, and for nothing else.
"""

from __future__ import annotations

import mmap
import os
import socket
import time
from collections.abc import Callable, Sequence

MOST_PROCESSES = 64

_WORD = 8
_PATIENCE = 0.002
_WAYS = 8
_SETS = 4096
_BYTES = _WORD * (MOST_PROCESSES + 2 * _SETS * _WAYS)


class SharedCounters:
    """The memory, for the processes that are forked from this one.

    `running` has a word for each process: its open connections and one more, 0 where it does not
    run.
    """

    def __init__(self) -> None:
        memory = memoryview(mmap.mmap(-1, _BYTES))
        places = _WORD * MOST_PROCESSES
        names = places + _WORD * _SETS * _WAYS
        self.running = memory[:places].cast("q")
        self._names = memory[places:names].cast("q")
        self._times = memory[names:].cast("d")

    def take(self, name: str, seconds: float, *, depth: float, now: float) -> float:
        """Take `seconds` from a bucket of a name, which holds `depth` and fills by one a second.

        0 where it held them, else how long to wait; then nothing was taken. `now` is a time that
        all processes share. A bucket's word is the time at which it is full again (GCRA), so that
        one whose time has come is as good as none, and its place is anybody's. Where too many are
        not full, the one that is soonest gives way.
        """
        names, times = self._names, self._times
        tag = hash(name) or 1  # keyed, and the same in each process that was forked
        first = tag % _SETS * _WAYS
        place, soonest = first, float("inf")
        for each in range(first, first + _WAYS):
            if names[each] == tag:
                place = each
                break
            if times[each] < soonest:
                place, soonest = each, times[each]
        full_at = max(now, times[place]) if names[place] == tag else now
        left_over = full_at + seconds - now - depth
        if left_over > 0:
            return left_over
        names[place], times[place] = tag, full_at + seconds
        return 0.0


class Listener(socket.socket):
    """A socket that several processes take connections from, each its part.

    asyncio would take all that wait, and of eight connections that came together one process often
    had seven, while the other had nothing to do. So a process that has more than another lets it
    by, for a moment at most: it may be busy, or dead.
    """

    counters: SharedCounters | None = None
    place = 0
    _ahead_since = 0.0

    def listen(self, backlog: int = 0, /) -> None:  # noqa: ARG002  asyncio's, of one turn
        """Begin to queue callers, a long queue whatever number is given."""
        super().listen(2048)

    def accept(self) -> tuple[socket.socket, object]:
        """The next connection. Raises BlockingIOError where there is none, or it is another's."""
        if self.counters is not None and self._lets_by(self.counters.running, time.monotonic):
            os.sched_yield()
            raise BlockingIOError
        taken = super().accept()
        if self.counters is not None:
            self.counters.running[self.place] += 1  # until its protocol has counted
        return taken

    def _lets_by(self, running: Sequence[int], clock: Callable[[], float]) -> bool:
        fewest = min((each for each in running if each), default=0)
        if running[self.place] <= fewest:
            self._ahead_since = 0.0
            return False
        if not self._ahead_since:
            self._ahead_since = clock()
        if clock() - self._ahead_since < _PATIENCE:
            return True
        self._ahead_since = 0.0
        return False
