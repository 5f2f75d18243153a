"""A node for the workload's chain made longer: it serves the written blocks, anvil the others.

    python -m tests.benchmarks.long_node FOLDER UPSTREAM PORT

It answers what a mirror asks, and the benchmark's floor; not what comes in by transactions. Of the
state of a written block before the last it says that it has pruned it, as most nodes would.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ledger.chain.jsonrpc import JsonRpc
from ledger.errors import NodeRefused
from ledger.processes import wait_until
from tests.benchmarks.long_chain import BLOCKS, INDEX, Block, Index, lengthen
from tests.benchmarks.workload import Workload
from tests.support.ports import free_port

_PRUNED = -32000
_FINAL_BELOW = 64
_decode = msgspec.msgpack.Decoder(Block).decode


@contextmanager
def longer(work: Workload, times: int, folder: Path) -> Iterator[Workload]:
    """The workload on a chain that is so many times as long; nobody can write to that one."""
    kept = lengthen(work, times, folder)
    port = free_port()
    command = [sys.executable, "-m", __name__, str(kept), work.url, str(port)]
    with subprocess.Popen(command) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(port) or process.poll() is not None, seconds=60)
            assert process.poll() is None, "the node of the long chain did not start"
            yield replace(work, url=url, size=replace(work.size, blocks=work.size.blocks * times))
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class _Pruned(Exception):
    """The state after a written block is not known."""


class LongNode:
    """Answers calls by JSON text."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self._index = msgspec.msgpack.decode((folder / INDEX).read_bytes(), type=Index)
        self._file = os.open(folder / BLOCKS, os.O_RDONLY)
        self._upstream = JsonRpc(upstream)
        self._places = {each: place for place, each in enumerate(self._index.hashes)}
        self.head = self._index.first + len(self._index.hashes) - 1
        self._methods: dict[str, Callable[[list[Any]], str | None]] = {
            "eth_blockNumber": lambda _: f'"{hex(self.head)}"',
            "eth_getBlockByNumber": lambda given: self._block_of(self._place(given[0]), given[1]),
            "eth_getBlockByHash": lambda given: self._block_of(self._place(given[0]), given[1]),
            "eth_getBlockReceipts": lambda given: self._receipts(self._place(given[0])),
            "eth_getLogs": self._logs,
            "eth_getCode": lambda given: self._ask("eth_getCode", [given[0], "latest"]),
            "eth_getStorageAt": self._word,
            "eth_getProof": self._proof,
        }

    def answer(self, call: dict[str, Any]) -> str:
        """The answer to a call."""
        method, given = call["method"], call.get("params", [])
        begin = f'{{"jsonrpc":"2.0","id":{msgspec.json.encode(call["id"]).decode()},'
        try:
            known = self._methods.get(method)
            found = known(given) if known is not None else None
            return f'{begin}"result":{found or self._ask(method, given)}}}'
        except NodeRefused as error:
            refusal = {"code": error.values["node_code"], "message": error.values["message"]}
        except _Pruned:
            refusal = {"code": _PRUNED, "message": "the state is pruned"}
        return f'{begin}"error":{msgspec.json.encode(refusal).decode()}}}'

    def _ask(self, method: str, given: list[Any]) -> str:
        return bytes(self._upstream.ask(method, given, msgspec.Raw)).decode()

    def _place(self, block: Any) -> int | None:
        """Which written block is meant, None where it is none of them."""
        if isinstance(block, dict):
            block = block.get("blockHash", block.get("blockNumber"))
        if len(block) == 66:
            return self._places.get(block)
        tags = {"latest": self.head, "finalized": self.head - _FINAL_BELOW}
        place = (tags[block] if block in tags else int(block, 16)) - self._index.first
        return place if 0 <= place < len(self._index.hashes) else None

    def _read(self, place: int) -> Block:
        begin, end = self._index.offsets[place : place + 2]
        return _decode(os.pread(self._file, end - begin, begin))

    def _block_of(self, place: int | None, full: bool) -> str | None:
        if place is None:
            return None
        block = self._read(place)
        parts = block.transactions if full else [f'"{each}"' for each in block.hashes]
        return f'{block.header},"transactions":[{",".join(parts)}]}}'

    def _receipts(self, place: int | None) -> str | None:
        if place is None:
            return None
        block = self._read(place)
        pairs = zip(block.receipts, block.logs, strict=True)
        return "[" + ",".join([f'{receipt},"logs":[{logs}]}}' for receipt, logs in pairs]) + "]"

    def _logs(self, given: list[Any]) -> str:
        first, last = int(given[0]["fromBlock"], 16), int(given[0]["toBlock"], 16)
        parts = []
        if first < self._index.first:
            bounds = {"fromBlock": hex(first), "toBlock": hex(min(last, self._index.first - 1))}
            parts.append(self._ask("eth_getLogs", [given[0] | bounds])[1:-1])
        for number in range(max(first, self._index.first), last + 1):
            parts += self._read(number - self._index.first).logs
        return f"[{','.join(filter(None, parts))}]"

    def _is_head(self, block: Any) -> bool:
        place = self._place(block)
        if place is not None and place < len(self._index.hashes) - 1:
            raise _Pruned
        return place is not None

    def _word(self, given: list[Any]) -> str | None:
        if not self._is_head(given[2]):
            return None
        return f'"{self._index.contracts[given[0]].words[given[1]]}"'

    def _proof(self, given: list[Any]) -> str | None:
        if not self._is_head(given[2]):
            return None
        found = self._index.contracts[given[0]]
        slots = [{"key": slot, "proof": found.storage[slot]} for slot in given[1]]
        answer = {"address": given[0], "accountProof": found.account, "storageProof": slots}
        return msgspec.json.encode(answer).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node: ClassVar[LongNode]

    def do_POST(self) -> None:
        request = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        if isinstance(request, list):
            text = f"[{','.join(map(self.node.answer, request))}]"
        else:
            text = self.node.answer(request)
        content = text.encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(arguments: list[str]) -> None:
    """Serve until the process is ended."""
    folder, upstream, port = arguments
    _Handler.node = LongNode(Path(folder), upstream)
    with ThreadingHTTPServer(("127.0.0.1", int(port)), _Handler) as server:
        server.serve_forever(0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
