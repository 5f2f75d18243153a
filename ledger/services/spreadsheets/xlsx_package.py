"""The parts of a workbook's archive (ECMA-376), read as streams of XML within bounds.

A workbook is a ZIP archive that anybody can make: a few kilobytes can unpack to gigabytes, and XML
can define entities that grow without end. So nothing is unpacked whole, every part has a bound,
and a document type declaration, which no workbook has, is refused.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn
from xml.parsers import expat

from ledger.errors import InvalidFile

MAX_PART_BYTES = 2 * 1024 * 1024 * 1024
MAX_RATIO = 250
"""Unpacked to packed bytes, above _RATIO_FROM: sheets of a million like rows reach about 100."""
MAX_PARTS = 10_000

_RATIO_FROM = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_MAX_SILENCE = 4 * 1024 * 1024
"""Bytes without an element: an attribute or a comment that long is there to fill memory."""
_MAX_DEPTH = 64
_MAX_LINKS = 1000
_ENCRYPTED = 0x1

StartHandler = Callable[[str, Mapping[str, str]], None]
EndHandler = Callable[[str], None]
TextHandler = Callable[[str], None]


@dataclass(slots=True)
class Handlers:
    """Who is told what is read; elements by their names without a namespace."""

    start: StartHandler
    end: EndHandler
    text: TextHandler


class Package:
    """A workbook's archive. Raises InvalidFile for what is none."""

    def __init__(self, path: Path, content: BinaryIO) -> None:
        self._path = path
        try:
            self._archive = zipfile.ZipFile(content)
            members = self._archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            self.refuse(f"is not a workbook ({error})")
        if len(members) > MAX_PARTS:
            self.refuse(f"has {len(members)} parts, as no workbook of ours has")
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            name = member.filename.lower()
            if name in self._members:
                self.refuse(f"has the part {member.filename!r} twice")
            self._members[name] = member

    def refuse(self, problem: str, *, line: int = 1) -> NoReturn:
        """Raise InvalidFile for this workbook."""
        raise InvalidFile(path=self._path, line=line, problem=problem)

    def has(self, name: str) -> bool:
        """Whether there is a part of this name."""
        return name.lower() in self._members

    def read(self, name: str, handlers: Handlers) -> Iterator[None]:
        """Read a part from its beginning; gives the turn back after every chunk.

        Raises InvalidFile where it is missing, too large, or no XML that a workbook has.
        """
        member = self._members.get(name.lower())
        if member is None:
            self.refuse(f"is not a workbook: it has no part {name!r}")
        if member.flag_bits & _ENCRYPTED:
            self.refuse("is encrypted; save it without a password")
        parser = _Parser(self, handlers)
        read = 0
        try:
            with self._archive.open(member) as part:
                while chunk := part.read(_CHUNK):
                    read += len(chunk)
                    self._check_size(name, read, member.compress_size)
                    parser.feed(chunk)
                    yield
                parser.close()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            self.refuse(f"is damaged: its part {name!r} cannot be unpacked ({error})")
        except expat.ExpatError as error:
            self.refuse(f"is damaged: its part {name!r} is no XML ({error})")

    def read_all(self, name: str, handlers: Handlers) -> None:
        """Read a part to its end."""
        for _ in self.read(name, handlers):
            pass

    def _check_size(self, name: str, read: int, packed: int) -> None:
        if read > MAX_PART_BYTES:
            self.refuse(f"unpacks to more than {MAX_PART_BYTES} bytes in {name!r}; split it")
        if read > _RATIO_FROM and read > MAX_RATIO * packed:
            self.refuse(
                f"unpacks to over {MAX_RATIO} times its size in {name!r}, as no table does; save "
                "it as CSV if it is one"
            )


class _Parser:
    """An XML parser that cannot be made to grow."""

    def __init__(self, package: Package, handlers: Handlers) -> None:
        self._package = package
        self._handlers = handlers
        self._names: dict[str, str] = {}
        self._depth = 0
        self._silence = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = handlers.text
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, chunk: bytes) -> None:
        self._silence += len(chunk)
        self._parser.Parse(chunk, False)
        if self._silence > _MAX_SILENCE:
            self._package.refuse("holds a piece of XML that is longer than any of a table")

    def close(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._silence = 0
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._package.refuse(f"nests XML over {_MAX_DEPTH} deep, as no workbook does")
        self._handlers.start(self._local(name), attributes)

    def _end(self, name: str) -> None:
        self._silence = 0
        self._depth -= 1
        self._handlers.end(self._local(name))

    def _local(self, name: str) -> str:
        local = self._names.get(name)
        if local is None:
            local = name.rpartition(" ")[2]
            if len(self._names) < 1000:
                self._names[name] = local
        return local

    def _refuse_doctype(self, *_declaration: object) -> None:
        self._package.refuse("holds a document type declaration, which no workbook has")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a relationship leads to: the last word of its type (`styles`), and the part."""

    kind: str
    part: str


def links_of(part: str) -> str:
    """The part that holds a part's relationships; of the archive itself where it is empty."""
    return posixpath.join(posixpath.dirname(part), "_rels", f"{posixpath.basename(part)}.rels")


def read_links(package: Package, part: str) -> dict[str, Link]:
    """A part's relationships to others of the archive, by their ids."""
    links: dict[str, Link] = {}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        inside = attributes.get("TargetMode", "Internal") == "Internal"
        if name == "Relationship" and inside and len(links) < _MAX_LINKS:
            kind = attributes.get("Type", "").rpartition("/")[2]
            target = _part_name(part, attributes.get("Target", ""))
            links[attributes.get("Id", "")] = Link(kind, target)

    package.read_all(links_of(part), Handlers(start, _nothing, _nothing))
    return links


def _nothing(_value: str) -> None:
    pass


def _part_name(base: str, target: str) -> str:
    """The name of the part that a relationship of the part `base` leads to."""
    joined = target if target.startswith("/") else posixpath.join(posixpath.dirname(base), target)
    return posixpath.normpath(joined).lstrip("/")
