"""What is said to the server and what its answers mean, without any input or output.

Each conversation is a generator: it yields what to send or how long to pause, is given the answer,
and returns the result. `ledger.client.sync` and `ledger.client.asynchronous` only carry these, so
that what is repeated, cached and refused is written once.

It repeats nothing that could be done twice: a read, or what carries an `Idempotency-Key`.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from ledger.client import models
from ledger.client.errors import (
    AnswerUnreadable,
    FieldError,
    OperationFailed,
    OperationUnsettled,
    Problem,
    SignInImpossible,
    Unreachable,
    problem_class,
)
from ledger.errors import IdempotencyInFlight, OperationCancelled

T = TypeVar("T")

MOST_KEPT = 256
"""Answers that a client keeps to ask for again by their ETag."""
MOST_PATIENCE = 60.0
"""Seconds that a client waits at most because the server says so."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_PASSING = (429, 502, 503, 504)
_LOOK_SECONDS = 0.2
_LONGEST_LOOK = 2.0
_FAR = {"included": ("included", "final"), "final": ("final",)}


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A question: `result` is the type of its answer, None where there is none, bytes for a file.

    `key` is its Idempotency-Key; the same for each time that it is sent. `file` is a body that is
    no JSON, of the type `media_type`; `headers` are what this one question sends besides.
    """

    method: str
    path: str
    result: Any
    query: Mapping[str, str | int | Sequence[str] | None] = field(default_factory=dict)
    body: msgspec.Struct | None = None
    file: bytes | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str | None] = field(default_factory=dict)
    key: str | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again where nobody knows whether it arrived."""
        return self.method == "GET" or self.key is not None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so long before going on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Send:
    """Send this and say what comes back; a connection's error is thrown in."""

    method: str
    path: str
    query: Mapping[str, str | int | Sequence[str]]
    headers: Mapping[str, str]
    content: bytes | None


Conversation = Generator[Send | Pause, httpx.Response | None, T]


@dataclass(slots=True)
class Memory:
    """What a client knows from one question to the next."""

    api_key: str = ""
    csrf_token: str = ""
    retries: int = 4
    kept: OrderedDict[str, tuple[str, bytes]] = field(default_factory=OrderedDict)

    def credentials(self) -> dict[str, str]:
        """The headers that say who asks; a session is in a cookie."""
        found = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        if self.csrf_token:
            found["X-CSRF-Token"] = self.csrf_token
        return found

    def keep(self, question: str, answer: httpx.Response) -> None:
        """Keep an answer that has a tag; those that were not asked for the longest make room."""
        tag = answer.headers.get("etag")
        if tag is None:
            return
        self.kept[question] = (tag, answer.content)
        self.kept.move_to_end(question)
        while len(self.kept) > MOST_KEPT:
            self.kept.popitem(last=False)


def new_key() -> str:
    """An Idempotency-Key that nobody has used."""
    return secrets.token_urlsafe(18)


def exchange(memory: Memory, call: Call[T]) -> Conversation[T]:
    """Ask, again where that is safe and may help. Raises Problem, Unreachable, AnswerUnreadable."""
    query = {name: value for name, value in call.query.items() if value is not None}
    question = str(httpx.URL(call.path, params={k: str(v) for k, v in query.items()}))
    for left in range(memory.retries, -1, -1):
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (memory.retries - left))
        kept = memory.kept.get(question) if call.method == "GET" else None
        try:
            answer = yield Send(
                call.method, call.path, query, _headers(memory, call, kept), _body(call)
            )
        except httpx.TransportError as error:
            never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            if left and (call.is_repeatable or never_sent):
                yield Pause(pause)
                continue
            raise Unreachable(f"No answer came: {error or type(error).__name__}.") from error
        if answer is None:
            raise AssertionError("what is sent is answered")
        if answer.status_code == 304 and kept is not None:
            memory.kept.move_to_end(question)
            return _read(call, kept[1])
        if answer.is_success:
            if call.method == "GET":
                memory.keep(question, answer)
            return _read(call, answer.content)
        problem = read_problem(answer)
        if not left or not _passes(call, problem):
            raise problem
        yield Pause(max(pause, problem.wait_seconds or 0))
    raise AssertionError("the last time it is answered or raised")


def wait_for(
    memory: Memory,
    operation_id: str,
    *,
    until: str,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Conversation[models.OperationAnswer]:
    """Look until an operation is so far. Raises OperationFailed, OperationUnsettled."""
    enough = _FAR[until]
    over = clock() + seconds
    pause = _LOOK_SECONDS
    call: Call[models.OperationAnswer] = Call(
        "GET", f"/v1/operations/{operation_id}", models.OperationAnswer
    )
    while True:
        found = yield from exchange(memory, call)
        if found.state in enough:
            return found
        if found.state == "cancelled":
            raise OperationFailed(
                operation_id, OperationCancelled.code, "It was cancelled; nothing was done."
            )
        if found.state == "failed" and found.failure is not None:
            failure = found.failure
            raise OperationFailed(
                operation_id, failure.code, failure.detail, failure.advice, failure.values
            )
        if clock() >= over:
            raise OperationUnsettled(operation_id, found.state)
        yield Pause(min(pause, max(0.0, over - clock())))
        pause = min(_LONGEST_LOOK, pause * 1.3)


def sign_in(
    memory: Memory, site: str, address: str, sign: Callable[[str], str], *, now: float
) -> Conversation[models.SessionAnswer]:
    """Sign in with Ethereum (EIP-4361) as `address`; `sign` makes a text's signature, 0x hex.

    Nothing is signed for another than `site`, host and port: a server that hands on another's
    nonce would sign in there. Raises SignInImpossible.
    """
    nonce: Call[models.NonceAnswer] = Call("GET", "/v1/sign-in/nonce", models.NonceAnswer)
    given = yield from exchange(memory, nonce)
    if {given.domain, httpx.URL(given.uri).netloc.decode()} != {site}:
        raise SignInImpossible(
            f"The server at {site} asks to sign in to {given.domain}; `site` names what is meant."
        )
    message = (
        f"{given.domain} wants you to sign in with your Ethereum account:\n{address}\n\n"
        "Sign in to the ledger.\n\n"
        f"URI: {given.uri}\nVersion: {given.version}\nChain ID: {given.chain_id}\n"
        f"Nonce: {given.nonce}\nIssued At: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now))}"
    )
    command = models.SignInCommand(message=message, signature=sign(message))
    opened: Call[models.SessionAnswer] = Call(
        "POST", "/v1/sessions", models.SessionAnswer, body=command
    )
    session = yield from exchange(memory, opened)
    memory.csrf_token = session.csrf_token or ""
    memory.kept.clear()  # another reader may be told other things
    return session


def sign_out(memory: Memory) -> Conversation[None]:
    """End the session."""
    yield from exchange(memory, Call("DELETE", "/v1/session", None))
    memory.csrf_token = ""
    memory.kept.clear()


def read_problem(answer: httpx.Response) -> Problem:
    """The problem that an answer tells."""
    try:
        body = msgspec.json.decode(answer.content, type=models.Problem)
    except msgspec.MsgspecError:
        # Not of the ledger: a proxy's page, perhaps.
        body = models.Problem(
            type="about:blank",
            title=answer.reason_phrase,
            status=answer.status_code,
            detail=f"The answer was {answer.status_code} {answer.reason_phrase}.",
            instance="",
            code=f"http.{answer.reason_phrase.lower().replace(' ', '_')}",
        )
    wait = answer.headers.get("retry-after", "")
    return problem_class(answer.status_code)(
        answer.status_code,
        body.code,
        body.detail,
        advice=body.advice or "",
        fields=tuple(FieldError(each.field, each.problem) for each in body.errors or ()),
        request_id=answer.headers.get("x-request-id", ""),
        wait_seconds=float(wait) if wait.isdecimal() else None,
    )


def _passes(call: Call[Any], problem: Problem) -> bool:
    """Whether the same question may soon be answered."""
    if (problem.wait_seconds or 0) > MOST_PATIENCE:
        return False
    if problem.status == 429:
        return True  # nothing of it was done
    is_held_up = problem.status in _PASSING or problem.code == IdempotencyInFlight.code
    return call.is_repeatable and is_held_up


def _headers(memory: Memory, call: Call[Any], kept: tuple[str, bytes] | None) -> dict[str, str]:
    headers = memory.credentials()
    headers |= {name: value for name, value in call.headers.items() if value is not None}
    if call.body is not None or call.file is not None:
        headers["Content-Type"] = call.media_type
    if call.key is not None:
        headers["Idempotency-Key"] = call.key
    if kept is not None:
        headers["If-None-Match"] = kept[0]
    return headers


def _body(call: Call[Any]) -> bytes | None:
    return call.file if call.body is None else msgspec.json.encode(call.body)


def _read(call: Call[T], content: bytes) -> T:
    found: Any = content  # what T is, `result` says
    if call.result is None:
        found = None
    elif call.result is not bytes:
        try:
            found = msgspec.json.decode(content, type=call.result)
        except msgspec.MsgspecError as error:
            raise AnswerUnreadable(f"{call.method} {call.path}: {error}.") from error
    return found  # type: ignore[no-any-return]
