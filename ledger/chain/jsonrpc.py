"""JSON-RPC over HTTP: calls and batches of calls, read as types, or refused with one of few errors.

It knows how requests and answers are shaped and nothing of what they are about; `ledger.chain.rpc`
does. What comes back has the shape that was asked for, and nothing more is promised of it. A server
that is dead, busy, silent or talks nonsense becomes an error that names it, and an answer can
neither fill the memory nor take for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from types import TracebackType
from typing import Annotated, Any, Generic, Self, TypeAlias, TypeVar

import msgspec

from ledger.chain.node_errors import means_busy, means_too_much
from ledger.chain.transport import BodyTooLarge, Patience, Reply, Transport, TryAgain
from ledger.errors import NodeAnswerTooLarge, NodeAnswerUnreadable, NodeRefused

T = TypeVar("T")

MAX_ANSWER = 128 * 1024 * 1024
MAX_BATCH = 1000  # geth refuses longer ones (rpc.batch-request-limit), Besu those over 1024

_SHORT = 16 * 1024 * 1024
_MOST_OF = {
    **dict.fromkeys(("eth_chainId", "eth_blockNumber", "eth_getCode", "eth_getStorageAt"), _SHORT),
    "eth_getBlockByNumber": _SHORT,
    "eth_getLogs": 2 * _SHORT,  # whoever asks takes fewer blocks then
}
"""Bytes of answers that a node which means harm could make long; read as objects, logs take twice
as much again. What is honest is a tenth of it."""

_TOO_LARGE_STATUS = 413
_TRIED_AGAIN_AFTER = 100


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is reached, so that another process can reach it the same way.

    The URL is whole: it may hold a secret, and is not for messages.
    """

    url: str
    patience: Patience
    max_answer: int


_Code: TypeAlias = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


class _Refusal(msgspec.Struct):
    code: _Code = 0
    message: str = ""
    data: msgspec.Raw = msgspec.Raw()


class _Answer(msgspec.Struct, Generic[T]):
    id: int | None = None
    result: T | msgspec.UnsetType = msgspec.UNSET
    error: _Refusal | None = None


class _Request(msgspec.Struct):
    id: int
    method: str
    params: Sequence[Any]
    jsonrpc: str = "2.0"


class _Bound:
    """How many calls of a method a node takes in one request, as far as it refused more."""

    def __init__(self) -> None:
        self.most = MAX_BATCH
        self._taken = 0

    def refused(self, calls: int) -> None:
        """So many were too much."""
        self.most = max(1, calls // 2)
        self._taken = 0

    def taken(self) -> None:
        """A request was answered; after many of them more is tried, since a bound may be over."""
        self._taken += 1
        if self._taken >= _TRIED_AGAIN_AFTER:
            self.most = min(2 * self.most, MAX_BATCH)
            self._taken = 0


class JsonRpc:
    """One server. Threads may share it: each request has a connection of its own while it lasts.

    Close it, or use it in a `with` block: it keeps connections open for the next request.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        max_answer: int = MAX_ANSWER,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.access = Access(url, patience or Patience(), max_answer)
        self._transport = Transport(url, patience=self.access.patience, sleep=sleep)
        self._ids = count(1)
        self._bounds: dict[str, _Bound] = {}
        self._read_by_thread = threading.local()

    @classmethod
    def of(cls, access: Access) -> Self:
        """The same server, by connections of its own."""
        return cls(access.url, patience=access.patience, max_answer=access.max_answer)

    @property
    def url(self) -> str:
        """Where it is, for messages: without the path, where providers put keys."""
        return self._transport.shown_url

    @property
    def bytes_read(self) -> int:
        """How many bytes of answers this thread has read from it."""
        return getattr(self._read_by_thread, "bytes", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open and not in use."""
        self._transport.close()

    def ask(self, method: str, params: Sequence[Any], result_type: type[T]) -> T:
        """Call a method and read its result as `result_type` (what msgspec can decode).

        Raises NodeUnreachable, NodeRefused with the node's own code, message and `data` (any JSON),
        NodeAnswerUnreadable, NodeAnswerTooLarge.
        """
        request = _Request(next(self._ids), method, params)
        shape: Any = result_type
        answer: _Answer[T] = self._post(method, request, _decoder(shape, False))
        return self._result(method, answer, request.id)

    def ask_many(
        self, method: str, params: Iterable[Sequence[Any]], result_type: type[T]
    ) -> list[T]:
        """Call a method for each of `params`, up to 1,000 in one request; results in their order.

        A node that calls that too much at once is asked for less, down to one call in a request.
        The first call that the node refuses is raised; its other answers are dropped.
        """
        requests = [_Request(next(self._ids), method, each) for each in params]
        bound = self._bounds.setdefault(method, _Bound())
        results: list[T] = []
        while len(results) < len(requests):
            part = requests[len(results) : len(results) + bound.most]
            try:
                results += self._ask_batch(method, part, result_type)
            except NodeAnswerTooLarge:
                if len(part) == 1:
                    raise
                bound.refused(len(part))
            else:
                bound.taken()
        return results

    def ask_each(
        self, method: str, params: Iterable[Sequence[Any]], result_type: type[T]
    ) -> list[T | NodeRefused]:
        """As `ask_many`, with the refusal of a call in the place of its result."""
        requests = [_Request(next(self._ids), method, each) for each in params]
        results: list[T | NodeRefused] = []
        for start in range(0, len(requests), MAX_BATCH):
            batch = requests[start : start + MAX_BATCH]
            for answer, request in self._answers(method, batch, result_type):
                try:
                    results.append(self._result(method, answer, request.id))
                except NodeRefused as refusal:
                    results.append(refusal)
        return results

    def _ask_batch(
        self, method: str, requests: Sequence[_Request], result_type: type[T]
    ) -> list[T]:
        return [
            self._result(method, answer, request.id)
            for answer, request in self._answers(method, requests, result_type)
        ]

    def _answers(
        self, method: str, requests: Sequence[_Request], result_type: type[T]
    ) -> list[tuple[_Answer[T], _Request]]:
        """Each request with its answer, in their order."""
        shape: Any = result_type
        answers = self._post(method, requests, _decoder(shape, True))
        if isinstance(answers, _Answer):  # the batch as a whole was refused
            self._result(method, answers, None)
            raise self.unreadable(method, "one answer to a batch")
        if [answer.id for answer in answers] != [request.id for request in requests]:
            answers.sort(key=lambda answer: answer.id or 0)
        if len(answers) != len(requests):
            raise self.unreadable(method, f"{len(answers)} answers to {len(requests)} calls")
        return list(zip(answers, requests, strict=True))

    def _post(self, method: str, request: Any, decoder: msgspec.json.Decoder[Any]) -> Any:
        def read(reply: Reply) -> Any:
            self._read_by_thread.bytes = self.bytes_read + len(reply.body)
            return self._read(method, reply, decoder)

        try:
            most = min(_MOST_OF.get(method, MAX_ANSWER), self.access.max_answer)
            return self._transport.post(_encode(request), read, most=most)
        except BodyTooLarge as error:
            raise NodeAnswerTooLarge(
                url=self.url, method=method, limit=f"{error.limit} bytes"
            ) from error

    def _read(self, method: str, reply: Reply, decoder: msgspec.json.Decoder[Any]) -> Any:
        try:
            answer = decoder.decode(reply.body)
        except msgspec.ValidationError as error:
            raise self.unreadable(method, str(error)) from error
        except RecursionError as error:
            raise self.unreadable(method, "it is nested too deep") from error
        except ValueError as error:  # not only msgspec's: bytes may be no UTF-8
            if reply.status == _TOO_LARGE_STATUS:
                limit = "what it may send: HTTP status 413"
                raise NodeAnswerTooLarge(url=self.url, method=method, limit=limit) from error
            if reply.status != 200:
                problem = f"HTTP status {reply.status}"
                raise self.unreadable(method, problem) from error
            raise TryAgain(f"the answer to {method} is not JSON: {error}") from error
        for each in answer if isinstance(answer, list) else (answer,):
            if each.error is not None and means_busy(each.error.code, each.error.message):
                raise TryAgain(f"it is busy: {self._words_of(each.error):.200}")
        return answer

    def _result(self, method: str, answer: _Answer[T], request_id: int | None) -> T:
        error = answer.error
        if error is not None:
            words = self._words_of(error)
            if means_too_much(error.message):
                limit = f"what it may send: {words:.200}"
                raise NodeAnswerTooLarge(url=self.url, method=method, limit=limit)
            raise NodeRefused(
                url=self.url,
                method=method,
                message=words[:1000],
                node_code=error.code,
                data=_error_data(error),
            )
        if answer.id != request_id:
            raise self.unreadable(method, "an answer to another call")
        if isinstance(answer.result, msgspec.UnsetType):
            raise self.unreadable(method, "neither a result nor an error")
        return answer.result

    def _words_of(self, error: _Refusal) -> str:
        """What it says, without the secrets of its address: some repeat the key they were given."""
        return self._transport.without_secrets(error.message)

    def unreadable(self, method: str, problem: str) -> NodeAnswerUnreadable:
        """The error for a result of the right type that still makes no sense."""
        return NodeAnswerUnreadable(url=self.url, method=method, problem=problem)


@lru_cache(maxsize=64)
def _decoder(result_type: Any, batch: bool) -> msgspec.json.Decoder[Any]:
    answer = _Answer[result_type]
    shape: Any = list[answer] | answer if batch else answer
    return msgspec.json.Decoder(shape)


_encode = msgspec.json.Encoder().encode


def _error_data(error: _Refusal) -> Any:
    """What stands beside the message, as JSON has it; nodes shape a revert's data in many ways."""
    return msgspec.json.decode(error.data) if error.data else None
