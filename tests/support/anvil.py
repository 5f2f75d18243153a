"""anvil with the devnet's rules, and ten unlocked, funded accounts for the tests' convenience."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.chain.devnet_anvil import STATES_KEPT, anvil_command, wait_until_ready
from ledger.chain.devnet_rpc import DevnetRpc, Head
from ledger.chain.toolchain import find_foundry_tool
from ledger.processes import ChildProcess, own_environment, wait_until
from tests.support.ports import free_port


class Anvil:
    """A running anvil. `rpc.call(method, *params)` asks it anything."""

    def __init__(self, url: str, rpc: DevnetRpc, process: ChildProcess) -> None:
        self.url = url
        self.rpc = rpc
        self.process = process
        self.accounts: tuple[str, ...] = tuple(rpc.call("eth_accounts"))

    def mine(self, blocks: int = 1) -> Head:
        """Mine empty blocks; the new head."""
        self.rpc.call("anvil_mine", hex(blocks))
        return self.rpc.head()

    def send(self, **transaction: Any) -> dict[str, Any]:
        """Send from the first account unless `from` is given; the receipt, whatever its status."""
        sent = {"from": self.accounts[0], **transaction} if self.accounts else transaction
        return self.receipt(self.rpc.call("eth_sendTransaction", sent))

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        """The receipt of a transaction, once it is in a block: anvil mines after it answers."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            receipt = self.rpc.call("eth_getTransactionReceipt", transaction_hash)
            found.extend([receipt] if receipt is not None else [])
            return bool(found)

        assert wait_until(is_there, seconds=20, pause=0.002), f"no receipt of {transaction_hash}"
        return found[0]


@contextlib.contextmanager
def running_anvil(
    folder: Path, *arguments: str, accounts: int = 10, states_kept: int = STATES_KEPT
) -> Iterator[Anvil]:
    """anvil on a free port, with more arguments of its command line if need be.

    With no states kept it knows the state after the last block alone, and mines much faster.
    """
    port = free_port()
    command = anvil_command(find_foundry_tool("anvil"), port)
    command[command.index("--accounts") + 1] = str(accounts)
    kept = command.index("--prune-history") + 1
    command[kept : kept + 1] = [str(states_kept)] if states_kept else []
    url = f"http://127.0.0.1:{port}"
    log = folder / f"anvil-{port}.log"
    environment = own_environment(HOME=str(folder))
    with ChildProcess(
        "anvil", [*command, *arguments], folder=folder, log=log, environment=environment
    ) as process:
        wait_until_ready(process, url, log)
        with DevnetRpc(url) as rpc:
            yield Anvil(url, rpc, process)
            process.kill()
