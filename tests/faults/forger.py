"""A node that serves a chain of its own making, consistent in itself: no proof can tell.

Up to some block it is the true chain; what follows are empty blocks with right hashes, right roots
and the state of the last true block, so that every check of one node's answers succeeds.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.chain.headers import HeaderAnswer, header_hash
from tests.faults.proxy import BY_HASH, BY_NUMBER, LOGS, RECEIPTS, STORAGE, Proxy

_EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_STATES = (STORAGE, "eth_getProof", "eth_getCode")


class Forger(Proxy):
    """Once `forge` was called it serves the forged chain, until `heal`."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.forged: list[dict[str, Any]] = []
        self._base: dict[str, Any] = {}

    def forge(self, after: int, count: int) -> None:
        """Put so many blocks of its own after a true one."""
        self._base = self.ask_upstream(BY_NUMBER, hex(after), False)
        self.forged = []
        parent = self._base
        for number in range(after + 1, after + count + 1):
            block = {
                **parent,
                "number": hex(number),
                "parentHash": parent["hash"],
                "logsBloom": "0x" + "00" * 256,
                "transactions": [],
                "transactionsRoot": _EMPTY_TRIE,
                "receiptsRoot": _EMPTY_TRIE,
                "gasUsed": "0x0",
                "timestamp": hex(int(parent["timestamp"], 16) + 1),
                "extraData": "0xf0f0",
            }
            block["hash"] = "0x" + header_hash(msgspec.convert(block, HeaderAnswer)).hex()
            self.forged.append(block)
            parent = block

    def heal(self) -> None:
        """Serve the true chain again."""
        super().heal()
        self.forged = []

    def answer(self, call: Any) -> dict[str, Any]:
        """The answer of the forged chain."""
        if not self.forged:
            return super().answer(call)
        method, params = call["method"], call["params"]
        by_hash = {each["hash"]: each for each in self.forged}
        answered = {"jsonrpc": "2.0", "id": call["id"]}
        if method == BY_NUMBER and params[0] not in ("finalized", "safe"):
            head = int(self.forged[-1]["number"], 16)
            number = head if params[0] == "latest" else int(params[0], 16)
            if number > int(self._base["number"], 16):
                place = number - head - 1
                return answered | {"result": self.forged[place] if number <= head else None}
        if method in (BY_HASH, RECEIPTS) and params[0] in by_hash:
            return answered | {"result": by_hash[params[0]] if method == BY_HASH else []}
        if method == LOGS:
            base = int(self._base["number"], 16)
            found = super().answer(call)["result"]
            return answered | {
                "result": [each for each in found if int(each["blockNumber"], 16) <= base]
            }
        if method in _STATES and params[-1].get("blockHash") in by_hash:
            state = {"blockHash": self._base["hash"]}
            return super().answer({**call, "params": [*params[:-1], state]})
        return super().answer(call)
