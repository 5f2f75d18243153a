"""Statements for spreadsheets say what the API says, and calculate nothing."""

from __future__ import annotations

import csv
import io
import zipfile
from xml.etree import ElementTree

import httpx
import pytest

from api.spreadsheets import write_csv, write_xlsx
from tests.http.conftest import Ledger
from tests.http.facts import LAST_BLOCK, STRANGER

GALAXYSPACE = 4
FORMULAS = [
    "=1+1",
    "\uff1d1",
    " \uff20SUM(A1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "=cmd|' /C calc'!A0",
]
_CELLS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells_of(content: bytes) -> list[list[str]]:
    """The cells of a workbook's sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    return [
        ["".join(cell.itertext()) for cell in row.iter(f"{_CELLS}c")]
        for row in sheet.iter(f"{_CELLS}row")
    ]


def test_statement__as_csv_and_xlsx__has_the_entries_of_the_json(client: httpx.Client) -> None:
    path = f"/v1/organisations/{GALAXYSPACE}"
    entries = client.get(f"{path}/entries", params={"limit": 200}).json()["items"]

    plain = client.get(f"{path}/statement.csv")
    rows = list(csv.DictReader(io.StringIO(plain.content.decode("utf-8-sig"))))
    sheet = cells_of(client.get(f"{path}/statement.xlsx").content)

    assert [int(row["entry"]) for row in rows] == [each["entry_id"] for each in entries]
    assert [int(row["amount"]) for row in rows] == [each["amount"] for each in entries]
    assert [row["transaction"] for row in rows] == [each["transaction_hash"] for each in entries]
    assert sheet[0] == list(rows[0])
    assert sheet[1:] == [list(row.values()) for row in rows]
    assert f"at-{LAST_BLOCK}.csv" in plain.headers["content-disposition"]
    assert plain.headers["etag"]


def test_statement__of_a_programme_and_a_time__has_those_entries(client: httpx.Client) -> None:
    query = {"programme": "community", "from": "2025-06-01T00:00:00Z", "to": "2025-09-01T00:00:00Z"}
    path = f"/v1/organisations/{GALAXYSPACE}"

    entries = client.get(f"{path}/entries", params=query).json()["items"]
    rows = client.get(f"{path}/statement.csv", params=query).text.splitlines()

    assert len(rows) == len(entries) + 1 > 1


@pytest.mark.parametrize("text", FORMULAS)
def test_text__that_looks_like_a_formula__is_text(text: str) -> None:
    content = write_csv(("name", "amount"), [(text, -5)])
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))

    assert row["name"] == "'" + text
    assert row["amount"] == "-5"
    workbook = write_xlsx(("name", "amount"), [(text, -5)])
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 't="inlineStr"' in sheet
    assert cells_of(workbook)[1][1] == "-5"


def test_text__that_no_xml_holds__is_replaced() -> None:
    assert cells_of(write_xlsx(("a",), [("\x00<b>&\ud800",)]))[1] == ["\ufffd<b>&\ufffd"]


def test_statement__twice__is_the_same_bytes(client: httpx.Client) -> None:
    path = f"/v1/organisations/{GALAXYSPACE}/statement.xlsx"

    assert client.get(path).content == client.get(path).content


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_statement__of_nobody__is_not_found(client: httpx.Client, suffix: str) -> None:
    assert client.get(f"/v1/organisations/99/statement.{suffix}").status_code == 404


def test_history__of_a_membership__is_all_that_happened(
    client: httpx.Client, ledger: Ledger
) -> None:
    history = client.get(f"/v1/organisations/{STRANGER}/memberships/community/history").json()

    assert [each["change"] for each in history["items"]] == ["revoked", "admitted"]
    assert history["items"][0]["reason"] == "left"
    then = client.get(
        f"/v1/organisations/{STRANGER}/memberships/2/history", params={"as_of_block": 59}
    ).json()
    assert [each["change"] for each in then["items"]] == ["admitted"]
    assert client.get("/v1/organisations/4/memberships/alliance/history").status_code == 404
