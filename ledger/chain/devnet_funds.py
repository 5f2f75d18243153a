"""Coin on the devnet, where it is worth nothing and comes from nowhere.

Accounts there begin with none, since anvil is started without accounts of its own. It refuses
nothing: on any other chain the node has no such method and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.chain.rpc import Node

ENOUGH = 10**18
"""Below one coin an account is filled up: a full block costs a hundredth of it on a new chain."""

FULL = 10_000 * 10**18

_AnyResult: Any = Any


def fund_accounts(node: Node, addresses: Iterable[bytes]) -> bool:
    """Give coin to each of these devnet accounts that has little. Returns whether one got some.

    It changes the state without a block: until the next one, the head's state root does not fit
    what the node proves by it, and a mirror that begins then halts. Who sends nothing afterwards
    adds a block (`mine_block`).
    """
    poor = [each for each in addresses if node.balance(each, "latest") < ENOUGH]
    for address in poor:
        node.ask("anvil_setBalance", ("0x" + address.hex(), hex(FULL)), _AnyResult)
    return bool(poor)


def mine_block(node: Node) -> None:
    """Add an empty block to the devnet, with the state as it is now."""
    node.ask("anvil_mine", ("0x1",), _AnyResult)
