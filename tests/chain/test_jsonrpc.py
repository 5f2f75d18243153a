"""Every way in which a node may fail to answer, and what becomes of each."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger.chain.jsonrpc import MAX_BATCH
from ledger.chain.rpc import Node
from ledger.chain.transport import Patience
from ledger.errors import (
    InvalidSetting,
    NodeAnswerTooLarge,
    NodeAnswerUnreadable,
    NodeRefused,
    NodeUnreachable,
)
from tests.chain.fake_node import (
    Body,
    Chunked,
    Cut,
    Endless,
    FakeNode,
    Fault,
    Hang,
    HangUp,
    Refusal,
    Status,
)
from tests.support.ports import free_port


@pytest.fixture
def fake() -> Iterator[FakeNode]:
    """A node that knows its chain's id and what it is told besides."""
    with FakeNode() as running:
        running.methods["eth_chainId"] = lambda params: "0x7a69"
        yield running


class Pauses(list[float]):
    """Stands for `sleep`: keeps what it was asked for and does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def impatient(url: str, pauses: Pauses | None = None, **options: Any) -> Node:
    patience = Patience(attempts=3, timeout=options.pop("timeout", 5.0))
    return Node(url, patience=patience, sleep=pauses if pauses is not None else Pauses(), **options)


# --- a node that fails --------------------------------------------------------------------------

PASSING: list[Fault] = [
    Status(429),
    Status(502),
    Status(503),
    Status(504),
    Cut(0.5),
    Cut(0.0),
    HangUp(),
    Body(b""),
    Body(b'{"jsonrpc":"2.0","id":1,"resu'),
    Body(b'{"jsonrpc":"2.0","id":1,"result":"\xed\xa0\x80"}'),  # half of a surrogate pair
    Body(b"<html>Welcome</html>"),
    Body(gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}', mtime=0)),
    Body(b'{"jsonrpc":"2.0","id":1,"error":{"code":429,"message":"slow down"}}'),
    Body(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"Too Many Requests"}}'),
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_node__that_stumbles_once__is_asked_again(fake: FakeNode, fault: Fault) -> None:
    fake.faults.append(fault)
    pauses = Pauses()
    with impatient(fake.url, pauses) as node:
        assert node.chain_id() == 31337
    assert fake.requests == 2
    assert pauses == [0.1]


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_node__that_keeps_stumbling__is_given_up(fake: FakeNode, fault: Fault) -> None:
    fake.faults.extend([fault] * 3)
    pauses = Pauses()
    with impatient(fake.url, pauses) as node, pytest.raises(NodeUnreachable) as caught:
        node.chain_id()
    assert fake.requests == 3
    assert pauses == [0.1, 0.2]
    assert caught.value.values["url"] == fake.url


def test_node__that_cuts_its_answer_short__is_said_to(fake: FakeNode) -> None:
    fake.faults.append(Cut(0.5))
    with (
        Node(fake.url, patience=Patience(attempts=1)) as node,
        pytest.raises(NodeUnreachable, match="bytes are missing"),
    ):
        node.chain_id()


def test_node__that_says_when_to_come_back__is_given_that_time_within_bounds(
    fake: FakeNode,
) -> None:
    fake.faults.extend([Status(429, {"Retry-After": "1"}), Status(503, {"Retry-After": "3600"})])
    pauses = Pauses()
    with impatient(fake.url, pauses) as node:
        assert node.chain_id() == 31337
    assert pauses == [1.0, 2.0]


def test_node__that_falls_silent__is_given_up(fake: FakeNode) -> None:
    fake.faults.extend([Hang()] * 3)
    with (
        impatient(fake.url, timeout=0.05) as node,
        pytest.raises(NodeUnreachable, match="timed out"),
    ):
        node.chain_id()


def test_node__that_drips__is_given_up_when_the_whole_takes_too_long(fake: FakeNode) -> None:
    fake.faults.append(Chunked(1))
    patience = Patience(attempts=1, longest=0.0)
    with Node(fake.url, patience=patience) as node, pytest.raises(NodeUnreachable, match="took"):
        node.chain_id()


_HEAD = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "another 100 Continue": Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a header, byte by byte": Endless(_HEAD + b"X-A: ", b"a"),
    "the length of a chunk": Endless(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "a body without length": Endless(_HEAD + b"\r\n", b" "),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_node__whose_answer_never_ends__is_given_up(fake: FakeNode, what: str) -> None:
    """Each byte comes in time, and all of them never do."""
    fake.faults.append(ENDLESS[what])
    patience = Patience(attempts=3, timeout=5.0, longest=0.05)
    with Node(fake.url, patience=patience) as node, pytest.raises(NodeUnreachable, match="took"):
        node.chain_id()
    assert fake.requests == 1  # the time that it has is for all attempts


def test_node__that_is_not_there__is_unreachable() -> None:
    with impatient(f"http://127.0.0.1:{free_port()}") as node, pytest.raises(NodeUnreachable):
        node.chain_id()


def test_node__that_sends_in_chunks__is_read(fake: FakeNode) -> None:
    fake.faults.extend([Chunked(5), Chunked(1000)])
    with impatient(fake.url) as node:
        assert [node.chain_id() for _ in range(3)] == [31337] * 3
    assert fake.connections == 1


def test_node__asked_often__keeps_one_connection(fake: FakeNode) -> None:
    with impatient(fake.url) as node:
        assert {node.chain_id() for _ in range(20)} == {31337}
    assert fake.connections == 1


def test_node__that_closed_an_idle_connection__is_asked_on_another_at_once(
    fake: FakeNode,
) -> None:
    pauses = Pauses()
    with impatient(fake.url, pauses) as node:
        node.chain_id()
        fake.faults.append(HangUp())
        assert node.chain_id() == 31337
    assert pauses == []
    assert fake.connections == 2


def test_node__shared_by_threads__answers_each_with_its_own(fake: FakeNode) -> None:
    fake.methods["eth_call"] = lambda params: params[0]["data"]
    with impatient(fake.url) as node, ThreadPoolExecutor(8) as threads:
        calls = [n.to_bytes(4, "big") for n in range(200)]
        assert list(threads.map(lambda data: node.call(bytes(20), data, 1), calls)) == calls


LARGE = {"eth_chainId": lambda params: "0x" + "1" * 5000}


def test_node__that_answers_too_much__is_cut_off(fake: FakeNode) -> None:
    fake.methods |= LARGE
    fake.faults.extend([Chunked(100)])
    with impatient(fake.url, max_answer=1000) as node:
        for _ in range(2):
            with pytest.raises(NodeAnswerTooLarge, match="1000 bytes"):
                node.chain_id()
    assert fake.requests == 2


def test_node__whose_own_bound_is_reached__says_so(fake: FakeNode) -> None:
    fake.methods["eth_getLogs"] = lambda params: Refusal(-32003, "response too large")
    with impatient(fake.url) as node, pytest.raises(NodeAnswerTooLarge):
        node.logs(0, 10, [])


@pytest.mark.parametrize(
    "answer",
    [
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 2, "result": "0x1"},
        {"jsonrpc": "2.0", "id": None, "result": "0x1"},
        {"jsonrpc": "2.0", "id": 1, "result": None},
        {"jsonrpc": "2.0", "id": 1, "result": 1},
        {"jsonrpc": "2.0", "id": 1, "result": "0xzz"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 10**30, "result": "0x1"},
        {"jsonrpc": "2.0", "id": 1, "result": "-0x1"},
        {"jsonrpc": "2.0", "id": 1, "result": " 0x1"},
        {"jsonrpc": "2.0", "id": 1, "result": "0x_1"},
        {"jsonrpc": "2.0", "id": 1, "result": "0x" + "f" * 65},
        {"jsonrpc": "2.0", "id": 1, "error": "no"},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 10**30, "message": "no"}},
        [],
        "hello",
    ],
    ids=json.dumps,
)
def test_node__that_talks_nonsense__is_called_unreadable(fake: FakeNode, answer: Any) -> None:
    fake.faults.append(Body(json.dumps(answer).encode()))
    with impatient(fake.url) as node, pytest.raises(NodeAnswerUnreadable):
        node.chain_id()
    assert fake.requests == 1


@pytest.mark.parametrize("before", ['"result":"0x1","more":', '"result":', '"error":{"data":'])
def test_node__whose_answer_is_nested_too_deep__is_called_unreadable(
    fake: FakeNode, before: str
) -> None:
    fake.faults.append(Body(f'{{"jsonrpc":"2.0","id":1,{before}{"[" * 100_000}'.encode()))
    with impatient(fake.url) as node, pytest.raises(NodeAnswerUnreadable):
        node.chain_id()


def test_node__whose_words_would_steer_a_terminal__is_quoted_without_that(fake: FakeNode) -> None:
    fake.methods["eth_chainId"] = lambda params: Refusal(1, "\x1b[2J\nBlock 7: all well.\0\u202e")
    with impatient(fake.url) as node, pytest.raises(NodeRefused) as caught:
        node.chain_id()
    assert str(caught.value).isprintable()
    assert "\\u001b[2J\\u000aBlock 7: all well.\\u0000\\u202e" in str(caught.value)


def test_node__that_is_no_node__is_called_unreadable(fake: FakeNode) -> None:
    fake.faults.append(Status(404, body=b"<html>not here</html>"))
    with impatient(fake.url) as node, pytest.raises(NodeAnswerUnreadable, match="404"):
        node.chain_id()


def test_node__that_refuses_with_an_http_status__is_quoted(fake: FakeNode) -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no key"}}
    fake.faults.append(Status(401, body=json.dumps(error).encode()))
    with impatient(fake.url) as node, pytest.raises(NodeRefused, match="no key"):
        node.chain_id()


@pytest.mark.parametrize("data", ["0xdead", {"nested": "0xdead"}, 7, None])
def test_node__that_refuses_with_data__has_them_passed_on(fake: FakeNode, data: Any) -> None:
    fake.methods["eth_chainId"] = lambda params: Refusal(3, "execution reverted", data)
    with impatient(fake.url) as node, pytest.raises(NodeRefused) as caught:
        node.chain_id()
    assert caught.value.values["data"] == data


# --- batches ------------------------------------------------------------------------------------


def test_ask_many__more_than_a_node_takes_at_once__are_asked_in_turn(fake: FakeNode) -> None:
    fake.methods["echo"] = lambda params: params[0]
    wanted = [hex(n) for n in range(2 * MAX_BATCH + 1)]
    with impatient(fake.url) as node:
        assert node.ask_many("echo", [(each,) for each in wanted], str) == wanted
        assert node.ask_many("echo", [], str) == []
    assert fake.requests == 3


def batch(*answers: Any) -> Body:
    return Body(json.dumps(answers).encode())


def result(number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": hex(number)}


def test_ask_many__answered_in_another_order__are_put_in_ours(fake: FakeNode) -> None:
    fake.faults.append(batch(result(2), result(3), result(1)))
    with impatient(fake.url) as node:
        assert node.ask_many("echo", [()] * 3, str) == ["0x1", "0x2", "0x3"]


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [result(1), result(2)],
        [result(1), result(2), result(2)],
        [result(1), result(2), result(4)],
        [result(1), result(2), result(3), result(4)],
        [result(1), result(2), {"jsonrpc": "2.0", "id": 3}],
        [result(1), result(2), {"jsonrpc": "2.0", "id": 3, "result": None}],
        [result(1), result(2), "0x3"],
    ],
    ids=json.dumps,
)
def test_ask_many__not_answered_one_by_one__is_unreadable(
    fake: FakeNode, answers: list[Any]
) -> None:
    fake.faults.append(batch(*answers))
    with impatient(fake.url) as node, pytest.raises(NodeAnswerUnreadable):
        node.ask_many("echo", [()] * 3, str)


def test_ask_many__one_refused__is_refused(fake: FakeNode) -> None:
    refused = {"jsonrpc": "2.0", "id": 2, "error": {"code": -32000, "message": "pruned"}}
    fake.faults.append(batch(result(1), refused, result(3)))
    with impatient(fake.url) as node, pytest.raises(NodeRefused, match="pruned"):
        node.ask_many("echo", [()] * 3, str)


def test_ask_many__one_busy__is_asked_again_whole(fake: FakeNode) -> None:
    busy = {"jsonrpc": "2.0", "id": 2, "error": {"code": 429, "message": "later"}}
    fake.faults.append(batch(result(1), busy))
    fake.methods["echo"] = lambda params: "0x7"
    with impatient(fake.url) as node:
        assert node.ask_many("echo", [(), ()], str) == ["0x7", "0x7"]


def test_ask_many__refused_as_a_whole__is_refused(fake: FakeNode) -> None:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too long"}}
    fake.faults.extend([Body(json.dumps(error).encode()), Body(json.dumps(result(1)).encode())])
    with impatient(fake.url) as node:
        with pytest.raises(NodeRefused, match="batch too long"):
            node.ask_many("echo", [()] * 3, str)
        with pytest.raises(NodeAnswerUnreadable):
            node.ask_many("echo", [()] * 3, str)


# --- addresses ----------------------------------------------------------------------------------


NO_ADDRESSES = (
    *("", "127.0.0.1:8545", "ws://a", "http://", "http://a:port", "http://[::1", "http://a:99999"),
    *(f"http://{'a' * 64}.example/secret", "http://a..b/secret"),  # no name of a host
    *("http://a/secret key", "http://a/sécret", "http://a/secret?\x7f"),  # no path
)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_node__with_an_address_that_is_none__is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="MOONLAKE_RPC_URL") as refused:
        Node(url)
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_node__at_an_ipv6_address_without_a_port__is_asked_at_the_usual_one(
    scheme: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def refuse(address: Any, *_: Any) -> Any:
        asked.append(address)
        raise ConnectionRefusedError("nobody is there")

    monkeypatch.setattr("socket.create_connection", refuse)
    with impatient(f"{scheme}://[::1]") as node, pytest.raises(NodeUnreachable, match=r"\[::1\]"):
        node.chain_id()
    assert set(asked) == {("::1", port)}


def test_node__that_repeats_the_key_of_its_address__is_quoted_without_it(fake: FakeNode) -> None:
    fake.methods["eth_chainId"] = lambda params: Refusal(
        -32600, "project kzw83hd is over its limit; token=hunter2hunter2, password pass%word"
    )
    host = fake.url.removeprefix("http://")
    url = f"http://user:pass%25word@{host}/v3/kzw83hd?token=hunter2hunter2"
    with impatient(url) as node, pytest.raises(NodeRefused) as caught:
        node.chain_id()
    assert "project … is over its limit; token=…, password …" in str(caught.value)


def test_node__with_secrets_in_its_address__uses_them_and_shows_none(fake: FakeNode) -> None:
    host = fake.url.removeprefix("http://")
    with Node(f"http://us%65r:pass@{host}/v3/key?token=1") as node:
        assert node.url == fake.url
        assert node.chain_id() == 31337
    assert fake.headers[-1]["Authorization"] == "Basic dXNlcjpwYXNz"
    assert fake.paths[-1] == "/v3/key?token=1"
