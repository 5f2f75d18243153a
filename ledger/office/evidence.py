"""Documents that show why something was recorded: kept once, by their content, and checked on read.

A file is named by the SHA-256 of its content and is complete, and looked through for what harms,
before it has that name; the chain holds a salted commitment to that hash. A document that no longer
is what was committed to is never handed out, nor one of an application to whom it does not concern.
Erasing one takes salt, titles and file: the commitment on the chain stays valid, and means nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Row, delete, select

from ledger.disks import folder_unusable
from ledger.domain.commitments import commit_to_content, new_salt
from ledger.errors import EvidenceDamaged, InvalidValue, NotFound
from ledger.office.profiles import check_text
from ledger.office.rows import insert_if_absent, raise_revision
from ledger.office.scanning import check_kind, scan_file
from ledger.office.shelves import FolderShelf, Shelf
from ledger.store.office_tables import evidence_files, private_evidence

MAX_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 256 * 1024

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*(?:; charset=utf-8)?")


@dataclass(frozen=True, slots=True)
class Description:
    """What a document is, for people; `made_up` is shown beside everything that rests on it."""

    title_zh: str
    title_en: str
    media_type: str
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """A kept document."""

    commitment: bytes
    content_hash: bytes
    size: int
    added_at: int
    description: Description


Received = tuple[bytes, int]
"""The SHA-256 of a content that is on the shelf, and its size in bytes."""


class Chunks(Iterator[bytes]):
    """The very file that was checked, from its beginning; closed at its end, or by whoever does not
    read so far."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        content.seek(0)

    def __next__(self) -> bytes:
        chunk = b"" if self._content.closed else self._content.read(CHUNK_BYTES)
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def __del__(self) -> None:
        """A reader that went away closes nothing."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._content.close()


class EvidenceStore:
    """The evidence files, beside the table that describes them.

    What comes in is written to `folder`, hashed and scanned there, and put on the shelf: the same
    folder, unless another is given. `scan` is a command that looks a file through, or nothing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shelf: Shelf | None = None,
        scan: Sequence[str] = (),
        max_bytes: int | None = None,
    ) -> None:
        self._folder = folder
        self._local = FolderShelf(folder)
        self._shelf = self._local if shelf is None else shelf
        self._scan = scan
        self._max_bytes = max_bytes

    def keep(
        self,
        connection: Connection,
        content: BinaryIO,
        description: Description,
        *,
        added_at: int,
        salt: bytes | None = None,
        private: bool = False,
        from_outside: bool = False,
        is_ours: bool = False,
    ) -> Evidence:
        """Keep a document and give its commitment; the one given before where it is kept already.

        A document that is called otherwise than before gets a commitment of its own, so that what
        rests on either shows its own title; the file is on the disk once. It is there when this
        returns; its row is in the caller's SQL transaction. `salt` is random unless given: it then
        makes the commitment, whose first description stays. A `private` one is its own, and is
        read by who is entitled alone. One `from_outside` must be of a type that people exchange,
        and be what its type says. One that `is_ours` was written by this program, and no scanner
        is asked about it: a scan can take minutes, and a transaction is open.

        Raises InvalidValue for more than the most bytes, or a title or media type that cannot be
        kept; EvidenceRefused where the scan found something, ScannerFailed where it could not
        look; FolderUnusable and StorageUnusable where there is no room for it.
        """
        _check_description(description)
        outside = description if from_outside else None
        received = self._write(content, outside, is_ours=is_ours)
        return self._record(connection, received, description, added_at, salt=salt, private=private)

    def receive(self, content: BinaryIO, description: Description) -> Received:
        """Take a document in from outside, looked through and on the shelf, without a row.

        A scan can take minutes, in which no transaction is to be open; `record` writes the row.
        Raises as `keep` does.
        """
        _check_description(description)
        return self._write(content, description)

    def record(
        self,
        connection: Connection,
        received: Received,
        description: Description,
        *,
        added_at: int,
        private: bool = False,
    ) -> Evidence:
        """Write down what was taken in, and give its commitment, as `keep` does."""
        return self._record(connection, received, description, added_at, private=private)

    def _record(
        self,
        connection: Connection,
        received: Received,
        description: Description,
        added_at: int,
        *,
        salt: bytes | None = None,
        private: bool = False,
    ) -> Evidence:
        content_hash, size = received
        kept = None if private else _find(connection, content_hash, description)
        if kept is not None:
            return kept
        chosen = salt if salt is not None else new_salt()
        evidence = Evidence(
            commit_to_content(chosen, content_hash), content_hash, size, added_at, description
        )
        if insert_if_absent(connection, evidence_files, {**_row(evidence), "salt": chosen}):
            if private:
                row = {"commitment": evidence.commitment}
                insert_if_absent(connection, private_evidence, row)
            return evidence
        return _evidence(_row_of(connection, evidence.commitment, entitled=True))

    def read(
        self, connection: Connection, commitment: bytes, *, entitled: bool = False
    ) -> tuple[Evidence, Chunks]:
        """The document behind a commitment, in chunks.

        The whole file is checked before the first chunk. Raises NotFound, also for a private one
        to whom it is not said to be `entitled`; EvidenceDamaged where the file is gone or is not
        what was committed to; StorageUnusable.
        """
        found = _row_of(connection, commitment, entitled=entitled)
        evidence = _evidence(found)
        content = self._shelf.open(evidence.content_hash.hex())
        if content is None:
            raise EvidenceDamaged(commitment="0x" + commitment.hex(), problem="its file is gone")
        actual = _hash_content(content)
        if commit_to_content(bytes(found.salt), actual) != commitment:
            content.close()
            raise EvidenceDamaged(
                commitment="0x" + commitment.hex(),
                problem="its file is not what was committed to",
            )
        return evidence, Chunks(content)

    def erase(self, connection: Connection, commitment: bytes) -> bytes | None:
        """Take a document's salt and titles away; what is left to `discard` before the commit, so
        that where the file cannot be deleted its row is still there, and it can be done again.

        That is its content hash, or None where another document has the same file. Raises NotFound.
        """
        found = _row_of(connection, commitment, entitled=True)
        raise_revision(connection)
        for table in (private_evidence, evidence_files):
            connection.execute(delete(table).where(table.c.commitment == commitment))
        table = evidence_files
        others = select(table.c.commitment).where(table.c.content_hash == found.content_hash)
        return None if connection.execute(others.limit(1)).first() else bytes(found.content_hash)

    def discard(self, content_hash: bytes) -> None:
        """Delete a file that no row names any more. Raises FolderUnusable, StorageUnusable."""
        self._shelf.delete(content_hash.hex())

    def put_back(self, content: BinaryIO) -> bytes:
        """Put a file on the shelf without a row, as a restored backup does; its hash."""
        return self._write(content, None)[0]

    def open_file(self, content_hash: bytes) -> BinaryIO | None:
        """The file with this content, unchecked; None where it is gone. Raises StorageUnusable."""
        return self._shelf.open(content_hash.hex())

    def path_of(self, content_hash: bytes) -> Path:
        """Where the file with this content stands in the folder."""
        return self._local.path_of(content_hash.hex())

    def _write(
        self, content: BinaryIO, described: Description | None, *, is_ours: bool = False
    ) -> Received:
        """Write the content under its hash, whole or not at all; the hash and the size."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")
        except OSError as error:
            raise folder_unusable(self._folder, error) from error
        incoming = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                content_hash, size = _copy(content, file, self._max_bytes or MAX_BYTES)
                file.flush()
                os.fsync(file.fileno())
            if described is not None:
                check_kind(incoming, described.media_type)
            if not is_ours:
                scan_file(incoming, self._scan)
            self._shelf.put(incoming, content_hash.hex())
        except OSError as error:
            raise folder_unusable(self._folder, error) from error
        finally:
            incoming.unlink(missing_ok=True)
        return content_hash, size


def _copy(content: BinaryIO, file: BinaryIO, most: int) -> tuple[bytes, int]:
    hasher = hashlib.sha256()
    size = 0
    while chunk := content.read(CHUNK_BYTES):
        size += len(chunk)
        if size > most:
            raise InvalidValue(
                field="evidence", value=f"{size} bytes", expected=f"at most {most} bytes"
            )
        hasher.update(chunk)
        file.write(chunk)
    if size == 0:
        raise InvalidValue(field="evidence", value="0 bytes", expected="a document with content")
    return hasher.digest(), size


def _hash_content(content: BinaryIO) -> bytes:
    hasher = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        hasher.update(chunk)
    return hasher.digest()


def _check_description(description: Description) -> None:
    check_text("title_zh", description.title_zh)
    check_text("title_en", description.title_en)
    if not _MEDIA_TYPE.fullmatch(description.media_type):
        raise InvalidValue(
            field="media_type", value=description.media_type, expected="a media type"
        )


def _find(connection: Connection, content_hash: bytes, description: Description) -> Evidence | None:
    """The document with this content that is called just so, and is not private."""
    hidden = select(private_evidence.c.commitment)
    kept = connection.execute(
        select(evidence_files)
        .where(
            evidence_files.c.content_hash == content_hash,
            evidence_files.c.commitment.not_in(hidden),
        )
        .order_by(evidence_files.c.added_at, evidence_files.c.commitment)
    )
    found = (_evidence(row) for row in kept)
    return next((each for each in found if each.description == description), None)


def describe_documents(connection: Connection, commitments: Sequence[bytes]) -> list[Evidence]:
    """What is known of these documents, private ones too, in the order in which they came."""
    table = evidence_files
    rows = connection.execute(
        select(table)
        .where(table.c.commitment.in_(commitments))
        .order_by(table.c.added_at, table.c.commitment)
    )
    return [_evidence(row) for row in rows]


def is_private(connection: Connection, commitment: bytes) -> bool:
    """Whether a document is for those alone whom it concerns."""
    table = private_evidence
    query = select(table.c.commitment).where(table.c.commitment == commitment)
    return connection.execute(query).one_or_none() is not None


def _row_of(
    connection: Connection, commitment: bytes, *, entitled: bool
) -> Row[tuple[object, ...]]:
    found = connection.execute(
        select(evidence_files).where(evidence_files.c.commitment == commitment)
    ).one_or_none()
    if found is None or (not entitled and is_private(connection, commitment)):
        raise NotFound(what="evidence document", key="0x" + commitment.hex())
    return found


def _row(evidence: Evidence) -> dict[str, object]:
    return {
        "commitment": evidence.commitment,
        "content_hash": evidence.content_hash,
        "media_type": evidence.description.media_type,
        "size": evidence.size,
        "title_zh": evidence.description.title_zh,
        "title_en": evidence.description.title_en,
        "made_up": int(evidence.description.made_up),
        "added_at": evidence.added_at,
    }


def _evidence(row: Row[tuple[object, ...]]) -> Evidence:
    return Evidence(
        bytes(row.commitment),
        bytes(row.content_hash),
        row.size,
        row.added_at,
        Description(row.title_zh, row.title_en, row.media_type, made_up=bool(row.made_up)),
    )
