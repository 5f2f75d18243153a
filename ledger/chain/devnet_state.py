"""The files that hold the devnet's states: the last, and the one before it.

A state is written beside the last one, flushed to the disk, and put in its place in one step, so
that there is a whole one at any moment. It refuses to delete: a file that cannot be used is set
aside under another name.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.devnet_dump import Dump, DumpUnfit, read_dump
from ledger.disks import folder_unusable
from ledger.errors import DevnetStateUnusable

STATE = "state.json"
PREVIOUS = "state.previous.json"
LAST_WORDS = "last-words.json"
"""What anvil itself dumps when it is ended and nobody of us is there any more."""


@dataclass(frozen=True, slots=True)
class LoadedState:
    """What a start goes on from: the file for anvil, what is in it, and what people should know."""

    path: Path
    dump: Dump
    notes: tuple[str, ...]


class StateFiles:
    """The saved states of one chain: the last, and the one before it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / STATE
        self.last_words = folder / LAST_WORDS

    def save(self, content: bytes) -> None:
        """Make this the last state. At any moment the disk has a whole one. Raises OSError."""
        written = self._folder / f"{STATE}.new"
        with written.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if self.path.exists():
            former = self._folder / f"{PREVIOUS}.new"
            former.unlink(missing_ok=True)
            former.hardlink_to(self.path)
            former.replace(self._folder / PREVIOUS)
        written.replace(self.path)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def load(self) -> LoadedState | None:
        """The newest state that is fit to go on from; None for a chain that is not begun.

        What anvil wrote at its own end, if we were gone by then, is newer than what we saved. A
        file that is unfit is set aside under another name, never deleted. Raises
        DevnetStateUnusable if there are files and none is fit.
        """
        notes: list[str] = []
        for path in self._candidates():
            try:
                content = path.read_bytes()
                genesis = self.saved_genesis() if path == self.last_words else None
                dump = read_dump(content, genesis=genesis)
            except (DumpUnfit, OSError) as error:
                aside = self._set_aside(path)
                notes.append(f"{path.name} is unusable: {error}; it is kept as {aside.name}.")
                continue
            if path != self.path or dump.content != content:
                self._save_or_refuse(dump.content)
            if notes:
                notes.append(f"Going on from {path.name}, at block {dump.number}.")
            self.last_words.unlink(missing_ok=True)
            return LoadedState(self.path, dump, tuple(notes))
        if notes:
            raise DevnetStateUnusable(folder=self._folder, problem=" ".join(notes))
        return None

    def all_files(self) -> Iterator[Path]:
        """Every file that holds, or held, a state."""
        for pattern in ("state*.json*", f"{LAST_WORDS}*"):
            yield from sorted(self._folder.glob(pattern))

    def _candidates(self) -> Iterator[Path]:
        for path in (self.last_words, self.path, self._folder / PREVIOUS):
            if path.exists():
                yield path

    def saved_genesis(self) -> bytes | None:
        """Block 0 as we saved it, where we did; anvil's last words may hold two."""
        for path in (self.path, self._folder / PREVIOUS):
            with contextlib.suppress(DumpUnfit, OSError):
                return read_dump(path.read_bytes()).genesis
        return None

    def _save_or_refuse(self, content: bytes) -> None:
        try:
            self.save(content)
        except OSError as error:
            raise folder_unusable(self._folder, error) from error

    def _set_aside(self, path: Path) -> Path:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        aside = path.with_name(f"{path.stem}.unusable-{stamp}{path.suffix}")
        with contextlib.suppress(OSError):
            path.rename(aside)
        return aside
