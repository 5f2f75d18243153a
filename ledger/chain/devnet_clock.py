"""Dates the devnet's blocks: a demonstration's season lies in the past, its end is now.

anvil refuses `evm_setNextBlockTimestamp` before the moment it was started, even where the last
block of a loaded chain is far older; `evm_setTime` before it moves that bar. It also checks nothing
on `evm_setTime`, and would date a block before its parent. Both are seen to here.
"""

from __future__ import annotations

from ledger.chain.devnet_rpc import DevnetRpc
from ledger.errors import InvalidValue


def date_next_block(rpc: DevnetRpc, timestamp: int) -> None:
    """Give the next block this time, in seconds; later blocks go on from there.

    Raises InvalidValue for a time before the latest block's. Send the block's transactions after
    this, and wait for their receipts before dating the next: anvil mines on its own.
    """
    head = rpc.head()
    if timestamp < head.timestamp:
        raise InvalidValue(
            field="timestamp", value=timestamp, expected=f"at least the head's {head.timestamp}"
        )
    rpc.call("evm_setTime", timestamp)
    rpc.call("evm_setNextBlockTimestamp", timestamp)


def return_to_present(rpc: DevnetRpc, now: int) -> None:
    """Let the next blocks have the present time `now`, or the head's where that is later."""
    rpc.call("evm_setTime", max(now, rpc.head().timestamp))
