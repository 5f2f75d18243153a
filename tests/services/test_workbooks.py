"""Workbooks and odd files are read as what they mean, or refused with the row that is wrong."""

from __future__ import annotations

import csv
import os
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import FolderUnusable, InvalidFile, InvalidValue, NotFound
from ledger.services.spreadsheets.opening import opened_copy
from ledger.services.spreadsheets.tables import HowToRead, Layout, Row, stream_rows
from ledger.services.spreadsheets.writing import write_table
from tests.support.workbooks import (
    CHINESE_DATE,
    COLOURED,
    DATE,
    formula,
    inline,
    number,
    shared,
    sheet,
    write_workbook,
)

LAYOUT = Layout(("key", "amount"), ("note",), {"数额": "amount", "代号": "key"})
HEAD = inline("key") + inline("amount") + inline("note")


def read(path: Path, how: HowToRead | None = None, *, most: int = 2**30) -> list[Row]:
    with opened_copy(path, most_bytes=most) as opened:
        return list(stream_rows(opened, LAYOUT, how or HowToRead()))


def refused(path: Path, how: HowToRead | None = None, *, most: int = 2**30) -> tuple[int, str]:
    with pytest.raises(InvalidFile) as found:
        read(path, how, most=most)
    return found.value.values["line"], found.value.values["problem"]


# --- workbooks ------------------------------------------------------------------------------------


def test_workbook__of_texts_numbers_and_dates__gives_what_they_mean(tmp_path: Path) -> None:
    rows = sheet(
        shared(1) + shared(0),
        inline("a") + number("12"),
        "",
        inline("b") + number("45683", DATE),
        inline("c") + number("45683.5", CHINESE_DATE),
        inline("d") + number("1.2E3", COLOURED),
        inline("e") + number("0.1"),
    )
    path = write_workbook(tmp_path / "w.xlsx", {"奖励": rows}, texts=["数额", "代号"])

    found = read(path)

    assert [(row.line, row["key"], row["amount"]) for row in found] == [
        (2, "a", "12"),
        (4, "b", "2025-01-26"),
        (5, "c", "2025-01-26T12:00:00"),
        (6, "d", "1200"),
        (7, "e", "0.1"),
    ]
    kinds = [row.kinds["amount"].value for row in found]
    assert kinds == ["number", "date", "date", "number", "number"]


def test_workbook__that_counts_from_1904__has_the_same_dates(tmp_path: Path) -> None:
    rows = sheet(HEAD, inline("a") + number("44221", DATE))

    (row,) = read(write_workbook(tmp_path / "w.xlsx", {"a": rows}, from_1904=True))

    assert row["amount"] == "2025-01-26"


@pytest.mark.parametrize(
    ("cells", "field", "told"),
    [
        (inline("a") + formula("1+1", "2"), "amount", "holds a formula"),
        (inline("=1+1") + number("2"), "key", "holds a formula"),
        (inline("a") + '<c t="e"><v>#REF!</v></c>', "amount", "holds an error (#REF!)"),
        (inline("a") + number("12345678901234567000"), "amount", "more than 15 digits"),
        (inline("a") + number("1.2345678901234567E+19"), "amount", "more than 15 digits"),
        (inline("a") + number("1"), "row", "is hidden"),
        (inline("a") + number("1") + inline("n") + inline("more"), "row", "has 4 cells"),
    ],
)
def test_workbook__with_a_cell_that_means_nothing__tells_its_column(
    tmp_path: Path, cells: str, field: str, told: str
) -> None:
    row = f'<row hidden="1">{cells}</row>' if told == "is hidden" else cells

    (found,) = read(write_workbook(tmp_path / "w.xlsx", {"a": sheet(HEAD, row)}))

    assert field in [each.field for each in found.problems]
    assert told in "; ".join(map(str, found.problems))


def test_workbook__with_a_formula__can_be_taken_for_what_was_calculated(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "w.xlsx", {"a": sheet(HEAD, inline("a") + formula("1+1", "2"))}
    )

    (row,) = read(path, HowToRead(cached_formulas=True))

    assert row["amount"] == "2"
    assert not row.problems


def test_workbook__with_merged_cells__is_refused_with_the_row(tmp_path: Path) -> None:
    merged = '<mergeCells><mergeCell ref="A3:A7"/></mergeCells>'
    path = write_workbook(tmp_path / "w.xlsx", {"a": sheet(HEAD, HEAD, after=merged)})

    assert refused(path) == (
        3,
        "has merged cells (A3:A7); unmerge them, so that each row has its own",
    )


def test_workbook__with_several_sheets__needs_one_named(tmp_path: Path) -> None:
    one, two = sheet(HEAD, inline("a") * 3), sheet(HEAD, inline("b") * 3)
    path = write_workbook(tmp_path / "w.xlsx", {"一": one, "二": two})
    assert "name one with --sheet" in refused(path)[1]

    assert read(path, HowToRead(sheet="二"))[0]["key"] == "b"
    assert "has no sheet '三'" in refused(path, HowToRead(sheet="三"))[1]
    hidden = write_workbook(tmp_path / "h.xlsx", {"一": one, "二": two}, hidden=["二"])
    assert read(hidden)[0]["key"] == "a"


def bomb(path: Path) -> Path:
    rows = sheet(HEAD) + " " * (64 * 1024 * 1024)
    return write_workbook(path, {"a": rows})


def test_workbook__that_unpacks_without_end__is_refused(tmp_path: Path) -> None:
    path = bomb(tmp_path / "bomb.xlsx")
    assert path.stat().st_size < 200_000

    _line, problem = refused(path)

    assert "longer than any of a table" in problem or "times its size" in problem


def test_workbook__of_rows_that_pack_too_well__is_refused(tmp_path: Path) -> None:
    empty = "<row></row>" * 3_000_000
    path = write_workbook(tmp_path / "bomb.xlsx", {"a": sheet(HEAD, empty)})

    assert "times its size" in refused(path)[1] or "is damaged" in refused(path)[1]


ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f"{sheet(HEAD, '<c><v>&b;</v></c>')}"
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ENTITIES, "document type declaration"),
        ("<a>" * 200, "nests XML"),
        (sheet(HEAD)[:-20], "is no XML"),
        (sheet(HEAD, inline("x" * 40_000) * 3), "more than 32767 characters"),
        (sheet('<row r="5"><c/></row>', '<row r="4"><c/></row>'), "row 4 comes after row 5"),
        (sheet(HEAD, shared(9)), "a text is missing"),
        (sheet(HEAD, number("one")), "'one' is no number"),
        (sheet(HEAD, '<row><c r="XFD2"><v>1</v></c></row>'), "past column 256"),
        (sheet(HEAD, '<row><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>'), "out of order"),
    ],
)
def test_workbook__that_is_damaged_or_made_to_harm__is_refused(
    tmp_path: Path, content: str, told: str
) -> None:
    assert told in refused(write_workbook(tmp_path / "w.xlsx", {"a": content}))[1]


def test_archive__that_is_no_workbook__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no")
    assert "no part 'xl/workbook.xml'" in refused(path)[1]

    whole = write_workbook(tmp_path / "w.xlsx", {"a": sheet(HEAD)}).read_bytes()
    for cut in (30, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:cut])
        assert "is not a workbook" in refused(path)[1]
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "old workbook (.xls), or one with a password" in refused(path)[1]


# --- encodings ------------------------------------------------------------------------------------

TABLE = "代号,数额,note\n银河航天,12,重庆数创园\nb,3,\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (TABLE.encode(), ""),
        (TABLE.encode("utf-8-sig"), ""),
        (TABLE.encode("gb18030"), ""),
        (TABLE.encode("gb18030"), "gb18030"),
        ("\ufeff".encode("gb18030") + TABLE.encode("gb18030"), ""),
    ],
    ids=["utf-8", "byte-order-mark", "gb18030", "gb18030-told", "gb18030-mark"],
)
def test_csv__in_each_encoding__reads_the_same(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    found = read(path, HowToRead(encoding=told))

    assert [(row["key"], row["amount"], row["note"]) for row in found] == [
        ("银河航天", "12", "重庆数创园"),
        ("b", "3", ""),
    ]


def test_csv__of_two_encodings__is_refused_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"key,amount\n" + "银河航天,1\n".encode() + "蓝箭航天,2\n".encode("gb18030"))

    line, problem = refused(path)

    assert line == 2
    assert "line 3 is not: the file has two encodings" in problem
    assert len(read(path, HowToRead(encoding="gb18030"))) == 2  # as told, though garbled


def test_csv__in_neither_encoding__is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"key,amount\na,1\n\xff\xff,2\n")

    assert refused(path)[0] == 3


# --- files ----------------------------------------------------------------------------------------


def test_file__that_is_none__is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("missing")
    for name, told in (("pipe", "a pipe"), ("link", "a device"), ("loop", "cannot be read")):
        assert told in refused(tmp_path / name)[1]
    assert "a folder" in refused(tmp_path)[1]
    with pytest.raises(NotFound):
        read(tmp_path / "nowhere")


def test_file__behind_a_link__is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,amount\na,1\n")
    (tmp_path / "link").symlink_to("a.csv")

    assert read(tmp_path / "link")[0]["key"] == "a"


def test_file__that_is_too_large__is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,amount\n" + "a,1\n" * 1000)

    assert "more than 1000 bytes" in refused(tmp_path / "a.csv", most=1000)[1]


# --- writing --------------------------------------------------------------------------------------

ODD = ["=1+1", "+1", "-1", "@x", "\t=1", "plain", 'quo"te', "a,b", "<b>&", "", "两行"]


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_table__written_and_read_again__is_the_same_and_calculates_nothing(
    tmp_path: Path, name: str
) -> None:
    rows = [("k", place, text) for place, text in enumerate(ODD)]

    assert write_table(tmp_path / name, ("key", "amount", "note"), rows) == len(ODD)

    found = read(tmp_path / name)
    expected = [("'" + text if text[:1] in "=+-@\t" and text else text).strip() for text in ODD]
    if name == "t.xlsx":
        expected[4] = "'=1"  # no workbook of ours holds control characters
    assert [row["note"] for row in found] == expected
    assert [row["amount"] for row in found] == [str(place) for place in range(len(ODD))]
    if name == "t.csv":
        raw = list(csv.reader((tmp_path / name).read_text("utf-8-sig").splitlines()[:5]))
        assert not any(cell[:1] in tuple("=+-@") for row in raw for cell in row)


def test_table__over_what_is_no_file_of_ours__is_refused(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("mine")
    (tmp_path / "link.csv").symlink_to("there.txt")
    for name in ("link.csv", "wrong.txt"):
        with pytest.raises(InvalidValue):
            write_table(tmp_path / name, ("a",), [])
    with pytest.raises((FolderUnusable, InvalidValue)):
        write_table(tmp_path / "missing" / "a.csv", ("a",), [])
    assert (tmp_path / "there.txt").read_text() == "mine"


# --- laws -----------------------------------------------------------------------------------------

CELLS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=30
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), name=st.sampled_from(["csv", "xlsx"])
)
def test_any_table__written_and_read_again__has_its_texts_or_problems(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], name: str
) -> None:
    path = tmp_path_factory.mktemp("law") / f"t.{name}"
    write_table(path, ("key", "amount", "note"), rows)

    found = {row.line: row for row in read(path)}

    for place, given_cells in enumerate(rows):
        cells = [_kept(cell, name) for cell in given_cells]
        row = found.get(place + 2)
        if row is None:
            assert not any(cells)
        elif not row.problems:
            read_back = [row[column].removeprefix("'") for column in ("key", "amount", "note")]
            assert read_back == [cell.removeprefix("'") for cell in cells]


def _kept(cell: str, name: str) -> str:
    """What a file keeps of a text: a workbook, nothing that is not printed."""
    letters = cell if name == "csv" else "".join(each for each in cell if each.isprintable())
    return unicodedata.normalize("NFC", letters).strip()


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes__are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("law") / "t.csv"
    for head in (b"", b"key,amount\n", b"PK\x03\x04"):
        path.write_bytes(head + content)
        try:
            read(path)
        except InvalidFile:
            continue
