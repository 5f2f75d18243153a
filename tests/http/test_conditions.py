"""What is served when the mirror is empty, stale or halted, or the database cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from ledger.mirror.trouble import Trouble
from ledger.processes import wait_until
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import SCHEMA_VERSION
from ledger.store.schema import upgrade_schema
from tests.http.conftest import NOW, Ledger, serving, settings_for
from tests.http.test_caching import change_state
from tests.http.test_wrong_input import ROUTES, problem

Serve = Callable[..., httpx.Client]

HALT = {
    "halted_code": "node.answer_invalid",
    "halted_reason": "Block 121: the node at https://user:key@node.example/v3/SECRET lied.",
    "halted_block": 121,
    "halted_at": int(NOW * 1000),
}


@pytest.mark.parametrize("with_tables", [False, True])
def test_mirror__empty__is_not_ready_and_says_so(
    bare_database_url: str, tmp_path: Path, serve: Serve, with_tables: bool
) -> None:
    if with_tables:
        engine = open_engine(bare_database_url)
        upgrade_schema(engine)
        engine.dispose()
    client = serve(settings_for(tmp_path, bare_database_url))

    for path in ("/readyz", *ROUTES):
        answer = client.get(path)
        assert problem(answer, 503)["code"] == "mirror.empty"
        assert answer.headers["retry-after"] == "5"
    assert client.get("/healthz").status_code == 200
    assert client.get("/docs").status_code == 200
    page = client.get("/", headers={"Accept": "text/html", "Accept-Language": "zh"})
    assert page.status_code == 503
    assert "账本正在准备" in page.text


def test_mirror__stale__is_not_ready_but_answers_and_says_so(
    own_ledger: Ledger, serve: Serve
) -> None:
    client = serve(own_ledger.settings, lambda: NOW + own_ledger.settings.stale_after + 1)

    body = problem(client.get("/readyz"), 503)
    assert body["code"] == "mirror.stale"
    assert "31 s" in body["detail"]
    assert client.get("/v1/organisations").json()["mirror"] == "stale"
    page = client.get("/", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "may be out of date" in page.text


def test_mirror__whose_last_look_is_in_the_future__is_not_ready_and_says_so(
    own_ledger: Ledger, serve: Serve
) -> None:
    """A clock was set back: a mirror that is dead would seem to live until it has caught up."""
    client = serve(own_ledger.settings, lambda: NOW - own_ledger.settings.stale_after - 1)

    body = problem(client.get("/readyz"), 503)
    assert body["code"] == "mirror.clock_astray"
    assert "31 s" in body["detail"]
    assert client.get("/v1/organisations").json()["mirror"] == "stale"


def test_ledger__that_is_being_prepared__is_not_ready_but_answers(
    own_ledger: Ledger, tmp_path: Path
) -> None:
    file = tmp_path / "starting"
    file.touch()
    with serving(own_ledger.settings, lambda: NOW + 1, not_ready_while=file) as client:
        body = problem(client.get("/readyz"), 503)
        assert body["code"] == "mirror.preparing"
        assert client.get("/v1/organisations").status_code == 200
        file.unlink()
        assert client.get("/readyz").status_code == 200


def test_mirror__just_before_it_is_stale__is_ready(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(own_ledger.settings, lambda: NOW + own_ledger.settings.stale_after)

    assert client.get("/readyz").status_code == 200


def test_mirror__that_cannot_write__is_not_ready_at_once(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(own_ledger.settings)
    engine = open_engine(own_ledger.settings.database)
    trouble = Trouble(engine)
    tag = client.get("/v1/status").headers["etag"]

    trouble.tell()
    body = problem(client.get("/readyz"), 503)
    status = client.get("/v1/status", headers={"If-None-Match": tag})
    trouble.close()
    engine.dispose()

    assert body["code"] == "mirror.cannot_write"
    assert "Free some space" in body["advice"]
    assert (status.status_code, status.json()["mirror"]) == (200, "stale")
    # PostgreSQL ends a connection, and gives its locks back, a moment after it was left.
    assert wait_until(lambda: client.get("/readyz").status_code == 200, seconds=30)


def test_mirror__halted__is_not_ready_but_answers_and_says_so(
    own_ledger: Ledger, serve: Serve
) -> None:
    change_state(own_ledger, **HALT)
    client = serve(own_ledger.settings)

    body = problem(client.get("/readyz"), 503)
    assert body["code"] == "mirror.halted"
    assert "https://node.example lied" in body["detail"]
    status = client.get("/v1/status").json()
    assert status["mirror"] == "halted"
    assert status["halt"]["code"] == "node.answer_invalid"
    assert status["halt"]["block"] == 121
    assert client.get("/v1/organisations").json()["mirror"] == "halted"
    page = client.get("/", headers={"Accept-Language": "en"})
    assert "The mirror has halted" in page.text
    assert "node.answer_invalid" in page.text
    for answer in (status, body, page.text):
        assert "SECRET" not in str(answer)
        assert "user:key" not in str(answer)


def test_mirror__of_another_schema__is_refused(own_ledger: Ledger, serve: Serve) -> None:
    change_state(own_ledger, schema_version=SCHEMA_VERSION + 1)
    client = serve(own_ledger.settings)

    for path in ("/readyz", "/v1/organisations"):
        assert problem(client.get(path), 503)["code"] == "mirror.schema_mismatch"


def test_database__of_a_newer_release__is_refused(own_ledger: Ledger, serve: Serve) -> None:
    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("ALTER TABLE mirror_state DROP COLUMN generation"))
    engine.dispose()

    answer = serve(own_ledger.settings).get("/v1/status")

    assert problem(answer, 503)["code"] == "mirror.schema_mismatch"


def test_database__that_does_not_answer__is_a_problem_without_its_address(
    tmp_path: Path, serve: Serve, free_port: int
) -> None:
    url = f"postgresql://someone:secret@127.0.0.1:{free_port}/ledger"
    client = serve(settings_for(tmp_path, url))

    for path in ("/readyz", "/v1/status", "/v1/organisations?q=x"):
        answer = client.get(path)
        assert problem(answer, 503)["code"] == "setup.database_unusable"
        assert "secret" not in answer.text
        assert str(free_port) not in answer.text
    assert client.get("/healthz").status_code == 200
    assert client.get("/", headers={"Accept": "text/html"}).status_code == 503


def test_error__that_nobody_foresaw__is_told_to_nobody(ledger: Ledger, serve: Serve) -> None:
    def broken_clock() -> float:
        raise RuntimeError("the spring of the clock is broken")

    client = serve(ledger.settings, broken_clock)

    answer = client.get("/v1/organisations")
    body = problem(answer, 500)
    assert body["code"] == "internal.unforeseen"
    assert answer.headers["Connection"] == "close"
    page = client.get("/", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert page.status_code == 500
    assert "Something went wrong" in page.text
    for told in (str(body), page.text):
        assert "spring" not in told
        assert "Traceback" not in told


def test_answers__need_no_chain(ledger: Ledger, client: httpx.Client) -> None:
    # No node listens anywhere in these tests: the settings' own URL leads nowhere.
    assert ledger.settings.nodes == ("http://127.0.0.1:9",)
    assert client.get("/readyz").status_code == 200
