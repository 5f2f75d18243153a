"""What holds for every request, before any route: HEAD, limits, CORS, the headers that bind a
browser, and the id by which a request is found again in a log.

Written on ASGI itself, so that it costs a request a few microseconds and a streamed document
passes through untouched.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import asked_of
from api.limits import Limits
from api.logs import RequestLine, is_told
from api.problems import MEDIA_TYPE, Problem, http_problem, problem_of
from api.quick import Quick, tags_in
from api.uploads import most_of
from ledger.config import Settings
from ledger.errors import LedgerError, RequestTooLarge, TooManyRequests

MAX_BODY = 1024 * 1024
"""Bytes of a request's body: 4,000 awards with their evidence are a tenth of it."""
MOST_DEPTH = 64
"""How deep a body's JSON may be nested; ours needs four."""
MOST_BRACKETS = 20_000
"""How many objects and lists a body may hold; ours need a few for each of 500 awards."""
_JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(each for each in range(256) if each not in b"[]{}")
_ALIKE = bytes.maketrans(b"{}", b"[]")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Pages load their own style sheet, script and images, and ask this server alone."""
POLICY_OF_COMPARING = CONTENT_SECURITY_POLICY.replace(
    "connect-src 'self'", "connect-src 'self' https: http:"
)
"""Of the one page whose script also asks a node that its reader names, in the reader's browser.

http, too: nodes on one's own machine or in one's own network usually have no TLS.
"""

REQUEST_ID: ContextVar[str] = ContextVar("moonlake_request_id", default="")
"""The id of the request that is answered now."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}
_FOR_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
_EXPOSED = "ETag, Link, Location, Retry-After, X-Request-ID, Idempotent-Replayed, "
_EXPOSED += "As-Of-Block, As-Of-Hash, As-Of-Time"
_TAKEN = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
_TAKEN += "X-CSRF-Token, X-Request-ID, Application-Secret"
_ONCE = frozenset({b"host", b"authorization", b"origin", b"idempotency-key", b"x-csrf-token"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_FOR_ANY_PAGE = re.compile(
    r"/v1/tokens/|/v1/programmes/[^/]+/credential-status/|/\.well-known/", re.ASCII
)
"""What wallets, marketplaces and verifiers read in a browser, from pages that nobody can list."""
_TO_ANY_PAGE = {"Access-Control-Allow-Origin": "*"}  # and so never with a cookie
_UNLIMITED = ("/healthz", "/readyz", "/metrics")


class Edge:
    """Answers HEAD as GET, and adds security headers where a route set none."""

    def __init__(self, app: ASGIApp, *, settings: Settings, limits: Limits, quick: Quick) -> None:
        self._app = app
        self._quick = quick
        self._limits = limits
        self._origins = frozenset(settings.cors_origins)
        is_https = settings.origin.startswith("https:")
        bound = {**_HEADERS, **(_FOR_HTTPS if is_https else {})}
        self._headers = [(name.lower().encode(), text.encode()) for name, text in bound.items()]
        self._settings = settings
        self._is_private = settings.read_policy != "open"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # The server itself leaves out the body.
            scope = {**scope, "method": "GET", "moonlake.head": True}
        given = {name: value for name, value in scope["headers"] if name in _LOOKED_AT}
        request_id = _request_id(given.get(b"x-request-id", b""))
        REQUEST_ID.set(request_id)
        if not is_told():
            await self._answer(scope, receive, send, given, request_id)
            return
        line = RequestLine("HEAD" if scope.get("moonlake.head") else scope["method"])

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                line.status = message["status"]
            await send(message)

        try:
            line.route = await self._answer(scope, receive, send_told, given, request_id)
        finally:
            line.end(scope, request_id)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        given: dict[bytes, bytes],
        request_id: str,
    ) -> str:
        """Answer; the route that an answer was kept of, where it was."""
        origin = given.get(b"origin", b"").decode("latin-1").lower()
        shared = self._cors(origin)
        if not shared and scope["method"] == "GET" and _FOR_ANY_PAGE.match(scope["path"]):
            shared = _TO_ANY_PAGE

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._bind(message["headers"], request_id, shared)
            await send(message)

        try:
            self._check(scope, given)
        except LedgerError as error:
            await _refuse(problem_of(error), scope, send_on, _headers_of(error))
            return ""
        if unusable := _unusable(scope):
            await _refuse(http_problem(unusable), scope, send_on, {})
            return ""
        if scope["method"] == "OPTIONS" and shared and b"access-control-request-method" in given:
            await _answer_preflight(send_on)
            return ""
        if scope["method"] == "GET" and not self._is_private:
            tags = tags_in([value for name, value in scope["headers"] if name == b"if-none-match"])
            route = await self._quick.answer(*asked_of(scope), tags, send_on)
            if route is not None:
                return route
        most = most_of(scope, self._settings)
        bounded = _counted(receive, most) if most else _bounded(receive)
        await self._app(scope, bounded, send_on)
        return ""

    def _bind(
        self, given: Iterable[tuple[bytes, bytes]], request_id: str, shared: Mapping[str, str]
    ) -> list[tuple[bytes, bytes]]:
        """A response's headers with those that bind a browser, where the route set none."""
        found = list(given)
        names = {name for name, _ in found}
        found += [each for each in self._headers if each[0] not in names]
        found.append((b"x-request-id", request_id.encode()))
        if not (shared or self._origins or self._is_private):
            return found
        headers = MutableHeaders(raw=found)
        for name, value in shared.items():
            headers[name] = value
        if self._origins:
            headers.add_vary_header("Origin")
        if self._is_private and headers.get("cache-control") == "no-cache":
            headers["Cache-Control"] = "private, no-cache"
        return headers.raw

    def _check(self, scope: Scope, given: dict[bytes, bytes]) -> None:
        """Raise TooManyRequests and RequestTooLarge."""
        if scope["path"] not in _UNLIMITED:
            self._limits.charge_caller(scope, given.get(b"authorization"))
        length = given.get(b"content-length", b"0")
        most = most_of(scope, self._settings) or MAX_BODY
        if length.isdigit() and int(length[:20]) > most:
            raise RequestTooLarge(most=most)

    def _cors(self, origin: str) -> dict[str, str]:
        if origin not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": _EXPOSED,
        }


_LOOKED_AT = frozenset(
    {
        b"origin",
        b"authorization",
        b"content-length",
        b"x-request-id",
        b"access-control-request-method",
    }
)


def _request_id(given: bytes) -> str:
    """The caller's own id where it is one, else a random one."""
    return given.decode("ascii") if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _counted(receive: Receive, most: int) -> Receive:
    """`receive` that ends a document which is longer than `most`."""
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                raise RequestTooLarge(most=most)
        return message

    return receive_some


def _bounded(receive: Receive) -> Receive:
    """`receive` that ends a body which is longer than it said, or said nothing, or is deep."""
    taken = 0
    parts: list[bytes] = []

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            parts.append(message.get("body", b""))
            taken += len(parts[-1])
            if taken > MAX_BODY:
                raise HTTPException(413)
            if not message.get("more_body", False) and _is_deep(b"".join(parts)):
                raise HTTPException(400)
        return message

    return receive_some


def _is_deep(body: bytes) -> bool:
    """Whether JSON in a body is nested deeper, or in more places, than any route takes.

    What reads it goes as deep as it does, and how much stack is left for that is not ours to know:
    a library can have raised Python's own bound.
    """
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= MOST_DEPTH:
        return False
    if brackets > MOST_BRACKETS:
        return True
    # Each turn takes away the innermost pairs, in C: a token at a time a MiB takes over a second,
    # in which this process answers nobody.
    rest = _JSON_STRING.sub(b"", body).translate(_ALIKE, _NO_BRACKETS)
    for _ in range(MOST_DEPTH):
        before, rest = rest, rest.replace(b"[]", b"")
        if rest == before:
            break
    return b"[]" in rest or rest.count(b"[") > MOST_DEPTH


def _unusable(scope: Scope) -> int:
    """The status of a request that could be read in two ways, 0 where it is none.

    A pattern of routes also fits a path with a line's end behind it, which whoever guards a path
    before us does not take for the same; and of a header that comes twice each takes another.
    """
    if scope["path"].endswith("\n"):
        return 404
    once = [name for name, _ in scope["headers"] if name in _ONCE]
    return 400 if len(once) != len(set(once)) else 0


def _headers_of(error: LedgerError) -> dict[str, str]:
    if isinstance(error, TooManyRequests):
        return {"retry-after": str(error.values["seconds"])}
    if isinstance(error, RequestTooLarge):
        return {"connection": "close"}  # the rest of it is not read
    return {}


async def _refuse(problem: Problem, scope: Scope, send: Send, more: dict[str, str]) -> None:
    body = problem.body(scope["path"][:200])
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **more,
    }
    raw = Headers(headers).raw
    await send({"type": "http.response.start", "status": int(problem.status), "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _answer_preflight(send: Send) -> None:
    headers = {
        "access-control-allow-methods": "GET, HEAD, POST, DELETE",
        "access-control-allow-headers": _TAKEN,
        "access-control-max-age": "600",
        "content-length": "0",
    }
    await send({"type": "http.response.start", "status": 204, "headers": Headers(headers).raw})
    await send({"type": "http.response.body", "body": b""})
