"""Workbooks that other programs wrote are read as what their users see."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ledger.errors import InvalidFile
from ledger.services.imports.columns import Subject, layout_of
from ledger.services.spreadsheets.opening import opened_copy
from ledger.services.spreadsheets.tables import HowToRead, Row, stream_rows
from tests.support.workbooks import inline, sheet, write_workbook

FOLDER = Path(__file__).parent.parent / "support" / "workbooks_of_programs"
PROGRAMS = ("libreoffice", "xlsxwriter", "xlsxwriter_inline", "openpyxl")
STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": (
        "http://purl.oclc.org/ooxml/spreadsheetml/main"
    ),
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
        "http://purl.oclc.org/ooxml/officeDocument/relationships"
    ),
}
"""The names of Excel's "Strict Open XML Spreadsheet" (ISO/IEC 29500-1) for the usual ones."""


def read(path: Path, how: HowToRead | None = None) -> list[Row]:
    with opened_copy(path, most_bytes=2**20) as opened:
        return list(stream_rows(opened, layout_of(Subject.MEMBERSHIPS), how or HowToRead()))


def rewritten(
    path: Path, folder: Path, texts: Mapping[str, str], parts: Mapping[str, str] | None = None
) -> Path:
    """A workbook with texts in all of its parts replaced, and with parts under other names."""
    made = folder / path.name
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            content = before.read(name).decode()
            for old, new in texts.items():
                content = content.replace(old, new)
            after.writestr((parts or {}).get(name, name), content)
    return made


def require_table(found: list[Row]) -> None:
    first, second, third = found
    assert [row.line for row in found] == [2, 3, 6]
    assert [dict(row.cells) for row in (first, second)] == [
        {
            "reference": "2027-1",
            "organisation": "4",
            "tier": "member",
            "expires": "2027-01-31",
            "reason": "",
        },
        {
            "reference": "00002",
            "organisation": "galaxyspace",
            "tier": "2",
            "expires": "2027-01-31T08:30:00",
            "reason": "fee.paid",
        },
    ]
    assert not first.problems
    assert not second.problems
    assert [problem.field for problem in third.problems] == ["organisation", "tier"]
    assert "formula" in str(third.problems[0])
    assert "error (#DIV/0!)" in str(third.problems[1])


@pytest.mark.parametrize("program", PROGRAMS)
def test_workbook__of_another_program__is_read_as_its_user_sees_it(program: str) -> None:
    require_table(read(FOLDER / f"{program}.xlsx"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_workbook__in_the_strict_format__is_read_the_same(program: str, tmp_path: Path) -> None:
    require_table(read(rewritten(FOLDER / f"{program}.xlsx", tmp_path, STRICT)))


def test_workbook__with_its_parts_elsewhere__is_read_the_same(tmp_path: Path) -> None:
    names = {"xl/workbook.xml": "xl/book2.xml", "xl/sharedStrings.xml": "xl/texts.xml"}
    texts = {"workbook.xml": "book2.xml", "sharedStrings.xml": "texts.xml"}
    parts = {**names, "xl/_rels/workbook.xml.rels": "xl/_rels/book2.xml.rels"}

    require_table(read(rewritten(FOLDER / "libreoffice.xlsx", tmp_path, texts, parts)))


def test_workbook__whose_formula_failed__is_refused_though_cached_values_are_taken() -> None:
    (_first, _second, third) = read(FOLDER / "xlsxwriter.xlsx", HowToRead(cached_formulas=True))

    assert third["organisation"] == "4"
    assert [problem.field for problem in third.problems] == ["tier"]


def test_workbook__with_its_readings_beside_the_words__has_the_words_alone(tmp_path: Path) -> None:
    reading = '<rPh sb="0" eb="2"><t>yínhé</t></rPh><phoneticPr/>'
    spoken = f'<c t="inlineStr"><is><t>银河</t>{reading}</is></c>'
    rows = sheet(inline("机构"), spoken)

    (row,) = read(write_workbook(tmp_path / "w.xlsx", {"a": rows}))

    assert row["organisation"] == "银河"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a_x000D_", "a"),
        ("_x005F_x0041_", "_x0041_"),
        ("_xD83D_", "\ufffd"),
        ("_x41_ _xyz_", "_x41_ _xyz_"),
    ],
)
def test_text__with_escapes__has_the_characters_meant(
    tmp_path: Path, text: str, meant: str
) -> None:
    rows = sheet(inline("机构"), inline(text))

    (row,) = read(write_workbook(tmp_path / "w.xlsx", {"a": rows}))

    assert row["organisation"] == meant


@pytest.mark.parametrize(
    ("part", "told"),
    [("content.xml", "(.ods)"), ("xl/workbook.bin", "(.xlsb)"), ("other", "is not a workbook")],
)
def test_archive__of_another_kind__is_told_by_what_it_is(
    tmp_path: Path, part: str, told: str
) -> None:
    path = tmp_path / "w.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "")

    with pytest.raises(InvalidFile, match=r"save it as \.xlsx|no part") as refused:
        read(path)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("编号;机构;等级\n", "separated by semicolons"),
        ("编号\t机构\n", "separated by tabs"),
        ("编号，机构\n", "separated by full-width commas"),
        ("<html><table><tr><td>编号</td></tr></table>\n", "is a web page or XML"),
    ],
)
def test_text__that_is_no_csv__is_told_by_what_it_is(
    tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "w.csv"
    path.write_text(content)

    with pytest.raises(InvalidFile, match=told):
        read(path)
