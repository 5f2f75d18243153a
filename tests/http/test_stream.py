"""The stream tells each thing once, goes on after a cut, and takes back what the chain did."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.routes import stream
from ledger.chain.contracts.credits import encode_award
from ledger.domain.commands import Award
from ledger.processes import wait_until
from tests.http.wallets import wallet
from tests.http.working import Working, award_of, working
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, running_ledger


@pytest.fixture
def at_work(fresh_anvil: Anvil, tmp_path: Path) -> Iterator[Working]:
    """A server that signs nothing, over a chain of this test alone."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    with (
        running_ledger(fresh_anvil, tmp_path) as ledger,
        working(ledger, tmp_path, url, keys="") as found,
    ):
        yield found


@dataclass(frozen=True)
class Event:
    kind: str
    id: str
    data: Any


class Listener(threading.Thread):
    """Reads a stream until it is told to stop."""

    def __init__(self, client: httpx.Client, last: str = "", **query: Any) -> None:
        super().__init__(daemon=True)
        self.events: list[Event] = []
        self.status = 0
        self.ended = False
        self._socket: socket.socket | None = None
        self._client = httpx.Client(
            base_url=client.base_url, headers=client.headers, cookies=client.cookies, timeout=30
        )
        self._last, self._query = last, query

    def run(self) -> None:
        headers = {"Last-Event-ID": self._last} if self._last else {}
        try:
            with self._client.stream(
                "GET", "/v1/stream", params=self._query, headers=headers
            ) as answer:
                self._socket = answer.extensions["network_stream"].get_extra_info("socket")
                self.status = answer.status_code
                lines: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    lines[name] = value
                    if not line and "event" in lines:
                        data = json.loads(lines["data"])
                        self.events.append(Event(lines["event"], lines["id"], data))
                    lines = lines if line else {}
        except (httpx.TransportError, httpx.StreamError, RuntimeError):
            pass  # it was cut
        finally:
            self._client.close()
        self.ended = True

    def of(self, kind: str) -> list[Any]:
        return [each.data for each in self.events if each.kind == kind]

    def wait_for(self, kind: str, count: int) -> list[Any]:
        assert wait_until(lambda: len(self.of(kind)) >= count, seconds=20), self.events
        return self.of(kind)

    def cut(self) -> str:
        """Cut the line; the id of the last event, empty for none."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        return self.events[-1].id if self.events else ""


@contextlib.contextmanager
def listening(client: httpx.Client, last: str = "", **query: Any) -> Iterator[Listener]:
    listener = Listener(client, last, **query)
    listener.start()
    try:
        assert wait_until(lambda: listener.status != 0, seconds=20)
        yield listener
    finally:
        listener.cut()
        listener.join(20)


def award(at_work: Working, amount: int) -> None:
    """Award without an outbox, which would bring back what a reorganisation took."""
    ledger = at_work.ledger
    calldata = encode_award(PROGRAMME, [Award(MEMBER, amount, CATEGORY)], ledger.operation())
    ledger.do(ledger.contracts.credits.address, calldata)


def amounts(entries: list[Any]) -> list[int]:
    return [each["amount"] for each in entries]


def test_stream__of_what_happens__tells_each_once_and_goes_on_after_a_cut(
    at_work: Working,
) -> None:
    client = at_work.client()
    with listening(client) as listener:
        listener.wait_for("head", 1)
        award(at_work, 1)
        at_work.look()
        (entry,) = listener.wait_for("entry", 1)
        shown = client.get(f"/v1/entries/{entry['entry_id']}").json()
        assert {name: shown[name] for name in entry} == entry
        listener.wait_for("head", 2)
        last = listener.cut()
    award(at_work, 2)
    award(at_work, 3)
    at_work.look()
    with listening(client, last) as again:
        assert amounts(again.wait_for("entry", 2)) == [2, 3]
        award(at_work, 4)
        at_work.look()
        assert amounts(again.wait_for("entry", 3)) == [2, 3, 4]
        first = again.events[0].id
    with listening(client, first) as from_middle:
        assert amounts(from_middle.wait_for("entry", 2)) == [3, 4]
    assert again.of("withdrawn") == []


def test_stream__that_was_left__makes_room_at_once(
    at_work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    client = at_work.client()
    with listening(client), listening(client) as one_too_many:
        assert one_too_many.status == 429

    def is_let_in() -> bool:
        with listening(client) as next_one:
            return next_one.status == 200

    assert wait_until(is_let_in, seconds=stream.HEARTBEAT_SECONDS / 2)


def test_stream__begun_where_a_page_was_made__tells_what_came_since(at_work: Working) -> None:
    client = at_work.client()
    with listening(client) as listener:
        listener.wait_for("head", 1)
        place = listener.cut()
    award(at_work, 6)
    at_work.look()
    with listening(client, begin_after=place) as since:
        assert amounts(since.wait_for("entry", 1)) == [6]


def test_stream__with_filters__tells_those_alone(at_work: Working) -> None:
    client = at_work.client()
    with (
        listening(client, organisation=MEMBER, programme="alliance", events="entry") as own,
        listening(client, organisation=2, events="entry,head") as others,
        listening(client, events="membership") as memberships,
    ):
        for each in (own, others, memberships):
            each.wait_for("head", 1)  # where it begins
        award(at_work, 5)
        at_work.look()
        own.wait_for("entry", 1)
        others.wait_for("head", 2)
    assert others.of("entry") == memberships.of("entry") == []
    assert len(own.of("head")) == 1


def test_stream__after_a_reorganisation__withdraws_what_is_gone_and_tells_what_is_there(
    at_work: Working,
) -> None:
    client = at_work.client()
    award(at_work, 1)
    at_work.look()
    with listening(client) as listener:
        listener.wait_for("head", 1)
        kept = at_work.ledger.node.block_number()
        award(at_work, 10)
        at_work.look()
        award(at_work, 20)
        at_work.look()
        listener.wait_for("entry", 2)
        gone = listener.wait_for("head", 2)[-1]
        last = listener.events[-1].id

        at_work.ledger.anvil.rpc.call("anvil_rollback", 2)
        award(at_work, 30)
        award(at_work, 40)
        award(at_work, 50)
        at_work.look()

        (withdrawn,) = listener.wait_for("withdrawn", 1)
        assert amounts(listener.wait_for("entry", 5)) == [10, 20, 30, 40, 50]
        kinds = [each.kind for each in listener.events if each.kind != "operation"]
        assert kinds.index("withdrawn") > kinds.index("entry")
    assert withdrawn["after_block"] == kept
    assert gone["block_number"] > kept
    # Whoever comes back later with an id of the old chain is told the same.
    with listening(client, last) as late:
        (told,) = late.wait_for("withdrawn", 1)
        assert told["after_block"] <= kept
        found = amounts(late.wait_for("entry", 3))
        assert found[-3:] == [30, 40, 50]
        assert 10 not in found
        assert 20 not in found
    truth = client.get(f"/v1/organisations/{MEMBER}/balances").json()["items"][0]["credits"]
    assert truth == 1 + 30 + 40 + 50


@pytest.mark.parametrize("last", ["x", "1-2-3-4-5", "0-0-" + "0" * 63 + "-0-0", "9" * 200])
def test_stream__after_an_id_that_was_never_given__is_a_bad_request(
    at_work: Working, last: str
) -> None:
    answer = at_work.client().get("/v1/stream", headers={"Last-Event-ID": last})

    assert answer.status_code == 400
    assert answer.json()["code"] == "input.cursor_invalid"


@pytest.mark.parametrize("query", [{"events": "all"}, {"events": ""}, {"programme": "nothing"}])
def test_stream__of_what_is_not_there__is_refused(at_work: Working, query: Any) -> None:
    assert at_work.client().get("/v1/stream", params=query).status_code == 422


def test_operations__are_told_to_officers_and_to_who_asked(
    fresh_anvil: Anvil, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    with (
        running_ledger(fresh_anvil, tmp_path) as ledger,
        working(ledger, tmp_path, url) as at_work,
    ):
        officer = at_work.client(ledger.officer)
        with (
            listening(officer, events="operation") as sees,
            listening(at_work.client(wallet("stranger")), events="operation") as stranger,
            listening(at_work.client(), events="operation") as anonymous,
        ):
            sees.wait_for("head", 1)
            key = {"Idempotency-Key": "one-and-only"}
            asked = officer.post("/v1/awards", json=award_of(1), headers=key)
            at_work.wait_for(officer, asked.headers["location"])
            assert wait_until(
                lambda: "included" in [each["state"] for each in sees.of("operation")],
                seconds=20,
            )
        assert stranger.of("operation") == anonymous.of("operation") == []


def test_teller__of_more_than_one_batch__tells_all_in_order(at_work: Working) -> None:
    from api import streaming  # noqa: PLC0415

    client = at_work.client()
    with listening(client) as listener:
        listener.wait_for("head", 1)
        start = listener.events[0].id
    for amount in range(1, 8):
        award(at_work, amount)
    at_work.look()
    before, streaming.AT_ONCE = streaming.AT_ONCE, 2
    try:
        with listening(client, start) as again:
            assert amounts(again.wait_for("entry", 7)) == list(range(1, 8))
            again.wait_for("head", 1)
    finally:
        streaming.AT_ONCE = before
    assert again.of("entry")[0]["programme_id"] == PROGRAMME
