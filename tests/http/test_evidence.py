"""Documents are served as they were committed to, or not at all, and no browser runs them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from api.routes import evidence
from ledger.office.evidence import Description, EvidenceStore
from ledger.store.engine import open_engine, writing
from tests.http.conftest import Ledger
from tests.http.facts import hash_of

Serve = Callable[..., httpx.Client]


def keep(ledger: Ledger, media_type: str, content: bytes) -> str:
    """Keep a document in the ledger; the path of its metadata."""
    engine = open_engine(ledger.settings.database)
    store = EvidenceStore(ledger.settings.home / "evidence")
    with writing(engine) as connection:
        kept = store.keep(
            connection,
            io.BytesIO(content),
            Description("文件", "Document", media_type),
            added_at=1_700_000_000,
        )
    engine.dispose()
    return f"/v1/evidence/0x{kept.commitment.hex()}"


def files_of(home: Path) -> list[Path]:
    return [path for path in (home / "evidence").rglob("*") if path.is_file()]


def test_evidence__can_be_checked_with_nothing_but_its_answer(
    client: httpx.Client, ledger: Ledger
) -> None:
    path = f"/v1/evidence/0x{ledger.seeded.evidence[0].hex()}"

    about = client.get(path).json()
    document = client.get(about["content"])

    content_hash = hashlib.sha256(document.content).digest()
    salt = bytes.fromhex(about["salt"][2:])
    assert about["content_hash"] == "0x" + content_hash.hex()
    assert about["commitment"] == "0x" + hashlib.sha256(salt + content_hash).hexdigest()
    assert about["size"] == len(document.content)
    assert about["made_up"] is True
    assert about["as_of"]["block_number"] > 0


@pytest.mark.parametrize(
    ("media_type", "served_as", "how"),
    [
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("text/markdown; charset=utf-8", "text/plain; charset=utf-8", "inline"),
        ("application/pdf", "application/pdf", "inline"),
        ("image/png", "image/png", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/zip", "application/octet-stream", "attachment"),
    ],
)
def test_content__of_each_type__is_shown_only_where_it_cannot_run(
    own_ledger: Ledger, serve: Serve, media_type: str, served_as: str, how: str
) -> None:
    path = keep(own_ledger, media_type, b"<script>alert(1)</script>")

    answer = serve(own_ledger.settings).get(path + "/content")

    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == served_as
    assert answer.headers["content-disposition"].startswith(how + "; filename=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_content__that_the_reader_has__is_not_sent_again(
    client: httpx.Client, ledger: Ledger
) -> None:
    path = f"/v1/evidence/0x{ledger.seeded.evidence[0].hex()}/content"
    tag = client.get(path).headers["etag"]

    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")


def test_content__of_every_type_that_is_sent__is_declared(client: httpx.Client) -> None:
    path = client.get("/openapi.json").json()["paths"]["/v1/evidence/{commitment}/content"]
    declared = set(path["get"]["responses"]["200"]["content"])

    sent = {media_type.partition(";")[0] for media_type, _ in evidence._SHOWN.values()}
    assert declared == {*sent, "application/octet-stream"}


def test_content__of_an_altered_file__is_refused(own_ledger: Ledger, serve: Serve) -> None:
    path = keep(own_ledger, "text/plain", b"as it was")
    for file in files_of(own_ledger.settings.home):
        file.write_bytes(b"as it is now")

    answer = serve(own_ledger.settings).get(path + "/content")

    assert answer.status_code == 500
    assert answer.json()["code"] == "office.evidence_damaged"
    assert b"as it is now" not in answer.content


def test_content__of_a_file_that_is_gone__is_refused(own_ledger: Ledger, serve: Serve) -> None:
    path = keep(own_ledger, "text/plain", b"as it was")
    for file in files_of(own_ledger.settings.home):
        file.unlink()

    assert serve(own_ledger.settings).get(path + "/content").status_code == 500
    assert serve(own_ledger.settings).get(path).status_code == 200


@pytest.mark.parametrize("suffix", ["", "/content"])
def test_evidence__that_is_not_kept_here__is_not_found(client: httpx.Client, suffix: str) -> None:
    answer = client.get(f"/v1/evidence/0x{hash_of('nothing').hex()}{suffix}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "input.not_found"
