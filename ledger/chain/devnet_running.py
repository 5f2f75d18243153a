"""A devnet that this process runs: anvil as its child, and the thread that saves its state.

Whoever holds a `RunningDevnet` calls `check` now and then, so that anvil is started again where it
died, and `stop` at the end. It refuses to run beside another one on the same folder.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from ledger.chain.devnet_anvil import (
    CHAIN_ID,
    HOST,
    DevnetOptions,
    anvil_command,
    chain_arguments,
    fork_arguments,
    wait_until_ready,
)
from ledger.chain.devnet_clock import return_to_present
from ledger.chain.devnet_keeper import StateKeeper
from ledger.chain.devnet_record import (
    ChainRecord,
    DevnetFolder,
    DevnetLock,
    ProcessRecord,
    SavedHead,
)
from ledger.chain.devnet_rpc import DevnetRpc, Head
from ledger.chain.devnet_state import LoadedState, StateFiles
from ledger.chain.toolchain import find_anvil
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import ChainMismatch, DevnetFailed
from ledger.processes import (
    ChildProcess,
    identify_process,
    require_free_port,
    strangers_environment,
    wait_until,
)

Report = Callable[[str], None]

_STOPPED_WITHIN = 60.0
_SAVED_WITHIN = 20.0
_RESTARTS = 3
_RESTARTS_WITHIN = 60.0


class RunningDevnet:
    """A devnet of ours, from `ledger.chain.devnet.start_devnet` until `stop`.

    As a context it is stopped at the end.
    """

    def __init__(
        self, settings: Settings, options: DevnetOptions, *, report: Report, owner: str
    ) -> None:
        self._options = options
        self._report = report
        self._owner = owner
        self._folder = DevnetFolder(settings.home)
        self._files = StateFiles(self._folder.path)
        self._lock = DevnetLock(self._folder)
        self._port = settings.devnet_port
        self._anvil = find_anvil(settings)
        self._clock_follows_chain = options.clock_follows_chain
        self._deaths: list[float] = []
        self._child: ChildProcess | None = None
        self._keeper: StateKeeper | None = None
        self.url = f"http://{HOST}:{settings.devnet_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Take the folder and the port and start anvil; see `start_devnet` for what it raises."""
        self._lock.take()
        try:
            self._folder.end_orphan(self._files, self._report)
            loaded = self._launch()
            if not self._options.fork_url:
                self._begin_keeping(loaded)
        except BaseException:
            self._give_up()
            raise

    def check(self) -> bool:
        """See that anvil lives; start it again from the last saved state if it does not.

        True if it was started again: the chain may have lost its last blocks.

        Raises DevnetFailed at the fourth death within a minute, and for a fork, whose state is
        gone with it.
        """
        if self._child is None or not self._child.has_ended:
            return False
        ending = self._child.ending
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < _RESTARTS_WITHIN] + [now]
        if self._options.fork_url or len(self._deaths) > _RESTARTS:
            raise DevnetFailed(problem=f"anvil {ending}", log=self._folder.log)
        loaded = self._launch()
        block = loaded.dump.number if loaded is not None else 0
        self._report(f"anvil {ending}; it runs again from its saved state, at block {block}.")
        return True

    def has_died(self, *, within: float = 0.0) -> bool:
        """Whether anvil is gone, or goes within some seconds; `check` starts it again."""
        child = self._child
        return child is not None and wait_until(lambda: child.has_ended, seconds=within)

    def wait_until_saved(self) -> bool:
        """Return when what the chain holds now is on the disk: no crash takes it back.

        False where it could not be saved in time; what is in the way has been reported then.
        """
        with DevnetRpc(self.url) as rpc:
            number = rpc.head().number

        def is_saved() -> bool:
            chain = self._folder.chain
            return chain is not None and chain.saved is not None and chain.saved.number >= number

        return wait_until(lambda: is_saved() or self.has_died(), seconds=_SAVED_WITHIN)

    def return_to_present(self) -> None:
        """Let the next blocks have the present time, now and after every start of anvil."""
        with DevnetRpc(self.url) as rpc:
            return_to_present(rpc, int(time.time()))
        self._clock_follows_chain = False

    def stop(self) -> None:
        """Save once more, end anvil, and free folder and port."""
        saved = self._keeper.stop() if self._keeper is not None else False
        self._keeper = None
        if self._child is not None and not saved:
            # It writes its last words; after a save of ours they would only cost time.
            self._child.stop(grace=_STOPPED_WITHIN)
        self._give_up()

    def _give_up(self) -> None:
        """End anvil without saving, and free folder and port."""
        if self._child is not None:
            self._child.kill()
            self._child = None
            self._folder.forget_process()
        self._lock.release()

    def _launch(self) -> LoadedState | None:
        loaded = self._files.load() if not self._options.fork_url else None
        for note in loaded.notes if loaded is not None else ():
            self._report(note)
        require_free_port(HOST, self._port, setting="MOONLAKE_DEVNET_PORT")
        self._child = ChildProcess(
            "anvil",
            self._command(loaded),
            folder=self._folder.path,
            log=self._folder.log,
            # It leaves caches at its home.
            environment=strangers_environment(HOME=str(self._folder.path)),
            at_parents_end=signal.SIGTERM,  # upon which it writes its last words
        )
        record = ProcessRecord(
            owner=self._owner,
            supervisor=identify_process(os.getpid()),
            anvil=self._child.identity,
            url=self.url,
            fork_url=self._options.fork_url,
        )
        self._remember(record)
        wait_until_ready(self._child, self.url, self._folder.log)
        if not self._options.fork_url:
            self._check_chain(loaded)
        self._remember(msgspec.structs.replace(record, ready=True))
        return loaded

    def _command(self, loaded: LoadedState | None) -> list[str]:
        options = self._options
        command = anvil_command(self._anvil, self._port, block_time=options.block_time)
        if options.fork_url:
            return command + fork_arguments(options)
        return command + chain_arguments(
            chain_id=self._chain_id(loaded),
            begin=self._begin(loaded),
            state=loaded.path if loaded is not None else None,
            last_words=self._files.last_words,
        )

    def _begin(self, loaded: LoadedState | None) -> int:
        """What anvil takes for the time at its start.

        A loading anvil knows no time but this one and would date the next block before its parent
        where the chain is ahead of it.
        """
        now = int(time.time())
        if loaded is None:
            return self._options.genesis_time or now
        next_second = loaded.dump.timestamp + 1
        return next_second if self._clock_follows_chain else max(now, next_second)

    def _chain_id(self, loaded: LoadedState | None) -> int:
        known = self._folder.chain if loaded is not None else None
        if known is None:
            return self._options.chain_id or CHAIN_ID
        if self._options.chain_id not in (0, known.chain_id):
            raise ChainMismatch(
                what="the chain id", found=self._options.chain_id, expected=known.chain_id
            )
        return known.chain_id

    def _check_chain(self, loaded: LoadedState | None) -> None:
        """Compare the chain that anvil serves with the one that was saved. Raises ChainMismatch."""
        with DevnetRpc(self.url) as rpc:
            genesis = rpc.block(0)
            head = rpc.head()
            chain = ChainRecord(
                int(rpc.call("eth_chainId"), 16), hex_of(genesis), rpc.call("web3_clientVersion")
            )
        known = self._folder.chain if loaded is not None else None
        if known is not None:
            expected = {0: known.genesis_hash}
            if known.saved is not None:
                expected[known.saved.number] = known.saved.block_hash
            for block in (genesis, head):
                if expected.get(block.number, hex_of(block)) != hex_of(block):
                    raise ChainMismatch(
                        what=f"block {block.number}",
                        found=hex_of(block),
                        expected=expected[block.number],
                    )
            chain = msgspec.structs.replace(chain, saved=known.saved)
        self._folder.chain = chain

    def _begin_keeping(self, loaded: LoadedState | None) -> None:
        chain = self._folder.chain
        assert chain is not None, "written by _check_chain"  # noqa: S101
        self._keeper = StateKeeper(
            self.url,
            self._files,
            genesis=loaded.dump.genesis if loaded is not None else None,
            genesis_hash=bytes.fromhex(chain.genesis_hash[2:]),
            on_saved=self._note_save,
            on_reset=self._note_reset,
            report=self._report,
        )
        self._keeper.start()

    def _note_save(self, saved: SavedHead) -> None:
        chain = self._folder.chain
        if chain is not None:
            self._folder.chain = msgspec.structs.replace(chain, saved=saved)

    def _note_reset(self, genesis_hash: bytes) -> None:
        chain = self._folder.chain
        aside = self._folder.set_aside(self._files.all_files())
        self._report(f"The chain was reset by anvil_reset; what it was is kept in {aside}.")
        if chain is not None:
            self._folder.chain = ChainRecord(chain.chain_id, "0x" + genesis_hash.hex(), chain.anvil)

    def _remember(self, record: ProcessRecord) -> None:
        try:
            self._folder.process = record
        except OSError as error:
            raise folder_unusable(self._folder.path, error) from error


def hex_of(block: Head) -> str:
    """A block's hash as people write it."""
    return "0x" + block.block_hash.hex()
