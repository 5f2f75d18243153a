"""A webhook reaches public addresses alone, whatever a URL looks like and whatever a name means."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading
import time
from collections.abc import Sequence

import pytest

from ledger.errors import AddressRefused, InvalidValue
from ledger.office.webhooks import addresses
from ledger.office.webhooks.addresses import Gate, is_own, is_public, parse_target, resolve_name
from ledger.office.webhooks.posting import MOST_BYTES, post
from tests.support.receivers import connections_made, running_receiver

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)

NAMES = {
    "rebind.example": ["93.184.215.14", "127.0.0.1"],
    "inside.example": ["10.1.2.3"],
    "metadata.example": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "six.example": ["::ffff:192.168.1.1"],
    "last.example": ["93.184.215.14"] * 20 + ["10.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "zone.example": ["fe80::1%lo"],
    "chain.example": ["192.168.7.7"],  # of a name that is another's (CNAME), as a resolver tells it
    "kubernetes.default.svc": ["10.96.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
}
"""What the hostile names of this test mean; numbers are left to the machine's own resolver."""

HOSTILE = (
    "http://127.0.0.1/",
    "https://127.0.0.1:8545/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0:8022/",
    "https://localhost/",
    "https://localhost./",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[0:0:0:0:0:ffff:10.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://rebind.example/",
    "https://inside.example/",
    "https://metadata.example/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://six.example/",
    "https://last.example/",
    "https://nat64.example/",
    "https://zone.example/",
    "https://chain.example/",
    "https://kubernetes.default.svc/",
    "https://0x7f.1/",
    "https://0x7F000001/",
    "https://017700000001/",
    "https://127.0.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://127.0x0.00.1/",
    "https://4294967295/",
    "https://0xffffffff/",
    "https://0.255.255.255/",
    "https://LOCALHOST/",
    "HTTPS://127.0.0.1/",
    "hTTp://[::1]:80/",
    "https://127.0.0.1:/",
    "https://127.0.0.1:0443/",
    "https://127.0.0.1?x",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[::ffff:100.64.0.1]/",
    "https://[::ffff:0.0.0.0]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:c0a8:101::1]/",
    "https://[2001:0:53aa:64c::80ff:fffe]/",
    "https://[2001:10::1]/",
    "https://[2001:20::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
    "https://[fec0::1]/",
    "https://[fdff:ffff::1]/",
    "https://[fd20:ce::254]/",
    "https://[ff0e::1]/",
    "https://[::a9fe:a9fe]/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://169.254.170.2/",
    "https://169.254.0.23/",
    "https://192.0.0.192/opc/v2/",
    "https://192.0.2.1/",
    "https://192.88.99.2/",
    "https://198.19.255.255/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://240.0.0.1/",
)

MISLEADING = (
    "https://example.com@127.0.0.1/",
    "https://user:secret@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com/ HTTP/1.1\r\nHost: inside",
    "https://example.com/\nx",
    "https://①②⑦.0.0.1/",
    "https://exämple.com/",
    "https://%31%32%37.0.0.1/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://[::1/",
    "https:///path",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/",
    "example.com",
    "",
    "https://a..b/",
    "https://.127.0.0.1/",
    "https://127.0.0.1../",
    "https://-127.0.0.1/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://example.com;127.0.0.1/",
    "https://example.com,127.0.0.1/",
    "https://$(id).example/",
    "https://*/",
    "https://[v1.x]/",
    "https://[127.0.0.1]/",
    "https://[fe80::1%25lo]/",
    "https://[fe80::1%lo]/",
    "https://::1/",
    "https://a@b@127.0.0.1/",
    "https://:@127.0.0.1/",
    "https://127。0。0。1/",
    "https://１２７.0.0.1/",
    "https://ⓛocalhost/",
    "https://lo\u00adcalhost/",
    "https://loca\u200blhost/",
    "https://127.0.0.1:４４３/",
    "https://127.0.0.1:443_0/",
    "https://127.0.0.1:+443/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1%00.example.com/",
    "https://127.0.0.1\x00/",
    "//127.0.0.1/",
    "https:/127.0.0.1/",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:6379/",
    "http://10.1.2.3:11211/",
)


def resolve(host: str, port: int) -> Sequence[str]:
    return NAMES[host] if host in NAMES else resolve_name(host, port)


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_address__posted_to__is_refused_without_a_connection(url: str) -> None:
    assert len(HOSTILE) >= 30
    with connections_made() as connected:
        outcome = post(Gate(resolve=resolve), parse_target(url), {}, b"{}")

    assert connected == []
    assert outcome.status is None
    assert "cannot be reached by a webhook" in outcome.problem


@pytest.mark.parametrize("url", MISLEADING)
def test_url__that_could_mean_two_hosts__is_refused_before_it_is_resolved(url: str) -> None:
    with connections_made() as connected, pytest.raises(InvalidValue):
        parse_target(url)

    assert connected == []


@pytest.mark.parametrize(
    "text", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_address__is_let_through(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_address__that_is_this_machines_own__is_refused_however_public() -> None:
    """A firewall in front of it may trust it."""
    gate = Gate(resolve=lambda host, port: ["93.184.215.14"], is_own=lambda text: True)

    with pytest.raises(AddressRefused, match="this machine's own"):
        gate.addresses_of(parse_target("https://example.com/"))
    assert is_own("127.0.0.1")
    assert not is_own("93.184.215.14")


def test_name__whose_server_never_answers__is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        asked.set()
        answered.wait(30)
        return []

    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    outcome = post(Gate(), parse_target("https://slow.example/"), {}, b"{}")
    answered.set()

    assert asked.is_set()
    assert "was not resolved within 0.05 seconds" in outcome.problem


def test_name__that_no_resolver_takes__is_a_failure_in_words() -> None:
    with pytest.raises(OSError, match="is no name"):
        resolve_name("a..b", 443)


def test_plain_http__to_a_public_address__is_refused() -> None:
    gate = Gate(resolve=lambda host, port: ["93.184.215.14"])

    with pytest.raises(AddressRefused, match="without encryption"):
        gate.addresses_of(parse_target("http://example.com/"))
    assert gate.addresses_of(parse_target("https://example.com/")) == ["93.184.215.14"]


def test_name__that_means_another_address_later__is_connected_where_it_was_judged() -> None:
    """The resolver is asked once, and the address that it gave is the one connected to."""
    asked: list[str] = []

    def change(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with running_receiver() as receiver, connections_made() as connected:
        port = parse_target(receiver.url).port
        target = parse_target(f"http://changing.example:{port}/hook?a=b")
        outcome = post(Gate(LOOPBACK, change), target, {}, b"{}")

    assert outcome.is_delivered
    assert asked == ["changing.example"]
    assert connected == [("127.0.0.1", port)]
    assert receiver.requests[0].path == "/hook?a=b"
    assert receiver.requests[0].headers["host"] == f"changing.example:{port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect__to_an_inner_address__is_not_followed(status: int) -> None:
    with running_receiver() as inner:
        with (
            running_receiver(status=status, headers={"Location": inner.url}) as receiver,
            connections_made() as connected,
        ):
            outcome = post(Gate(LOOPBACK), parse_target(receiver.url), {}, b"{}")

        assert not outcome.is_delivered
        assert outcome.problem == f"it answered {status}; redirects are not followed"
        assert connected == [("127.0.0.1", parse_target(receiver.url).port)]
        assert inner.requests == []


def test_proxy_of_the_environment__is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_receiver() as proxy, running_receiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        outcome = post(Gate(LOOPBACK), parse_target(receiver.url), {}, b"{}")

    assert outcome.is_delivered
    assert proxy.requests == []


def _drip(handler: http.server.BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: " if not hasattr(handler, "began") else b"y")
        handler.began = True  # type: ignore[attr-defined]
        handler.wfile.flush()
        time.sleep(0.02)


def _flood(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10_000):
        handler.wfile.write(b"z" * 10_000)


def test_receiver__that_answers_a_byte_at_a_time__is_left_when_time_is_up() -> None:
    with running_receiver(answer=_drip) as receiver:
        outcome = post(Gate(LOOPBACK), parse_target(receiver.url), {}, b"{}", seconds=0.5)

    assert outcome.status is None
    assert outcome.problem == "it took more than 0.5 seconds"


def test_receiver__that_answers_without_end__is_left_after_some_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = 0
    receive = socket.socket.recv

    def count(connected: socket.socket, size: int) -> bytes:
        nonlocal read
        found = receive(connected, size)
        read += len(found)
        return found

    monkeypatch.setattr(socket.socket, "recv", count)
    with running_receiver(answer=_flood) as receiver:
        outcome = post(Gate(LOOPBACK), parse_target(receiver.url), {}, b"{}")

    assert outcome.is_delivered
    assert MOST_BYTES <= read < 4 * MOST_BYTES


def _promise(handler: http.server.BaseHTTPRequestHandler) -> None:
    for _ in range(10_000):
        handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nx: " + b"y" * 8000 + b"\r\n\r\n")


def test_receiver__that_promises_an_answer_without_end__is_left_after_some_bytes() -> None:
    with running_receiver(answer=_promise) as receiver:
        outcome = post(Gate(LOOPBACK), parse_target(receiver.url), {}, b"{}")

    assert outcome.status is None
    assert "bytes and no answer" in outcome.problem


def test_receiver__that_speaks_no_http__is_a_failure_in_words() -> None:
    def babble(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")

    with running_receiver(answer=babble) as receiver:
        outcome = post(Gate(LOOPBACK), parse_target(receiver.url), {}, b"{}")

    assert outcome.status is None
    assert "ProtocolError" in outcome.problem
