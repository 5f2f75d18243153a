"""A node, asked over JSON-RPC: typed answers, batches, bounded patience, bounded answers.

Nothing that a node says is believed here; what comes back is the answer's shape and no more. It is
proved by `headers`, `receipts`, `transactions` and `proofs`. What this module adds is that a node
which is dead, busy, silent or talks nonsense becomes one of a few errors that name it, and that an
answer can neither fill the memory nor take for ever.

web3.py is not used: it decodes each answer several times over.
"""

from __future__ import annotations

import time
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar

import msgspec

from ledger.chain.headers import HeaderAnswer
from ledger.chain.proofs import ProofAnswer
from ledger.chain.receipts import LogAnswer, ReceiptAnswer
from ledger.chain.transactions import BlockAnswer
from ledger.chain.transport import BodyTooLarge, Patience, Reply, Transport, TryAgain
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    NodeAnswerInvalid,
    NodeAnswerTooLarge,
    NodeAnswerUnreadable,
    NodeLacksBlock,
    NodeRefused,
    NotProved,
)

T = TypeVar("T")

BlockName: TypeAlias = "int | bytes | Literal['latest', 'safe', 'finalized', 'pending']"
"""A block by its number, by its hash (32 bytes), or by a tag."""

MAX_ANSWER = 128 * 1024 * 1024
MAX_BATCH = 1000  # geth refuses longer ones (rpc.batch-request-limit), Besu those over 1024

# Nodes and providers say in many ways that we ask too often; these are worth another attempt.
_BUSY_CODES = frozenset({429, -32016, -32029, -32097})
_BUSY_WORDS = ("rate limit", "too many requests", "request rate", "capacity exceeded")
_TOO_LARGE_WORDS = ("response too large", "response size exceed", "response is too big")


class _Refusal(msgspec.Struct):
    code: int = 0
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


class Node:
    """One node. Threads may share it: each request has a connection of its own while it lasts.

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
        self._transport = Transport(
            url, patience=patience or Patience(), max_answer=max_answer, sleep=sleep
        )
        self._ids = count(1)

    @property
    def url(self) -> str:
        """Where it is, for messages: without the path, where providers put keys."""
        return self._transport.shown_url

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

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Turn NotProved into NodeAnswerInvalid with this node's address, for what it answered."""
        try:
            yield
        except NotProved as error:
            raise NodeAnswerInvalid(
                block=error.values["block"], url=self.url, problem=error.values["problem"]
            ) from error

    # --- any method ---

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

        The first call that the node refuses is raised; its other answers are dropped.
        """
        requests = [_Request(next(self._ids), method, each) for each in params]
        results: list[T] = []
        for start in range(0, len(requests), MAX_BATCH):
            results += self._ask_batch(method, requests[start : start + MAX_BATCH], result_type)
        return results

    def _ask_batch(
        self, method: str, requests: Sequence[_Request], result_type: type[T]
    ) -> list[T]:
        shape: Any = result_type
        answers = self._post(method, requests, _decoder(shape, True))
        if isinstance(answers, _Answer):  # the batch as a whole was refused
            self._result(method, answers, None)
            raise self._unreadable(method, "one answer to a batch")
        if [answer.id for answer in answers] != [request.id for request in requests]:
            answers.sort(key=lambda answer: answer.id or 0)
        if len(answers) != len(requests):
            raise self._unreadable(method, f"{len(answers)} answers to {len(requests)} calls")
        return [
            self._result(method, answer, request.id)
            for answer, request in zip(answers, requests, strict=True)
        ]

    def _post(self, method: str, request: Any, decoder: msgspec.json.Decoder[Any]) -> Any:
        def read(reply: Reply) -> Any:
            return self._read(method, reply, decoder)

        try:
            return self._transport.post(_encode(request), read)
        except BodyTooLarge as error:
            raise NodeAnswerTooLarge(
                url=self.url, method=method, limit=f"{error.limit} bytes"
            ) from error

    def _read(self, method: str, reply: Reply, decoder: msgspec.json.Decoder[Any]) -> Any:
        try:
            answer = decoder.decode(reply.body)
        except msgspec.ValidationError as error:
            raise self._unreadable(method, str(error)) from error
        except msgspec.DecodeError as error:
            if reply.status != 200:
                problem = f"HTTP status {reply.status}"
                raise self._unreadable(method, problem) from error
            raise TryAgain(f"the answer to {method} is not JSON: {error}") from error
        for each in answer if isinstance(answer, list) else (answer,):
            if each.error is not None and _is_busy(each.error):
                raise TryAgain(f"it is busy: {each.error.message:.200}")
        return answer

    def _result(self, method: str, answer: _Answer[T], request_id: int | None) -> T:
        error = answer.error
        if error is not None:
            if any(words in error.message.lower() for words in _TOO_LARGE_WORDS):
                raise NodeAnswerTooLarge(url=self.url, method=method, limit="what it may send")
            raise NodeRefused(
                url=self.url,
                method=method,
                message=error.message[:1000],
                node_code=error.code,
                data=_error_data(error),
            )
        if answer.id != request_id:
            raise self._unreadable(method, "an answer to another call")
        if isinstance(answer.result, msgspec.UnsetType):
            raise self._unreadable(method, "neither a result nor an error")
        return answer.result

    def _unreadable(self, method: str, problem: str) -> NodeAnswerUnreadable:
        return NodeAnswerUnreadable(url=self.url, method=method, problem=problem)

    # --- the chain ---

    def chain_id(self) -> int:
        """The chain's id (EIP-155)."""
        return self._number("eth_chainId", ())

    def block_number(self) -> BlockNumber:
        """The number of the node's latest block."""
        return BlockNumber(self._number("eth_blockNumber", ()))

    def header(self, block: BlockName) -> HeaderAnswer:
        """The header of a block. Raises NodeLacksBlock where the node has none."""
        return self._block(block, HeaderAnswer, full=False)

    def headers(self, numbers: Iterable[int]) -> list[HeaderAnswer]:
        """The headers of blocks, in one request. Raises NodeLacksBlock."""
        method, wanted = "eth_getBlockByNumber", list(numbers)
        found = self.ask_many(method, [(hex(each), False) for each in wanted], _MaybeHeader)
        return [self._present(method, *pair) for pair in zip(found, wanted, strict=True)]

    def block(self, block: BlockName) -> BlockAnswer:
        """A block with its transactions whole. Raises NodeLacksBlock."""
        return self._block(block, BlockAnswer, full=True)

    def blocks(self, blocks: Iterable[bytes]) -> list[BlockAnswer]:
        """Blocks with their transactions whole, by hash, in one request. Raises NodeLacksBlock."""
        method, wanted = "eth_getBlockByHash", list(blocks)
        params = [(_hex(each), True) for each in wanted]
        found = self.ask_many(method, params, _MaybeBlock)
        return [self._present(method, *pair) for pair in zip(found, wanted, strict=True)]

    def receipts(self, blocks: Iterable[bytes]) -> list[list[ReceiptAnswer]]:
        """All receipts of each block, by hash, in one request. Raises NodeLacksBlock."""
        method, wanted = "eth_getBlockReceipts", list(blocks)
        found = self.ask_many(method, [(_hex(each),) for each in wanted], _MaybeReceipts)
        return [self._present(method, *pair) for pair in zip(found, wanted, strict=True)]

    def logs(
        self,
        first: int,
        last: int,
        addresses: Sequence[bytes],
        topics: Sequence[bytes] = (),
    ) -> list[LogAnswer]:
        """Logs of some contracts from block `first` to `last`, with one of `topics` first if any.

        Nothing proves that they are all; see `receipts` for what does.
        """
        query: dict[str, Any] = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": [_hex(address) for address in addresses],
        }
        if topics:
            query["topics"] = [[_hex(topic) for topic in topics]]
        return self.ask("eth_getLogs", (query,), list[LogAnswer])

    # --- the state ---

    def call(
        self, to: bytes, data: bytes, block: BlockName, *, sender: bytes | None = None
    ) -> bytes:
        """Run a call on the state after a block; its return data.

        A revert raises NodeRefused; `ledger.chain.reverts` reads its `data`.
        """
        request = {"to": _hex(to), "data": _hex(data)}
        if sender is not None:
            request["from"] = _hex(sender)
        return self._bytes("eth_call", (request, _state_of(block)))

    def code(self, address: bytes, block: BlockName) -> bytes:
        """The runtime code at an address after a block; empty where there is none."""
        return self._bytes("eth_getCode", (_hex(address), _state_of(block)))

    def balance(self, address: bytes, block: BlockName) -> int:
        """The wei of an address after a block."""
        return self._number("eth_getBalance", (_hex(address), _state_of(block)))

    def nonce(self, address: bytes, block: BlockName) -> int:
        """How many transactions an address has sent up to a block, or with those pending."""
        return self._number("eth_getTransactionCount", (_hex(address), _state_of(block)))

    def proof(self, address: bytes, slots: Sequence[bytes], block: BlockName) -> ProofAnswer:
        """The proof of an account and of some of its slots (32 bytes each) after a block."""
        params = (_hex(address), [_hex(slot) for slot in slots], _state_of(block))
        answer = self.ask("eth_getProof", params, ProofAnswer)
        if len(answer.storage_proof) != len(slots):
            raise self._unreadable(
                "eth_getProof", f"{len(answer.storage_proof)} slots instead of {len(slots)}"
            )
        return answer

    def storage(self, places: Iterable[tuple[bytes, bytes]], block: BlockName) -> list[bytes]:
        """What stands in some slots (address, slot) after a block, 32 bytes each, in one request.

        Nothing proves it; see `proofs` for what does, and costs a node a hundred times as much.
        """
        method, state = "eth_getStorageAt", _state_of(block)
        params = [(_hex(address), _hex(slot), state) for address, slot in places]
        words = self.ask_many(method, params, str)
        try:
            return [_data(word).rjust(32, b"\0") for word in words]
        except ValueError as error:
            raise self._unreadable(method, "a word is not hex") from error

    def proofs(
        self, addresses: Iterable[bytes], slots: Sequence[bytes], block: BlockName
    ) -> list[ProofAnswer]:
        """The proofs of several accounts, each with the same slots, in one request."""
        named = ([_hex(slot) for slot in slots], _state_of(block))
        params = [(_hex(address), *named) for address in addresses]
        return self.ask_many("eth_getProof", params, ProofAnswer)

    def send_raw_transaction(self, raw: bytes) -> bytes:
        """Hand a signed transaction to the node; its hash.

        A request that got no answer is repeated, so a node may answer that it knows it already:
        that is NodeRefused, and whoever sends must know those texts.
        """
        return self._bytes("eth_sendRawTransaction", (_hex(raw),))

    # --- shapes ---

    def _number(self, method: str, params: Sequence[Any]) -> int:
        text = self.ask(method, params, str)
        try:
            return int(text, 16)
        except ValueError as error:
            raise self._unreadable(method, f"{text:.40} is not a number in hex") from error

    def _bytes(self, method: str, params: Sequence[Any]) -> bytes:
        text = self.ask(method, params, str)
        try:
            return _data(text)
        except ValueError as error:
            raise self._unreadable(method, f"{text:.40} is not hex") from error

    def _block(self, block: BlockName, result_type: type[T], *, full: bool) -> T:
        by_hash = isinstance(block, bytes)
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        params = (_hex(block) if isinstance(block, bytes) else _state_of(block), full)
        found: T | None = self.ask(method, params, _optional(result_type))
        return self._present(method, found, block)

    def _present(self, method: str, found: T | None, block: BlockName) -> T:
        if found is None:
            shown = _hex(block) if isinstance(block, bytes) else block
            raise NodeLacksBlock(url=self.url, method=method, block=shown)
        return found


def _optional(result_type: type[T]) -> Any:
    return result_type | None


# A type expression for msgspec; mypy would not take a union as a `type[T]`.
_MaybeHeader: Any = HeaderAnswer | None
_MaybeBlock: Any = BlockAnswer | None
_MaybeReceipts: Any = list[ReceiptAnswer] | None


@lru_cache(maxsize=64)
def _decoder(result_type: Any, batch: bool) -> msgspec.json.Decoder[Any]:
    answer = _Answer[result_type]
    shape: Any = list[answer] | answer if batch else answer
    return msgspec.json.Decoder(shape)


_encode = msgspec.json.Encoder().encode


def _state_of(block: BlockName) -> Any:
    """How a block is named where its state is meant; by hash as EIP-1898 has it."""
    if isinstance(block, bytes):
        return {"blockHash": _hex(block), "requireCanonical": True}
    return hex(block) if isinstance(block, int) else block


def _is_busy(error: _Refusal) -> bool:
    message = error.message.lower()
    return error.code in _BUSY_CODES or any(words in message for words in _BUSY_WORDS)


def _error_data(error: _Refusal) -> Any:
    """What stands beside the message, as JSON has it; nodes shape a revert's data in many ways."""
    return msgspec.json.decode(error.data) if error.data else None


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _data(text: str) -> bytes:
    if text[:2] != "0x":
        raise ValueError("hex begins with 0x")
    return unhexlify(text[2:])
