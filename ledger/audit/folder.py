"""Where the audit of a running ledger stands: one at a time, its progress, the last one's result.

A folder with a lock, the state as JSON, and the bundle with its anchor. Whoever begins takes the
lock and gives it to the process that does the work; it is free again when that process ends,
however it ends. Each file is replaced whole, so that readers need no lock. It refuses a second
audit while one runs, and says of one whose process is gone that it failed.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from ledger.disks import folder_unusable
from ledger.errors import AuditRunning
from ledger.processes import ProcessIdentity, identify_process, is_running

BUNDLE, ANCHOR, REPORT = "bundle.tar", "anchor.json", "report.html"
_STATE, _DONE, _LOCK = "state.json", "done.json", "lock"

Condition = Literal["none", "running", "done", "failed"]


class AuditState(msgspec.Struct, frozen=True):
    """How an audit stands. Times are seconds since 1970 UTC; `verdict` is that of `verify --json`.

    `step` is what is being done: `export` or `verify`; `done` and `total` are blocks of it.
    """

    condition: Condition = "none"
    begun_at: float = 0.0
    ended_at: float | None = None
    step: str = ""
    done: int = 0
    total: int = 0
    problem: str = ""
    code: str = ""
    verdict: dict[str, Any] | None = None
    anchor: dict[str, Any] | None = None
    process: tuple[int, str] | None = None


class AuditFolder:
    """The folder of one ledger's audits."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def bundle(self) -> Path:
        """The last bundle, where there is one."""
        return self.path / BUNDLE

    @property
    def report(self) -> Path:
        """The page about the last verdict."""
        return self.path / REPORT

    @property
    def anchor(self) -> Path:
        """The anchor that the server's own node gave for it."""
        return self.path / ANCHOR

    def lock(self) -> int:
        """Take the lock; the descriptor that holds it. Raises AuditRunning, FolderUnusable."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise folder_unusable(self.path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise AuditRunning from error
        return handle

    def read(self) -> AuditState:
        """How the audit stands now; the last one's state where none runs."""
        try:
            found = msgspec.json.decode((self.path / _STATE).read_bytes(), type=AuditState)
        except (OSError, msgspec.DecodeError):
            return AuditState()
        if found.condition == "running" and not _is_at_work(found):
            problem = "its process ended before its end"
            return msgspec.structs.replace(found, condition="failed", problem=problem)
        return found

    def last(self) -> AuditState | None:
        """The last audit that came to its end, also while another one runs; None for none."""
        try:
            return msgspec.json.decode((self.path / _DONE).read_bytes(), type=AuditState)
        except (OSError, msgspec.DecodeError):
            found = self.read()
            return found if found.condition == "done" else None

    def begun_by(self, pid: int, at: float) -> None:
        """Note that a process has begun, unless it has told so itself. Raises FolderUnusable."""
        try:
            mine = identify_process(pid)
        except ProcessLookupError:
            return  # it has ended, and left its own word
        process = (mine.pid, mine.started)
        if self.read().process != process:
            self.write(AuditState("running", at, process=process))

    def write(self, state: AuditState) -> None:
        """Replace the state; that of an audit which is done is kept beside those that follow.

        Raises FolderUnusable.
        """
        content = msgspec.json.encode(state)
        if state.condition == "done":
            self.put(_DONE, content)
        self.put(_STATE, content)

    def put(self, name: str, content: bytes) -> None:
        """Replace a file of the folder. Raises FolderUnusable."""
        try:
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).replace(self.path / name)
        except OSError as error:
            raise folder_unusable(self.path, error) from error


@contextmanager
def telling(
    folder: AuditFolder, clock: Callable[[], float]
) -> Iterator[Callable[[str, int, int], None]]:
    """Tell the folder's readers how far this process is, at most twice a second.

    The state in the end is for whoever uses this to write.
    """
    begun, told = clock(), 0.0
    mine = identify_process(os.getpid())
    state = AuditState("running", begun, process=(mine.pid, mine.started))
    folder.write(state)

    def tell(step: str, done: int, total: int) -> None:
        nonlocal told
        if done == total or clock() - told >= 0.5:
            told = clock()
            folder.write(msgspec.structs.replace(state, step=step, done=done, total=total))

    yield tell


def _is_at_work(state: AuditState) -> bool:
    return state.process is not None and is_running(ProcessIdentity(*state.process))
