"""A real node seen through a proxy that lies, lags, refuses and stumbles as a test asks it to.

It is the tests' `FakeNode` before an anvil, and adds what whole nodes do rather than single
answers: stay behind, take no large requests, forget old blocks, stand behind a balancer.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tests.chain.fake_node import FakeNode, Refusal

Answer = Callable[[Any], dict[str, Any]]
"""What answers one call of a request, itself a part of the request or the whole of it."""

BY_NUMBER, BY_HASH = "eth_getBlockByNumber", "eth_getBlockByHash"
RECEIPTS, LOGS, STORAGE = "eth_getBlockReceipts", "eth_getLogs", "eth_getStorageAt"


class Proxy(FakeNode):
    """A context manager; `url` is where it listens meanwhile, `heal` makes it honest again."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream=upstream)
        self.behind: Iterator[int] = itertools.repeat(0)
        self.frozen_at: int | None = None
        self.gone_before = 0
        self.refuses: Callable[[str, list[Any]], Refusal | None] = lambda method, params: None

    def heal(self) -> None:
        """Tell the truth, all of it, at once."""
        self.lies.clear()
        self.methods.clear()
        self.faults.clear()
        self.behind = itertools.repeat(0)
        self.frozen_at = None
        self.gone_before = 0
        self.refuses = lambda method, params: None

    def answer(self, call: Any) -> dict[str, Any]:
        """The answer of this node, as it is made to be now, to one call."""
        method, params = call["method"], call["params"]
        refusal = self.refuses(method, params)
        if refusal is None:
            refusal = self._forgotten(method, params)
        if refusal is not None:
            self.asked.append((method, params))
            error = {"code": refusal.code, "message": refusal.message}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        behind = next(self.behind)
        if not behind and self.frozen_at is None:
            return super().answer(call)
        head = int(self.ask_upstream("eth_blockNumber"), 16) - behind
        if self.frozen_at is not None:
            head = min(head, self.frozen_at)
        return self._answer_up_to(head, call)

    def _answer_up_to(self, head: int, call: Any) -> dict[str, Any]:
        """As a node answers whose latest block is `head`."""
        method, params = call["method"], call["params"]
        changed = copy.deepcopy(params)
        for position, value in enumerate(changed):
            if value == "latest":
                changed[position] = hex(head)
        result: Any = super().answer({**call, "params": changed}).get("result")
        if method == "eth_blockNumber":
            result = hex(head)
        elif method in (BY_NUMBER, BY_HASH, RECEIPTS) and result:
            number = result[0]["blockNumber"] if method == RECEIPTS else result["number"]
            result = result if int(number, 16) <= head else None
        elif method == LOGS and result:
            result = [each for each in result if int(each["blockNumber"], 16) <= head]
        elif method in (STORAGE, "eth_getProof", "eth_getCode") and self._is_above(head, params):
            error = {"code": -32000, "message": "header not found"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    def _is_above(self, head: int, params: list[Any]) -> bool:
        state = params[-1]
        if not isinstance(state, dict):
            return False
        block = self.ask_upstream(BY_HASH, state["blockHash"], False)
        return block is None or int(block["number"], 16) > head

    def _forgotten(self, method: str, params: list[Any]) -> Refusal | None:
        """What a node says that has thrown old blocks and states away."""
        if not self.gone_before:
            return None
        if method == RECEIPTS:
            block = self.ask_upstream(BY_HASH, params[0], False)
            if block is not None and int(block["number"], 16) < self.gone_before:
                return Refusal(4444, "pruned history unavailable")
        if method in (STORAGE, "eth_getProof") and not self._is_above(self.gone_before - 1, params):
            return Refusal(-32000, "missing trie node 8a02… (path ) state is not available")
        return None

    def ask_upstream(self, method: str, *params: Any) -> Any:
        """What the real node says."""
        return self._pass_on({"jsonrpc": "2.0", "id": 0, "method": method, "params": list(params)})
