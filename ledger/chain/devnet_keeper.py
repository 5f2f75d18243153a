"""Saves the devnet's state soon after each change, while it runs.

A thread looks at the head ten times a second and takes a dump when it has changed. Measured on two
busy cores, with 20 log entries a block: 0.1 s at 200 blocks (10 MB), 0.7 s at 1,000 (38 MB), 2.6 s
at 2,000 (69 MB). So a save keeps away from the next one for four times what it cost; on a short
chain a block is on the disk after about 0.2 s, and under load anvil keeps four fifths of its time.
What is lost by kill -9 of anvil is what was mined since the last save, and nothing else.

It refuses to write a dump that is not of one moment (see `devnet_dump`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ledger.chain.devnet_dump import DumpUnfit, take_dump
from ledger.chain.devnet_record import SavedHead
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.chain.devnet_state import StateFiles
from ledger.errors import LedgerError, NodeProblem, NodeUnreachable

LOOK_EVERY = 0.1
REST_FACTOR = 4


class StateKeeper:
    """Keeps one devnet's state on the disk.

    Parameters
    ----------
    url: where anvil answers.
    files: where states are kept.
    genesis: block 0 as it was loaded; None for a chain that begins now.
    genesis_hash: the hash that anvil gives for it.
    on_saved: is told of each save.
    on_reset: is told when somebody has called `anvil_reset`, before the new chain is saved.
    report: takes a line for people, when saving begins to fail and when it works again.
    """

    def __init__(
        self,
        url: str,
        files: StateFiles,
        *,
        genesis: bytes | None,
        genesis_hash: bytes,
        on_saved: Callable[[SavedHead], None],
        on_reset: Callable[[bytes], None],
        report: Callable[[str], None],
    ) -> None:
        self._url = url
        self._files = files
        self._genesis = genesis
        self._genesis_hash = genesis_hash
        self._on_saved = on_saved
        self._on_reset = on_reset
        self._report = report
        self._saved_hash = ""
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="devnet keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> bool:
        """Stop looking and save once more; whether that last save succeeded."""
        self._stopping.set()
        self._thread.join()
        with DevnetRpc(self._url) as rpc:
            return self._save(rpc)

    def _keep(self) -> None:
        rest = 0.0
        with DevnetRpc(self._url) as rpc:
            while not self._stopping.wait(max(LOOK_EVERY, rest)):
                rest = 0.0
                try:
                    changed = "0x" + rpc.head().block_hash.hex() != self._saved_hash
                except NodeProblem:
                    continue  # anvil is gone or coming back: whoever started it sees to that
                if changed:
                    started = time.monotonic()
                    self._save(rpc)
                    rest = REST_FACTOR * (time.monotonic() - started)

    def _save(self, rpc: DevnetRpc) -> bool:
        try:
            self._notice_reset(rpc)
            dump = take_dump(rpc, genesis=self._genesis)
            head = rpc.block(dump.number)
            self._files.save(dump.content)
            self._genesis = dump.genesis
            saved = SavedHead(head.number, "0x" + head.block_hash.hex(), time.time())
            self._on_saved(saved)
        except (DumpUnfit, LedgerError, OSError) as error:
            if not self._failing and not isinstance(error, NodeUnreachable):
                self._report(f"The devnet's state cannot be saved: {error}. Trying on.")
                self._failing = True
            return False
        if self._failing:
            self._report(f"The devnet's state is saved again, at block {saved.number}.")
            self._failing = False
        self._saved_hash = saved.block_hash
        return True

    def _notice_reset(self, rpc: DevnetRpc) -> None:
        found = rpc.block(0).block_hash
        if found != self._genesis_hash:
            self._on_reset(found)
            self._genesis, self._genesis_hash = None, found
