"""Documents from outside: scanned, what they say they are, private, on any shelf, erased."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from ledger.errors import (
    EvidenceDamaged,
    EvidenceRefused,
    InvalidSetting,
    InvalidValue,
    NotFound,
    ScannerFailed,
    StorageUnusable,
)
from ledger.office.evidence import Description, EvidenceStore, is_private
from ledger.office.queries import read_evidence
from ledger.office.shelves import RemoteShelf
from ledger.store.engine import writing
from ledger.store.office_tables import evidence_files, private_evidence

PDF = Description("章程", "Charter", "application/pdf")
TEXT = Description("报告", "Report", "text/plain; charset=utf-8")
A_PDF = b"%PDF-1.7\n..."


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as opened:
        yield opened


def scanner(folder: Path, program: str) -> tuple[str, ...]:
    path = folder / "scan.py"
    path.write_text("import sys, time\ncontent = open(sys.argv[1], 'rb').read()\n" + program)
    return (sys.executable, "-S", str(path))


EICAR = "sys.exit(1 if b'EICAR' in content else 0)"


def files_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "evidence").rglob("*") if path.is_file()]


def test_scanner__that_finds_something__has_it_refused_and_nothing_is_left(
    connection: Connection, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path / "evidence", scan=scanner(tmp_path, EICAR))

    with pytest.raises(EvidenceRefused, match="harmful"):
        store.keep(connection, io.BytesIO(b"X5O! EICAR"), TEXT, added_at=1)
    assert files_in(tmp_path) == []
    assert connection.execute(select(evidence_files)).all() == []

    kept = store.keep(connection, io.BytesIO(b"harmless"), TEXT, added_at=1)
    assert files_in(tmp_path) == [store.path_of(kept.content_hash)]


@pytest.mark.parametrize("program", ["sys.exit(2)", "import os; os.abort()"])
def test_scanner__that_cannot_look__has_it_refused(
    connection: Connection, tmp_path: Path, program: str
) -> None:

    store = EvidenceStore(tmp_path / "evidence", scan=scanner(tmp_path, program))

    with pytest.raises(ScannerFailed):
        store.keep(connection, io.BytesIO(b"content"), TEXT, added_at=1)
    assert files_in(tmp_path) == []


def test_scanner__that_talks__is_not_listened_to(connection: Connection, tmp_path: Path) -> None:
    silent = "import os; sys.exit(0 if os.path.samestat(os.fstat(1), os.stat(os.devnull)) else 2)"
    store = EvidenceStore(tmp_path / "evidence", scan=scanner(tmp_path, silent))

    store.keep(connection, io.BytesIO(b"content"), TEXT, added_at=1)


def test_scanner__that_is_not_there__has_it_refused(connection: Connection, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence", scan=(str(tmp_path / "none"),))

    with pytest.raises(ScannerFailed):
        store.keep(connection, io.BytesIO(b"content"), TEXT, added_at=1)


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/pdf", A_PDF),
        ("image/png", b"\x89PNG\r\n\x1a\n...."),
        ("image/jpeg", b"\xff\xd8\xff\xe0"),
        ("image/webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("text/plain; charset=utf-8", "报告".encode()),
        ("application/json", b"{}"),
    ],
)
def test_document__from_outside__is_what_its_type_says_or_refused(
    connection: Connection, tmp_path: Path, media_type: str, content: bytes
) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    described = Description("文", "Document", media_type)

    store.keep(connection, io.BytesIO(content), described, added_at=1, from_outside=True)
    for other in (b"MZ\x90\x00\x03", b"<html>\xff\x00"):
        with pytest.raises(EvidenceRefused):
            store.keep(connection, io.BytesIO(other), described, added_at=1, from_outside=True)


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/x-sh"])
def test_document__of_a_type_that_can_run__is_not_taken_from_outside(
    connection: Connection, tmp_path: Path, media_type: str
) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    described = Description("文", "Document", media_type)

    with pytest.raises(InvalidValue, match="media_type"):
        store.keep(connection, io.BytesIO(b"<svg/>"), described, added_at=1, from_outside=True)


def test_document__larger_than_the_setting__is_refused_as_it_comes(
    connection: Connection, tmp_path: Path
) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    content = Endless()
    with pytest.raises(InvalidValue, match="at most 1000000 bytes"):
        EvidenceStore(tmp_path / "evidence", max_bytes=1_000_000).keep(
            connection,
            content,  # type: ignore[arg-type]
            TEXT,
            added_at=1,
        )
    assert content.given < 2_000_000


def test_private_document__asked_for_by_anybody__is_not_there(
    connection: Connection, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    open_one = store.keep(connection, io.BytesIO(b"same"), TEXT, added_at=1)
    kept = store.keep(connection, io.BytesIO(b"same"), TEXT, added_at=1, private=True)

    assert kept.commitment != open_one.commitment
    assert is_private(connection, kept.commitment)
    with pytest.raises(NotFound):
        store.read(connection, kept.commitment)
    with pytest.raises(NotFound):
        read_evidence(connection, kept.commitment)
    _, chunks = store.read(connection, kept.commitment, entitled=True)
    assert b"".join(chunks) == b"same"
    # What is public is found again as it was, and never the private one.
    assert store.keep(connection, io.BytesIO(b"same"), TEXT, added_at=2) == open_one


def test_document__erased__is_gone_with_salt_title_and_file(engine: Engine, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    with writing(engine) as connection:
        one = store.keep(connection, io.BytesIO(b"same"), TEXT, added_at=1, private=True)
        two = store.keep(connection, io.BytesIO(b"same"), PDF, added_at=1)
        assert store.erase(connection, one.commitment) is None, "another rests on the file"
        _, chunks = store.read(connection, two.commitment)
        assert b"".join(chunks) == b"same"
        left = store.erase(connection, two.commitment)
    assert left == hashlib.sha256(b"same").digest()
    store.discard(left)

    assert files_in(tmp_path) == []
    with writing(engine) as connection:
        assert connection.execute(select(evidence_files)).all() == []
        assert connection.execute(select(private_evidence)).all() == []
        with pytest.raises(NotFound):
            store.erase(connection, two.commitment)


@pytest.fixture(params=["memory", "file"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> RemoteShelf:
    if request.param == "memory":
        return RemoteShelf(f"memory://{tmp_path.name}/evidence")
    return RemoteShelf(f"file://{tmp_path}/remote")


def test_shelf__behind_a_url__keeps_reads_checks_and_deletes(
    connection: Connection, tmp_path: Path, remote: RemoteShelf
) -> None:
    store = EvidenceStore(tmp_path / "evidence", shelf=remote)
    content = b"x" * 3_000_000
    kept = store.keep(connection, io.BytesIO(content), TEXT, added_at=1)

    assert files_in(tmp_path) == [], "nothing stays on this machine"
    _, chunks = EvidenceStore(tmp_path / "other", shelf=remote).read(connection, kept.commitment)
    assert b"".join(chunks) == content

    incoming = tmp_path / "incoming"
    incoming.write_bytes(b"other")
    remote.put(incoming, kept.content_hash.hex())
    with pytest.raises(EvidenceDamaged, match="not what was committed to"):
        store.read(connection, kept.commitment)
    remote.delete(kept.content_hash.hex())
    remote.delete(kept.content_hash.hex())
    with pytest.raises(EvidenceDamaged, match="gone"):
        store.read(connection, kept.commitment)


def test_shelf__that_refuses__is_said_without_its_words(tmp_path: Path) -> None:
    (tmp_path / "remote").touch()
    shelf = RemoteShelf(f"file://{tmp_path}/remote")
    incoming = tmp_path / "incoming"
    incoming.write_bytes(b"content")

    with pytest.raises(StorageUnusable) as refused:
        shelf.put(incoming, "ab" * 32)
    assert str(tmp_path) not in str(refused.value)


def test_shelf__of_an_unknown_kind__is_an_invalid_setting() -> None:
    with pytest.raises(InvalidSetting, match="MOONLAKE_EVIDENCE_URL"):
        RemoteShelf("nonsense://bucket/x")
