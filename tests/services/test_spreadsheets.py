"""A file that a person made is read as it is, or refused with the line that is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.errors import InvalidFile, NotFound
from ledger.services.spreadsheets.tables import MAX_ROWS, read_rows, refuse_duplicates

COLUMNS = ("key", "name")


def write(folder: Path, content: bytes | str) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_read_rows__plain_file__gives_cells_by_column_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "key,name\na,银河航天\n\nb,LandSpace\n")

    rows = read_rows(path, required=COLUMNS)

    assert [(row.line, row["key"], row["name"]) for row in rows] == [
        (2, "a", "银河航天"),
        (4, "b", "LandSpace"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfkey,name\r\na,b\r\n",
        b"key,name\ra,b\r",
        b'"key","name"\n"a","b"\n',
        b" key , name \n a , b \n",
    ],
    ids=["byte-order-mark", "old-macintosh", "quoted", "spaces"],
)
def test_read_rows__as_spreadsheet_programs_write_it__reads_the_same(
    tmp_path: Path, content: bytes
) -> None:
    (row,) = read_rows(write(tmp_path, content), required=COLUMNS)

    assert (row["key"], row["name"]) == ("a", "b")


def test_read_rows__optional_column_missing__is_empty(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path, "key,name\na,b\n"), required=COLUMNS, optional=("note",))

    assert row["note"] == ""


def test_read_rows__decomposed_letters__are_composed(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path, "key,name\na,e\u0301\n"), required=COLUMNS)

    assert row["name"] == "é"


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("key\na\n", 1, "the header has no column 'name'"),
        ("key,name,colour\n", 1, "the header has an unknown column 'colour'"),
        ("key,name,key\n", 1, "the header has twice the column 'key'"),
        ("", 1, "the header has no column 'key', 'name'"),
        ("key,name\na\n", 2, "has 1 cells, the header has 2"),
        ("key,name\na,b\nc,d,e\n", 3, "has 3 cells, the header has 2"),
        ("key,name\na,=1+1\n", 2, "name holds a formula"),
        ("key,name\na,@sum\n", 2, "name holds a formula"),
        ("key,name\na, +3\n", 2, "name holds a formula"),
        ('key,name\na,"b\nc"\n', 2, "name holds control characters"),
        ("key,name\na,b\x00\n", 2, "name holds control characters"),
        ('key,name\nx,y\na,"b\n', 3, "unexpected end of data"),
        ("key,name\n银,河\n".encode("gb18030"), 2, "is not UTF-8 (perhaps GB 18030)"),
        (b"key,name\na,b\n\xff\xff,c\n", 3, "is not UTF-8"),
        ("key,name\na,b\n".encode("utf-16"), 1, "is UTF-16"),
    ],
)
def test_read_rows__what_is_no_plain_table__is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, line: int, problem: str
) -> None:
    with pytest.raises(InvalidFile) as refused:
        read_rows(write(tmp_path, content), required=COLUMNS)

    assert refused.value.values["line"] == line
    assert problem in refused.value.values["problem"]


def test_read_rows__too_many_rows__are_refused_at_the_first_too_many(tmp_path: Path) -> None:
    path = write(tmp_path, "key,name\n" + "a,b\n" * (MAX_ROWS + 1))

    with pytest.raises(InvalidFile) as refused:
        read_rows(path, required=COLUMNS)

    assert refused.value.values["line"] == MAX_ROWS + 2


def test_read_rows__no_such_file__is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_rows(tmp_path / "missing.csv", required=COLUMNS)


def test_refuse_duplicates__same_values__names_both_lines(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "key,name\na,b\nc,d\na,e\n"), required=COLUMNS)

    with pytest.raises(InvalidFile) as refused:
        refuse_duplicates(rows, "key")

    assert refused.value.values["line"] == 4
    assert "line 2" in refused.value.values["problem"]


def test_read_rows__of_a_pipe__are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "programmes.csv")

    with pytest.raises(InvalidFile, match="not a regular file"):
        read_rows(tmp_path / "programmes.csv", required=COLUMNS)
