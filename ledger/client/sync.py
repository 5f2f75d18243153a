"""The client for programs that wait: `with Ledger("https://…", api_key=…) as ledger`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from ledger.client import models
from ledger.client.calls import Operations
from ledger.client.errors import Unreachable
from ledger.client.events import Event, Listening
from ledger.client.exchange import (
    Call,
    Conversation,
    Memory,
    Pause,
    exchange,
    read_problem,
    sign_in,
    sign_out,
    wait_for,
)
from ledger.client.wallets import Account, signing_with

T = TypeVar("T")


class Ledger(Operations):
    """The API of a ledger's server.

    Parameters
    ----------
    base_url: the server's address.
    api_key: a key of the API, where not a session or nothing is meant.
    site: host and port that people reach the server at, where `base_url` has others; what is signed
        to sign in names it.
    retries: how often what may be repeated is asked again where no answer comes, or none yet.
    timeout: seconds for one answer.
    transport, sleep: other ways to send and to wait, for tests and for proxies.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        site: str = "",
        retries: int = 4,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=timeout, transport=transport)
        self._site = site or self._http.base_url.netloc.decode()
        self._memory = Memory(api_key=api_key, retries=retries)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. A session stays open; `sign_out` ends it."""
        self._http.close()

    def sign_in(self, account: Account) -> models.SessionAnswer:
        """Sign in with an account of eth_account (`Account.from_key(…)`)."""
        return self.sign_in_as(account.address, signing_with(account))

    def sign_in_as(self, address: str, sign: Callable[[str], str]) -> models.SessionAnswer:
        """Sign in as `address`, whose wallet signs a text (`personal_sign`) and gives 0x hex."""
        return self._carry(sign_in(self._memory, self._site, address, sign, now=time.time()))

    def sign_out(self) -> None:
        """End the session."""
        self._carry(sign_out(self._memory))

    def wait(
        self,
        operation: models.Operation | models.OperationAnswer | str,
        *,
        until: str = "final",
        seconds: float = 300.0,
    ) -> models.OperationAnswer:
        """The operation once it is `final`, or `included` in a block.

        Raises OperationFailed where it is not done, OperationUnsettled where the time is over.
        """
        wanted = operation if isinstance(operation, str) else operation.operation_id
        return self._carry(wait_for(self._memory, wanted, until=until, seconds=seconds))

    def stream(
        self,
        *,
        events: str | None = None,
        programme: str | None = None,
        organisation: int | None = None,
        last_event_id: str = "",
    ) -> Iterator[Event]:
        """What happens, as it happens, for ever: after a cut it goes on where it was.

        `events` are kinds, comma-separated: entry, membership, operation, head. Raises Problem
        where the server refuses, Unreachable where it stays away.
        """
        listening = Listening(last_event_id)
        query = {"events": events, "programme": programme, "organisation": organisation}
        asked = {name: value for name, value in query.items() if value is not None}
        left = self._memory.retries
        while True:
            listening.begin()
            headers = self._memory.credentials() | {"Accept": "text/event-stream"}
            if listening.last_id:
                headers["Last-Event-ID"] = listening.last_id
            try:
                with self._http.stream(
                    "GET", "/v1/stream", params=asked, headers=headers
                ) as answer:
                    if not answer.is_success:
                        answer.read()
                        problem = read_problem(answer)
                        if not left or problem.status not in (429, 502, 503, 504):
                            raise problem
                    for line in answer.iter_lines() if answer.is_success else ():
                        left = self._memory.retries
                        yield from listening.hear(line)
            except httpx.TransportError as error:
                if not left:
                    raise Unreachable(f"The stream broke: {error}.") from error
            left -= 1
            self._sleep(listening.retry_seconds)

    def _send(self, call: Call[T]) -> T:
        return self._carry(exchange(self._memory, call))

    def _items(self, page: Callable[[str | None], Call[Any]]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            found = self._send(page(cursor))
            yield from found.items
            cursor = found.next
            if cursor is None:
                return

    def _carry(self, conversation: Conversation[T]) -> T:
        step = next(conversation)
        while True:
            try:
                try:
                    answer = self._do(step)
                except httpx.TransportError as error:
                    step = conversation.throw(error)
                else:
                    step = conversation.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result

    def _do(self, step: Any) -> httpx.Response | None:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        return self._http.request(
            step.method, step.path, params=step.query, headers=step.headers, content=step.content
        )
