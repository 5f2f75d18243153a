"""Documents that show why something was recorded: kept once, by their content, and checked on read.

A file is named by the SHA-256 of its content and is complete before it has that name; the chain
holds a salted commitment to that hash. A document that no longer is what was committed to is never
handed out.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Row, select

from ledger.disks import folder_unusable
from ledger.domain.commitments import commit_to_content, new_salt
from ledger.errors import EvidenceDamaged, InvalidValue, NotFound
from ledger.office.profiles import check_text
from ledger.office.rows import insert_if_absent
from ledger.store.office_tables import evidence_files

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


class EvidenceStore:
    """The folder of evidence files, beside the table that describes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(
        self,
        connection: Connection,
        content: BinaryIO,
        description: Description,
        *,
        added_at: int,
        salt: bytes | None = None,
    ) -> Evidence:
        """Keep a document and give its commitment; the one given before where it is kept already.

        A document that is called otherwise than before gets a commitment of its own, so that what
        rests on either shows its own title; the file is on the disk once. It is there when this
        returns; its row is in the caller's SQL transaction. `salt` is random unless given: it then
        makes the commitment, whose first description stays.

        Raises InvalidValue for more than MAX_BYTES or a title or media type that cannot be kept,
        FolderUnusable where the disk refuses.
        """
        _check_description(description)
        content_hash, size = self._write(content)
        kept = _find(connection, content_hash, description)
        if kept is not None:
            return kept
        chosen = salt if salt is not None else new_salt()
        evidence = Evidence(
            commit_to_content(chosen, content_hash), content_hash, size, added_at, description
        )
        if insert_if_absent(connection, evidence_files, {**_row(evidence), "salt": chosen}):
            return evidence
        return _evidence(_row_of(connection, evidence.commitment))

    def read(self, connection: Connection, commitment: bytes) -> tuple[Evidence, Iterator[bytes]]:
        """The document behind a commitment, in chunks.

        The whole file is checked before the first chunk. Raises NotFound, and EvidenceDamaged
        where the file is gone or is not what was committed to.
        """
        found = _row_of(connection, commitment)
        evidence = _evidence(found)
        path = self.path_of(evidence.content_hash)
        if not path.is_file():
            raise EvidenceDamaged(commitment="0x" + commitment.hex(), problem="its file is gone")
        actual = _hash_file(path)
        if commit_to_content(bytes(found.salt), actual) != commitment:
            raise EvidenceDamaged(
                commitment="0x" + commitment.hex(),
                problem="its file is not what was committed to",
            )
        return evidence, _chunks(path)

    def path_of(self, content_hash: bytes) -> Path:
        """Where the file with this content stands."""
        name = content_hash.hex()
        return self._folder / name[:2] / name

    def _write(self, content: BinaryIO) -> tuple[bytes, int]:
        """Write the content under its hash, whole or not at all; the hash and the size."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")
        except OSError as error:
            raise folder_unusable(self._folder, error) from error
        incoming = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                content_hash, size = _copy(content, file)
                file.flush()
                os.fsync(file.fileno())
            target = self.path_of(content_hash)
            target.parent.mkdir(exist_ok=True)
            incoming.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise folder_unusable(self._folder, error) from error
        finally:
            incoming.unlink(missing_ok=True)
        return content_hash, size


def _copy(content: BinaryIO, file: BinaryIO) -> tuple[bytes, int]:
    hasher = hashlib.sha256()
    size = 0
    while chunk := content.read(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_BYTES:
            raise InvalidValue(
                field="evidence", value=f"{size} bytes", expected=f"at most {MAX_BYTES} bytes"
            )
        hasher.update(chunk)
        file.write(chunk)
    if size == 0:
        raise InvalidValue(field="evidence", value="0 bytes", expected="a document with content")
    return hasher.digest(), size


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hash_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _check_description(description: Description) -> None:
    check_text("title_zh", description.title_zh)
    check_text("title_en", description.title_en)
    if not _MEDIA_TYPE.fullmatch(description.media_type):
        raise InvalidValue(
            field="media_type", value=description.media_type, expected="a media type"
        )


def _find(connection: Connection, content_hash: bytes, description: Description) -> Evidence | None:
    """The document with this content that is called just so."""
    kept = connection.execute(
        select(evidence_files)
        .where(evidence_files.c.content_hash == content_hash)
        .order_by(evidence_files.c.added_at, evidence_files.c.commitment)
    )
    found = (_evidence(row) for row in kept)
    return next((each for each in found if each.description == description), None)


def _row_of(connection: Connection, commitment: bytes) -> Row[tuple[object, ...]]:
    found = connection.execute(
        select(evidence_files).where(evidence_files.c.commitment == commitment)
    ).one_or_none()
    if found is None:
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
