"""How anvil is started for a devnet. Each choice is explained in `ledger.chain.devnet`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.chain.devnet_rpc import DevnetRpc
from ledger.errors import DevnetFailed, LedgerError
from ledger.processes import ChildProcess, wait_until

HOST = "127.0.0.1"
CHAIN_ID = 31337
HARDFORK = "osaka"
BLOCK_GAS_LIMIT = 60_000_000
STATES_KEPT = 128

# The state of a chain of some thousand blocks takes a second or two to load.
_READY_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class DevnetOptions:
    """What may differ between two devnets.

    Parameters
    ----------
    chain_id: 0 means that of the chain in the folder, or 31337 for one that begins now.
    genesis_time: seconds; dates block 0 of a chain that begins now; 0 means the present.
    block_time: seconds between blocks without transactions; 0 means that only transactions make
        blocks.
    fork_url: begin with the state of another chain, in memory only; the chain in the folder is
        neither used nor changed. The chain id is the other's.
    fork_block: the block to begin at; -1 means the latest.
    clock_follows_chain: a loaded chain goes on from the time of its last block, not from the
        present, until `RunningDevnet.return_to_present`: so that records of the past can be
        completed in the past.
    """

    chain_id: int = 0
    genesis_time: int = 0
    block_time: int = 0
    fork_url: str = ""
    fork_block: int = -1
    clock_follows_chain: bool = False


def anvil_command(anvil: Path, port: int, *, block_time: int = 0) -> list[str]:
    """anvil as every devnet has it: the rules of the chain, and who may reach it."""
    command = [
        *(str(anvil), "--host", HOST, "--port", str(port)),
        *("--hardfork", HARDFORK, "--enable-tx-gas-limit", "--gas-limit", str(BLOCK_GAS_LIMIT)),
        *("--accounts", "0", "--order", "fifo", "--prune-history", str(STATES_KEPT)),
        *("--no-cors", "--no-request-size-limit", "--quiet"),
    ]
    if block_time:
        command += ["--block-time", str(block_time), "--mixed-mining"]
    return command


def fork_arguments(options: DevnetOptions) -> list[str]:
    """What a fork has besides."""
    arguments = ["--fork-url", options.fork_url, "--no-storage-caching"]
    if options.fork_block >= 0:
        arguments += ["--fork-block-number", str(options.fork_block)]
    return arguments


def chain_arguments(
    *, chain_id: int, begin: int, state: Path | None, last_words: Path
) -> list[str]:
    """What a chain of our own has besides.

    Parameters
    ----------
    begin: seconds; the time of block 0, or with `state` the earliest time of the next block.
    state: the saved state to go on from; None begins a chain.
    last_words: where anvil writes its state if it is ended by SIGTERM.
    """
    arguments = ["--chain-id", str(chain_id), "--timestamp", str(begin)]
    arguments += ["--dump-state", str(last_words)]
    if state is not None:
        arguments += ["--load-state", str(state)]
    return arguments


def wait_until_ready(child: ChildProcess, url: str, log: Path) -> None:
    """Return when anvil answers. Raises DevnetFailed with its own words if it ends before."""

    def answers() -> bool:
        try:
            with DevnetRpc(url) as rpc:
                rpc.head()
        except LedgerError:
            return False
        return True

    in_time = wait_until(lambda: child.has_ended or answers(), seconds=_READY_WITHIN)
    if child.has_ended:
        said = child.last_words().removeprefix("Error: ").rstrip(".")
        raise DevnetFailed(problem=said or f"anvil {child.ending}", log=log)
    if not in_time:
        raise DevnetFailed(problem=f"anvil did not answer in {_READY_WITHIN:.0f} s", log=log)
