"""A backup holds all that the chain cannot give back, and brings it back whole."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import shutil
import stat
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, inspect, select

from ledger.audit.captures import Captures, capture_state
from ledger.chain.headers import Header
from ledger.domain.operations import new_operation_id
from ledger.errors import (
    BackupUnusable,
    DiskFull,
    EvidenceDamaged,
    FolderUnusable,
    RestoreRefused,
)
from ledger.mirror.digest import compute_digest
from ledger.office.access_log import add_line, verify_access_log
from ledger.office.contacts import Contact, replace_contacts
from ledger.office.evidence import Description, EvidenceStore
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.office.sessions import nonce_secret
from ledger.outbox.records import find_operation
from ledger.services.backups import Backup, digest_rows, restore_backup, write_backup
from ledger.store.engine import POSTGRESQL, reading, writing
from ledger.store.import_tables import import_lines
from ledger.store.mirror_tables import metadata as mirror
from ledger.store.office_tables import api_keys, profiles, sessions
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import Ledger
from tests.support.postgres import Cluster

SESSION = {"token_hash": bytes(32), "account": bytes(20), "created_at": 1, "expires_at": 9}
API_KEY = {
    "prefix": "mk_1",
    "secret_hash": bytes(32),
    "account": bytes(20),
    "name": "nightly",
    "scopes": "award",
    "created_at": 1,
    "expires_at": 9,
}
IMPORT_LINE = {"import_id": bytes(32), "line": 2, "reference": "A-1", "state": "taken"}
REPORT = Description("报告", "Report", "text/plain")


@pytest.fixture
def sender(own_ledger: Ledger, engine: Engine, tmp_path: Path) -> Sender:
    return Sender(own_ledger, engine, tmp_path)


@pytest.fixture
def other_engine(tmp_path: Path) -> Iterator[Engine]:
    with opened_engine(f"sqlite:///{tmp_path / 'other' / 'ledger.sqlite3'}") as opened:
        yield opened


def fill(sender: Sender) -> tuple[bytes, bytes]:
    """Something of each kind; an operation's id and a document's commitment."""
    operation_id = new_operation_id()
    with writing(sender.engine) as connection:
        kept = sender.desk.evidence.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
        keep_profile(connection, Profile(Subject.ORGANISATION, "one", "一", "One"))
        contact = Contact(person="王", email="wang@example.com")
        replace_contacts(connection, Subject.ORGANISATION, "one", [contact])
    sender.award(operation_id)
    sender.mirror()
    return operation_id, kept.commitment


def back_up(engine: Engine, folder: Path, name: str = "backup.tar.gz", **given: bool) -> Backup:
    return write_backup(
        engine,
        EvidenceStore(folder / "evidence"),
        folder / name,
        home=folder,
        with_keys=given.get("with_keys", False),
        now=7,
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_restore__after_everything_else_is_lost__gives_equal_digests_on_either_kind(
    sender: Sender, tmp_path: Path, postgres_cluster: Cluster, kind: str
) -> None:
    operation_id, commitment = fill(sender)
    header, content = captured(sender)
    captures = Captures(tmp_path / "proofs" / sender.ledger.deployment.genesis_hash.hex()[:16])
    captures.add(header, content)
    with reading(sender.engine) as connection:
        facts = compute_digest(connection)
        rows, _ = digest_rows(connection)
    made = back_up(sender.engine, tmp_path)
    assert (made.digest, made.proofs) == (rows, 1)
    destroy(sender.engine, tmp_path)

    home = tmp_path / "other"
    store = EvidenceStore(home / "evidence")
    url = f"sqlite:///{home / 'ledger.sqlite3'}"
    if kind == "postgresql":
        url = postgres_cluster.new_database()
    with opened_engine(url) as other:
        found = restore_backup(other, store, tmp_path / "backup.tar.gz", home=home)
        Sender(sender.ledger, other, home).mirror()

        assert found == made
        with reading(other) as connection:
            assert digest_rows(connection)[0] == rows
            assert compute_digest(connection) == facts
            assert find_operation(connection, operation_id) is not None
            _, chunks = store.read(connection, commitment)
            assert b"".join(chunks) == b"content"
        kept = Captures(home / "proofs" / captures.path.name).find(header)
        assert kept is not None
        assert kept.header == header
        # The restored ledger goes on: what comes next is signed with the next nonce.
        assert Sender(sender.ledger, other, home).award(new_operation_id()).attempts


def captured(sender: Sender) -> tuple[Header, bytes]:
    """Proofs of the state that the node has now."""
    addresses = {name: each.address for name, each in sender.ledger.deployment.contracts.items()}
    node = sender.ledger.node
    return capture_state(
        node, addresses, node.block_number(), programmes=1, organisations=2, accounts=()
    )


def destroy(engine: Engine, folder: Path) -> None:
    """Lose everything but the backup and the chain."""
    if engine.dialect.name == POSTGRESQL:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "backup.tar.gz":
            each.unlink()


def test_backup__of_a_database_that_is_written_to__is_of_one_moment(
    engine: Engine, other_engine: Engine, tmp_path: Path
) -> None:
    """Each profile has a contact of its own, written with it; a backup never has one alone."""
    stop = threading.Event()
    written = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with writing(engine) as connection:
                key = f"org-{number}"
                keep_profile(connection, Profile(Subject.ORGANISATION, key, "名", ""))
                replace_contacts(connection, Subject.ORGANISATION, key, [Contact(person="王")])
            written.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert written.wait(30)
        made = [back_up(engine, tmp_path, f"{number}.tar.gz") for number in range(5)]
    finally:
        stop.set()
        thread.join()

    for each in made:
        assert each.rows["profiles"] == each.rows["contacts"] > 0
    store = EvidenceStore(tmp_path / "other" / "evidence")
    restore_backup(other_engine, store, tmp_path / "4.tar.gz", home=tmp_path / "other")
    with reading(other_engine) as connection:
        count = connection.execute(select(func.count()).select_from(profiles)).scalar_one()
    assert count == made[4].rows["profiles"]


def test_backup__is_for_its_owner_alone_and_takes_keys_where_asked(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    (keys / "controllers").mkdir(parents=True)
    for name in ("issuer.json", "issuer.policy.json", "controllers/seed.json"):
        (keys / name).write_text("{}")
    (keys / ".devnet-password").write_text("secret")
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "31337.json").write_text("{}")

    assert back_up(sqlite_engine, tmp_path).keys == 0
    assert back_up(sqlite_engine, tmp_path, with_keys=True).keys == 3

    path = tmp_path / "backup.tar.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert "keys/controllers/seed.json" in names
    assert "deployments/31337.json" in names
    assert not any("password" in name for name in names)
    home = tmp_path / "other"
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "issuer.json").write_text("mine")
    with opened_engine(f"sqlite:///{home / 'ledger.sqlite3'}") as engine:
        restore_backup(engine, EvidenceStore(home / "evidence"), path, home=home)
    assert (home / "keys" / "issuer.json").read_text() == "mine", "what is there stays"
    assert (home / "keys" / "controllers" / "seed.json").exists()


def test_restore__of_imports_keys_and_sessions__brings_all_but_who_is_signed_in(
    engine: Engine, other_engine: Engine, tmp_path: Path
) -> None:
    """Who signed out after the backup must not be signed in by its restoring."""
    with writing(engine) as connection:
        connection.execute(insert(sessions), SESSION)
        connection.execute(insert(api_keys), API_KEY)
        connection.execute(insert(import_lines), IMPORT_LINE)
        nonce_secret(connection)
        add_line(connection, at=1, account="0x01", via="session", action="tried")
    made = back_up(engine, tmp_path)

    home = tmp_path / "other"
    store = EvidenceStore(home / "evidence")
    restore_backup(other_engine, store, tmp_path / "backup.tar.gz", home=home)

    assert {each for each, count in made.rows.items() if count} == {
        *("api_keys", "import_lines", "access_log", "access_log_end"),
    }
    with reading(other_engine) as connection:
        assert connection.execute(select(sessions)).all() == []
        (key,) = connection.execute(select(api_keys)).all()
        (line,) = connection.execute(select(import_lines)).all()
        verify_access_log(connection)
    assert (key.name, line.reference) == ("nightly", "A-1")


def test_backup__leaves_out_no_table_but_the_mirrors_and_who_is_signed_in(engine: Engine) -> None:
    with reading(engine) as connection:
        _, counts = digest_rows(connection)
        names = set(inspect(connection).get_table_names())
    mirrored = set(mirror.tables)
    assert names - set(counts) - mirrored - {"alembic_version"} == {
        *("key_leases", "sessions", "secrets", "used_nonces"),
    }


def test_restore__into_a_database_with_rows__is_refused(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        keep_profile(connection, Profile(Subject.ORGANISATION, "one", "一", "One"))
    back_up(engine, tmp_path)

    with pytest.raises(RestoreRefused, match="profiles"):
        restore_backup(
            engine, EvidenceStore(tmp_path / "evidence"), tmp_path / "backup.tar.gz", home=tmp_path
        )


def _altered(path: Path, name: str, change: Mapping[str, bytes | None], target: Path) -> Path:
    """A backup with members of other content or name, or without some."""
    with tarfile.open(path) as old, tarfile.open(target, "w:gz") as new:
        for member in old.getmembers():
            content = old.extractfile(member)
            assert content is not None
            raw = change.get(member.name, content.read())
            if raw is None:
                continue
            member.size = len(raw)
            new.addfile(member, io.BytesIO(raw))
        if name:
            extra = tarfile.TarInfo(name)
            extra.size = 1
            new.addfile(extra, io.BytesIO(b"x"))
    return target


@pytest.mark.parametrize(
    "name",
    ["../escaped.json", "/etc/escaped", "keys/../../escaped.json", "keys/.devnet-password", "x"],
)
def test_backup__with_a_name_that_leads_elsewhere__is_refused(
    sqlite_engine: Engine, other_engine: Engine, tmp_path: Path, name: str
) -> None:
    back_up(sqlite_engine, tmp_path)
    bad = _altered(tmp_path / "backup.tar.gz", name, {}, tmp_path / "bad.tar.gz")

    home = tmp_path / "other"
    with pytest.raises(BackupUnusable, match="which no backup does"):
        restore_backup(other_engine, EvidenceStore(home / "evidence"), bad, home=home)
    assert not list(tmp_path.rglob("escaped*"))


def test_backup__altered__is_refused_and_nothing_of_it_stays(
    sqlite_engine: Engine, other_engine: Engine, tmp_path: Path
) -> None:
    with writing(sqlite_engine) as connection:
        keep_profile(connection, Profile(Subject.ORGANISATION, "one", "一", "One"))
        store = EvidenceStore(tmp_path / "evidence")
        kept = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
    made = back_up(sqlite_engine, tmp_path)
    path, home = tmp_path / "backup.tar.gz", tmp_path / "other"
    with tarfile.open(path) as archive:
        content = archive.extractfile("tables/profiles.jsonl")
        assert content is not None
        rows = content.read()
    changes = {
        "its rows are not": {"tables/profiles.jsonl": rows.replace(b"One", b"Two")},
        "is damaged": {f"evidence/{kept.content_hash.hex()}": b"other"},
        "another release's": {"tables/profiles.jsonl": b"{}\n"},
        "no backup that this release reads": {"manifest.json": json.dumps({}).encode()},
        "reads": {"manifest.json": b"[]"},
        "profiles is another": {"tables/profiles.jsonl": b"[]\n"},
        "profiles is damaged": {"tables/profiles.jsonl": rows.replace(b'"0x', b'"0xz')},
        "table profiles is damaged": {"tables/profiles.jsonl": rows + rows},
        "files are missing": {f"evidence/{kept.content_hash.hex()}": None},
    }
    for problem, change in changes.items():
        bad = _altered(path, "deployments/1.json", change, tmp_path / "bad.tar.gz")
        with pytest.raises(BackupUnusable, match=problem):
            restore_backup(other_engine, EvidenceStore(home / "evidence"), bad, home=home)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(path.read_bytes()[:-200])
    for bad in (cut, tmp_path / "none.tar.gz", _plain(tmp_path)):
        with pytest.raises(BackupUnusable):
            restore_backup(other_engine, EvidenceStore(home / "evidence"), bad, home=home)

    assert not (home / "deployments" / "1.json").exists(), "the next restore would leave it"
    found = restore_backup(other_engine, EvidenceStore(home / "evidence"), path, home=home)
    assert found.digest == made.digest
    assert found == made


def test_restore__cut_off_within_a_file__leaves_none_that_looks_whole(
    sqlite_engine: Engine,
    other_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "7.json").write_text("{}")
    back_up(sqlite_engine, tmp_path)
    home = tmp_path / "other"

    def power_fails(descriptor: int) -> None:
        assert not (home / "deployments" / "7.json").exists()
        raise OSError(errno.ENOSPC, "no space left")

    store, path = EvidenceStore(home / "evidence"), tmp_path / "backup.tar.gz"
    monkeypatch.setattr(os, "fsync", power_fails)
    with pytest.raises(DiskFull):
        restore_backup(other_engine, store, path, home=home)
    assert list((home / "deployments").iterdir()) == []


def _plain(folder: Path) -> Path:
    path = folder / "plain.tar.gz"
    path.write_bytes(gzip.compress(b"not a tar file at all"))
    return path


def test_backup__with_a_document_that_is_gone__names_it_and_goes_on(
    sqlite_engine: Engine, other_engine: Engine, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    with writing(sqlite_engine) as connection:
        kept = store.keep(connection, io.BytesIO(b"content"), REPORT, added_at=1)
    store.path_of(kept.content_hash).unlink()

    made = back_up(sqlite_engine, tmp_path)
    assert made.missing == (kept.content_hash.hex(),)
    home = tmp_path / "other"
    other = EvidenceStore(home / "evidence")
    restore_backup(other_engine, other, tmp_path / "backup.tar.gz", home=home)
    with reading(other_engine) as connection, pytest.raises(EvidenceDamaged):
        other.read(connection, kept.commitment)


def test_backup__where_it_cannot_be_written__leaves_nothing(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    with pytest.raises(FolderUnusable):
        write_backup(
            sqlite_engine,
            EvidenceStore(tmp_path / "evidence"),
            tmp_path / "none" / "backup.tar.gz",
            home=tmp_path,
            with_keys=False,
            now=1,
        )
