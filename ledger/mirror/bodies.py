"""What blocks hold of ours, asked of a node and proved by the blocks' headers.

Requests are sized by the bytes that they brought before: anvil slows as an answer grows, and so
does whoever reads it. With an executor both requests for some blocks are on their way at once, and
those for the next blocks while these are proved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Protocol, TypeVar

from ledger.chain.headers import Header
from ledger.chain.receipts import Log, ReceiptAnswer, check_receipts
from ledger.chain.rpc import Node
from ledger.chain.transactions import BlockAnswer, check_transactions
from ledger.mirror.contracts import Followed

T = TypeVar("T")

FIRST_AT_ONCE = 4
MOST_AT_ONCE = 64
BYTES_AT_ONCE = 2_000_000
"""What one request should bring."""


class Bringer(Protocol):
    """Brings the logs of some blocks, `at_once` or fewer of them."""

    at_once: int

    def begin(self, node: Node, headers: Sequence[Header]) -> Callable[[], list[Log]]:
        """Ask a node for some blocks. What is returned waits for its answers and proves them."""
        ...


class Bodies:
    """Logs by receipts, whose root the header has, and by transactions, whose hashes they name."""

    def __init__(self, followed: Followed, executor: Executor | None = None) -> None:
        self.at_once = FIRST_AT_ONCE
        self._followed = followed
        self._executor = executor

    def begin(self, node: Node, headers: Sequence[Header]) -> Callable[[], list[Log]]:
        """Ask a node for some blocks. What is returned waits for its answers and proves them.

        It raises NotProved and the errors of a node.
        """
        if not headers:
            return list
        hashes = [header.hash for header in headers]
        blocks = self._ask(lambda: _read(node, node.blocks, hashes))
        receipts = self._ask(lambda: _read(node, node.receipts, hashes))

        def finish() -> list[Log]:
            found, brought = receipts()
            whole, also_brought = blocks()
            self._adapt(len(headers), max(brought, also_brought))
            return self._prove(headers, whole, found)

        return finish

    def _ask(self, question: Callable[[], T]) -> Callable[[], T]:
        """Begin to ask, where there is somebody to do so; else it is asked when it is needed."""
        if self._executor is None:
            return question
        asked: Future[T] = self._executor.submit(question)
        return asked.result

    def _adapt(self, blocks: int, brought: int) -> None:
        wanted = BYTES_AT_ONCE * blocks // max(1, brought)
        self.at_once = max(1, min(wanted, 4 * blocks, MOST_AT_ONCE))

    def _prove(
        self,
        headers: Sequence[Header],
        blocks: Sequence[BlockAnswer],
        receipts: Sequence[Sequence[ReceiptAnswer]],
    ) -> list[Log]:
        logs: list[Log] = []
        for header, block, answers in zip(headers, blocks, receipts, strict=True):
            transactions = check_transactions(header, block.transactions)
            proved = [transaction.hash for transaction in transactions]
            # The root covers the blooms; recomputing them would take as long as all the rest.
            logs += check_receipts(
                header, answers, proved, addresses=self._followed.addresses, blooms=False
            )
        return logs


def _read(
    node: Node, method: Callable[[Sequence[bytes]], list[T]], hashes: Sequence[bytes]
) -> tuple[list[T], int]:
    """What a method answers, and how many bytes that took."""
    before = node.bytes_read
    answers = method(hashes)
    return answers, node.bytes_read - before
