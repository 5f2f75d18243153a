"""A node, asked about the chain: each method that we use, with its types.

Nothing that a node says is believed here; what comes back is the answer's shape and no more. It is
proved by `headers`, `receipts`, `transactions` and `proofs`. How a node is asked, waited for and
refused is in `jsonrpc` and `transport`.

web3.py is not used: it decodes each answer several times over.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, TypeVar

from ledger.chain.headers import HeaderAnswer
from ledger.chain.jsonrpc import JsonRpc
from ledger.chain.proofs import ProofAnswer
from ledger.chain.receipts import LogAnswer, ReceiptAnswer
from ledger.chain.transactions import BlockAnswer
from ledger.domain.ids import BlockNumber
from ledger.errors import NodeAnswerInvalid, NodeLacksBlock, NodeRefused, NotProved

T = TypeVar("T")

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")

BlockName: TypeAlias = "int | bytes | Literal['latest', 'safe', 'finalized', 'pending']"
"""A block by its number, by its hash (32 bytes), or by a tag."""


class Node(JsonRpc):
    """One node. Threads may share it: each request has a connection of its own while it lasts.

    Close it, or use it in a `with` block: it keeps connections open for the next request.
    """

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Turn NotProved into NodeAnswerInvalid with this node's address, for what it answered."""
        try:
            yield
        except NotProved as error:
            raise NodeAnswerInvalid(
                block=error.values["block"], url=self.url, problem=error.values["problem"]
            ) from error

    # --- the chain ---

    def chain_id(self) -> int:
        """The chain's id (EIP-155)."""
        return self._number("eth_chainId", ())

    def block_number(self) -> BlockNumber:
        """The number of the node's latest block."""
        return BlockNumber(self._number("eth_blockNumber", ()))

    def header(self, block: BlockName) -> HeaderAnswer:
        """The header of a block. Raises NodeLacksBlock where the node has none.

        Raises NodeAnswerInvalid where it gave another one, however right that may be.
        """
        return self._asked_for(self._block(block, HeaderAnswer, full=False), block)

    def headers(self, numbers: Iterable[int]) -> list[HeaderAnswer]:
        """The headers of blocks, in one request. Raises NodeLacksBlock and NodeAnswerInvalid."""
        method, wanted = "eth_getBlockByNumber", list(numbers)
        found = self.ask_many(method, [(hex(each), False) for each in wanted], _MaybeHeader)
        return [
            self._asked_for(self._present(method, *pair), pair[1])
            for pair in zip(found, wanted, strict=True)
        ]

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
            raise self.unreadable(
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
            found = [_data(word).rjust(32, b"\0") for word in words]
        except ValueError as error:
            raise self.unreadable(method, "a word is not hex") from error
        if any(len(word) != 32 for word in found):
            raise self.unreadable(method, "a word is longer than 32 bytes")
        return found

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

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """Hand over signed transactions in one request; what the node refused, in their order."""
        if not raws:
            return []
        answers = self.ask_each("eth_sendRawTransaction", [(_hex(raw),) for raw in raws], str)
        return [answer if isinstance(answer, NodeRefused) else None for answer in answers]

    # --- shapes ---

    def _number(self, method: str, params: Sequence[Any]) -> int:
        text = self.ask(method, params, str)
        # Some nodes put zeros before a number; none writes a sign, blanks or more than 32 bytes.
        if _QUANTITY.fullmatch(text) is None:
            raise self.unreadable(method, f"{text:.40} is not a number in hex")
        return int(text, 16)

    def _bytes(self, method: str, params: Sequence[Any]) -> bytes:
        text = self.ask(method, params, str)
        try:
            return _data(text)
        except ValueError as error:
            raise self.unreadable(method, f"{text:.40} is not hex") from error

    def _block(self, block: BlockName, result_type: type[T], *, full: bool) -> T:
        by_hash = isinstance(block, bytes)
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        params = (_hex(block) if isinstance(block, bytes) else _state_of(block), full)
        found: T | None = self.ask(method, params, _optional(result_type))
        return self._present(method, found, block)

    def _asked_for(self, found: HeaderAnswer, block: BlockName) -> HeaderAnswer:
        """The header that was asked for, as far as it says so itself."""
        if isinstance(block, int) and found.number != hex(block):
            problem = f"block {found.number:.20} was given in its place"
            raise NodeAnswerInvalid(block=block, url=self.url, problem=problem)
        if isinstance(block, bytes) and found.hash != _hex(block):
            problem = f"the block {found.hash:.66} was given in its place"
            raise NodeAnswerInvalid(block=_hex(block), url=self.url, problem=problem)
        return found

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


def _state_of(block: BlockName) -> Any:
    """How a block is named where its state is meant; by hash as EIP-1898 has it."""
    if isinstance(block, bytes):
        return {"blockHash": _hex(block), "requireCanonical": True}
    return hex(block) if isinstance(block, int) else block


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _data(text: str) -> bytes:
    if text[:2] != "0x":
        raise ValueError("hex begins with 0x")
    return unhexlify(text[2:])
