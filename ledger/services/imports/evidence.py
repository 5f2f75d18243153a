"""What a row says of its evidence: a commitment, or a document that lies beside the spreadsheet.

A document is named by a path within one folder and read when the row is checked, so that a row
without its document is told before anything is sent. It refuses paths that lead out of the folder.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import time
from pathlib import Path

from sqlalchemy import Connection

from ledger.errors import InvalidFile, InvalidValue, NotFound
from ledger.office.evidence import MAX_BYTES, Description, EvidenceStore
from ledger.office.profiles import Profile, keep_profile
from ledger.services.imports.values import Cells
from ledger.services.spreadsheets.opening import opened_copy

COLUMN = "evidence"

_COMMITMENT = re.compile(r"0x[0-9a-fA-F]{64}")
_FILE = "sha256:"


class Documents:
    """The documents of one folder that rows name, each read once; without a folder there are none,
    so that whoever sends a file from elsewhere learns nothing of what lies here."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._hashes: dict[str, bytes] = {}

    def hash_of(self, name: str) -> bytes:
        """SHA-256 of a document. Raises InvalidFile and NotFound."""
        if self.folder is None:
            raise NotFound(what="document", key=name)
        if name not in self._hashes:
            with opened_copy(self.folder / name, most_bytes=MAX_BYTES) as opened:
                self._hashes[name] = opened.content_hash
        return self._hashes[name]


def read_evidence(cells: Cells, documents: Documents, *, is_needed: bool) -> str:
    """A token for the row's evidence: empty for none, a commitment, or a document and its hash."""
    text = cells.text(COLUMN, most=500)
    if not text:
        if is_needed:
            cells.refuse(
                COLUMN, "filled in; name one document for all with --evidence, or say --no-evidence"
            )
        return ""
    if _COMMITMENT.fullmatch(text):
        if not int(text, 16):
            cells.refuse(COLUMN, "a commitment: it is zero")
        return text.lower()
    if documents.folder is None:
        cells.refuse(COLUMN, "a commitment (0x and 64 hex digits)")
        return ""
    path = Path(text)
    if path.is_absolute() or ".." in path.parts:
        cells.refuse(COLUMN, "a commitment (0x and 64 hex digits), or a file below the folder")
        return ""
    try:
        content_hash = documents.hash_of(text)
    except (InvalidFile, NotFound, OSError):
        cells.refuse(COLUMN, f"a file in {documents.folder} that can be read")
        return ""
    return f"{_FILE}{content_hash.hex()}:{text}"


def identity_of(token: str) -> str:
    """What of a token tells one row from another: the document's content, not its name."""
    return token.partition(":")[2].partition(":")[0] if token.startswith(_FILE) else token


class OfficeKeeper:
    """Keeps documents and profiles in the office, in the transaction of `connection`.

    `default` stands for the evidence of rows that name none.
    """

    def __init__(
        self, connection: Connection, store: EvidenceStore, folder: Path | None, default: bytes
    ) -> None:
        self._connection = connection
        self._store = store
        self._folder = folder
        self._default = default
        self._known: dict[str, bytes] = {}

    def evidence(self, token: str) -> bytes:
        """The commitment; a document is kept now. Raises InvalidValue where it changed since."""
        if not token:
            return self._default
        if not token.startswith(_FILE):
            return bytes.fromhex(token[2:])
        if token not in self._known:
            self._known[token] = self._keep(token)
        return self._known[token]

    def profile(self, profile: Profile) -> bytes:
        """The commitment to a profile, which is kept now."""
        return keep_profile(self._connection, profile)

    def _keep(self, token: str) -> bytes:
        expected, _, name = token.removeprefix(_FILE).partition(":")
        if self._folder is None:
            raise InvalidValue(field=COLUMN, value=name, expected="a commitment")
        path = self._folder / name
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        description = Description("", path.name, media_type)
        with opened_copy(path, most_bytes=MAX_BYTES) as opened:
            if opened.content_hash.hex() != expected:
                raise InvalidValue(field=COLUMN, value=name, expected="the file that was checked")
            kept = self._store.keep(
                self._connection, opened.content, description, added_at=int(time.time())
            )
        return kept.commitment


class PretendingKeeper:
    """Keeps nothing: its commitments are of the right size, for a call that is only tried."""

    def __init__(self, default: bytes) -> None:
        self._default = default

    def evidence(self, token: str) -> bytes:
        """A commitment, or what looks like one."""
        if not token:
            return self._default
        if not token.startswith(_FILE):
            return bytes.fromhex(token[2:])
        return hashlib.sha256(token.encode()).digest()

    def profile(self, profile: Profile) -> bytes:
        """What looks like a commitment. Raises InvalidValue where it could not be kept."""
        return hashlib.sha256(profile.document()).digest()
