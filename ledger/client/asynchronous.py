"""The client for programs that do other things meanwhile: `async with AsyncLedger("https://…")`.

The same as `ledger.client.sync` in all that it says and does; only the carrying differs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from ledger.client import models
from ledger.client.calls import AsyncOperations
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


class AsyncLedger(AsyncOperations):
    """The API of a ledger's server; the parameters are those of `ledger.client.sync.Ledger`."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        site: str = "",
        retries: int = 4,
        timeout: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout, transport=transport)
        self._site = site or self._http.base_url.netloc.decode()
        self._memory = Memory(api_key=api_key, retries=retries)
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. A session stays open; `sign_out` ends it."""
        await self._http.aclose()

    async def sign_in(self, account: Account) -> models.SessionAnswer:
        """Sign in with an account of eth_account (`Account.from_key(…)`)."""
        return await self.sign_in_as(account.address, signing_with(account))

    async def sign_in_as(self, address: str, sign: Callable[[str], str]) -> models.SessionAnswer:
        """Sign in as `address`, whose wallet signs a text (`personal_sign`) and gives 0x hex."""
        return await self._carry(sign_in(self._memory, self._site, address, sign, now=time.time()))

    async def sign_out(self) -> None:
        """End the session."""
        await self._carry(sign_out(self._memory))

    async def wait(
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
        return await self._carry(wait_for(self._memory, wanted, until=until, seconds=seconds))

    async def stream(
        self,
        *,
        events: str | None = None,
        programme: str | None = None,
        organisation: int | None = None,
        last_event_id: str = "",
    ) -> AsyncIterator[Event]:
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
                async with self._http.stream(
                    "GET", "/v1/stream", params=asked, headers=headers
                ) as answer:
                    if not answer.is_success:
                        await answer.aread()
                        problem = read_problem(answer)
                        if not left or problem.status not in (429, 502, 503, 504):
                            raise problem
                    else:
                        async for line in answer.aiter_lines():
                            left = self._memory.retries
                            for event in listening.hear(line):
                                yield event
            except httpx.TransportError as error:
                if not left:
                    raise Unreachable(f"The stream broke: {error}.") from error
            left -= 1
            await self._sleep(listening.retry_seconds)

    async def _send(self, call: Call[T]) -> T:
        return await self._carry(exchange(self._memory, call))

    async def _items(self, page: Callable[[str | None], Call[Any]]) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            found = await self._send(page(cursor))
            for item in found.items:
                yield item
            cursor = found.next
            if cursor is None:
                return

    async def _carry(self, conversation: Conversation[T]) -> T:
        step = next(conversation)
        while True:
            try:
                try:
                    answer = await self._do(step)
                except httpx.TransportError as error:
                    step = conversation.throw(error)
                else:
                    step = conversation.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result

    async def _do(self, step: Any) -> httpx.Response | None:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        return await self._http.request(
            step.method, step.path, params=step.query, headers=step.headers, content=step.content
        )
