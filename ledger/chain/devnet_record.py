"""What the devnet's folder says of itself: which chain it holds, and which processes run it.

Other commands read these files while the devnet runs, and the next start reads them after a crash;
so each is replaced as a whole, and a process is named by number and time of start.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from ledger.chain.devnet_dump import DumpUnfit, take_dump
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.chain.devnet_state import StateFiles
from ledger.disks import folder_unusable
from ledger.errors import AlreadyRunning, NodeProblem
from ledger.processes import ProcessIdentity, end_process, is_running, wait_until

# Time for anvil to write its last words, if it is ending already.
_ORPHANS_GRACE = 1.0

_ASIDE = "set-aside-"


class SavedHead(msgspec.Struct, frozen=True):
    """The block at the end of the last saved state, and when that was written (Unix seconds)."""

    number: int
    block_hash: str
    saved_at: float


class ChainRecord(msgspec.Struct, frozen=True):
    """The chain in this folder. Written when it begins, and after each save."""

    chain_id: int
    genesis_hash: str
    anvil: str
    saved: SavedHead | None = None


class ProcessRecord(msgspec.Struct, frozen=True):
    """The processes of the devnet that runs on this folder."""

    owner: str
    """The command that started it: `moonlake devnet` or `moonlake up`."""
    supervisor: ProcessIdentity
    anvil: ProcessIdentity
    url: str
    fork_url: str = ""
    ready: bool = False

    @property
    def is_supervised(self) -> bool:
        """Whether the process that saves its state still lives."""
        return is_running(self.supervisor)


_Record = TypeVar("_Record", ChainRecord, ProcessRecord)


class DevnetFolder:
    """`devnet/` in the data folder: where each file stands.

    Raises FolderUnusable where it can neither be found nor made.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "devnet"
        self.log = self.path / "anvil.log"
        self.supervisor_log = self.path / "devnet.log"
        self.lock = self.path / "lock"
        self._chain = self.path / "chain.json"
        self._process = self.path / "process.json"

    def prepare(self) -> None:
        """Make the folder and see that it can be written. Raises FolderUnusable."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise folder_unusable(self.path, error) from error

    @property
    def chain(self) -> ChainRecord | None:
        """The chain that was begun here, if one was."""
        return _read(self._chain, ChainRecord)

    @chain.setter
    def chain(self, record: ChainRecord) -> None:
        _write(self._chain, record)

    @property
    def process(self) -> ProcessRecord | None:
        """The processes of the last start, until its stop; they may be gone."""
        return _read(self._process, ProcessRecord)

    @process.setter
    def process(self, record: ProcessRecord) -> None:
        _write(self._process, record)

    def forget_process(self) -> None:
        """The devnet was stopped in order."""
        self._process.unlink(missing_ok=True)

    def chain_files(self) -> list[Path]:
        """The files that belong to this chain beside its states."""
        return [path for path in (self._chain, self.log, self.supervisor_log) if path.exists()]

    @property
    def was_set_aside(self) -> bool:
        """Whether a chain was set aside here."""
        return any(self.path.glob(f"{_ASIDE}*"))

    def set_aside(self, files: Iterable[Path]) -> Path:
        """Move files into a folder of their own, here; its path. Raises FolderUnusable."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        aside = self.path / f"{_ASIDE}{stamp}"
        try:
            for number in itertools.count(2):
                if not aside.exists():
                    break
                aside = self.path / f"{_ASIDE}{stamp}-{number}"
            aside.mkdir()
            for path in files:
                path.rename(aside / path.name)
        except OSError as error:
            raise folder_unusable(self.path, error) from error
        return aside

    def end_orphan(self, files: StateFiles, report: Callable[[str], None]) -> None:
        """End an anvil whose supervisor died, saving what it holds. Call it with the lock held.

        On Linux such an anvil is already about to end, and writes its own last words.
        """
        record = self.process
        if record is None:
            return
        if is_running(record.anvil) and not wait_until(
            lambda: not is_running(record.anvil), seconds=_ORPHANS_GRACE
        ):
            report(
                f"A devnet of this folder (process {record.anvil.pid}) had lost its supervisor; "
                "its state is saved and it is ended."
            )
            if not record.fork_url:
                _save_orphan(record.url, files)
            end_process(record.anvil, grace=60)
        self.forget_process()


class DevnetLock:
    """Held for as long as a devnet runs on a folder; the system frees it when the holder dies."""

    def __init__(self, folder: DevnetFolder) -> None:
        self._folder = folder
        self._file = -1

    def __enter__(self) -> Self:
        self.take()
        return self

    def take(self) -> None:
        """Raises AlreadyRunning, naming the holder, and FolderUnusable."""
        self._folder.prepare()
        self._file = os.open(self._folder.lock, os.O_RDWR)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            record = self._folder.process
            raise AlreadyRunning(
                what="The devnet",
                pid=record.supervisor.pid if record is not None else "just starting",
            ) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let another devnet have the folder."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _save_orphan(url: str, files: StateFiles) -> None:
    """What cannot be saved so, anvil's own last words will hold."""
    with contextlib.suppress(NodeProblem, DumpUnfit, OSError), DevnetRpc(url) as rpc:
        files.save(take_dump(rpc, genesis=files.saved_genesis()).content)


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        # An unreadable record is as good as none: the states themselves stay what they are.
        return None


def _write(path: Path, record: ChainRecord | ProcessRecord) -> None:
    written = path.with_name(path.name + ".new")
    written.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    written.replace(path)
