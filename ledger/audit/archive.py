"""The archive that a bundle is: a tar file (POSIX ustar) that can be written in one way only.

Every byte of it is checked: a header that is not the one we would write, padding that is not zero,
members out of order, and anything before, between or after them are refused. So no link, no path
out of the archive and no compression bomb can be in it, and no two archives hold the same members.
Nothing is read into memory here but headers of 512 bytes, and never more of them than MOST_MEMBERS.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ledger.errors import BundleUnreadable

BLOCK = 512
MOST_MEMBERS = 64
LARGEST_MEMBER = 8**11 - 1
"""What eleven octal digits can say: 8 GiB."""

_NAME = re.compile(rb"[a-z0-9][a-z0-9-]*(?:/[a-z0-9][a-z0-9-]*)?\.[a-z]{2,4}")
_SIZE = re.compile(rb"[0-7]{11}\0")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: where its content begins, and its length."""

    name: str
    start: int
    size: int


def member_header(name: str, size: int) -> bytes:
    """The 512 bytes before a member: the one header that a member of this name and size can have.

    A plain file, readable by all, of user 0, of the first second of 1970.
    """
    fields = (
        name.encode("ascii").ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,
        b"%011o\0" % size,
        b"%011o\0" % 0,
        b" " * 8,
        b"0" + bytes(100),
        b"ustar\x0000" + bytes(64),
        b"0000000\0" * 2,
        bytes(155 + 12),
    )
    header = b"".join(fields)
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]


class ArchiveWriter:
    """Writes members one after the other; `digests` are the SHA-256 and sizes of those written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digests: dict[str, tuple[int, bytes]] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[MemberWriter]:
        """Write a member. Its size need not be known before."""
        start = self._file.tell()
        self._file.write(bytes(BLOCK))
        writer = MemberWriter(self._file)
        yield writer
        self._file.write(bytes(-writer.size % BLOCK))
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(member_header(name, writer.size))
        self._file.seek(end)
        self.digests[name] = (writer.size, writer.digest)

    def add(self, name: str, content: bytes) -> None:
        """Write a whole member."""
        with self.member(name) as member:
            member.write(content)

    def finish(self) -> None:
        """Write the end of the archive: two empty blocks."""
        self._file.write(bytes(2 * BLOCK))


class MemberWriter:
    """Takes the content of one member."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what was written so far."""
        return self._hash.digest()

    def write(self, content: bytes) -> None:
        """Add to the content."""
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)


@contextmanager
def writing_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Write an archive beside its place and put it there when it is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            writer = ArchiveWriter(file)
            yield writer
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_members(file: BinaryIO, shown: Path) -> Mapping[str, Member]:
    """The members of an archive by name, in order. Raises BundleUnreadable."""
    length = file.seek(0, os.SEEK_END)
    at, found = 0, dict[str, Member]()
    while True:
        file.seek(at)
        header = file.read(BLOCK)
        if header == bytes(BLOCK):
            break
        member = _read_header(header, at, length, shown)
        if member.name in found:
            raise _broken(shown, f"{member.name} stands in it twice")
        found[member.name] = member
        if len(found) > MOST_MEMBERS:
            raise _broken(shown, f"it has more than {MOST_MEMBERS} members")
        at = member.start + member.size
        padding = -at % BLOCK
        file.seek(at)
        if file.read(padding) != bytes(padding):
            raise _broken(shown, f"something stands after {member.name}")
        at += padding
    if length != at + 2 * BLOCK or file.read(BLOCK) != bytes(BLOCK):
        raise _broken(shown, "something stands after its end")
    return found


def hash_member(file: BinaryIO, member: Member) -> bytes:
    """The SHA-256 of a member's content."""
    digest = hashlib.sha256()
    file.seek(member.start)
    left = member.size
    while left:
        part = file.read(min(left, _CHUNK))
        if not part:
            break
        digest.update(part)
        left -= len(part)
    return digest.digest()


def read_member(file: BinaryIO, member: Member, most: int, shown: Path) -> bytes:
    """A whole member of at most `most` bytes. Raises BundleUnreadable."""
    if member.size > most:
        raise _broken(shown, f"{member.name} takes {member.size} bytes, more than {most}")
    file.seek(member.start)
    return file.read(member.size)


def _read_header(header: bytes, at: int, length: int, shown: Path) -> Member:
    name, size = header[:100].rstrip(b"\0"), header[124:136]
    if len(header) != BLOCK:
        raise _broken(shown, "it is cut short")
    if not _NAME.fullmatch(name) or not _SIZE.fullmatch(size):
        raise _broken(shown, f"what stands at byte {at} is no member of a bundle")
    member = Member(name.decode("ascii"), at + BLOCK, int(size[:11], 8))
    if header != member_header(member.name, member.size):
        raise _broken(shown, f"the header of {member.name} is not as bundles have it")
    if member.start + member.size > length:
        raise _broken(shown, f"{member.name} is cut short")
    return member


def _broken(path: Path, problem: str) -> BundleUnreadable:
    return BundleUnreadable(path=path, problem=problem)
