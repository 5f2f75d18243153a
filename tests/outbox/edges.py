"""A sending process that tells of each step it comes to, so that a test can kill it there.

The doubles stand at the edges of the process: the node, the signer, the database's commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, event

from ledger.chain.rpc import BlockName, Node
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.errors import NodeRefused

Edge = Callable[[str], None]
"""Is told "before" or "after" and the step."""

STEPS = ("allocate", "sign", "commit", "broadcast", "receipt", "record")

_STEP = "step"


class EdgeNode(Node):
    """A node that tells of what it is asked, before and after."""

    def __init__(self, url: str, edge: Edge) -> None:
        super().__init__(url)
        self._edge = edge

    def nonce(self, address: bytes, block: BlockName) -> int:
        """The step in which a nonce is chosen."""
        if block != "pending":
            return super().nonce(address, block)
        self._edge("before allocate")
        found = super().nonce(address, block)
        self._edge("after allocate")
        return found

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """The broadcast."""
        self._edge("before broadcast")
        answers = super().send_raw_transactions(raws)
        self._edge("after broadcast")
        return answers

    def ask_many(self, method: str, params: Any, result_type: Any) -> Any:
        """The look for receipts."""
        if method != "eth_getTransactionReceipt":
            return super().ask_many(method, params, result_type)
        self._edge("before receipt")
        found = super().ask_many(method, params, result_type)
        if any(found):
            self._edge("after receipt")
        return found


class EdgeSigner:
    """A signer that tells of what it signs, before and after."""

    def __init__(self, inner: LocalSigner, edge: Edge) -> None:
        self._inner = inner
        self._edge = edge
        self.address = inner.address

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """The signing."""
        self._edge("before sign")
        raw = self._inner.sign_transaction(fields)
        self._edge("after sign")
        return raw


def tell_commits(engine: Engine, edge: Edge) -> None:
    """Tell of the commits that write signed bytes, and of those that record what came of them."""

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        text = statement.lower()
        if text.startswith("insert into attempts"):
            connection.info[_STEP] = "commit"
        elif text.startswith("update operations") and "first_sequence" in text:
            connection.info[_STEP] = "record"

    @event.listens_for(engine, "commit")
    def _commit(connection: Connection) -> None:
        step = connection.info.pop(_STEP, "")
        if step:
            edge(f"before {step}")
            driver: Any = connection.connection.driver_connection
            driver.commit()
            edge(f"after {step}")
