"""Opens a file that a person named: a copy of its content at one moment, with the content's hash.

What is read twice (to be checked, and to be sent) must not change in between, so everything works
on the copy. It refuses what is no regular file, without waiting for it: a pipe, a device, a folder.
A symbolic link is followed to such a file and to nothing else.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from ledger.disks import is_full
from ledger.errors import DiskFull, InvalidFile, NotFound

_CHUNK = 1024 * 1024
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file's content at one moment. `path` is where it was read, for people."""

    path: Path
    content: BinaryIO
    content_hash: bytes
    size: int


@contextmanager
def opened_copy(path: Path, *, most_bytes: int) -> Iterator[SheetFile]:
    """The file, copied aside, which is gone when the context ends.

    Raises NotFound where there is none, InvalidFile where it cannot be read, is no regular file or
    has more than `most_bytes`, and DiskFull.
    """
    with tempfile.TemporaryFile(prefix="moonlake-sheet-") as copy:
        descriptor = _open(path)
        try:
            _require_regular(path, os.fstat(descriptor).st_mode)
            content_hash, size = _copy(path, descriptor, copy, most_bytes)
        finally:
            os.close(descriptor)
        yield SheetFile(path, copy, content_hash, size)


def _open(path: Path) -> int:
    try:
        # Without waiting: to open a pipe that nobody writes to would never end.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(what="file", key=str(path)) from None
    except OSError as error:
        _unreadable(path, error)


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise InvalidFile(path=path, line=1, problem=f"is not a regular file but {kind}")


def _copy(path: Path, descriptor: int, copy: BinaryIO, most_bytes: int) -> tuple[bytes, int]:
    hasher = hashlib.sha256()
    size = 0
    while True:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except OSError as error:
            _unreadable(path, error)
        if not chunk:
            break
        size += len(chunk)
        if size > most_bytes:
            problem = f"the file has more than {most_bytes} bytes; split it"
            raise InvalidFile(path=path, line=1, problem=problem)
        hasher.update(chunk)
        try:
            copy.write(chunk)
        except OSError as error:
            if is_full(error):
                raise DiskFull(what=tempfile.gettempdir()) from error
            raise
    copy.seek(0)
    return hasher.digest(), size


def _unreadable(path: Path, error: OSError) -> NoReturn:
    problem = f"cannot be read ({error.strerror})"
    raise InvalidFile(path=path, line=1, problem=problem) from error
