"""The proof of erasure: an organisation that was worked on, read, logged and backed up, and is then
in no byte of the database's files, the logs, the bundle and the backup written afterwards."""

from __future__ import annotations

import io
import logging
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, delete, select, text
from stdnum.cn import uscc

from api.edge import REQUEST_ID
from api.logs import write_json_lines
from ledger.audit.exporting import Exporter
from ledger.chain.contracts import authority
from ledger.domain.ids import ALLIANCE_WIDE, OrgId
from ledger.mirror.digest import compute_digest
from ledger.office.evidence import Description
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.office.webhooks.addresses import Gate
from ledger.office.webhooks.endpoints import add_endpoint
from ledger.services import organisations, scrubbing
from ledger.services.backups import write_backup
from ledger.services.notices.sending import MailServer, NoticeSender
from ledger.services.scrubbing import scrub
from ledger.store.engine import POSTGRESQL, reading, writing
from ledger.store.office_tables import office_state, profiles
from ledger.wiring import open_evidence
from tests.http.test_office import decided, made, post, recommended
from tests.http.wallets import wallet
from tests.http.working import Working, award_of, working
from tests.support.anvil import Anvil
from tests.support.databases import migrate
from tests.support.desks import opened_engine
from tests.support.ledger import Ledger, running_ledger
from tests.support.ports import free_port
from tests.support.postgres import Cluster, cluster_or_skip
from tests.support.searching import find_words

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


class Words:
    """What an organisation is known by, as nothing else is; `all` are what is searched for."""

    def __init__(self) -> None:
        self.mark = "qzx" + secrets.token_hex(5)
        body = "91350100" + "M" + secrets.token_hex(4).upper()
        self.code = str(body + uscc.calc_check_digit(body))
        self.zh = "龘靐" + "".join(chr(0x4E00 + secrets.randbelow(0x4000)) for _ in range(4))
        self.phone = "0086 " + str(10**9 + secrets.randbelow(9 * 10**9))
        self.all = (self.mark, self.code, self.zh, self.phone)

    def form(self, **changed: Any) -> dict[str, Any]:
        """As an applicant says it."""
        contact = {
            "person": f"Wang {self.mark}",
            "email": f"{self.mark}@example.com",
            "phone": self.phone,
            "address": f"{self.mark} Road 8",
        }
        said = {"name_zh": self.zh, "name_en": f"{self.mark} Space", "note": f"of {self.mark}"}
        return {**said, "segment": "satellite", "uscc": self.code, "contact": contact, **changed}


@pytest.fixture(scope="module")
def postgres_cluster() -> Iterator[Cluster]:
    """One of this module's own: all its files are read, and a worker's has many databases."""
    with cluster_or_skip() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def migrated_postgres(postgres_cluster: Cluster) -> str:
    """The database there that the tests' are copies of."""
    url = postgres_cluster.new_database()
    migrate(url)
    return url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything of this module stands that is in no database."""
    return tmp_path_factory.mktemp("erasure")


@pytest.fixture(scope="module")
def ledger(anvil: Anvil, folder: Path) -> Iterator[Ledger]:
    """A ledger with two registrars, for both kinds of database."""
    with running_ledger(anvil, folder) as running:
        second = wallet("second").address
        appoint = authority.encode_appoint("registrar", ALLIANCE_WIDE, second, running.operation())
        running.do(running.contracts.authority.address, appoint)
        yield running


@pytest.fixture
def log(folder: Path) -> Iterator[Path]:
    """The server's log, with a line for each request, as its process writes it."""
    root, own = logging.getLogger(), logging.getLogger("moonlake")
    handlers, level, own_level = list(root.handlers), root.level, own.level
    path = folder / "home" / "logs" / "serve.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", buffering=1) as stream:
        write_json_lines(REQUEST_ID, stream)
        yield path
        root.handlers = handlers
        root.setLevel(level)
        own.setLevel(own_level)


@pytest.fixture
def at_work(ledger: Ledger, folder: Path, log: Path, database_url: str) -> Iterator[Working]:
    """Its server, on each kind of database."""
    with working(ledger, folder, database_url) as found:
        yield found


def fill(at_work: Working, officer: httpx.Client, words: Words) -> int:
    """All that an organisation leaves in an office; its id."""
    engine, applicant = at_work.sender.engine, at_work.client(wallet(words.mark))
    store = open_evidence(at_work.settings)
    with writing(engine) as connection:
        add_endpoint(connection, Gate(), "https://nowhere.invalid/hook", now=1)
    mail = MailServer("127.0.0.1", free_port(), "nothing", "", "", "l@example.org", "https://l.org")
    NoticeSender(engine, mail).drain()  # from now on members are told
    # Its account applied before, and thought better of it; what it said then is of nobody's.
    first = made(post(applicant, "/v1/applications", {"programme": "alliance",
                                                      "form": words.form(uscc="")}))  # fmt: skip
    made(post(applicant, f"/v1/applications/{first['application_id']}/withdrawals"))
    filed = made(post(applicant, "/v1/applications", {"programme": "alliance",
                                                      "form": words.form()}))  # fmt: skip
    path = f"/v1/applications/{filed['application_id']}"
    sent = applicant.post(
        f"{path}/documents?title={words.mark}.pdf",
        content=b"%PDF-1.7 " + words.mark.encode(),
        headers={"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/pdf"},
    )
    assert sent.status_code == 201, sent.text
    made(post(officer, f"{path}/questions", {"text": f"Is {words.mark} yours?"}))
    made(post(applicant, f"{path}/answers", {"text": f"{words.zh} it is: {words.phone}"}))
    recommended(officer, [filed["application_id"]])
    second = at_work.client(wallet("second"))
    made(post(second, "/v1/confirmations", {"applications": [filed["application_id"]]}))
    (done,) = decided(at_work, officer, [filed["application_id"]])["applications"]
    org_id = int(done["org_id"])
    told = f"/v1/evidence?title_en=Delivery+of+{words.mark}"
    document = officer.post(
        told, content=f"{words.zh} delivered".encode(), headers={"Content-Type": "text/plain"}
    )
    assert document.status_code == 201, document.text
    award = award_of(5) | {"no_evidence": False}
    award["awards"][0] |= {"organisation": org_id, "evidence": document.json()["commitment"]}
    asked = post(officer, "/v1/awards", award)
    assert asked.status_code == 202, asked.text
    at_work.wait_for(officer, asked.headers["location"])
    with writing(engine) as connection:
        described = Description("", f"Logo of {words.mark}", "image/png")
        picture = io.BytesIO(PNG + words.mark.encode())
        logo = store.keep(connection, picture, described, added_at=1)
        details = (("logo", "0x" + logo.commitment.hex()), ("uscc", words.code))
        profile = Profile(
            Subject.ORGANISATION, f"org-{words.mark}", words.zh, words.mark, details=details
        )
        commitment = keep_profile(connection, profile)
        # What was asked for under another key, and never came to the chain.
        keep_profile(connection, Profile(Subject.ORGANISATION, f"no-{words.mark}", words.zh, ""))
    order = at_work.sender.order(at_work.ledger.operation())
    organisations.change_profile(order, OrgId(org_id), commitment)
    at_work.look()
    changed = {"website": f"https://{words.mark}.example.com/", "note": f"{words.mark} again"}
    asked = post(officer, f"/v1/organisations/{org_id}/profiles", changed)
    at_work.wait_for(officer, asked.headers["location"])
    at_work.look()
    contact = {"contacts": [words.form()["contact"]]}
    made(post(officer, f"/v1/organisations/{org_id}/contacts", contact))
    NoticeSender(engine, mail).drain()  # no mail server takes it; it is kept to be tried again
    return org_id


def read_all(
    at_work: Working, officer: httpx.Client, org_id: int, words: Words, tags: dict[str, str]
) -> str:
    """What anybody and an officer are told of it; `tags` are those of earlier answers."""
    one = f"/v1/organisations/{org_id}"
    public = at_work.client()
    said = []
    for client, path in (
        *((public, f"/v1/organisations?q={word}") for word in (words.mark, words.zh)),
        *((public, f"{one}{more}") for more in ("", "/memberships", "/entries", "/entries.csv")),
        (public, f"/organisations/{org_id}"),
        (public, f"/organisations?q={words.mark}"),
        (public, "/v1/memberships?programme=alliance"),
        *((officer, f"{one}/{more}") for more in ("profile", "export")),
        (officer, "/v1/applications"),
        (officer, "/v1/access-log"),
    ):
        answer = client.get(path, headers={"If-None-Match": tags.get(path, '"none"')})
        assert answer.status_code in (200, 404), f"{path}: {answer.status_code}"
        tags[path] = answer.headers.get("etag", '"none"')
        said.append(answer.text.replace(f"q={words.mark}", ""))
    # What is refused says what was wrong, to the caller alone.
    refused = post(officer, f"{one}/profiles", {"name_en": words.mark, "uscc": f"{words.code}0"})
    assert refused.status_code == 422
    return "\n".join(said)


def test_organisation__erased__is_in_no_byte_of_database_logs_bundle_and_later_backup(
    at_work: Working, ledger: Ledger, folder: Path, tmp_path: Path
) -> None:
    words, engine = Words(), at_work.sender.engine
    officer = at_work.client(ledger.officer)
    org_id = fill(at_work, officer, words)
    tags: dict[str, str] = {}
    said = read_all(at_work, officer, org_id, words, tags)
    assert all(word in said for word in words.all), "it is shown before"
    back_up(at_work, folder / "before.tar.gz")
    settle(engine)
    before = find_words(database_files(engine, tmp_path), words.all)
    assert set(before) == set(words.all), "the search finds what is there"
    assert set(find_words([folder / "before.tar.gz"], words.all)) == set(words.all)
    assert words.mark in find_words((folder / "home" / "evidence").rglob("*"), words.all)
    with reading(engine) as connection:
        digest = compute_digest(connection)

    body = {"organisation": org_id, "with_evidence": True}
    erased = made(post(officer, f"/v1/organisations/{org_id}/erasures", body))

    assert erased["remaining"] == []
    assert (erased["contacts"], erased["applications"]) == (2, 1)
    said = read_all(at_work, officer, org_id, words, tags)
    assert [word for word in words.all if word in said] == []
    (folder / "before.tar.gz").unlink()
    back_up(at_work, folder / "after.tar.gz")
    settle(engine)
    last = ledger.node.block_number()
    Exporter(ledger.node, ledger.deployment, lambda *_: None).export(folder / "bundle.tar", last)
    assert find_words(folder.rglob("*"), words.all) == {}
    assert find_words(database_files(engine, tmp_path), words.all) == {}
    assert "/v1/organisations/{org_id}/erasures" in (folder / "home/logs/serve.log").read_text()
    with reading(engine) as connection:
        assert compute_digest(connection) == digest, "what the chain holds is untouched"


def back_up(at_work: Working, path: Path) -> None:
    write_backup(
        at_work.sender.engine, open_evidence(at_work.settings), path, home=at_work.settings.home,
        with_keys=True, now=1,
    )  # fmt: skip


def database_files(engine: Engine, folder: Path) -> list[Path]:
    """All files of the database: of PostgreSQL those of the whole cluster, its log among them."""
    if engine.dialect.name == POSTGRESQL:
        with engine.connect() as connection:
            data = Path(connection.execute(text("SHOW data_directory")).scalar_one())
        return [*data.rglob("*"), data.parent / "log"]
    return list(folder.glob("ledger.sqlite3*"))


def settle(engine: Engine) -> None:
    """Have the files hold what was committed."""
    if engine.dialect.name == POSTGRESQL:
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("ANALYZE"))
            connection.execute(text("CHECKPOINT"))


def test_erasing__while_somebody_still_sees_the_rows__says_so_and_is_whole_the_next_time(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = Words()
    monkeypatch.setattr(scrubbing, "_PATIENCE", 0.2)
    with opened_engine(postgres_url) as engine:
        with writing(engine) as connection:
            keep_profile(connection, Profile(Subject.ORGANISATION, words.mark, words.zh, ""))
        with reading(engine) as reader:
            reader.execute(select(office_state)).all()
            with writing(engine) as connection:
                connection.execute(delete(profiles))
            remaining = scrub(engine)
        again = scrub(engine)
        settle(engine)

        assert any("again" in each for each in remaining)
        assert again == ()
        assert find_words(database_files(engine, tmp_path), words.all[::2]) == {}


def test_erasing__by_a_role_that_may_not_write_the_tables_anew__says_of_each_what_is_left(
    postgres_url: str,
) -> None:
    with opened_engine(postgres_url) as engine:
        role = "plain_" + secrets.token_hex(4)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE ROLE {role}"))
            schema = connection.execute(text("SELECT current_schema()")).scalar_one()
            connection.execute(text(f'GRANT ALL ON SCHEMA "{schema}" TO {role}'))
            connection.execute(text(f'GRANT ALL ON ALL TABLES IN SCHEMA "{schema}" TO {role}'))
        try:
            with engine.connect() as other:
                other.execute(text("SELECT 1"))  # a superuser's session, of which it sees nothing
                remaining = _scrub_as(engine, role)
        finally:
            with engine.begin() as connection:
                connection.execute(text(f"DROP OWNED BY {role}"))
                connection.execute(text(f"DROP ROLE {role}"))

    assert "the table profiles: its owner must run `VACUUM FULL profiles`" in remaining
    assert any("pg_read_all_stats" in each for each in remaining)


def _scrub_as(engine: Engine, role: str) -> tuple[str, ...]:
    plain = create_engine(engine.url, connect_args={"options": f"-c role={role}"})
    try:
        return scrub(plain)
    finally:
        plain.dispose()
