"""Sees to it that what was done stays done while `moonlake up` runs.

A reorganisation takes transactions out of the chain. A thread of its own looks at the latest
operations every second and sends again what is gone, so that a node that does not answer holds up
nothing else. It refuses to end by an error of the node or the database: it tries on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from ledger.config import Settings
from ledger.errors import LedgerError
from ledger.outbox.rechecking import Resumed
from ledger.wiring import opened_desk

Report = Callable[[str], None]

LOOK_EVERY = 1.0
_ENDS_WITHIN = 5.0


class Rechecks:
    """The thread; `report` takes a line for each operation that was lost and came back."""

    def __init__(self, settings: Settings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rechecks", daemon=True)
        self._problem = ""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End, or be left behind where the node holds it up: it holds nothing that others need."""
        self._ending.set()
        self._thread.join(_ENDS_WITHIN)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            try:
                self._look_until_ending()
            except (LedgerError, DBAPIError) as error:
                self._say_once(str(error))

    def _look_until_ending(self) -> None:
        with opened_desk(self._settings) as desk:
            while not self._ending.wait(LOOK_EVERY):
                for resumed in desk.outbox.recheck():
                    self._report(describe_resumed(resumed))
                self._problem = ""

    def _say_once(self, problem: str) -> None:
        if problem != self._problem and not self._ending.is_set():
            self._report(f"The latest operations cannot be checked: {problem} Trying on.")
        self._problem = problem


def describe_resumed(resumed: Resumed) -> str:
    """One line for people."""
    summary = resumed.operation.request.summary
    if resumed.error is not None:
        return f"Lost by a reorganisation and not done again: {summary} {resumed.error}"
    if resumed.operation.is_done:
        return f"In the chain again after a reorganisation: {summary}"
    return f"Lost by a reorganisation and sent again: {summary}"
