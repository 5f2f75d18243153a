"""The Python client reads a served ledger, page by page, and says what was refused as errors."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account import Account

import ledger.client
from ledger.client import (
    AnswerUnreadable,
    AsyncLedger,
    Head,
    Ledger,
    NotThere,
    OperationFailed,
    OperationUnsettled,
    RequestWrong,
    ServerTrouble,
    SignInImpossible,
    SignInNeeded,
    TooMany,
    Unreachable,
    models,
)
from ledger.client.events import Listening
from ledger.errors import InvalidValue, NotFound, NotSignedIn
from tests.http.conftest import Templates, serving
from tests.support.loops import run_apart

KEY = "0x" + "11" * 32
SITE = "127.0.0.1:8000"
"""What the seeded server thinks that it is reached at."""


class Counting(httpx.HTTPTransport):
    """The real way to the server, counting the answers by status."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        self.statuses.append(answer.status_code)
        return answer


@pytest.fixture(scope="module")
def base(client: httpx.Client) -> str:
    """The address of the seeded ledger's server."""
    return str(client.base_url)


@pytest.fixture
def reader(base: str) -> Iterator[Ledger]:
    with Ledger(base) as found:
        yield found


def scripted(*answers: httpx.Response | Exception) -> tuple[Ledger, list[httpx.Request]]:
    """A client of a server that answers so, one after the other, and what it was asked."""
    asked: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(handle)
    return Ledger("http://ledger.test", transport=transport, sleep=lambda _: None), asked


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {
        "type": "",
        "title": "",
        "status": status,
        "detail": "So it is.",
        "instance": "/",
        "code": code,
        "advice": "Wait.",
    }
    return httpx.Response(status, json=body, headers=headers)


def operation(state: str, **more: Any) -> dict[str, Any]:
    return {
        "as_of": {"block_number": 1, "block_hash": "0x", "timestamp": "2026-01-01T00:00:00Z"},
        "mirror": "following",
        "operation_id": "0x" + "5b" * 32,
        "command": "award",
        "summary": "Award.",
        "contract": "Credits",
        "state": state,
        "signed_by": "0x",
        "transaction_hash": None,
        "block_number": None,
        "first_line": None,
        "last_line": None,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "request_id": None,
        "made": [],
        "failure": None,
        **more,
    }


def test_every_read__of_a_seeded_ledger__comes_back_typed(
    reader: Ledger, client: httpx.Client
) -> None:
    status = reader.get_status()
    assert (status.mirror, status.chain_id) == ("following", 31337)
    assert {each.key for each in reader.list_programmes().items} >= {"alliance", "community"}
    balances = reader.list_balances_of_organisation(4)
    plain = client.get("/v1/organisations/4/balances").json()
    assert [each.credits for each in balances.items] == [each["credits"] for each in plain["items"]]
    assert reader.get_entry(1).entry_id == 1
    assert reader.get_organisation(4).name_zh == "银河航天"
    assert reader.get_statement_csv(4).startswith(b"\xef\xbb\xbf")
    assert reader.get_token_collection().name
    assert list(reader.each_membership_change(4, "community", limit=1))


def test_each_entry__goes_through_all_pages__in_the_order_of_one(reader: Ledger) -> None:
    paged = [each.entry_id for each in reader.each_entry(limit=7)]
    whole: list[int] = []
    cursor = None
    while True:
        page = reader.list_entries(limit=200, cursor=cursor)
        whole += [each.entry_id for each in page.items]
        cursor = page.next
        if cursor is None:
            break

    assert len(paged) > 14
    assert paged == whole


def test_the_same_question__costs_an_answer_without_a_body(base: str) -> None:
    transport = Counting()
    with Ledger(base, transport=transport) as reader:
        first, second = reader.get_organisation(4), reader.get_organisation(4)

    assert first == second
    assert transport.statuses == [200, 304]


def test_refusals__are_errors_with_code_sentence_and_fields(reader: Ledger) -> None:
    with pytest.raises(NotThere) as missing:
        reader.get_entry(10**9)
    assert missing.value.kind is NotFound
    assert missing.value.code == NotFound.code
    assert missing.value.advice
    assert missing.value.request_id

    with pytest.raises(RequestWrong) as wrong:
        reader.list_entries(limit=0)
    assert wrong.value.kind is InvalidValue
    assert [each.field for each in wrong.value.fields] == ["limit"]

    with pytest.raises(SignInNeeded) as nobody:
        reader.list_operations()
    assert nobody.value.kind is NotSignedIn


def test_sign_in__with_an_account_of_eth_account__opens_a_session_and_a_key(
    templates: Templates, tmp_path: Path
) -> None:
    settings = templates.copy("sqlite", tmp_path).settings
    account = Account.from_key(KEY)
    with (
        serving(settings, time.time) as running,
        Ledger(str(running.base_url), site=SITE) as ledger,
    ):
        session = ledger.sign_in(account)
        assert (session.address, session.address) == (account.address, ledger.get_session().address)
        made = ledger.create_api_key(name="portal", scopes=["read"])
        with Ledger(str(running.base_url), api_key=made.key) as other:
            assert other.get_session().via == f"key:{made.prefix}"
        ledger.delete_api_key(made.prefix)
        ledger.sign_out()
        with pytest.raises(SignInNeeded):
            ledger.get_session()


def test_an_answer_that_is_lost__is_asked_for_again_under_the_same_key() -> None:
    ledger, asked = scripted(
        httpx.ReadError("cut"),
        problem(503, "mirror.empty"),
        problem(409, "access.idempotency_in_flight"),
        problem(429, "access.too_many_requests", **{"Retry-After": "3"}),
        httpx.Response(202, json=operation("accepted")),
    )

    done = ledger.create_renewals(
        programme="community", organisations=[4], expires_at="2027-01-01T00:00:00Z"
    )

    assert done.state == "accepted"
    assert len(asked) == 5
    assert len({each.headers["idempotency-key"] for each in asked}) == 1
    assert len({each.content for each in asked}) == 1
    assert b"reason" not in asked[0].content  # what is left out is the server's to say


def test_what_could_be_done_twice__is_not_asked_again() -> None:
    ledger, asked = scripted(httpx.ReadError("cut"))
    with pytest.raises(Unreachable):
        ledger.create_api_key(name="portal", scopes=["read"])
    assert len(asked) == 1

    ledger, asked = scripted(httpx.ConnectError("refused"), problem(503, "database.unusable"))
    with pytest.raises(ServerTrouble):  # nothing had been sent the first time
        ledger.create_api_key(name="portal", scopes=["read"])
    assert len(asked) == 2


def test_a_server_that_stays_away__is_an_error_in_the_end() -> None:
    ledger, asked = scripted(*[httpx.ConnectError("refused")] * 5)
    with pytest.raises(Unreachable):
        ledger.get_status()
    assert len(asked) == 5

    ledger, asked = scripted(problem(429, "access.too_many_requests", **{"Retry-After": "3600"}))
    with pytest.raises(TooMany) as many:
        ledger.get_status()
    assert (len(asked), many.value.wait_seconds) == (1, 3600)


def test_an_answer_of_something_else__is_said_to_be_none() -> None:
    ledger, _ = scripted(httpx.Response(200, json={"hello": "world"}))
    with pytest.raises(AnswerUnreadable):
        ledger.get_status()
    ledger, _ = scripted(*[httpx.Response(502, text="<h1>Bad Gateway</h1>")] * 5)
    with pytest.raises(ServerTrouble) as proxy:
        ledger.get_status()
    assert (proxy.value.code, proxy.value.kind) == ("http.bad_gateway", None)


def test_wait__ends_with_what_became_of_the_operation() -> None:
    states = [operation(each) for each in ("accepted", "sent", "included", "final")]
    ledger, asked = scripted(*[httpx.Response(200, json=each) for each in states])
    assert ledger.wait("0x" + "5b" * 32).state == "final"
    assert len(asked) == 4

    ledger, _ = scripted(httpx.Response(200, json=operation("included")))
    assert ledger.wait("0x" + "5b" * 32, until="included").state == "included"

    failure = {
        "code": "contract.refused",
        "detail": "No.",
        "advice": "",
        "values": {"name": "CreditsAwardOverBudget"},
    }
    ledger, _ = scripted(httpx.Response(200, json=operation("failed", failure=failure)))
    with pytest.raises(OperationFailed) as failed:
        ledger.wait("0x" + "5b" * 32)
    assert failed.value.values == {"name": "CreditsAwardOverBudget"}

    ledger, _ = scripted(httpx.Response(200, json=operation("cancelled")))
    with pytest.raises(OperationFailed):
        ledger.wait("0x" + "5b" * 32)
    ledger, _ = scripted(httpx.Response(200, json=operation("sent")))
    with pytest.raises(OperationUnsettled):
        ledger.wait("0x" + "5b" * 32, seconds=0)


def test_sign_in__to_another_site_than_is_meant__signs_nothing(reader: Ledger) -> None:
    def sign(_text: str) -> str:
        raise AssertionError("nothing is to be signed")

    with pytest.raises(SignInImpossible):
        reader.sign_in_as(Account.from_key(KEY).address, sign)


def test_stream__is_typed__and_goes_on_after_a_cut_where_it_was(base: str) -> None:
    with Ledger(base) as reader:
        stream = reader.stream(events="head")
        first = next(stream)
        stream.close()  # type: ignore[attr-defined]  it is a generator
    assert isinstance(first.data, Head)
    assert first.data.block_number > 0

    told = (
        f"id: {first.id}\nevent: head\ndata: "
        + httpx.Response(
            200, json={"block_number": 1, "block_hash": "0x", "timestamp": "", "final_block": 1}
        ).text
    )
    ledger, asked = scripted(
        httpx.Response(200, text=f"retry: 10\n\n: still here\n\n{told}\n\nid: half\nevent: head\n"),
        problem(503, "mirror.empty"),
        httpx.Response(200, text=f"event: unheard\ndata: 1\n\n{told}\n\n"),
    )
    events = ledger.stream()
    assert [next(events).id, next(events).id] == [first.id, first.id]
    assert [each.headers.get("last-event-id") for each in asked] == [None, first.id, first.id]


def test_events__of_several_lines__are_one() -> None:
    listening = Listening()
    lines = ["event: withdrawn", "id: 7", 'data: {"after_block": 3, "after_entry": 2,']
    lines += ['data: "reason": "so"}', ""]
    (event,) = [each for line in lines for each in listening.hear(line)]

    assert (event.kind, event.id) == ("withdrawn", "7")
    assert isinstance(event.data, ledger.client.Withdrawn)
    assert event.data.after_block == 3


def test_asynchronous_client__says_the_same(base: str, reader: Ledger) -> None:
    async def read() -> tuple[list[int], models.Status, str]:
        async with AsyncLedger(base) as other:
            entries = [each.entry_id async for each in other.each_entry(limit=50)]
            async for event in other.stream(events="head"):
                kind = event.kind
                break
            with pytest.raises(NotThere):
                await other.get_entry(10**9)
            return entries, await other.get_status(), kind

    entries, status, kind = run_apart(read())

    assert entries == [each.entry_id for each in reader.each_entry(limit=200)]
    assert status.as_of == reader.get_status().as_of
    assert kind == "head"


def test_the_client__imports_nothing_slow() -> None:
    code = "import ledger.client, sys; print([m for m in ('web3', 'eth_account', 'sqlalchemy', "
    code += "'fastapi', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
