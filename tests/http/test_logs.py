"""A request is a line of the log, its id follows the operation to the chain, and no secret does."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from api.edge import REQUEST_ID
from api.logs import JsonLines, write_json_lines
from ledger.chain.addresses import show_address
from ledger.cli.main import make_app
from ledger.client import Ledger as ApiClient
from ledger.client import models
from ledger.domain.access import Scope
from ledger.office.api_keys import create_api_key
from ledger.processes import wait_until
from ledger.store.engine import open_engine, reading, writing
from tests.http.conftest import Ledger, Templates
from tests.http.wallets import sign, write_message
from tests.http.working import Working, award_of, working
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, running_ledger

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def written() -> Iterator[io.StringIO]:
    """What the server writes while the tests of this module run."""
    root, own = logging.getLogger(), logging.getLogger("moonlake")
    before = (list(root.handlers), root.level, own.level)
    stream = io.StringIO()
    write_json_lines(REQUEST_ID, stream)
    yield stream
    root.handlers, level, own_level = before
    root.setLevel(level)
    own.setLevel(own_level)


@pytest.fixture(scope="module")
def at_work(
    anvil: Anvil, written: io.StringIO, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Working]:
    """A server that may sign, and is listened to."""
    folder = tmp_path_factory.mktemp("logs")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger, working(ledger, folder, url) as found:
        yield found


def lines(written: io.StringIO, **wanted: Any) -> list[dict[str, Any]]:
    """The lines that hold these."""
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    return [each for each in found if wanted.items() <= each.items()]


def test_request__is_a_line__with_its_route_and_never_its_values(
    at_work: Working, written: io.StringIO
) -> None:
    client = at_work.client()
    for _ in range(2):  # the second is answered from what is kept
        client.get(f"/v1/organisations/{MEMBER}/balances", headers={"X-Request-ID": "balances-1"})
    client.head("/v1/entries?category=data.acquire", headers={"X-Request-ID": "head-1"})
    client.get("/v1/entries/not-a-number?token=hidden", headers={"X-Request-ID": "wrong-1"})
    client.get("/somewhere/hidden", headers={"X-Request-ID": "nowhere-1"})
    client.get("/v1/session", headers={"X-Request-ID": "nobody-1"})

    # A line is written after its answer has gone.
    assert wait_until(lambda: bool(lines(written, request_id="nobody-1")), seconds=20)
    both = lines(written, request_id="balances-1")
    assert len(both) == 2
    for line in both:
        assert line["route"] == "/v1/organisations/{org_id}/balances"
        assert (line["message"], line["method"], line["status"]) == ("request", "GET", 200)
        assert 0 < line["duration_ms"] < 60_000
        assert "account" not in line
    (head,) = lines(written, request_id="head-1")
    assert (head["method"], head["route"]) == ("HEAD", "/v1/entries")
    (wrong,) = lines(written, request_id="wrong-1")
    assert (wrong["status"], wrong["route"]) == (422, "/v1/entries/{entry_id}")
    (nowhere,) = lines(written, request_id="nowhere-1")
    assert (nowhere["status"], "route" in nowhere) == (404, False)
    (nobody,) = lines(written, request_id="nobody-1")
    assert nobody["status"] == 401
    assert "hidden" not in written.getvalue()


def test_request_id__follows_to_the_operation_and_what_becomes_of_it(
    at_work: Working, written: io.StringIO
) -> None:
    officer = at_work.client(at_work.ledger.officer)
    asked = officer.post(
        "/v1/awards",
        json=award_of(2),
        headers={"Idempotency-Key": str(uuid.uuid4()), "X-Request-ID": "award-1"},
    )
    done = at_work.wait_for(officer, asked.headers["location"])

    assert done["request_id"] == asked.json()["request_id"] == "award-1"
    assert wait_until(
        lambda: bool(lines(written, request_id="award-1", message="request")), seconds=20
    )
    (request,) = lines(written, request_id="award-1", message="request")
    assert (request["route"], request["status"]) == ("/v1/awards", 202)
    assert request["via"].startswith("session:")
    assert wait_until(lambda: bool(lines(written, message="operation included")), seconds=20)
    told = lines(written, request_id="award-1", operation_id=done["operation_id"])
    assert {each["message"] for each in told} >= {"operation included"}
    assert told[-1]["transaction_hash"] == done["transaction_hash"]
    shown = CliRunner().invoke(
        make_app("operation"),
        ["operation", "show", done["operation_id"], *at_home(at_work), "--json"],
    )
    assert json.loads(shown.stdout)["operation"]["request_id"] == "award-1"
    shown = CliRunner().invoke(
        make_app("operation"), ["operation", "show", done["operation_id"], *at_home(at_work)]
    )
    assert "award-1" in shown.stdout


def at_home(at_work: Working) -> list[str]:
    """The options that name the ledger."""
    settings = at_work.settings
    return ["--home", str(settings.home), "--database-url", settings.database_url]


def test_secrets__of_all_kinds__are_in_no_log_no_metrics_and_no_database(
    at_work: Working, written: io.StringIO
) -> None:
    officer = at_work.ledger.officer
    with writing(at_work.sender.engine) as connection:
        scopes = [Scope.READ, Scope.CREDITS]
        _, key = create_api_key(
            connection, officer.address, "secrets", scopes, days=1, now=time.time()
        )
    client = at_work.client()
    given = client.get("/v1/sign-in/nonce").json()
    message = write_message(show_address(officer.address), given, now=time.time())
    signature = sign(officer, message)
    body = {"message": message, "signature": signature}
    session = client.post("/v1/sessions", json=body).json()
    assert client.post("/v1/sessions", json=body).status_code == 401  # a second time
    cookie = client.cookies["moonlake_session"]
    made = client.post(
        "/v1/api-keys",
        json={"name": "portal", "scopes": ["read"]},
        headers={"X-CSRF-Token": session["csrf_token"]},
    ).json()["key"]
    wrong = "mlk_AAAAAAAA_" + "B" * 43
    assert client.get("/v1/session", headers={"Authorization": f"Bearer {wrong}"}).is_error
    client.get(f"/v1/organisations?q={key}")
    with ApiClient(str(client.base_url), api_key=key) as portal:
        asked = portal.create_awards(
            programme="alliance",
            awards=[models.AwardItem(organisation=MEMBER, amount=1, category=CATEGORY)],
            no_evidence=True,
        )
        assert portal.wait(asked, until="included", seconds=60).request_id
    at_work.wait_for(client, f"/v1/operations/{asked.operation_id}")

    keys = at_work.settings.devnet_keys.get_secret_value().split(",")
    secrets = {
        "API key": key,
        "API key made over HTTP": made,
        "wrong API key": wrong,
        "session": cookie,
        "CSRF token": session["csrf_token"],
        "nonce": given["nonce"],
        "signature": signature.removeprefix("0x"),
        **{f"key {each.partition('=')[0]}": each.partition("=0x")[2] for each in keys},
    }
    metrics = httpx.get(f"{client.base_url}/metrics", trust_env=False).text
    kept = dump(Path(at_work.settings.database_url.removeprefix("sqlite:///")))
    for name, secret in secrets.items():
        for where, text in (("log", written.getvalue()), ("metrics", metrics), ("database", kept)):
            assert secret not in text, f"{name} in the {where}"
            assert secret.lower() not in text.lower(), f"{name} in the {where}"
    assert asked.operation_id.removeprefix("0x") in kept  # it would have been found


def dump(file: Path) -> str:
    """Every value of a database, bytes as hex and as text, and the files as they lie there."""
    connection = sqlite3.connect(file)
    parts: list[str] = []
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            for value in row:
                is_bytes = isinstance(value, bytes)
                parts.append(value.hex() if is_bytes else str(value))
                if is_bytes:
                    parts.append(value.decode("latin-1"))
    connection.close()
    parts += [each.read_bytes().decode("latin-1") for each in file.parent.glob(file.name + "*")]
    return "\n".join(parts)


def test_failure_of_the_database__says_no_value_of_a_statement(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    with pytest.raises(DBAPIError) as failed, reading(engine) as connection:
        connection.exec_driver_sql("SELECT * FROM nothing WHERE name = ?", (PASSWORD,))
    engine.dispose()
    record = logging.LogRecord("moonlake", logging.ERROR, "", 1, "at %s", (URL,), None)
    record.exc_info = (type(failed.value), failed.value, None)
    line = JsonLines().format(record)

    assert PASSWORD not in line
    assert json.loads(line)["message"] == "at https://node.example"


URL = f"https://user:{PASSWORD}@node.example/v3/{PASSWORD}"


def test_settings__show_no_secret(templates: Templates, tmp_path: Path) -> None:
    ledger: Ledger = templates.copy("sqlite", tmp_path)
    settings = ledger.settings.model_copy(
        update={"key_password": SecretStr(PASSWORD), "rpc_url": (URL,)}
    )

    assert PASSWORD not in repr(settings)
    assert PASSWORD not in str(settings)
