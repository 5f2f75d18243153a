"""Whatever is typed, set or lies about: one line with a code, an exit code, and no traceback."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from unittest import mock

import pytest

from ledger.chain.keystores import list_keys, read_password
from ledger.cli import main as command_line
from ledger.cli.children import Child
from ledger.cli.ordering import open_document
from ledger.cli.stack import require_startable
from ledger.cli.statement import show_entries
from ledger.cli.view import table
from ledger.config import Settings, load_settings
from ledger.domain.events import EntryKind
from ledger.domain.ids import BlockNumber, EntryId, LogIndex, OrgId, ProgrammeId
from ledger.errors import (
    ContractRefused,
    DatabaseDamaged,
    InvalidFile,
    InvalidSetting,
    InvalidValue,
    NotFound,
    PasswordUnusable,
)
from ledger.mirror.queries.documents import Document
from ledger.mirror.queries.entries import Entry
from ledger.office.scanning import scan_file
from ledger.processes import wait_until
from ledger.store.engine import open_engine, reading
from ledger.store.schema import upgrade_schema


def run(capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run `moonlake …` in this process: its exit code, stdout and stderr."""
    with mock.patch.object(sys, "argv", ["moonlake", *arguments]):
        try:
            code = command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    said = capture.readouterr()
    return code, said.out, said.err


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an empty current folder."""
    folder = tmp_path / "current"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return tmp_path / "home"


@pytest.mark.parametrize(
    "arguments",
    [
        ("credit", "reverse", "9" * 23),
        ("credit", "reverse", "0"),
        ("credit", "reverse", "9" * 5000),
        ("credit", "award", "65536", "1", "5", "data.use", "--no-evidence"),
        ("credit", "award", "1", "4294967296", "5", "data.use", "--no-evidence"),
        ("membership", "renew", "1", "18446744073709551616", "--expires", "2030-01-01"),
        ("membership", "tier", "1", "1", "--tier", "256"),
    ],
)
def test_id__that_no_ledger_can_have__is_refused_as_a_value(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, _, said = run(capsys, *arguments, "--home", str(home))

    assert code == 2
    assert said.startswith("error: ")
    assert "is not a whole number, 1 to" in said
    assert said.endswith("[input.invalid_value]\n")


def test_award__of_a_negative_amount__is_refused_as_a_value(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = run(
        capsys, "credit", "award", "community", "4", "-5", "data.use", "--home", str(home)
    )

    assert code == 2
    assert said.startswith("error: amount: -5 is not a whole number, 1 to")


@pytest.mark.parametrize(
    "line",
    [
        ("award", "community", "galaxyspace", "5", "data.use"),
        ("award", "2", "4", "5", "data.use", "--evidence", "0x" + "00" * 32),
        ("award", "2", "4", "5", "data.use", "--evidence", ""),
        ("reverse", "7"),
    ],
)
def test_entry__that_names_no_evidence__is_refused_unless_that_is_meant(
    home: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...]
) -> None:
    command = ("credit", *line, "--home", str(home))
    code, _, said = run(capsys, *command)
    assert not home.exists()
    _, _, meant = run(capsys, *command, "--no-evidence")

    assert code == 2
    assert said.startswith("error: No evidence is named, and none can ever be added")
    assert "or say that there is none (--no-evidence, `no_evidence`)." in said
    assert said.endswith("[input.evidence_missing]\n")
    assert "input.evidence_missing" not in meant


def test_entry__with_evidence_and_none__is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--evidence", "a.png", "--no-evidence", "--home", str(home))
    code, _, said = run(capsys, "credit", "award", "2", "4", "5", "data.use", *given)

    assert code == 2
    assert "evidence: 'a.png' is not to be given beside --no-evidence." in said


def test_argument__that_is_no_text__is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = os.fsdecode(b"\xff\xfe")

    code, said, _ = run(capsys, "org", "list", "--search", wanted, "--home", str(home), "--json")

    assert code == 2
    assert json.loads(said)["error"]["code"] == "input.invalid_value"


def test_fault__that_nothing_foresaw__is_one_line_and_a_traceback_in_a_file(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock.patch.object(command_line, "make_app", side_effect=ZeroDivisionError("by\nzero")):
        code, _, said = run(capsys, "org", "list", "--home", str(home))
        as_json = run(capsys, "org", "list", f"--home={home}", "--json")

    log = home / "logs" / "unforeseen.log"
    assert (code, as_json[0]) == (70, 70)
    assert said.count("\n") == 1
    assert "ZeroDivisionError: by zero" in said
    assert str(log) in said
    assert json.loads(as_json[1])["error"]["code"] == "internal.unforeseen"
    assert log.read_text("utf-8").count("Traceback") == 2
    assert log.stat().st_mode & 0o777 == 0o600


def test_fault__where_no_data_folder_can_be__is_kept_elsewhere(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_text("a file")
    monkeypatch.setattr("tempfile.tempdir", str(home.parent))
    with mock.patch.object(command_line, "make_app", side_effect=ZeroDivisionError):
        code, _, _ = run(capsys, "org", "list", "--home", str(home))

    assert code == 70
    assert len(list(home.parent.glob("moonlake-*.log"))) == 1


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("HOME", "~nosuchuser/x", "home folder"),
        ("HOST", "bücher..x", "no name and no address"),
        ("HOME", os.fsdecode(b"/tmp/\xff"), "not UTF-8"),
        ("FINALITY_BLOCKS", "1000001", "1000000"),
    ],
)
def test_setting__that_cannot_be__is_named(
    monkeypatch: pytest.MonkeyPatch, home: Path, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(f"MOONLAKE_{name}", value)

    with pytest.raises(InvalidSetting, match=f"MOONLAKE_{name}: .*{problem}"):
        load_settings()


def test_setting__that_is_empty__is_the_default(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("MOONLAKE_HOME", "")
    monkeypatch.setenv("MOONLAKE_HOST", "")

    settings = load_settings()

    assert settings.home == Path.cwd() / ".moonlake"
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"MOONLAKE_PORT=8001\n\nMOONLAKE_HOST 0.0.0.0\n", "line 3 is not NAME=value"),
        (b"# ports\n\nMOONLAKE_PORT\n", "line 3 is not NAME=value"),
        (b"MOONLAKE_PORT='8001\n", "line 1 is not NAME=value"),
        (b"A=1\nB=\xff\n", "line 2 is not UTF-8"),
    ],
)
def test_environment_file__with_a_line_that_cannot_be_read__is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], content: bytes, problem: str
) -> None:
    file = Path.cwd() / ".env"
    file.write_bytes(content)

    code, _, said = run(capsys, "org", "list", "--home", str(home))

    assert code == 3
    assert f"{file}: {problem}" in said


def test_environment_file__of_others_too__is_read(home: Path) -> None:
    Path(".env").write_text("# ours\nexport OTHER='x y'\nBARE\n\nMOONLAKE_PORT=8001 # here\n")

    assert load_settings(home=home).port == 8001


def test_password_file__that_is_not_text__keeps_the_keys_locked(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_bytes(b"\xff\xfe\n")

    with pytest.raises(PasswordUnusable, match="not UTF-8"):
        read_password(Settings(home=tmp_path, key_password_file=password))


def test_keys__beside_a_file_that_is_none__are_listed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "keys", "new", "issuer", "--home", str(home))[0] == 0
    (home / "keys" / "Issuer (copy).json").write_text("{}")

    assert [key.name for key in list_keys(home / "keys")] == ["issuer"]


def test_evidence__that_cannot_be_kept__is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="not a regular file"):
        open_document(tmp_path)
    with pytest.raises(NotFound):
        open_document(tmp_path / "none")
    with pytest.raises(InvalidFile, match="too long"):
        open_document(tmp_path / ("x" * 300))


def test_scanner__which_is_no_program_of_ours__is_not_handed_our_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_KEY_PASSWORD", "secret")
    monkeypatch.setenv("SCANNERS_OWN", "kept")
    clean = 'test -z "$MOONLAKE_KEY_PASSWORD" && test "$SCANNERS_OWN" = kept'

    scan_file(tmp_path / "document", ["/bin/sh", "-c", clean])  # it raises where it ends with 1


def test_not_found__of_an_entry__has_no_made_up_plural() -> None:
    assert "entrys" not in NotFound(what="entry", key=5).advice


def test_database__damaged_in_its_middle__says_so_and_what_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    upgrade_schema(engine)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x5a" * (len(content) - 4096))

    with pytest.raises(DatabaseDamaged) as damaged, reading(engine) as connection:
        connection.exec_driver_sql("SELECT * FROM alembic_version").all()

    assert damaged.value.values["path"] == path
    assert "moonlake mirror rebuild" in damaged.value.advice


def test_child__in_a_folder_with_modules_of_our_names__runs_ours(home: Path) -> None:
    for name in ("ledger.py", "json.py", "typer.py"):
        Path(name).write_text("raise SystemExit('shadowed')\n")
    (child := Child(load_settings(home=home), "serve", "--help", grace=5, report=print)).start()
    try:
        assert wait_until(lambda: "Usage:" in child.log.read_text("utf-8"), seconds=60)
        assert "shadowed" not in child.log.read_text("utf-8")
    finally:
        child.stop()


def test_mirror_commands__that_ask_the_chain__take_its_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("sync", "follow", "rebuild"):
        code, shown, _ = run(capsys, "mirror", name, "--help")
        assert code == 0
        assert all(each in shown for each in ("--devnet-port", "--rpc-url", "--finality-blocks"))


def an_entry(entry_id: int, document: Document | None) -> Entry:
    """A line of a statement."""
    return Entry(
        EntryId(entry_id), ProgrammeId(1), "community", OrgId(4), EntryKind.AWARD,
        "factory.capacity", 500, 1500, b"\x0e" * 32, document, EntryId(0), EntryId(0), bytes(20),
        bytes(32), BlockNumber(123), bytes(32), 1_800_000_000, LogIndex(0), b"\x7a" * 32,
    )  # fmt: skip


@pytest.mark.parametrize("width", [80, 120, None])
def test_statement__at_any_width__shows_evidence_block_and_transaction_whole(
    width: int | None,
) -> None:
    known = Document("影像清单", "List of images", "text/plain", 5, True)
    entries = [an_entry(7, known), an_entry(6, None)]

    lines = show_entries(entries, width).splitlines()

    assert len(lines) == (3 if width is None else 7)
    if width is not None:
        assert max(map(len, lines)) <= width
    shown = "\n".join(lines)
    assert shown.count("0x" + "7a" * 32) == 2
    assert "List of images (made up)" in shown
    assert "0x" + "0e" * 32 in shown
    assert shown.count(" 123") == 2


@pytest.mark.parametrize(
    "url", ["ftp://x", "localhost:8545", "http://", "http://node:port", "http://a,ws://b"]
)
def test_node__whose_address_is_no_http_url__is_refused_by_every_command(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("MOONLAKE_RPC_URL", url)

    code, _, said = run(capsys, "org", "list", "--home", str(home))

    assert code == 3
    assert "MOONLAKE_RPC_URL: " in said
    assert "not an http(s) URL" in said


def test_node__whose_address_is_refused__is_shown_without_its_secrets(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_RPC_URL", "ftp://user:secret@node/KEY")

    with pytest.raises(InvalidSetting, match="ftp://node is") as refused:
        load_settings()

    assert "secret" not in str(refused.value)
    assert "KEY" not in str(refused.value)


def test_setting__that_is_misspelt__is_warned_of_once_with_the_nearest(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_PROT", "8001")
    monkeypatch.setenv("MOONLAKE_PYTHON_TRIED", "1")
    Path(".env").write_text("MOONLAKE_DATABSE_URL=x\nOTHER=1\n")

    code, _, said = run(capsys, "keys", "list", "--home", str(home))

    assert code == 0
    assert said == (
        "warning: MOONLAKE_DATABSE_URL is no setting and is passed over; "
        "did you mean MOONLAKE_DATABASE_URL?\n"
        "warning: MOONLAKE_PROT is no setting and is passed over; did you mean MOONLAKE_PORT?\n"
    )


def test_password_file__that_is_not_there__is_said_of_the_file_and_of_no_key(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_KEY_PASSWORD_FILE", "/nope")

    code, _, said = run(capsys, "keys", "new", "a", "--home", str(home))

    assert code == 3
    assert said.startswith("error: The keys' password cannot be read: /nope: No such file")
    assert said.count("\n") == 1


def test_refusal_of_a_contract__as_json__has_values_and_no_words(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = ContractRefused(
        name="CreditsNoEpoch", arguments={"programmeId": 2}, meaning="None.", hint="Wait."
    )
    with mock.patch.object(command_line, "make_app", side_effect=refused):
        code, said, _ = run(capsys, "org", "list", "--home", str(home), "--json")

    error = json.loads(said)["error"]
    assert code == 5
    assert error["values"] == {"name": "CreditsNoEpoch", "arguments": {"programmeId": 2}}
    assert (error["sentence"], error["advice"]) == (
        "The contract refused: CreditsNoEpoch(programmeId=2). None.",
        "Wait.",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("credit", "award"), "Missing argument 'programme'"),
        (("org", "list", "--nosuch"), "No such option: --nosuch"),
        (("nosuch",), "No such command 'nosuch'"),
        (("operation", "list", "--limit", "x"), "'--limit'"),
    ],
)
def test_arguments__that_no_command_takes__are_told_as_json_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    code, said, _ = run(capsys, *arguments, "--json")

    error = json.loads(said)["error"]
    assert (code, error["code"]) == (2, "input.invalid_value")
    assert told in error["sentence"]


def test_table__of_what_strangers_wrote__gives_a_terminal_nothing_to_obey() -> None:
    shown = table(("name", "note"), [("a\x1b[2Jb\u202ec", ":cat: [bold]x")])

    assert "\x1b" not in shown
    assert "a\ufffd[2Jb\ufffdc" in shown
    assert ":cat: [bold]x" in shown


def test_up__with_a_mail_server_and_nobody_to_send_from__is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    settings = load_settings(home=tmp_path / "home", smtp_url="smtps://mail.example.org")

    with pytest.raises(InvalidSetting, match="MOONLAKE_SMTP_FROM"):
        require_startable(settings)
    assert not settings.home.exists()
