"""Addresses arrive as people type them, and a message's bounds stay what its sender meant."""

from __future__ import annotations

import socket

import httpx
import pytest

from api.wire import MOST_HEAD, escape_request_line


def talk(client: httpx.Client, *chunks: bytes) -> bytes:
    """What the server says to bytes that are sent as they are, until it closes."""
    said = b""
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, timeout=20) as connection:
        for chunk in chunks:
            connection.sendall(chunk)
        while part := connection.recv(65536):
            said += part
    return said


def request(target: str, *, close: bool = True) -> bytes:
    """A GET whose address is not escaped."""
    end = "Connection: close\r\n\r\n" if close else "\r\n"
    return f"GET {target} HTTP/1.1\r\nHost: test\r\n{end}".encode()


def test_search__typed_as_it_is_read__finds_galaxyspace(client: httpx.Client) -> None:
    said = talk(client, request("/v1/organisations?q=银河"))

    assert said.startswith(b"HTTP/1.1 200")
    assert b"GalaxySpace" in said
    assert b'rel="first"' in said


def test_path__typed_as_it_is_read__is_looked_for(client: httpx.Client) -> None:
    assert talk(client, request("/银河")).startswith(b"HTTP/1.1 404")


def test_search__of_bytes_that_are_no_text__breaks_nothing(client: httpx.Client) -> None:
    raw = request("/v1/organisations?q=X").replace(b"X", b"\xff\xfe\x80")

    assert talk(client, raw).startswith(b"HTTP/1.1 200")


def test_connection__kept_open__takes_several(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, timeout=20) as connection:
        for number in range(3):
            connection.sendall(request("/v1/organisations?q=银河", close=number == 2))
            said = b""
            while b'"next":null}' not in said:
                said += connection.recv(65536)
            assert said.startswith(b"HTTP/1.1 200")
            assert b"GalaxySpace" in said


def test_body__that_looks_like_a_request__is_left_as_it_is(client: httpx.Client) -> None:
    body = request("/v1/organisations?q=银河", close=False)
    head = f"POST /v1/status HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    said = talk(client, head, body, request("/healthz"))

    assert said.count(b"HTTP/1.1") == 2
    assert said.startswith(b"HTTP/1.1 405")
    assert b"HTTP/1.1 200" in said
    assert b"GalaxySpace" not in said


def test_head__without_an_end__is_not_kept_for_ever(client: httpx.Client) -> None:
    said = talk(client, b"GET /healthz HTTP/1.1\r\n", b"X-Long: " + b"x" * (MOST_HEAD + 1))

    assert said.startswith(b"HTTP/1.1 400")


def test_trailer__behind_a_body__is_no_header(client: httpx.Client) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    body = b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Request-ID: from-behind\r\n\r\n"
    said = talk(client, head + body)

    assert said.startswith(b"HTTP/1.1 200")
    assert b"from-behind" not in said


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Content-Length: +1\r\n\r\nx",
        b"X : y\r\n\r\n",
        b"X: y\x00\r\n\r\n",
    ],
)
def test_message__whose_bounds_can_be_read_in_two_ways__is_refused(
    client: httpx.Client, lines: bytes
) -> None:
    said = talk(client, b"POST /v1/status HTTP/1.1\r\nHost: test\r\n" + lines)

    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /a HTTP/1.1\r\n\xe9", b"GET /a HTTP/1.1\r\n\xe9"),
        ("GET /é HTTP/1.1\r\nX: é\r\n".encode(), b"GET /%C3%A9 HTTP/1.1\r\nX: \xc3\xa9\r\n"),
        ("POST /é HTTP/1.1\r\n".encode(), "POST /é HTTP/1.1\r\n".encode()),
        ("GET /é b HTTP/1.1\r\n".encode(), "GET /é b HTTP/1.1\r\n".encode()),
        ("GET /é".encode(), "GET /é".encode()),
        (b"", b""),
    ],
)
def test_escaping__touches_the_request_line_alone(data: bytes, expected: bytes) -> None:
    assert escape_request_line(data) == expected
