"""What never goes on a chain is kept, found again, and checked when it is read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from ledger.domain.commitments import commit_to_document
from ledger.domain.ids import OrgId
from ledger.errors import EvidenceDamaged, FolderUnusable, InputRefused, InvalidValue, NotFound
from ledger.office import evidence as evidence_files
from ledger.office.applications import file_application, is_filed
from ledger.office.evidence import Description, EvidenceStore
from ledger.office.labels import Label, Labelled, keep_label
from ledger.office.profiles import (
    Profile,
    Subject,
    check_text,
    commitments_of,
    keep_profile,
    read_document,
)
from ledger.office.queries import read_revision
from ledger.services.spreadsheets.tables import read_rows
from ledger.store.engine import reading, writing
from ledger.store.office_tables import labels, profiles

GALAXYSPACE = Profile(Subject.ORGANISATION, "galaxyspace", "银河航天", "GalaxySpace")
REPORT = Description("报告", "Report", "text/plain; charset=utf-8")


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def test_profile__kept__is_what_its_commitment_is_of(connection: Connection) -> None:
    commitment = keep_profile(connection, GALAXYSPACE)

    row = connection.execute(select(profiles)).one()
    assert commit_to_document(bytes(row.salt), bytes(row.document)) == commitment
    assert read_document(connection, commitment) == GALAXYSPACE.document()
    assert bytes(row.document).decode() == (
        '{"key":"galaxyspace","name_en":"GalaxySpace","name_zh":"银河航天","note":"",'
        '"segment":"","subject":"organisation"}'
    )


def test_profile__kept_twice__has_one_commitment(connection: Connection) -> None:
    first = keep_profile(connection, GALAXYSPACE)

    assert keep_profile(connection, GALAXYSPACE) == first


def test_profile__changed__has_a_commitment_more_and_keeps_the_old_one(
    connection: Connection,
) -> None:
    first = keep_profile(connection, GALAXYSPACE)
    changed = Profile(Subject.ORGANISATION, "galaxyspace", "银河航天", "Galaxy Space")

    second = keep_profile(connection, changed)

    assert commitments_of(connection, Subject.ORGANISATION, "galaxyspace") == {first, second}
    assert commitments_of(connection, Subject.PROGRAMME, "galaxyspace") == frozenset()


def test_profile__same_words_of_two_ledgers__have_different_commitments(
    connection: Connection,
) -> None:
    first = keep_profile(connection, GALAXYSPACE)
    connection.execute(profiles.delete())

    assert keep_profile(connection, GALAXYSPACE) != first


@pytest.mark.parametrize(
    "profile",
    [
        Profile(Subject.ORGANISATION, "x", "", ""),
        Profile(Subject.ORGANISATION, "x", "名\n称", ""),
        Profile(Subject.ORGANISATION, "x", "名", "N" * 501),
        Profile(Subject.ORGANISATION, "x", "名", "", details=(("name_zh", "别名"),)),
    ],
    ids=["nameless", "line-break", "long", "detail-that-hides-a-name"],
)
def test_profile__that_cannot_be_kept__is_refused(profile: Profile) -> None:
    with pytest.raises(InvalidValue):
        profile.document()


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "\u3000",
        "\u3164",
        "\u115f\u1160",
        "\u2800",
        "\uffa0 ",
        "\u0301",
        "\ufe0f",
        "\U0001d159",
    ],
)
def test_text__that_shows_nothing__is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="name"):
        check_text("name", text)
    check_text("name", "")
    check_text("name", "e\u0301 \u3164")


@pytest.mark.parametrize("text", ["=1+1", "+86 10", "-5", "@sum", " =1+1", "1+1=2", "A-B", "名＝"])
def test_text__that_a_spreadsheet_would_calculate__is_refused_typed_and_imported(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"key,name_zh\nx,{text}\n", "utf-8")
    is_formula = text.strip()[0] in "=+-@"

    for keep in (
        lambda: Profile(Subject.ORGANISATION, "x", text, "").document(),
        lambda: Profile(Subject.ORGANISATION, "x", "名", "", note=text).document(),
        lambda: read_rows(file, required=("key", "name_zh")),
    ):
        with pytest.raises(InputRefused) if is_formula else nullcontext():
            keep()


def test_label__kept_again__is_corrected(connection: Connection) -> None:
    keep_label(connection, Label("community", Labelled.CATEGORY, "data.use", "数据", "data"))
    keep_label(connection, Label("community", Labelled.CATEGORY, "data.use", "数据应用", "use"))

    row = connection.execute(select(labels)).one()
    assert (row.name_zh, row.name_en) == ("数据应用", "use")


def test_application__filed_twice__is_one(connection: Connection) -> None:
    assert file_application(connection, OrgId(4), "alliance", filed_at=1)
    assert not file_application(connection, OrgId(4), "alliance", filed_at=2)

    assert is_filed(connection, OrgId(4), "alliance")
    assert not is_filed(connection, OrgId(5), "alliance")


def test_office__each_write__raises_its_revision(connection: Connection) -> None:
    before = read_revision(connection)
    keep_profile(connection, GALAXYSPACE)

    assert read_revision(connection) > before


def test_evidence__kept__is_read_back_whole_and_named_by_its_content(
    connection: Connection, store: EvidenceStore
) -> None:
    content = b"x" * (evidence_files.CHUNK_BYTES + 1)

    kept = store.keep(connection, io.BytesIO(content), REPORT, added_at=7)

    found, chunks = store.read(connection, kept.commitment)
    assert b"".join(chunks) == content
    assert found == kept
    assert kept.content_hash == hashlib.sha256(content).digest()
    assert store.path_of(kept.content_hash).name == kept.content_hash.hex()


def test_evidence__same_content_again__is_the_same_document(
    connection: Connection, store: EvidenceStore
) -> None:
    first = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)

    assert store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=2) == first


@pytest.mark.parametrize(
    "other",
    [
        Description("报告", "Report, signed", "text/plain; charset=utf-8"),
        Description("已签报告", "Report", "text/plain; charset=utf-8"),
        Description("报告", "Report", "application/pdf"),
    ],
)
def test_evidence__same_content_called_otherwise__keeps_what_each_is_called(
    connection: Connection, store: EvidenceStore, tmp_path: Path, other: Description
) -> None:
    first = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
    second = store.keep(connection, io.BytesIO(b"content"), other, added_at=2)

    assert store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=3) == first
    assert store.keep(connection, io.BytesIO(b"content"), other, added_at=3) == second
    for kept, description in ((first, REPORT), (second, other)):
        found, chunks = store.read(connection, kept.commitment)
        assert found.description == description
        assert b"".join(chunks) == b"content"
    assert len([path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]) == 1


def test_evidence__same_salt_called_otherwise__is_given_as_it_was_kept(
    connection: Connection, store: EvidenceStore
) -> None:
    other = Description("报告", "Report, signed", "text/plain; charset=utf-8")
    first = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1, salt=bytes(32))

    assert (
        store.keep(connection, io.BytesIO(b"content"), other, added_at=2, salt=bytes(32)) == first
    )


def test_evidence__same_content_made_up__is_a_document_of_its_own(
    connection: Connection, store: EvidenceStore
) -> None:
    real = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
    made_up = Description("报告", "Report", "text/plain", made_up=True)

    assert store.keep(connection, io.BytesIO(b"content"), made_up, added_at=1) != real


def test_evidence__with_a_salt_given__has_the_same_commitment_everywhere(
    connection: Connection, tmp_path: Path
) -> None:
    salt = bytes(range(32))
    kept = EvidenceStore(tmp_path / "one").keep(
        connection, io.BytesIO(b"content"), REPORT, added_at=1, salt=salt
    )

    expected = hashlib.sha256(salt + hashlib.sha256(b"content").digest()).digest()
    assert kept.commitment == expected


def test_evidence__changed_on_the_disk__is_not_handed_out(
    connection: Connection, store: EvidenceStore
) -> None:
    kept = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
    store.path_of(kept.content_hash).write_bytes(b"other")

    with pytest.raises(EvidenceDamaged):
        store.read(connection, kept.commitment)


def test_evidence__gone_from_the_disk__is_said(
    connection: Connection, store: EvidenceStore
) -> None:
    kept = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
    store.path_of(kept.content_hash).unlink()

    with pytest.raises(EvidenceDamaged):
        store.read(connection, kept.commitment)


def test_evidence__unknown__is_not_found(connection: Connection, store: EvidenceStore) -> None:
    with pytest.raises(NotFound):
        store.read(connection, bytes(32))


@pytest.mark.parametrize("size", [0, 11])
def test_evidence__empty_or_too_large__is_refused_and_leaves_nothing(
    connection: Connection,
    store: EvidenceStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr(evidence_files, "MAX_BYTES", 10)

    with pytest.raises(InvalidValue):
        store.keep(connection, io.BytesIO(b"x" * size), REPORT, added_at=1)

    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []


def test_evidence__folder_that_is_a_file__is_said(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "evidence").touch()

    with pytest.raises(FolderUnusable):
        EvidenceStore(tmp_path / "evidence").keep(
            connection, io.BytesIO(b"content"), REPORT, added_at=1
        )


def test_evidence__row_undone__is_kept_again_with_its_file(
    engine: Engine, store: EvidenceStore
) -> None:
    with writing(engine) as connection:
        store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
        connection.rollback()

    with writing(engine) as connection:
        kept = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)

    with reading(engine) as connection:
        _, chunks = store.read(connection, kept.commitment)
        assert b"".join(chunks) == b"content"
