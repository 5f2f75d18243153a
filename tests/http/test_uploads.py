"""Documents that officers send: streamed, bounded, looked at, and read by those who may."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ledger.domain.access import Scope
from ledger.office.access_log import list_newest
from ledger.office.api_keys import create_api_key
from ledger.office.evidence import Description, EvidenceStore
from ledger.store.engine import open_engine, reading, writing
from tests.http.conftest import NOW, Templates, serving
from tests.http.facts import account_of

PDF = b"%PDF-1.4\n%%EOF\n"
MIB = 1024 * 1024
FOUND = "EICAR"


@dataclass
class Desk:
    """A server that takes 1 MiB and scans, and keys for it."""

    client: httpx.Client
    home: Path
    url: str

    def bearer(self, name: object, *scopes: Scope) -> dict[str, str]:
        """A key of somebody's account."""
        engine = open_engine(self.url)
        with writing(engine) as connection:
            given = list(scopes or Scope)
            _, text = create_api_key(connection, account_of(name), "x", given, days=1, now=NOW)
        engine.dispose()
        return {"Authorization": f"Bearer {text}"}

    def send(self, content: bytes | Iterator[bytes], kind: str, **query: str) -> httpx.Response:
        """Send a document as an issuer."""
        headers = {**self.bearer("issuer"), "Content-Type": kind}
        params = query or {"title_en": "Note"}
        return self.client.post("/v1/evidence", content=content, params=params, headers=headers)


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger of this module's own."""
    home = tmp_path_factory.mktemp("uploads")
    copy = templates.copy("sqlite", home)
    scanner = home / "scan"
    scanner.write_text(f'#!/bin/sh\nif grep -q {FOUND} "$1"; then exit 1; fi\n')
    scanner.chmod(0o755)
    changed = {"evidence_max_mib": 1, "evidence_scan": str(scanner)}
    settings = copy.settings.model_copy(update=changed)
    with serving(settings, lambda: NOW + 1) as client:
        yield Desk(client, home, settings.database)


def test_document__sent_by_an_officer__is_kept_read_and_logged(desk: Desk) -> None:
    sent = desk.send(PDF, "application/pdf", title_zh="交付确认单", title_en="Delivery note")

    assert sent.status_code == 201, sent.text
    kept = sent.json()
    assert (kept["title_zh"], kept["size"], kept["made_up"]) == ("交付确认单", len(PDF), False)
    assert kept["content_hash"] == "0x" + hashlib.sha256(PDF).hexdigest()
    assert sent.headers["location"] == f"/v1/evidence/{kept['commitment']}"
    shown = desk.client.get(sent.headers["location"])
    assert shown.json()["commitment"] == kept["commitment"]
    content = desk.client.get(kept["content"])
    assert (content.content, content.headers["content-type"]) == (PDF, "application/pdf")
    again = desk.send(PDF, "application/pdf", title_zh="交付确认单", title_en="Delivery note")
    assert again.json()["commitment"] == kept["commitment"]
    engine = open_engine(desk.url)
    with reading(engine) as connection:
        line = list_newest(connection, before=2**63 - 1, limit=1)[0]
    engine.dispose()
    assert (line.action, line.subject) == ("evidence.kept", kept["commitment"])


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"<html>", "text/html", 422, "input.invalid_value"),
        (b"MZ", "application/x-msdownload", 422, "input.invalid_value"),
        (b"no picture", "image/png", 422, "input.evidence_refused"),
        (b"\xff\xfe", "text/plain", 422, "input.evidence_refused"),
        (b"", "text/plain", 422, "input.invalid_value"),
        (FOUND.encode(), "text/plain", 422, "input.evidence_refused"),
        (b"a" * (MIB + 1), "text/plain", 413, "access.request_too_large"),
    ],
)
def test_document__that_is_not_taken__leaves_nothing(
    desk: Desk, content: bytes, kind: str, status: int, code: str
) -> None:
    before = sorted((desk.home / "evidence").rglob("*"))

    answer = desk.send(content, kind)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert sorted((desk.home / "evidence").rglob("*")) == before


def test_document__streamed_without_a_length__is_bounded_while_it_comes(desk: Desk) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"a" * MIB

    try:
        answer = desk.send(endless(), "text/plain")
    except httpx.WriteError:
        return  # the server hung up on it, which is as good
    assert (answer.status_code, answer.json()["code"]) == (413, "access.request_too_large")


def test_document__of_the_most_bytes__is_kept(desk: Desk) -> None:
    assert desk.send(b"a" * MIB, "text/plain; charset=utf-8").json()["size"] == MIB


@pytest.mark.parametrize("query", [{"title_en": "=1+1"}, {"title_en": "\u200b"}, {"title_zh": ""}])
def test_document__without_a_title_that_can_be_kept__is_refused(
    desk: Desk, query: dict[str, str]
) -> None:
    answer = desk.send(PDF, "application/pdf", **query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "title_en"


def test_document__sent_by_others__is_refused_before_it_is_read(desk: Desk) -> None:
    params = {"title_en": "Note"}
    for headers, status in (
        ({}, 401),
        (desk.bearer(4), 403),  # a member
        (desk.bearer("issuer", Scope.CREDITS), 403),
    ):
        answer = desk.client.post("/v1/evidence", content=PDF, params=params, headers=headers)
        assert answer.status_code == status


def test_private_document__is_read_by_alliance_wide_officers_alone(desk: Desk) -> None:
    store, engine = EvidenceStore(desk.home / "evidence"), open_engine(desk.url)
    with writing(engine) as connection:
        kept = store.keep(
            connection,
            io.BytesIO(PDF),
            Description("章程", "Articles", "application/pdf"),
            added_at=1,
            private=True,
        )
    engine.dispose()
    path = "/v1/evidence/0x" + kept.commitment.hex()

    for name, status in ((None, 404), (4, 404), ("issuer", 404), ("registrar", 200)):
        headers = desk.bearer(name) if name is not None else {}
        for each in (path, f"{path}/content"):
            answer = desk.client.get(each, headers=headers)
            assert answer.status_code == status, (name, each, answer.text)
    assert answer.content == PDF
    assert answer.headers["cache-control"] == "no-store"
    scopes = desk.bearer("registrar", Scope.READ)
    assert desk.client.get(path, headers=scopes).status_code == 404
    assert desk.client.get(path).status_code == 404  # nothing of the answers was kept
