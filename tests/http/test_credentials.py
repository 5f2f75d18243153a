"""Memberships as credentials: a library that is not ours checks them, and sees what the chain says.

The library is openbadgeslib: it finds the issuer's keys by his DID, checks the signature of the
credential and that of the status list, and refuses a credential whose bit is set.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import gzip
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
from openbadgeslib.ob3 import OB3Verifier
from openbadgeslib.ob3.verifier import OB3VerificationError
from pydantic import SecretStr
from sqlalchemy import insert, select, update

from ledger.cli.main import main
from ledger.config import Settings
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, ProgrammeId, token_id
from ledger.errors import InvalidFile, IssuerKeyMissing, KeyLocked, KeyMissing
from ledger.office.credentials import keys as issuer_keys
from ledger.office.credentials.keys import (
    IssuerKey,
    create_issuer_key,
    list_issuer_keys,
    newest_issuer_key,
    open_issuer_key,
    set_issuer_key_aside,
)
from ledger.office.credentials.lists import LENGTH, encode_in_force
from ledger.store import mirror_tables as tables
from ledger.store.engine import open_engine, writing
from tests.http.conftest import NOW, Ledger, Templates, serving
from tests.http.facts import LAPSED, PROGRAMME_KEYS, STRANGER, SUSPENDED, account_of

ORIGIN = "https://ledger.example.org:8443"
DID = "did:web:ledger.example.org%3A8443"
PASSWORD = "correct horse"
COMMUNITY = ProgrammeId(2)


class Then(datetime.datetime):
    """The clock of the library at the time of the seeded ledger."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Then:
        return cls.fromtimestamp(NOW + 1, tz)


@pytest.fixture(autouse=True)
def time_of_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jwt.api_jwt", "openbadgeslib.ob3.verifier", "openbadgeslib.ob3.status"):
        monkeypatch.setattr(sys.modules[name], "datetime", Then)


class Office:
    """A server with an issuer's key, and whoever checks what it gives."""

    def __init__(self, ledger: Ledger, client: httpx.Client) -> None:
        self.ledger, self.client = ledger, client
        self.folder = ledger.settings.home / "keys" / "credentials"
        self.token = token_id(COMMUNITY, OrgId(ledger.seeded.org_ids["galaxyspace"]))
        self.asked: list[str] = []

    def credential(self, token: int | None = None) -> dict[str, Any]:
        answer = self.client.get(f"/v1/memberships/{token or self.token}/credential")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def download(self, url: str) -> bytes:
        """What anybody fetches of the issuer, from another machine."""
        assert url.startswith(ORIGIN + "/")
        self.asked.append(url)
        parts = urlsplit(url)
        return self.client.get(parts.path, headers={"Origin": "https://any.example"}).content

    def check(self, token: str) -> Any:
        """The library's own judgement. Raises OB3VerificationError."""
        verifier = OB3Verifier.for_issuer_did(DID, download=self.download)
        return verifier.verify(token, check_status=True, download=self.download)

    def change(self, **values: object) -> None:
        """What a block's event makes of the membership."""
        table = tables.membership_versions
        engine = open_engine(self.ledger.settings.database)
        with writing(engine) as connection:
            of = (table.c.programme_id == COMMUNITY, table.c.org_id == self.token & 0xFFFFFFFF)
            last = connection.execute(
                select(table)
                .where(*of)
                .order_by(table.c.block_number.desc(), table.c.log_index.desc())
            ).first()
            assert last is not None
            self._add(connection, table, {**last._mapping, **values})
        engine.dispose()

    def hand_over(self, controller: bytes) -> None:
        """Another account acts for the organisation."""
        table = tables.organisation_versions
        engine = open_engine(self.ledger.settings.database)
        with writing(engine) as connection:
            of = table.c.org_id == self.token & 0xFFFFFFFF
            last = connection.execute(
                select(table)
                .where(of)
                .order_by(table.c.block_number.desc(), table.c.log_index.desc())
            ).first()
            assert last is not None
            changed = {**last._mapping, "change": "rotated", "controller": controller}
            self._add(connection, table, changed)
        engine.dispose()

    @staticmethod
    def _add(connection: Any, table: Any, row: dict[str, Any]) -> None:
        state = connection.execute(select(tables.mirror_state)).one()
        number, stamp = state.cursor_number + 1, state.cursor_timestamp + 1
        mark = number.to_bytes(32, "big")
        block = {"number": number, "hash": mark, "timestamp": stamp}
        connection.execute(insert(tables.blocks).values(block))
        place = {"block_number": number, "log_index": 0}
        topics = bytes(32) + (10**6 + number).to_bytes(32, "big")
        log = {**place, "transaction_index": 0, "contract_id": 1, "topics": topics, "data": b""}
        connection.execute(insert(tables.logs).values(log))
        connection.execute(insert(table).values({**row, **place}))
        cursor = {"cursor_number": number, "cursor_hash": mark, "cursor_timestamp": stamp}
        connection.execute(update(tables.mirror_state).values(cursor))


@pytest.fixture(scope="module")
def shared(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that tests leave as it is."""
    with opened(templates, tmp_path_factory.mktemp("issuer")) as office:
        yield office


@pytest.fixture
def office(templates: Templates, tmp_path: Path) -> Iterator[Office]:
    """An office of the test's own."""
    with opened(templates, tmp_path) as office:
        yield office


def settings_of(ledger: Ledger) -> Settings:
    given = {"public_url": ORIGIN, "key_password": SecretStr(PASSWORD), "issuer_name": "联盟"}
    return ledger.settings.model_copy(update=given)


def make_key(folder: Path) -> IssuerKey:
    return create_issuer_key(folder, PASSWORD, cost=4096, now=NOW)


class opened:  # noqa: N801  a context, as `serving` is
    def __init__(self, templates: Templates, home: Path) -> None:
        self.ledger = templates.copy("sqlite", home)
        make_key(home / "keys" / "credentials")
        self.running = serving(settings_of(self.ledger), lambda: NOW + 1)

    def __enter__(self) -> Office:
        return Office(self.ledger, self.running.__enter__())

    def __exit__(self, *error: object) -> None:
        self.running.__exit__(None, None, None)


def test_credential__of_a_member__is_accepted_by_another_library(shared: Office) -> None:
    given = shared.credential()

    found = shared.check(given["jwt"])

    said = given["credential"]
    assert jwt.decode(given["jwt"], options={"verify_signature": False}) == said
    assert found.raw == said
    assert (found.issuer.id, found.issuer.name) == (DID, "联盟")
    org_id = shared.token & 0xFFFFFFFF
    controller = shared.client.get(f"/v1/organisations/{org_id}").json()["controller"]
    assert found.recipient_id == f"did:pkh:eip155:31337:{controller}"
    assert found.achievement.achievement_type == "Membership"
    assert found.achievement.tags[0] == "community"
    (held,) = [
        each
        for each in shared.client.get(f"/v1/organisations/{org_id}/memberships").json()["items"]
        if each["token_id"] == shared.token
    ]
    assert (said["validFrom"], said["validUntil"]) == (held["admitted_at"], held["expires_at"])
    (evidence,) = said["evidence"]
    assert evidence["chainId"] == "eip155:31337"
    assert evidence["tokenId"] == str(shared.token)
    assert evidence["blockNumber"] == given["as_of"]["block_number"]
    assert evidence["blockHash"] == given["as_of"]["block_hash"]
    assert evidence["contract"].startswith("0x")
    assert isinstance(said["credentialStatus"], dict), "Open Badges 3.0 allows one status"
    assert {urlsplit(url).path for url in shared.asked} == {
        "/.well-known/did.json",
        "/v1/programmes/2/credential-status/0",
    }


def test_credential__as_a_file__is_the_token_alone(shared: Office) -> None:
    answer = shared.client.get(f"/v1/memberships/{shared.token}/credential.jwt")

    assert answer.headers["content-type"] == "application/vc+jwt"
    assert f"membership-{shared.token}.jwt" in answer.headers["content-disposition"]
    assert answer.text == shared.credential()["jwt"]
    tag = {"If-None-Match": answer.headers["etag"]}
    assert shared.client.get(str(answer.url), headers=tag).status_code == 304


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_credential__that_was_altered__is_refused(shared: Office, part: int) -> None:
    parts = shared.credential()["jwt"].split(".")
    padded = parts[part] + "=" * (-len(parts[part]) % 4)
    content = bytearray(base64.urlsafe_b64decode(padded))
    if part == 1:
        content = bytearray(content.replace(b"galaxy", b"Galaxy").replace(b"Galaxy", b"Milky!"))
        content = bytearray(content.replace(b'"exp":1', b'"exp":2'))
    else:
        content[len(content) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(bytes(content)).decode().rstrip("=")

    with pytest.raises(OB3VerificationError):
        shared.check(".".join(parts))


def test_status__follows_the_chain__through_suspension_resumption_and_revocation(
    office: Office,
) -> None:
    given = office.credential()["jwt"]
    office.check(given)

    office.change(change="suspended", status=int(MembershipStatus.SUSPENDED))
    with pytest.raises(OB3VerificationError, match="'suspension' is set"):
        office.check(given)
    refused = office.client.get(f"/v1/memberships/{office.token}/credential")
    assert (refused.status_code, refused.json()["code"]) == (409, "office.membership_not_in_force")

    office.change(change="resumed", status=int(MembershipStatus.ACTIVE))
    office.check(given)

    office.change(change="revoked", status=int(MembershipStatus.REVOKED))
    with pytest.raises(OB3VerificationError, match="'suspension' is set"):
        office.check(given)

    office.change(change="admitted", status=int(MembershipStatus.ACTIVE))
    with pytest.raises(OB3VerificationError, match="'suspension' is set"):
        office.check(given)  # it was of the membership before; the new one has its own
    office.check(office.credential()["jwt"])


def test_status__once_the_term_has_ended__is_set_and_a_renewal_lifts_it(office: Office) -> None:
    given = office.credential()["jwt"]
    ends = jwt.decode(given, options={"verify_signature": False})["exp"]

    office.change(change="renewed", expires_at=1_766_000_000)  # before the last block
    with pytest.raises(OB3VerificationError, match="'suspension' is set"):
        office.check(given)

    office.change(change="renewed", expires_at=ends)
    office.check(given)


@pytest.mark.parametrize("what", ["tier", "controller"])
def test_status__of_a_credential_whose_claims_are_true_no_more__is_set(
    office: Office, what: str
) -> None:
    given = office.credential()["jwt"]

    if what == "tier":
        office.change(change="tier_changed", tier=2)
    else:
        office.hand_over(account_of("another"))

    with pytest.raises(OB3VerificationError, match="'suspension' is set"):
        office.check(given)
    now = office.credential()
    assert office.check(now["jwt"])
    if what == "controller":
        assert now["credential"]["sub"].lower().endswith(account_of("another").hex())


def test_status_list__bit_by_bit__is_what_the_register_says(shared: Office) -> None:
    """Of every member of every programme, and of numbers that nobody has."""
    for programme_id, key in enumerate(PROGRAMME_KEYS, start=1):
        answer = shared.client.get(f"/v1/programmes/{key}/credential-status/0")
        assert answer.headers["access-control-allow-origin"] == "*"
        claims = jwt.decode(answer.text, options={"verify_signature": False})
        assert claims["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
        subject = claims["credentialSubject"]
        bits = gzip.decompress(base64.urlsafe_b64decode(subject["encodedList"][1:] + "==="))
        assert len(bits) == LENGTH // 8
        clear = {n for n in range(LENGTH) if not bits[n // 8] & 0x80 >> n % 8}
        active = []
        page = f"/v1/memberships?programme={key}&status=active&limit=200"
        for each in shared.client.get(page).json()["items"]:
            status = shared.credential(each["token_id"])["credential"]["credentialStatus"]
            assert status["statusListCredential"].endswith(
                f"/programmes/{programme_id}/credential-status/0"
            )
            active.append(int(status["statusListIndex"]))
        assert len(set(active)) == len(active) > 0
        assert clear == set(active)
    beyond = shared.client.get("/v1/programmes/2/credential-status/7")
    claims = jwt.decode(beyond.text, options={"verify_signature": False})
    assert claims["credentialSubject"]["encodedList"] == encode_in_force(())


@pytest.mark.parametrize(
    ("programme", "key", "status", "code"),
    [
        ("fund-group", LAPSED, 409, "office.membership_not_in_force"),
        ("community", SUSPENDED, 409, "office.membership_not_in_force"),
        ("community", STRANGER, 404, "input.not_found"),
    ],
    ids=["lapsed", "suspended", "revoked"],
)
def test_credential__of_a_membership_that_is_not_in_force__is_refused(
    shared: Office, programme: str, key: str | int, status: int, code: str
) -> None:
    org_id = key if isinstance(key, int) else shared.ledger.seeded.org_ids[key]
    token = token_id(ProgrammeId(PROGRAMME_KEYS.index(programme) + 1), OrgId(org_id))

    answer = shared.client.get(f"/v1/memberships/{token}/credential")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_key__that_follows_another__signs_and_the_older_one_still_checks(office: Office) -> None:
    older = office.credential()["jwt"]
    before = office.client.get("/.well-known/did.json").headers["etag"]
    made = make_key(office.folder)

    newer = office.credential()["jwt"]

    assert jwt.get_unverified_header(newer)["kid"] == f"{DID}#{made.kid}"
    assert jwt.get_unverified_header(older)["kid"] != f"{DID}#{made.kid}"
    for each in (older, newer):
        office.check(each)
    tag = {"If-None-Match": before}
    assert office.client.get("/.well-known/did.json", headers=tag).status_code == 200
    keys = jwt.PyJWKSet.from_dict(office.client.get("/.well-known/jwks.json").json())
    for each in (older, newer):
        key = keys[jwt.get_unverified_header(each)["kid"]]
        assert jwt.decode(each, key, algorithms=["ES256"])["iss"] == DID


def test_key__that_was_stolen_and_withdrawn__checks_nothing_any_more(office: Office) -> None:
    older = office.credential()["jwt"]
    stolen = newest_issuer_key(office.folder)
    make_key(office.folder)

    aside = set_issuer_key_aside(office.folder, stolen.kid)

    with pytest.raises(OB3VerificationError, match="no verificationMethod"):
        office.check(older)
    office.check(office.credential()["jwt"])
    assert aside.exists()
    with pytest.raises(KeyMissing):
        set_issuer_key_aside(office.folder, "../" + stolen.kid)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/memberships/{token}/credential",
        "/v1/memberships/{token}/credential.jwt",
        "/v1/programmes/community/credential-status/0",
        "/.well-known/did.json",
        "/.well-known/jwks.json",
    ],
)
def test_server__without_an_issuers_key__says_so_by_a_code_of_its_own(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path.format(token=8589934596))

    assert answer.status_code == 503
    assert answer.json()["code"] == "office.issuer_key_missing"
    assert "moonlake credential-key create" in answer.json()["advice"]


def test_lists_and_keys__where_reading_is_for_members__are_everybodys(
    templates: Templates, tmp_path: Path, serve: Callable[..., httpx.Client]
) -> None:
    ledger = templates.copy("sqlite", tmp_path)
    make_key(tmp_path / "keys" / "credentials")
    client = serve(settings_of(ledger).model_copy(update={"read_policy": "members"}))

    for path in ("/v1/programmes/2/credential-status/0", "/.well-known/did.json"):
        assert client.get(path).status_code == 200
    assert client.get("/v1/memberships/8589934596/credential").status_code == 401


def test_key_file__holds_its_secret_sealed_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "credentials"

    made = make_key(folder)

    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    opened = open_issuer_key(made, PASSWORD)
    secret = int(opened._secret.d).to_bytes(32, "big")
    content = made.path.read_text()
    assert secret.hex() not in content
    assert base64.urlsafe_b64encode(secret).decode().rstrip("=") not in content
    assert str(int(opened._secret.d)) not in repr(opened)
    with pytest.raises(KeyLocked):
        open_issuer_key(made, PASSWORD + " ")


def test_key_file__that_was_altered__is_refused(tmp_path: Path) -> None:
    one, other = make_key(tmp_path), make_key(tmp_path)
    content = json.loads(one.path.read_text())

    def opening(**changes: object) -> Callable[[], object]:
        one.path.write_text(json.dumps({**content, **changes}))
        return lambda: open_issuer_key(one, PASSWORD)

    another = json.loads(other.path.read_text())
    for changes, refused in (
        ({"sealed": another["sealed"]}, KeyLocked),  # another key's secret under this one's name
        ({"sealed": {**content["sealed"], "n": 2**40}}, InvalidFile),
        ({"sealed": {**content["sealed"], "salt": "zz"}}, InvalidFile),
        ({"kid": other.kid}, InvalidFile),
        ({"x": other.x}, InvalidFile),
        ({"version": 2}, InvalidFile),
    ):
        with pytest.raises(refused):
            opening(**changes)()
    one.path.write_text("{")
    with pytest.raises(InvalidFile):
        list_issuer_keys(tmp_path)
    one.path.unlink()
    with pytest.raises(IssuerKeyMissing):
        open_issuer_key(one, PASSWORD)


def test_keys__made_while_the_clock_was_set_back__still_have_the_newest_first(
    tmp_path: Path,
) -> None:
    first = create_issuer_key(tmp_path, PASSWORD, cost=2, now=NOW)
    second = create_issuer_key(tmp_path, PASSWORD, cost=2, now=NOW - 10**6)

    assert [each.kid for each in list_issuer_keys(tmp_path)] == [second.kid, first.kid]
    assert issuer_keys.newest_issuer_key(tmp_path) == second


def test_keys__of_which_one_is_set_aside_while_they_are_read__are_the_others(
    tmp_path: Path,
) -> None:
    kept = create_issuer_key(tmp_path, PASSWORD, cost=2)
    (tmp_path / "0123456789abcdef.json").symlink_to(tmp_path / "gone")  # listed, and not there

    assert list_issuer_keys(tmp_path) == (kept,)


def test_command__of_a_credential__gives_what_the_server_gives(
    shared: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = settings_of(shared.ledger)
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "membership.jwt"

    def run(*arguments: str) -> str:
        command = ["moonlake", "membership", "credential", "community", "galaxyspace", *arguments]
        monkeypatch.setattr(sys, "argv", command)
        with contextlib.suppress(SystemExit):
            main()
        told = capsys.readouterr()
        assert not told.err
        return told.out

    told = json.loads(run("--json"))
    assert str(file) in run("--out", str(file))

    given = shared.credential()
    assert (told["jwt"], told["credential"]) == (given["jwt"], given["credential"])
    assert told["as_of"] == given["as_of"]
    assert file.read_text() == given["jwt"] == run().strip()
