"""An organisation that is erased is in no file any more, while the chain and its audit stay."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text

from ledger.domain.ids import OrgId
from ledger.errors import InvalidValue
from ledger.office.applications import file_application
from ledger.office.contacts import Contact, read_contacts, replace_contacts
from ledger.office.evidence import Description
from ledger.office.log import note_step, read_steps
from ledger.office.profiles import Profile, Subject, check_credit_code, keep_profile
from ledger.services import organisations
from ledger.services.erasure import Erased, erase_organisation, export_organisation
from ledger.services.imports.bringing import Bringing, write_down
from ledger.services.imports.columns import Subject as Kind
from ledger.services.imports.journal import name_of, note_line, problem_of, write_lines
from ledger.services.imports.kinds import Given
from ledger.services.imports.planning import File, Plan
from ledger.services.imports.results import Result, read_results
from ledger.services.imports.spool import Spool
from ledger.services.spreadsheets.tables import HowToRead
from ledger.store.engine import POSTGRESQL, reading, writing
from ledger.store.import_tables import import_lines, import_rows
from tests.support.desks import Sender
from tests.support.ledger import MEMBER, STRANGER, Ledger

ZH, EN, PERSON = "抹痕测试公司", "Tracefree Testing", "Wangerasable Xiaoming"
PHONE, STREET, NOTE = "0086 10 7777 3311", "Unfindable Road 88", "Noteworthy secretive remark"
TITLE = "Unmistakable title"
CONTENT = b"unrepeatable content of a document"
NEEDLES = [
    each.encode() if isinstance(each, str) else each
    for each in (ZH, EN, PERSON, PHONE, STREET, NOTE, TITLE, CONTENT)
]
CODE = "91110000600037341L"


@pytest.fixture
def sender(own_ledger: Ledger, engine: Engine, tmp_path: Path) -> Sender:
    return Sender(own_ledger, engine, tmp_path)


def fill(sender: Sender) -> None:
    """Two organisations with profiles on the chain; what is to be erased is the first one's."""
    with writing(sender.engine) as connection:
        evidence = sender.desk.evidence.keep(
            connection,
            io.BytesIO(CONTENT),
            Description("", TITLE, "text/plain"),
            added_at=1,
            private=True,
        )
        first = Profile(
            Subject.ORGANISATION,
            "tracefree",
            ZH,
            EN,
            "data",
            NOTE,
            (("logo", "0x" + evidence.commitment.hex()), ("uscc", CODE)),
        )
        earlier = keep_profile(connection, Profile(Subject.ORGANISATION, "tracefree", ZH, ""))
        current = keep_profile(connection, first)
        other = keep_profile(connection, Profile(Subject.ORGANISATION, "other", "别家", "Other"))
        for key, contact in (
            ("tracefree", Contact("fees", PERSON, "", PHONE, STREET)),
            ("other", Contact("fees", "Li", "", "0086 10 1", "Other Road 1")),
        ):
            replace_contacts(connection, Subject.ORGANISATION, key, [contact])
        file_application(connection, MEMBER, "community", filed_at=1, note=NOTE)
        note_step(connection, f"organisation:{MEMBER}", "noted", actor="desk", at=1, detail=NOTE)
    for org_id, commitment in ((MEMBER, earlier), (MEMBER, current), (STRANGER, other)):
        order = sender.order(sender.ledger.operation())
        organisations.change_profile(order, org_id, commitment)
    sender.mirror()


def erase(sender: Sender, org_id: OrgId = MEMBER) -> Erased:
    return erase_organisation(
        sender.engine, sender.desk.evidence, org_id, actor="officer", with_evidence=True, now=9
    )


def holders(paths: Iterator[Path]) -> dict[bytes, list[str]]:
    """The files that hold a needle, byte for byte; packed ones unpacked."""
    found: dict[bytes, list[str]] = {}
    for path in paths:
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        for needle in NEEDLES:
            forms = (needle, needle.decode().encode("utf-16-le"), needle.hex().encode())
            if any(form in content for form in forms):
                found.setdefault(needle, []).append(path.name)
    return found


def database_files(engine: Engine, folder: Path) -> Iterator[Path]:
    """The database's files, without the write-ahead log of PostgreSQL, which erasing names."""
    if engine.dialect.name == POSTGRESQL:
        with engine.connect() as connection:
            data = Path(connection.execute(text("SHOW data_directory")).scalar_one())
            number = connection.execute(
                text("SELECT oid FROM pg_database WHERE datname = current_database()")
            ).scalar_one()
        return (data / "base" / str(number)).rglob("*")
    return folder.glob("ledger.sqlite3*")


def test_organisation__erased__leaves_others_and_the_fact_of_its_erasing(sender: Sender) -> None:
    fill(sender)
    erase(sender)

    with reading(sender.engine) as connection:
        other = export_organisation(connection, STRANGER)
        assert other["profiles"][0]["document"]["name_en"] == "Other"
        assert other["contacts"][0]["address"] == "Other Road 1"
        steps = [
            (each.action, each.actor, each.detail)
            for each in read_steps(connection, f"organisation:{MEMBER}")
        ]
    assert steps == [("noted", "desk", ""), ("erased", "officer", "")]
    again = erase(sender)
    assert (again.profiles, again.contacts, again.applications, again.documents) == (0, 0, 0, 0)


def test_organisation__exported__is_all_that_is_kept_of_it(sender: Sender) -> None:
    fill(sender)
    with reading(sender.engine) as connection:
        held = export_organisation(connection, MEMBER)

    assert {each["document"]["name_zh"] for each in held["profiles"]} == {ZH}
    assert [each["person"] for each in held["contacts"]] == [PERSON]
    assert held["applications"] == [{"programme": "community", "filed_at": 1, "note": NOTE}]
    assert [each["title_en"] for each in held["documents"]] == [TITLE]
    assert held["log"][0]["detail"] == NOTE


def test_organisation__brought_by_a_spreadsheet_and_erased__is_not_in_the_imports_either(
    sender: Sender, tmp_path: Path
) -> None:
    account = "0x" + "77" * 20
    sheet = tmp_path / "members.csv"
    sheet.write_text(
        "key,name_zh,name_en,controller\n"
        f"tracefree,{ZH},{EN},{account}\n"
        f"other,别家,Other,0x{'78' * 20}\n"
        f"tracefree,{ZH},{EN},nonsense\n"
    )
    import_id, first = bring(sender, sheet)
    sender.mirror()
    assert [each.state for each in first] == ["included", "included", "wrong"]
    org_id = OrgId(first[0].made or 0)
    with writing(sender.engine) as connection:  # a row that another file had wrong
        error = InvalidValue(field="organisation", value="tracefree", expected="active")
        note_line(connection, import_id, 4, "wrong", error)
        write_lines(connection, import_id, [(9, "A-9", None, "wrong", problem_of(error))])
        problem = problem_of(InvalidValue(field="tier", value="x", expected="one"))
        others = [(10, "tracefree-2026", None), (11, "tracefreely", None)]
        write_lines(connection, import_id, [(*each, "wrong", problem) for each in others])
        traces = export_organisation(connection, org_id)["imports"]
        hashes = contents(connection)
    assert [each["line"] for each in traces] == [2, 4, 9, 10]

    erase(sender, org_id)

    sheet.unlink()
    with reading(sender.engine) as connection:
        lines = connection.execute(select(import_lines).order_by(import_lines.c.line)).all()
        kept = contents(connection)
        found = name_of(connection, import_id)
        (left,) = export_organisation(connection, org_id)["imports"]
    assert (left["line"], left["reference"], left["sentence"]) == (2, "", "")
    assert [each.reference for each in lines] == ["", "other", "", "A-9", "", "tracefreely"]
    assert "tracefree" not in "".join(each.problem or "" for each in lines[:-1])
    assert len(kept & hashes) == 1, "the other's row is as it was"
    again = list(read_results(sender.engine, found))
    assert [each.state for each in again] == [*(["included"] * 2), *(["wrong"] * 4)]
    assert [each.made for each in again[:2]] == [each.made for each in first[:2]]
    assert again[0].transaction_hash == first[0].transaction_hash
    assert {each.code for each in again[2:]} == {"input.invalid_value"}
    assert holders(database_files(sender.engine, tmp_path)) == {}


def contents(connection: Connection) -> set[bytes]:
    return {bytes(each) for each in connection.execute(select(import_rows.c.content)).scalars()}


def bring(sender: Sender, path: Path) -> tuple[bytes, list[Result]]:
    """Import a file of organisations, leaving out what is wrong; its id, and what came of it."""
    signer = sender.ledger.officer
    given = Given(folder=path.parent)
    file = File(Kind.ORGANISATIONS, path, signer.address, given, HowToRead(), False)
    with Spool() as spool:
        plan = Plan(sender.desk, file, spool, lambda *_: None)
        plan.judge()
        write_down(sender.desk, plan)
        Bringing(sender.desk, signer, plan.import_id, lambda *_: None).run()
        with reading(sender.engine) as connection:
            found = name_of(connection, plan.import_id)
        return plan.import_id, list(read_results(sender.engine, found))


# --- what a profile and a contact are -------------------------------------------------------------


@pytest.mark.parametrize("code", [CODE, "91350100M000100Y43"])
def test_credit_code__whose_last_digit_checks__is_taken(code: str) -> None:
    assert check_credit_code(code) == code
    assert check_credit_code(f" {code[:2]} {code[2:].lower()}") == code


@pytest.mark.parametrize(
    "code", ["911100006000373410", "91110000600037341", "A1110000600037341L", "9111000060003734IL"]
)
def test_credit_code__that_is_mistyped__is_refused(code: str) -> None:
    with pytest.raises(InvalidValue, match="uscc"):
        check_credit_code(code)
    with pytest.raises(InvalidValue, match="uscc"):
        Profile(Subject.ORGANISATION, "x", "名", "", details=(("uscc", code),)).document()


@pytest.mark.parametrize(
    "details",
    [("website", "javascript:alert(1)"), ("logo", "logo.png"), ("website", "https://a b/")],
)
def test_profile__with_a_detail_out_of_form__is_refused(details: tuple[str, str]) -> None:
    with pytest.raises(InvalidValue):
        Profile(Subject.ORGANISATION, "x", "名", "", details=(details,)).document()


@pytest.mark.parametrize(
    "contact",
    [
        Contact(role="fees"),
        Contact(email="nobody"),
        Contact(email="a@b\ncc: c@d.example"),
        Contact(email="=?utf-8?q?x=0a?=@example.com"),
        Contact(phone="call me"),
        Contact(person="=1+1"),
    ],
)
def test_contact__that_cannot_be_kept__is_refused(contact: Contact) -> None:
    with pytest.raises(InvalidValue):
        contact.check()


def test_contacts__given_anew__replace_those_before(sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as connection:
        for people in (("A", "B"), ("C",)):
            wanted = [Contact(person=each, email=f"{each}@example.com") for each in people]
            replace_contacts(connection, Subject.ORGANISATION, "x", wanted)
        found = read_contacts(connection, Subject.ORGANISATION, "x")
    assert [each.person for each in found] == ["C"]
