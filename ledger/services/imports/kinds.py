"""What every kind of import has in common: how a row is known, and how rows become a call.

A row is known by its `reference` where it has one, else by what it asks for; a file's label is part
of either. `content` is what it asks for, so that a reference which comes again with something else
is noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.office.profiles import Profile
from ledger.services.imports.columns import Subject
from ledger.services.imports.directory import Directory
from ledger.services.spreadsheets.tables import Problem, Row


class Keeper(Protocol):
    """Keeps beside the chain what a call commits to."""

    def evidence(self, token: str) -> bytes:
        """The commitment for what a row says of its evidence (`evidence.read_evidence`)."""
        ...

    def profile(self, profile: Profile) -> bytes:
        """The commitment to a profile."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """What the file does not say.

    programme: of rows that name none; ALLIANCE_WIDE, which no row can mean, for none.
    label: part of what rows are known by. `evidence`: of rows that name none, zeros for none.
    evidence_needed: whether a row must name some then.
    folder: where evidence that is named as a file is looked for; None where no file can be named.
    expires: of admissions that name no end; 0 for none.
    """

    programme: ProgrammeId = ALLIANCE_WIDE
    label: str = ""
    evidence: bytes = NO_COMMITMENT
    evidence_needed: bool = False
    folder: Path | None = None
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A row that means something.

    shown: what it asks for, for people. group: rows of one group can be of one call. values: what
    its call needs, as JSON can hold it. base: what it is known by, 32 bytes. content: what it asks
    for, 32 bytes. alone: no two rows of a file may have the same, by `alone_in`, the column.
    """

    line: int
    reference: str
    shown: str
    group: str
    values: tuple[Any, ...]
    base: bytes
    content: bytes
    alone: str = ""
    alone_in: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the chain makes of an item: a problem, or that what it asks for is there already."""

    problem: Problem | None = None
    there: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call for some rows, without its operation id."""

    contract: str
    command: str
    summary: str
    encode: Callable[[bytes], bytes]


class Kind(Protocol):
    """Organisations, memberships or awards."""

    subject: Subject

    def read(self, rows: Sequence[Row], directory: Directory) -> list[Item | list[Problem]]:
        """Each row as an item, or all that is wrong with it; the same whoever sends it."""
        ...

    def judge(self, items: Sequence[Item], directory: Directory) -> dict[int, Verdict]:
        """What the chain has against items, by line; of those that nothing speaks against, none."""
        ...

    def limit(self, group: str, sender: bytes, directory: Directory) -> Limit:
        """What all items of a group together must keep to."""
        ...

    def ask(self, group: str, values: Sequence[Sequence[Any]], keeper: Keeper) -> Asked:
        """The call for some items of a group, by their values."""
        ...


class Limit(Protocol):
    """What a group's items must keep to, given one after the other."""

    most: int
    """The most of one call."""

    def refuse(self, values: Sequence[Any]) -> Problem | None:
        """Why the next item is one too many; it does not count then."""
        ...


@dataclass(slots=True)
class Unbounded:
    """Nothing but the size of a call."""

    most: int

    def refuse(self, _values: Sequence[Any]) -> Problem | None:
        """Nothing is too many."""
        return None


def identify(subject: Subject, label: str, *parts: object) -> bytes:
    """32 bytes that stand for these values: SHA-256 over each one's length and text."""
    pieces = [b"moonlake.import.row.1\n"]
    for part in (subject.value, label, *parts):
        text = part if isinstance(part, bytes) else str(part).encode()
        pieces += (len(text).to_bytes(8, "big"), text)
    return hashlib.sha256(b"".join(pieces)).digest()


def identify_row(
    subject: Subject, label: str, reference: str, asked: Sequence[Any]
) -> tuple[bytes, bytes]:
    """What a row is known by, its reference or else what it asks for; and what it asks for."""
    content = identify(subject, "", *asked)
    name = ("reference", reference) if reference else ("content", content)
    return identify(subject, label, *name), content
