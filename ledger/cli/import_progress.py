"""Tells people how far an import is: what is being done, how fast, and how long it will take.

On a terminal one line that changes; elsewhere a line now and then, for a log. Always on stderr.
"""

from __future__ import annotations

import sys
import threading
import time

_ON_TERMINAL = 0.1
_IN_LOG = 2.0


class ImportProgress:
    """Takes steps from any thread; says nothing where it is `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._step = ""
        self._began = self._said = 0.0
        self._first = self._done = self._total = 0
        self._is_open = False

    def __call__(self, step: str, done: int, total: int) -> None:
        """`done` of `total` of a step are done; a total of 0 is not known."""
        if self._quiet:
            return
        with self._lock:
            now = time.monotonic()
            if step != self._step:
                self._end()
                self._step, self._began, self._said, self._first = step, now, now, 0
            self._done, self._total = done, total
            pause = _ON_TERMINAL if self._is_terminal else _IN_LOG
            if now - self._said >= pause or (self._is_terminal and done == total):
                self._said = now
                self._say(now)

    def end(self) -> None:
        """Leave the line as it is and go on below it."""
        with self._lock:
            self._end()
            self._step = ""

    def _end(self) -> None:
        if not self._step or self._quiet:
            return
        self._say(time.monotonic())
        if self._is_terminal:
            sys.stderr.write("\n")
        self._is_open = False

    def _say(self, now: float) -> None:
        seconds = max(now - self._began, 1e-6)
        rate = self._done / seconds
        parts = [f"{self._step}: {self._done:,}"]
        if self._total:
            parts[0] += f" of {self._total:,} rows"
        parts.append(f"{rate:,.0f} a second")
        if self._total > self._done and rate:
            parts.append(f"{_duration((self._total - self._done) / rate)} left")
        line = ", ".join(parts)
        sys.stderr.write(f"\r\x1b[K{line}" if self._is_terminal else f"{line}\n")
        sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
