"""The devnet: a local chain on anvil, started, watched, saved and stopped by us.

What anvil is started with, and why:

- chain id 31337, which wallets and tools know as a local chain and no public one has;
- hardfork Osaka with EIP-7825's cap of 2**24 gas a transaction (anvil leaves it out unless asked),
  so that a batch that is too large for a public chain fails here first; contracts are compiled for
  cancun, which runs on every target; blocks of 60 million gas, as on Ethereum's main network;
- no accounts: anvil's well-known keys own nothing on this chain, no account is unlocked, and keys
  come from our keystores, funded by `anvil_setBalance`;
- loopback and no CORS headers: a web page cannot talk to it. Any program on this machine can, and
  may act as anybody (`anvil_impersonateAccount`): a devnet proves nothing to anyone;
- transactions in the order of their arrival; the states of the last 128 blocks, as a full node
  keeps them. After a restart, calls reach back to the block that was loaded, while blocks,
  transactions, receipts and logs reach back to block 0.

It refuses to signal a process that it cannot prove to be its own, and to delete a saved state.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledger.chain.devnet_anvil import HOST, DevnetOptions
from ledger.chain.devnet_record import DevnetFolder, DevnetLock, ProcessRecord, SavedHead
from ledger.chain.devnet_rpc import DevnetRpc, Head
from ledger.chain.devnet_running import Report, RunningDevnet
from ledger.chain.devnet_state import StateFiles
from ledger.chain.toolchain import find_anvil
from ledger.config import Settings
from ledger.errors import AlreadyRunning, NodeProblem
from ledger.processes import end_process, is_running, require_free_port

__all__ = [
    "DevnetOptions",
    "DevnetStatus",
    "check_startable",
    "check_tool_and_port",
    "devnet_folder",
    "devnet_status",
    "reset_devnet",
    "start_devnet",
    "stop_devnet",
]

OWNER = "moonlake devnet"

_STOPPED_WITHIN = 90.0


@dataclass(frozen=True, slots=True)
class DevnetStatus:
    """What can be seen of a data folder's devnet from outside.

    `orphaned` is an anvil whose supervisor died; the next start or stop ends it. `head` is None
    unless anvil answers, `saved` unless a state of this chain is on the disk.
    """

    condition: Literal["running", "starting", "orphaned", "stopped"]
    folder: Path
    url: str
    chain_id: int
    process: ProcessRecord | None
    head: Head | None
    saved: SavedHead | None


def start_devnet(
    settings: Settings,
    options: DevnetOptions | None = None,
    *,
    report: Report,
    owner: str = OWNER,
) -> RunningDevnet:
    """Start the devnet of this data folder, or the fork that `options` name, and wait for it.

    Call it from a thread that stays, best the main one: on Linux anvil ends with that thread.
    `report` takes lines for people; `owner` is the command that they would stop it with. Raises
    AlreadyRunning, FolderUnusable, PortInUse, ToolMissing, DevnetStateUnusable, ChainMismatch and
    DevnetFailed.
    """
    devnet = RunningDevnet(settings, options or DevnetOptions(), report=report, owner=owner)
    devnet.start()
    return devnet


def check_startable(settings: Settings, *, report: Report) -> None:
    """Raise what `start_devnet` would raise at once: before a start in another process."""
    check_tool_and_port(settings)
    folder = DevnetFolder(settings.home)
    with DevnetLock(folder):
        folder.end_orphan(StateFiles(folder.path), report)
        require_free_port(HOST, settings.devnet_port, setting="MOONLAKE_DEVNET_PORT")


def check_tool_and_port(settings: Settings) -> None:
    """Raise what keeps any devnet from starting here, without touching the folder.

    The port is not looked at where a devnet of this folder runs or ran: it may be its own. Raises
    ToolMissing, PortInUse and InvalidSetting.
    """
    find_anvil(settings)
    if DevnetFolder(settings.home).process is None:
        require_free_port(HOST, settings.devnet_port, setting="MOONLAKE_DEVNET_PORT")


def devnet_folder(settings: Settings) -> DevnetFolder:
    """Where the devnet of this data folder keeps its files."""
    return DevnetFolder(settings.home)


def stop_devnet(settings: Settings, *, report: Report) -> bool:
    """Stop the devnet of this data folder, whoever started it with `moonlake devnet`.

    True if one was running. Raises AlreadyRunning if it belongs to another command, such as
    `moonlake up`, which would start it again.
    """
    folder = DevnetFolder(settings.home)
    record = folder.process
    if record is None:
        return False
    was_running = is_running(record.anvil)
    if record.is_supervised:
        if record.owner != OWNER:
            raise AlreadyRunning(what=f"`{record.owner}`", pid=record.supervisor.pid)
        end_process(record.supervisor, grace=_STOPPED_WITHIN)
    with DevnetLock(folder):
        folder.end_orphan(StateFiles(folder.path), report)
    return was_running


def reset_devnet(settings: Settings) -> Path | None:
    """Set the chain aside, so that the next start begins a new one; None if there was none.

    Its states, its log and the file of the ledger that was deployed on it go into a folder of
    their own within `devnet/`, whose path is returned. Nothing is deleted. Raises AlreadyRunning
    while a devnet runs.
    """
    folder = DevnetFolder(settings.home)
    if not folder.path.exists():
        return None
    with DevnetLock(folder):
        chain = folder.chain
        files = [*StateFiles(folder.path).all_files(), *folder.chain_files()]
        if chain is None and not files:
            return None
        if chain is not None:
            deployment = settings.home / "deployments" / f"{chain.chain_id}.json"
            files += [deployment] if deployment.exists() else []
        return folder.set_aside(files)


def devnet_status(settings: Settings) -> DevnetStatus:
    """Look at the devnet of this data folder; changes nothing."""
    folder = DevnetFolder(settings.home)
    record = folder.process
    chain = folder.chain
    alive = record is not None and is_running(record.anvil)
    url = record.url if record is not None and alive else f"http://{HOST}:{settings.devnet_port}"
    head: Head | None = None
    chain_id = chain.chain_id if chain is not None else 0
    if alive:
        try:
            with DevnetRpc(url, timeout=5) as rpc:
                head = rpc.head()
                chain_id = int(rpc.call("eth_chainId"), 16)
        except NodeProblem:
            head = None
    return DevnetStatus(
        condition=_condition(record, alive=alive),
        folder=folder.path,
        url=url,
        chain_id=chain_id,
        process=record if alive else None,
        head=head,
        saved=chain.saved if chain is not None else None,
    )


def _condition(
    record: ProcessRecord | None, *, alive: bool
) -> Literal["running", "starting", "orphaned", "stopped"]:
    if record is None or not (alive or record.is_supervised):
        return "stopped"
    if not record.is_supervised:
        return "orphaned"
    return "running" if record.ready and alive else "starting"
