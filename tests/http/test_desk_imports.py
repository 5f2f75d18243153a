"""Importing a table at the desk over HTTP: seen before it is sent, sent once, and refused well."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api import import_judging, importing
from ledger.chain.contracts import authority
from ledger.chain.signers import LocalSigner
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.processes import wait_until
from tests.http.desk import Shown, officer_at, opened, sent
from tests.http.wallets import wallet
from tests.http.working import Working, secret_of, working
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, running_ledger

HEADINGS = "reference,organisation,amount,category\n"
FORM = "/desk/imports/new/awards"
MULTIPART = "multipart/form-data"


@pytest.fixture(scope="module")
def at_work(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    folder = tmp_path_factory.mktemp("imports")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger:
        for role, where, account in (
            ("treasurer", ALLIANCE_WIDE, wallet("treasurer").address),
            ("registrar", PROGRAMME, LocalSigner(secret_of(folder, "clerk")).address),
        ):
            appoint = authority.encode_appoint(role, where, account, ledger.operation())
            ledger.do(ledger.contracts.authority.address, appoint)
        with working(ledger, folder, url, keys="officer,service,clerk") as found:
            yield found


@pytest.fixture(scope="module")
def officer(at_work: Working) -> httpx.Client:
    return officer_at(at_work, at_work.ledger.officer)


@pytest.fixture(scope="module")
def issuer(at_work: Working) -> httpx.Client:
    """An issuer with a budget of 50 an award and 80 an epoch; another's key signs for him."""
    return officer_at(at_work, at_work.ledger.issuer)


def rows(name: str, *amounts: object) -> str:
    """A table of awards to the member, with references of this name."""
    lines = [f"{name}-{place},{MEMBER},{each},{CATEGORY}" for place, each in enumerate(amounts)]
    return HEADINGS + "\n".join(lines) + "\n"


def upload(
    client: httpx.Client, content: str | bytes, *, name: str = "table.csv", **fields: str
) -> httpx.Response:
    """What the form answers that sends a table."""
    kind = fields.get("kind", "awards")
    form = {**opened(client, f"/desk/imports/new/{kind}").form(), **fields}
    form.setdefault("ground", "none")
    form["ground"] = fields.get("ground", "none")
    form["programme"] = fields.get("programme", "alliance")
    data = content.encode() if isinstance(content, str) else content
    del form["file"]
    return client.post("/desk/imports", data=form, files={"file": (name, data)})


def previewed(client: httpx.Client, content: str | bytes, **fields: str) -> tuple[str, Shown]:
    """The path of a table's preview, and the page."""
    answer = upload(client, content, **fields)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    return path, opened(client, path)


def confirmed(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return sent(client, path, {**opened(client, path).form(), "step": "send", **fields})


def finished(client: httpx.Client, path: str) -> str:
    """An import's page once it is finished."""
    assert wait_until(lambda: "It is finished." in client.get(path).text, seconds=60, pause=0.1)
    return client.get(path).text


def results(client: httpx.Client, path: str) -> list[dict[str, str]]:
    text = client.get(f"{path}/results.csv").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def credited(at_work: Working) -> int:
    at_work.look()
    found = at_work.client().get(f"/v1/organisations/{MEMBER}/balances").json()["items"]
    return sum(int(each["credits"]) for each in found)


def test_table__seen_and_sent_twice__is_credited_once_with_every_rows_result(
    at_work: Working, officer: httpx.Client
) -> None:
    before = credited(at_work)
    path, shown = previewed(officer, rows("once", 3, "four", 5))

    assert "2 of 3 rows will be sent." in shown.text
    assert "must be a whole number in digits" in shown.text
    assert credited(at_work) == before
    refused = confirmed(officer, path)
    assert refused.status_code == 422
    assert "Some rows are wrong." in refused.text
    first = confirmed(officer, path, skip_wrong="1")
    assert first.status_code == 303, first.text
    place = first.headers["location"]
    page = finished(officer, place)
    again = sent(officer, path, {**shown.form(), "step": "send", "skip_wrong": "1"})

    assert again.headers["location"] == place
    assert officer.get(path).headers["location"] == place
    assert "2 of 3 rows are done." in page
    assert credited(at_work) == before + 8
    told = results(officer, place)
    assert [each["state"] for each in told] == ["included", "wrong", "included"]
    assert told[1]["sentence"].startswith("amount 'four' is not a whole number")
    assert "table.csv" in opened(officer, "/desk/imports").text
    # The same table once more: all of it is known.
    _, known = previewed(officer, rows("once", 3, "four", 5))
    assert "0 of 3 rows will be sent." in known.text
    assert credited(at_work) == before + 8


def test_table__said_yes_to_in_many_windows_at_once__is_credited_once(
    at_work: Working, officer: httpx.Client
) -> None:
    before = credited(at_work)
    one, _ = previewed(officer, rows("many", 2, 2))
    other, _ = previewed(officer, rows("many", 2, 2))
    forms = [(path, opened(officer, path).form() | {"step": "send"}) for path in (one, other) * 3]

    def press(path: str, form: dict[str, str]) -> httpx.Response:
        with httpx.Client(base_url=officer.base_url, cookies=officer.cookies, timeout=60) as own:
            return own.post(path, data=form, headers={"Accept": "text/html"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: press(*each), forms))

    assert {each.status_code for each in answers} == {303}, [each.text for each in answers]
    (place,) = {each.headers["location"] for each in answers}
    finished(officer, place)
    assert credited(at_work) == before + 4


def test_import__of_an_issuer__is_bound_by_his_own_budget_row_by_row(
    at_work: Working, issuer: httpx.Client
) -> None:
    before = credited(at_work)
    path, shown = previewed(issuer, rows("budget", 60, 50, 20, 20))

    # 50 an award and 80 an epoch, of which another key signs.
    assert "more than may be awarded at once: 50" in shown.text
    assert "leaves after the rows before it: 10" in shown.text
    assert "Your budget has 80 left, and 10 afterwards." in shown.text
    # What is asked for meanwhile counts too.
    other, looked = previewed(issuer, rows("budget other", 30))
    place = confirmed(issuer, path, skip_wrong="1").headers["location"]
    changed = confirmed(issuer, other)

    assert changed.status_code == 409
    assert "The ledger has changed since you looked" in changed.text
    # Whoever pressed twice has not seen that page, and says yes to the one before.
    assert sent(issuer, other, {**looked.form(), "step": "send"}).status_code == 409
    finished(issuer, place)
    assert credited(at_work) == before + 70
    assert opened(issuer, "/desk/awards").text.count("10 of 80") == 1


def test_reversal__of_what_an_issuer_imported__is_his_to_take_back(
    at_work: Working, issuer: httpx.Client
) -> None:
    path, _ = previewed(issuer, rows("mine", 1))
    place = confirmed(issuer, path).headers["location"]
    finished(issuer, place)
    at_work.look()
    entry = results(issuer, place)[0]["entry"]
    fields = opened(issuer, f"/desk/reversals?entry={entry}").form() | {"ground": "none"}

    answer = sent(issuer, "/desk/reversals", {**fields, "entry": entry, "step": "preview"})

    assert answer.status_code == 200
    assert "Is this right?" in answer.text


def test_table__while_too_many_wait_for_their_turn__is_refused_at_once(
    officer: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_judging, "_WAITING", threading.BoundedSemaphore(1))
    with import_judging._own_turn():
        answer = upload(officer, rows("crowd", 1))

    assert answer.status_code == 503
    assert upload(officer, rows("crowd", 1)).status_code == 303


def test_import__of_another__is_seen_by_colleagues_and_changed_by_none(
    at_work: Working, officer: httpx.Client, issuer: httpx.Client
) -> None:
    path, _ = previewed(officer, rows("private", 1))
    clerk = officer_at(at_work, LocalSigner(secret_of(at_work.settings.home.parent, "clerk")))
    nobody = at_work.client()

    assert issuer.get(path).status_code == 404
    fields = opened(issuer, FORM).form()
    assert sent(issuer, path, {**fields, "step": "send"}).status_code == 404
    place = confirmed(officer, path).headers["location"]
    page = finished(officer, place)
    assert "Take back" not in page
    assert issuer.get(place).status_code == 200  # awards are an issuer's business
    assert clerk.get(place).status_code == 404  # and no registrar's
    assert clerk.get(f"{place}/results.csv").status_code == 404
    assert nobody.get(place).status_code == 401
    for step in ("go_on", "take_back"):
        assert sent(issuer, place, {**fields, "step": step}).status_code == 403


def test_import__of_who_lost_the_office_in_its_programme__is_not_his_to_go_on_with(
    at_work: Working, issuer: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_AT_ONCE", 0)  # so that it stays unsent
    place = confirmed(issuer, previewed(issuer, rows("left", 1))[0]).headers["location"]
    ledger, account = at_work.ledger, at_work.ledger.issuer.address
    to, elsewhere = ledger.contracts.authority.address, ProgrammeId(PROGRAMME + 1)
    step = opened(issuer, place).form(0)
    ledger.do(to, authority.encode_appoint("issuer", elsewhere, account, ledger.operation()))
    ledger.do(to, authority.encode_dismiss("issuer", PROGRAMME, account, ledger.operation()))
    at_work.look()

    refused = sent(issuer, place, {**step, "step": "go_on"}).status_code
    ledger.do(to, authority.encode_appoint("issuer", PROGRAMME, account, ledger.operation()))
    at_work.look()

    assert refused == 403
    assert sent(issuer, place, {**step, "step": "go_on"}).status_code == 303
    assert sent(issuer, place, {**step, "step": "take_back"}).status_code == 303


@pytest.mark.parametrize(
    ("who", "kind"), [("treasurer", "awards"), ("clerk", "awards"), ("clerk", "organisations")]
)
def test_table__of_who_lacks_the_office__is_refused(
    at_work: Working, officer: httpx.Client, who: str, kind: str
) -> None:
    signer = wallet("treasurer")
    if who == "clerk":
        signer = LocalSigner(secret_of(at_work.settings.home.parent, "clerk"))
    client = officer_at(at_work, signer)
    form = opened(officer, FORM).form() | {"kind": kind, "ground": "none"}
    form["csrf"] = client.get("/v1/session").json()["csrf_token"]
    form.pop("file")
    answer = client.post("/desk/imports", data=form, files={"file": ("a.csv", rows("no", 1))})

    # A registrar of one programme registers nobody: it takes the whole alliance's.
    assert answer.status_code == 403, answer.text
    assert client.get(f"/desk/imports/new/{kind}").status_code in (
        {403} if who != "clerk" or kind == "awards" else {200}
    )


def workbook(sheet: str) -> bytes:
    packed = io.BytesIO()
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": '<workbook><sheets><sheet name="a" r:id="r" xmlns:r="http://schemas.'
        'openxmlformats.org/officeDocument/2006/relationships"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r" Target="s.xml"/>'
        "</Relationships>",
        "xl/s.xml": sheet,
    }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return packed.getvalue()


BAD = {
    "empty": (b"", "Choose a table with something in it."),
    "blank": (b"\n\n", "lacks the heading"),
    "heading": (b"key,member_of\nx,y\n", "lacks the heading"),
    "unknown": (b"organisation,amount,category,member_of\n", "a heading that is not known"),
    "utf16": ("organisation,amount,category\n".encode("utf-16"), "UTF-16"),
    "mixed": (
        "organisation,amount,category\n机构,1,a\n".encode() + "机构,1,a\n".encode("gb18030"),
        "two encodings",
    ),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old workbook"),
    "html": (b"<html><table></table></html>", "a web page and no table"),
    "semicolons": (b"organisation;amount;category\n", "not separated by commas"),
    "zip": (b"PK\x03\x04" + bytes(400), "damaged"),
    "bomb": (
        workbook("<worksheet>" + " " * 300_000_000 + "</worksheet>"),
        "more than a table does",
    ),
    "long": (HEADINGS.encode() + b"x," * 2_000_000, "longer than any"),
}


@pytest.mark.parametrize("name", BAD)
def test_file__that_is_no_table__is_told_with_what_to_do(
    at_work: Working, officer: httpx.Client, name: str
) -> None:
    content, said = BAD[name]

    answer = upload(officer, content)

    assert answer.status_code == 422, answer.text
    assert said in answer.text
    assert "Nothing was sent." in answer.text
    assert str(at_work.settings.home) not in answer.text


def test_table__in_gbk_and_with_a_mark__is_read(officer: httpx.Client) -> None:
    text = f"编号,机构,数额,类别\n一-{{}},{MEMBER},1,{CATEGORY}\n"

    for place, encoding in enumerate(("gb18030", "utf-8-sig", "utf-8")):
        _, shown = previewed(officer, text.format(place).encode(encoding))
        assert f"一-{place}" in shown.text
        assert "1 of 1 rows will be sent." in shown.text


def test_rows__with_what_no_cell_may_hold__are_told_in_the_readers_language(
    at_work: Working,
) -> None:
    chinese = officer_at(at_work, at_work.ledger.officer, language="zh-CN")
    table = (
        "reference,organisation,amount,category,evidence\n"
        f"a,=1+1,1,{CATEGORY},\n"
        f'b,{MEMBER},"1,000",no.such,/etc/passwd\n'
        f"c,{MEMBER},1,{CATEGORY},pyproject.toml\n"
        f"d,999999,-4,{CATEGORY},../../etc/passwd\n"
        f"d,{MEMBER},1,{CATEGORY},0x{'00' * 32}\n"
        f"<script>alert(1)</script>,{MEMBER},1,{CATEGORY},\n"
    )
    _, shown = previewed(chinese, table)

    page = shown.text
    assert "<script>alert" not in page
    body = page[page.index('<table class="list') :]
    words = set(
        re.findall(
            r"(?<![0-9a-zA-Z])[A-Za-z]{4,}(?![0-9a-zA-Z])",
            re.sub(r"<[^>]*>|&\w+;|&#\d+;", " ", body),
        )
    )
    known = {"script", "alert", "passwd", "pyproject", "toml", "such", "alliance"}
    known |= set(CATEGORY.split("."))
    assert not {each for each in words if each not in known}
    assert "必须是已存文件的承诺值" in page
    assert "含有公式" in page


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="' + b"n" * 100_000,
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nno end',
        b"\x00" * 70_000,
    ],
    ids=["empty", "cut", "nameless", "headers", "long name", "no end", "zeros"],
)
def test_form__that_is_broken__is_refused_and_nothing_kept(
    at_work: Working, officer: httpx.Client, body: bytes
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = officer.post("/desk/imports", content=body, headers=headers)

    assert answer.status_code == 422, answer.text
    assert officer.get("/desk").status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        *("text/csv", "multipart/form-data", ""),
        *(f"{MULTIPART}; boundary=b; charset={each}" for each in ("punycode", "idna; x=utf-8")),
    ],
)
def test_form__of_another_type__is_refused(officer: httpx.Client, kind: str) -> None:
    answer = officer.post("/desk/imports", content=b"--b--\r\n", headers={"Content-Type": kind})

    assert answer.status_code in (403, 422), answer.text
    # By its type, before anything of it is decoded.
    headers = {"Content-Type": kind, "Accept": "application/json"}
    told = officer.post("/desk/imports", content=b"--b--\r\n", headers=headers).json()
    assert "Content-Type" in told["detail"] or kind == MULTIPART


@pytest.mark.parametrize("asked", ["bytes=x", "bytes=999999999-", "bytes=0-4", "bytes=0-1,3-4"])
def test_results__of_which_a_part_is_asked__are_sent_whole_and_leave_no_file(
    officer: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    (place, *_) = re.findall(r"/desk/imports/[0-9a-f]{64}", officer.get("/desk/imports").text)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    answer = officer.get(f"{place}/results.csv", headers={"Range": asked})

    assert answer.status_code == 200
    assert answer.content.startswith("\ufeffrow,".encode())
    assert answer.headers["cache-control"] == "no-store"
    assert wait_until(lambda: not list(tmp_path.iterdir()), seconds=10, pause=0.02)


def test_file__of_nobody_and_of_a_foreign_page__is_refused(
    at_work: Working, officer: httpx.Client
) -> None:
    form = opened(officer, FORM).form()
    form.pop("file")
    files = {"file": ("a.csv", rows("foreign", 1))}
    nobody = at_work.client()

    assert nobody.post("/desk/imports", data=form, files=files).status_code == 401
    assert officer.post("/desk/imports", data={**form, "csrf": "x"}, files=files).status_code == 403
    elsewhere = {"Origin": "https://elsewhere.example"}
    answer = officer.post("/desk/imports", data=form, files=files, headers=elsewhere)
    assert answer.status_code == 403


def test_file__that_is_too_large__is_refused(officer: httpx.Client) -> None:
    answer = upload(officer, HEADINGS + "\n" * 17 * 1024 * 1024)

    assert answer.status_code == 422
    assert "The file is too large" in answer.text
    many = HEADINGS + f",{MEMBER},1,{CATEGORY}\n" * 20_001
    assert "more than 20,000 rows" in upload(officer, many, allow_equal_rows="1").text
