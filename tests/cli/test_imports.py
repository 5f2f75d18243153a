"""`moonlake import` from the command line: templates, previews, results, past imports."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.stacks import CommandLine, RunningStack

HEADINGS = ("reference", "organisation", "amount", "category")
AWARDS = ("import", "awards")
OPTIONS = ("--programme", "community", "--no-evidence", "--as", "council")


@pytest.fixture
def command_line(demonstration: RunningStack, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(demonstration.settings, monkeypatch)


def write(path: Path, *rows: tuple[object, ...]) -> str:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEADINGS, *rows])
    return str(path)


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_template__of_each_kind__can_be_imported_empty(
    command_line: CommandLine, tmp_path: Path, name: str
) -> None:
    for kind in ("awards", "memberships", "organisations"):
        path = tmp_path / f"{kind}-{name}"
        made = command_line.json("import", kind, str(path), "--template", "--chinese")
        assert made["headings"][0] in ("编号", "代号")

        answer = command_line.json("import", kind, str(path), "--preview", "--as", "council")

        assert answer["rows_total"] == 0
        assert command_line.json("import", kind, str(path), "--template")["error"]["code"] == (
            "input.invalid_value"
        )


def test_import__previewed_sent_and_sent_again__has_a_result_for_every_row(
    command_line: CommandLine, tmp_path: Path
) -> None:
    rows = ((f"T-{number}", "landspace", number, "data.acquire") for number in (1, 2, 3))
    path = write(tmp_path / "a.csv", *rows)

    preview = command_line.json(*AWARDS, path, *OPTIONS, "--preview")
    assert [each["action"] for each in preview["rows"]] == ["send"] * 3
    assert not (tmp_path / "a.results.csv").exists()
    done = command_line.json(*AWARDS, path, *OPTIONS)
    again = command_line.json(*AWARDS, path, *OPTIONS, "--results", str(tmp_path / "r.xlsx"))

    assert done["finished"]
    assert done["counts"] == {"included": 3}
    assert again["rows"] == done["rows"]
    with (tmp_path / "a.results.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert [(each["row"], each["reference"]) for each in lines] == [
        ("2", "T-1"),
        ("3", "T-2"),
        ("4", "T-3"),
    ]
    assert [int(each["entry"]) for each in lines] == [each["entry"] for each in done["rows"]]
    shown = command_line.json("import", "show", done["import_id"][:12])
    assert [each["entry"] for each in shown["rows"]] == [each["entry"] for each in done["rows"]]
    listed = command_line.json("import", "list")["imports"]
    assert done["import_id"] in [each["import_id"] for each in listed]
    newest = command_line.json("credit", "statement", "landspace", "--limit", "1")["entries"][0]
    assert newest["entry_id"] == done["rows"][2]["entry"]


def test_import__with_wrong_rows__sends_nothing_unless_they_are_left_out(
    command_line: CommandLine, tmp_path: Path
) -> None:
    rows = [("W-1", "landspace", 1, "data.acquire"), ("W-2", "landspace", "=1+1", "data.acquire")]
    path = write(tmp_path / "a.csv", *rows)

    refusal = command_line.run(*AWARDS, path, *OPTIONS)
    assert refusal.returncode == 2
    assert "import.rows_wrong" in refusal.stderr
    assert "holds a formula" in refusal.stderr
    assert refusal.stdout == ""
    refused = command_line.json(*AWARDS, path, *OPTIONS)
    assert refused["error"]["code"] == "import.rows_wrong"
    assert refused["rows"][1]["problems"][0]["field"] == "amount"
    report = tmp_path / "report.csv"
    told = command_line.run(*AWARDS, path, *OPTIONS, "--preview", "--report", str(report))
    assert told.returncode == 1
    assert len(report.read_text("utf-8-sig").splitlines()) == 3

    left = command_line.run(*AWARDS, path, *OPTIONS, "--skip-wrong")
    assert left.returncode == 1
    assert "1 wrong and left out" in left.stderr
    assert "wrong" in left.stdout


def test_import__without_evidence_being_denied__is_refused(
    command_line: CommandLine, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", ("E-1", "landspace", 1, "data.acquire"))
    answer = command_line.json(*AWARDS, path, "--programme", "community", "--as", "council")

    assert answer["rows"][0]["problems"][0]["field"] == "evidence"


def test_import__over_its_own_file_or_of_no_such_thing__is_refused(
    command_line: CommandLine, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", ("O-1", "landspace", 1, "data.acquire"))
    for arguments, code in (
        ((*AWARDS, path, *OPTIONS, "--results", path), "input.invalid_value"),
        ((*AWARDS, path, *OPTIONS, "--encoding", "latin-1"), "input.invalid_value"),
        ((*AWARDS, str(tmp_path / "no.csv"), *OPTIONS), "input.not_found"),
        ((*AWARDS, path, "--programme", "nonsense", "--no-evidence"), "input.not_found"),
        (("import", "show", "00000000"), "input.not_found"),
        (("import", "show", "xyz"), "input.invalid_value"),
        (("import", "resume", "00000000"), "input.not_found"),
    ):
        assert command_line.json(*arguments)["error"]["code"] == code
    assert Path(path).read_text("utf-8-sig").startswith("reference")
