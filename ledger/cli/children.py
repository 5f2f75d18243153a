"""The commands that `moonlake up` runs beside itself, started again where they die.

A child that dies at once is started ever less often, so that a cause that lasts neither fills the
log nor takes the processor; one that has lived for a while begins anew at the shortest pause.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.processes import UNSHADOWED, ChildProcess, own_environment

Report = Callable[[str], None]

LOG_FOLDER = "logs"
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LIVED_LONG = 60.0

_MOONLAKE = "import sys; from ledger.cli.main import main; sys.exit(main())"


class Child:
    """One `moonlake …` command, with a log of its own in the data folder.

    `options` are not part of its name; `grace` are the seconds that it may take to end.
    """

    def __init__(
        self,
        settings: Settings,
        *arguments: str,
        options: tuple[str, ...] = (),
        grace: float,
        report: Report,
    ) -> None:
        self.name = " ".join(arguments)
        self.log = settings.home / LOG_FOLDER / f"{'-'.join(arguments)}.log"
        self._settings = settings
        self._arguments = (*arguments, *options)
        self._grace = grace
        self._report = report
        self._process: ChildProcess | None = None
        self._is_wanted = False
        self._pause = FIRST_PAUSE
        self._started_at = 0.0
        self._due_at = 0.0

    def start(self) -> None:
        """Start it. Raises ToolMissing and FolderUnusable."""
        self._is_wanted = True
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise folder_unusable(self.log.parent, error) from error
        self._process = ChildProcess(
            self.name,
            [sys.executable, *UNSHADOWED, "-c", _MOONLAKE, *self._arguments],
            folder=Path.cwd(),
            log=self.log,
            environment=own_environment(**self._settings.as_environment()),
        )
        self._started_at = time.monotonic()

    def check(self) -> None:
        """See that it lives, if it was started; say that it died, and start it again in time."""
        now = time.monotonic()
        if self._process is None:
            if self._is_wanted and now >= self._due_at:
                self.start()
            return
        if not self._process.has_ended:
            return
        if now - self._started_at > LIVED_LONG:
            self._pause = FIRST_PAUSE
        said = self._process.last_words()
        self._report(
            f"`moonlake {self.name}` {self._process.ending}"
            + (f" ({said})" if said else "")
            + f"; it is started again in {self._pause:g} s. Its log is {self.log}."
        )
        self._process = None
        self._due_at = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def stop(self) -> None:
        """Ask it to end, and end it where it does not in time."""
        self._is_wanted = False
        if self._process is not None:
            self._process.stop(grace=self._grace)
            self._process = None
