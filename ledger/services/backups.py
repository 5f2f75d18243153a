"""Backs up what no chain can give back, and restores it: the office, the outbox, documents, keys,
and proofs of states that nodes have forgotten.

Everything mirrored is left out: it is built again from the chain, and proved. The rows are of one
moment of the database, which goes on being written meanwhile; a document is there before the row
that names it. A backup holds names, contacts and webhooks' secrets, so its file is for its owner's
eyes; keys are in it only where they were asked for, and only encrypted as they are on the disk.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import secrets
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import msgspec
from sqlalchemy import Connection, Engine, LargeBinary, Table, select
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, ProgrammingError

from ledger.disks import folder_unusable
from ledger.errors import BackupUnusable, RestoreRefused
from ledger.office.evidence import EvidenceStore
from ledger.store.engine import reading, writing
from ledger.store.import_tables import imports
from ledger.store.office_tables import evidence_files, office_state
from ledger.store.office_tables import metadata as office

FORMAT = "moonlake-backup"
VERSION = 1

_LEFT_OUT = frozenset(
    {
        "key_leases",  # whose process is not the one that will run
        # Who signed out since must not be signed in again: everybody signs in anew. Without the
        # secret no sign-in message of before counts, so its used nonces are not needed either.
        "sessions",
        "secrets",
        "used_nonces",
    }
)
_TABLES: Mapping[str, Table] = {
    table.name: table
    for area in (office, imports.metadata)  # the outbox's, in which imports stand, too
    for table in area.sorted_tables
    if table.name not in _LEFT_OUT
}
"""In an order in which a row comes after those that it refers to."""
_MEMBER = re.compile(
    r"manifest\.json|tables/[a-z_]+\.jsonl|evidence/[0-9a-f]{64}|deployments/[0-9]+\.json"
    r"|keys/(?:[a-z0-9-]+/)?[a-z0-9.-]+\.json|proofs/[0-9a-f]{16}/[0-9]+-[0-9a-f]{16}\.proofs"
)
_COUNTED = ("keys", "proofs")
_MANIFEST = "manifest.json"
_MOST_MANIFEST = 16 * 1024 * 1024
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `digest` is over all rows, the same before and after.

    `proofs` are files of captured states; `missing` the hashes of documents whose file was gone.
    """

    made_at: int
    digest: str
    rows: dict[str, int]
    documents: int
    missing: tuple[str, ...]
    keys: int
    proofs: int = 0


class _Manifest(msgspec.Struct):
    """What a backup says of itself; earlier ones say nothing of proofs."""

    format: str
    version: int
    made_at: int
    digest: str
    rows: dict[str, int]
    documents: int
    missing: tuple[str, ...]
    keys: int
    proofs: int = 0


@dataclass(slots=True)
class _Unpacked:
    """What of a backup was written outside the database, which takes its own part back."""

    made: list[Path] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @contextlib.contextmanager
    def taken_back_unless_whole(self) -> Iterator[None]:
        """Delete the files that were made where the rest cannot be: the next restore would leave
        them as they are."""
        try:
            yield
        except BaseException:
            for path in self.made:
                path.unlink(missing_ok=True)
            raise

    def is_all_of(self, manifest: _Manifest) -> bool:
        """Whether as many files came as the manifest names."""
        named = (manifest.documents, manifest.keys, manifest.proofs)
        return tuple(self.counts[kind] for kind in ("evidence", *_COUNTED)) == named


def write_backup(
    engine: Engine, store: EvidenceStore, path: Path, *, home: Path, with_keys: bool, now: int
) -> Backup:
    """Write a backup, whole or not at all, readable by its owner alone.

    Raises FolderUnusable, DiskFull, and what the evidence store raises.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as work:
            folder = Path(work)
            with reading(engine) as connection:
                tables = _dump_tables(connection, folder)
                hashes = _content_hashes(connection)
            part = folder / "backup.tar.gz"
            files = _files_of(home, with_keys=with_keys)
            made = _describe(store, hashes, tables, files, now)
            _pack(part, folder, made, store, hashes, files)
            part.replace(path)
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    return made


def restore_backup(engine: Engine, store: EvidenceStore, path: Path, *, home: Path) -> Backup:
    """Restore a backup into a database that holds none of its tables' rows.

    Files that are in the data folder already are left as they are. Raises BackupUnusable,
    RestoreRefused, FolderUnusable, DiskFull, and what the evidence store raises.
    """
    with reading(engine) as connection:
        _require_empty(connection)
    unpacked = _Unpacked()
    try:
        with tarfile.open(path, "r:gz") as archive:
            manifest = _read_manifest(archive, path)
            with writing(engine) as connection, unpacked.taken_back_unless_whole():
                _require_empty(connection)
                connection.execute(office_state.delete())
                _unpack(connection, archive, store, home, path, unpacked)
                found, _ = digest_rows(connection)
                if found != manifest.digest:
                    raise _unusable(path, "its rows are not those that it was made of")
                if not unpacked.is_all_of(manifest):
                    raise _unusable(path, "files are missing that it was made with")
    except (
        tarfile.TarError,
        zlib.error,
        EOFError,
        UnicodeDecodeError,
        json.JSONDecodeError,
    ) as error:
        raise _unusable(path, "it is cut or no backup") from error
    except FileNotFoundError as error:
        raise _unusable(path, "there is no such file") from error
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise _unusable(path, "it is no backup") from error
        raise folder_unusable(home, error) from error
    return msgspec.convert(msgspec.to_builtins(manifest), Backup)


def digest_rows(connection: Connection) -> tuple[str, dict[str, int]]:
    """SHA-256 over all rows that a backup holds, on every database the same; rows by table."""
    whole, counts = hashlib.sha256(), {}
    for name, table in sorted(_TABLES.items()):
        hasher, count = hashlib.sha256(), 0
        for line in _lines(connection, table):
            hasher.update(line)
            count += 1
        counts[name] = count
        if count:  # so that a table which a later release adds changes nothing
            whole.update(f"{name} {count} {hasher.hexdigest()}\n".encode())
    return "0x" + whole.hexdigest(), counts


def _dump_tables(connection: Connection, folder: Path) -> tuple[str, dict[str, int]]:
    for name, table in _TABLES.items():
        with (folder / f"{name}.jsonl").open("wb") as file:
            file.writelines(_lines(connection, table))
    return digest_rows(connection)


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """A table's rows in the order of its key, each a line of JSON; bytes are 0x hex."""
    rows = connection.execute(
        select(table).order_by(*table.primary_key), execution_options={"yield_per": 1000}
    )
    names = [column.name for column in table.columns]
    raw = [isinstance(column.type, LargeBinary) for column in table.columns]
    for row in rows:
        values = (
            "0x" + bytes(value).hex() if is_raw and value is not None else value
            for value, is_raw in zip(row, raw, strict=True)
        )
        yield msgspec.json.encode(dict(zip(names, values, strict=True))) + b"\n"


def _content_hashes(connection: Connection) -> list[bytes]:
    found = connection.execute(select(evidence_files.c.content_hash).distinct()).scalars()
    return sorted(bytes(each) for each in found)


def _files_of(home: Path, *, with_keys: bool) -> dict[str, Path]:
    """The deployment files, the captured proofs, and the encrypted keys with their policies where
    they are wanted."""
    found = {f"deployments/{path.name}": path for path in (home / "deployments").glob("*.json")}
    wanted = [("proofs", "*.proofs"), *([("keys", "*.json")] if with_keys else [])]
    for folder, pattern in wanted:
        for path in sorted((home / folder).rglob(pattern)):
            found[path.relative_to(home).as_posix()] = path
    return {name: path for name, path in found.items() if _MEMBER.fullmatch(name)}


def _describe(
    store: EvidenceStore,
    hashes: list[bytes],
    tables: tuple[str, dict[str, int]],
    files: dict[str, Path],
    now: int,
) -> Backup:
    missing = []
    for each in hashes:
        file = store.open_file(each)
        if file is None:
            missing.append(each.hex())
        else:
            file.close()
    keys, proofs = (sum(name.startswith(f"{kind}/") for name in files) for kind in _COUNTED)
    return Backup(now, *tables, len(hashes) - len(missing), tuple(missing), keys, proofs)


def _pack(  # noqa: PLR0917  each is a part of what is packed
    part: Path,
    folder: Path,
    made: Backup,
    store: EvidenceStore,
    hashes: list[bytes],
    files: dict[str, Path],
) -> None:
    manifest = {"format": FORMAT, "version": VERSION, **asdict(made)}
    now = made.made_at
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            _add(archive, _MANIFEST, io.BytesIO(msgspec.json.encode(manifest)), now)
            for name in _TABLES:
                with (folder / f"{name}.jsonl").open("rb") as rows:
                    _add(archive, f"tables/{name}.jsonl", rows, now)
            for each in hashes:
                kept = store.open_file(each)
                if kept is not None:
                    with kept:
                        _add(archive, f"evidence/{each.hex()}", kept, now)
            for name, path in files.items():
                with path.open("rb") as file:
                    _add(archive, name, file, now)
        out.flush()
        os.fsync(out.fileno())


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], now: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    member.mode, member.mtime = 0o600, now
    archive.addfile(member, content)


def _read_manifest(archive: tarfile.TarFile, path: Path) -> _Manifest:
    first = archive.next()
    content = archive.extractfile(first) if first is not None else None
    if first is None or first.name != _MANIFEST or content is None or first.size > _MOST_MANIFEST:
        raise _unusable(path, "it is no backup of Moonlake")
    try:
        manifest = msgspec.json.decode(content.read(), type=_Manifest)
    except msgspec.DecodeError as error:
        raise _unusable(path, "it is no backup that this release reads") from error
    if manifest.format != FORMAT or manifest.version != VERSION:
        raise _unusable(path, "it is no backup that this release reads")
    return manifest


def _unpack(  # noqa: PLR0917  each is where a part of it goes
    connection: Connection,
    archive: tarfile.TarFile,
    store: EvidenceStore,
    home: Path,
    path: Path,
    unpacked: _Unpacked,
) -> None:
    while (member := archive.next()) is not None:
        # Names are ours or refused: a file from elsewhere must not choose where it is written.
        if not member.isfile() or not _MEMBER.fullmatch(member.name) or ".." in member.name:
            raise _unusable(path, f"it holds {member.name!r}, which no backup does")
        content = archive.extractfile(member)
        if content is None:
            raise _unusable(path, "it is cut")
        kind, _, name = member.name.partition("/")
        if kind == "tables":
            _load_rows(connection, name.removesuffix(".jsonl"), content, path)
        elif kind == "evidence":
            if store.put_back(cast("BinaryIO", content)).hex() != name:
                raise _unusable(path, f"its document {name} is damaged")
        elif _put_file(home / kind / name, content):
            unpacked.made.append(home / kind / name)
        unpacked.counts[kind] += 1


def _load_rows(connection: Connection, name: str, content: IO[bytes], path: Path) -> None:
    table = _TABLES.get(name)
    if table is None:
        raise _unusable(path, f"it holds a table {name}, which this release does not know")
    columns = {column.name: column for column in table.columns}
    batch: list[dict[str, Any]] = []
    for line in content:
        row = json.loads(line)
        if not isinstance(row, dict) or set(row) != set(columns):
            raise _unusable(path, f"its table {name} is another release's")
        try:
            for key, column in columns.items():
                if isinstance(column.type, LargeBinary) and row[key] is not None:
                    row[key] = bytes.fromhex(row[key][2:])
        except (ValueError, TypeError) as error:
            raise _unusable(path, f"its table {name} is damaged") from error
        batch.append(row)
        if len(batch) == _ROWS_AT_ONCE:
            _insert(connection, table, batch, path)
            batch = []
    if batch:
        _insert(connection, table, batch, path)


def _insert(connection: Connection, table: Table, batch: list[dict[str, Any]], path: Path) -> None:
    try:
        connection.execute(table.insert(), batch)
    except (IntegrityError, DataError, InterfaceError, ProgrammingError) as error:
        raise _unusable(path, f"its table {table.name} is damaged") from error


def _put_file(path: Path, content: IO[bytes]) -> bool:
    """Write a file for its owner alone, whole or not at all; False where one is there, and stays.

    A restore that is cut off leaves nothing by a name that the next one would take for whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content.read())
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # which fails where something is there already
    except FileExistsError:
        return False
    finally:
        part.unlink(missing_ok=True)
    return True


def _require_empty(connection: Connection) -> None:
    for name, table in _TABLES.items():
        if table is not office_state and connection.execute(select(table).limit(1)).first():
            raise RestoreRefused(what=f"rows of {name}")


def _unusable(path: Path, problem: str) -> BackupUnusable:
    return BackupUnusable(path=str(path), problem=problem)
