"""A full disk is said as a full disk: one line, exit code 3, and what to do that fits."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
import sys
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ledger.chain.deployments import write_json
from ledger.cli import main as command_line
from ledger.cli.mirror_reports import LineReporter
from ledger.disks import folder_unusable
from ledger.errors import DatabaseUnusable, DiskFull, FolderUnusable, LedgerError
from ledger.mirror.reports import OtherLeads
from ledger.services.imports.spool import Spool
from ledger.services.spreadsheets.tables import Problem
from ledger.store.engine import database_unusable, open_engine, writing

NO_ROOM = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
ADVICE = "Free some space there, then run the same command again."


def run(capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run `moonlake …` in this process: its exit code, stdout and stderr."""
    with mock.patch.object(sys, "argv", ["moonlake", *arguments]):
        try:
            code = command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    said = capture.readouterr()
    return code, said.out, said.err


def fill(connection: Connection) -> None:
    """Write more than the database may hold: SQLite says what it says on a full disk."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    connection.exec_driver_sql("CREATE TABLE filling (content BLOB)")
    connection.exec_driver_sql("INSERT INTO filling VALUES (zeroblob(1000000))")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_key__on_a_full_disk__is_one_line_with_exit_code_3_and_leaves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock.patch("os.fsync", side_effect=NO_ROOM):
        code, _, said = run(capsys, "keys", "new", "issuer", "--home", str(home))
        as_json = run(capsys, "keys", "new", "issuer", "--home", str(home), "--json")

    assert (code, as_json[0]) == (3, 3)
    assert said == (
        f"error: The disk is full: {home}/keys cannot be written. {ADVICE} [setup.disk_full]\n"
    )
    assert json.loads(as_json[1])["error"] == {
        "code": "setup.disk_full",
        "sentence": f"The disk is full: {home}/keys cannot be written.",
        "advice": ADVICE,
        "values": {"what": f"{home}/keys"},
    }
    assert list((home / "keys").iterdir()) == []


def test_command__that_meets_a_full_disk_where_nothing_foresaw_it__says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/data/x")
    with mock.patch.object(command_line, "make_app", side_effect=error):
        code, _, said = run(capsys, "org", "list", "--home", str(home))

    assert code == 3
    assert said.startswith("error: The disk is full: /data/x cannot be written.")


def test_fault__whose_traceback_no_disk_takes__is_still_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "unforeseen.log").symlink_to("/dev/full")
    monkeypatch.setattr("tempfile.tempdir", str(home / "nowhere"))
    with mock.patch.object(command_line, "make_app", side_effect=ZeroDivisionError):
        code, _, said = run(capsys, "org", "list", "--home", str(home))

    assert code == 70
    assert said.count("\n") == 1
    assert ", line " in said


def test_database__on_a_full_disk__is_told_at_the_statement_and_at_the_end(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")

    with pytest.raises(DiskFull) as full, writing(engine) as connection:
        fill(connection)

    assert "ledger.sqlite3" in str(full.value)
    assert full.value.advice == ADVICE
    engine.dispose()


def test_database__that_cannot_be_read__is_not_said_to_want_starting(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").mkdir()

    with pytest.raises(DatabaseUnusable) as unusable:
        open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")

    assert "Start it" not in unusable.value.advice


def test_file__that_is_replaced_on_a_full_disk__stays_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "31337.json"
    write_json(path, {"old": 1})

    with mock.patch("os.fsync", side_effect=NO_ROOM), pytest.raises(DiskFull):
        write_json(path, {"new": 2})

    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_folder__that_may_not_be_written__is_no_full_disk(tmp_path: Path) -> None:
    denied = PermissionError(errno.EACCES, "Permission denied")

    assert isinstance(folder_unusable(tmp_path, denied), FolderUnusable)
    assert isinstance(folder_unusable(tmp_path, OSError(errno.EDQUOT, "quota")), DiskFull)


def test_mirrors_log__on_a_full_disk__does_not_end_the_mirror(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        LineReporter(as_json=False)(OtherLeads())
        with pytest.raises(OSError, match="No space"):
            full.flush()
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()


@pytest.mark.parametrize(("free", "expected"), [(0, DiskFull), (1, DatabaseUnusable)])
def test_database__that_cannot_even_be_read__is_told_by_the_room_that_is_left(
    tmp_path: Path, free: int, expected: type[LedgerError]
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    driver = sqlite3.OperationalError("disk I/O error")
    driver.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE

    with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=free)):
        told = database_unusable(engine, OperationalError("SELECT 1", None, driver))

    assert isinstance(told, expected)
    engine.dispose()


def test_spool__on_a_full_disk__is_told_as_that() -> None:
    problem = Problem("amount", "x" * 100_000, "a whole number")

    with pytest.raises(DiskFull, match="TMPDIR"), _small_spool() as spool:
        spool.add_wrong([(1, "A-1", [problem])])


def _small_spool() -> Spool:
    spool = Spool()
    spool._sql.execute("PRAGMA max_page_count = 4")
    return spool
