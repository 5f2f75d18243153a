"""What anvil dumps of its state, made fit to be loaded again.

A dump of anvil 1.7.1 as it comes must not be loaded, for two reasons that were measured:

- A loading anvil first makes a genesis block of its own, and dumps that one too from then on, in
  the order of a hash map. At every second load the chain begins with another block.
- Blocks, transactions and accounts are read one after the other while mining goes on. Under
  constant load three of four dumps hold accounts that are one block ahead of the blocks. (The same
  holds for the files of `--state` and `--state-interval`, which are also written in place.)

So a dump is taken apart here: one genesis, one block for each number, nothing beyond the head, and
accounts that are exactly the head's. The last is seen from EIP-2935's history contract, where each
block leaves its parent's hash. It refuses a dump that does not fit; where mining is so dense that
none does, automatic mining is held back for the length of one dump.
"""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from ledger.chain.devnet_rpc import DevnetRpc

# EIP-2935: the contract, and the size of its ring of parent hashes.
_HISTORY_CONTRACT = "0x0000f90827f1c53a10cb7a02335b175320002935"
_HISTORY_RING = 8191

_ATTEMPTS = 3


class DumpUnfit(Exception):
    """A dump that is torn, or not of one moment; says why. Never reaches a user as it is."""


class _Header(msgspec.Struct):
    number: str
    timestamp: str
    parent_hash: str = msgspec.field(name="parentHash")


class _Block(msgspec.Struct):
    header: _Header


class _Account(msgspec.Struct):
    storage: dict[str, str]


class _Transaction(msgspec.Struct):
    block_number: int


class _Environment(msgspec.Struct):
    number: str


class _Anvil(msgspec.Struct):
    """anvil's SerializableState (crates/anvil/src/eth/backend/db.rs)."""

    block: msgspec.Raw
    accounts: dict[str, msgspec.Raw]
    best_block_number: int
    blocks: list[msgspec.Raw]
    transactions: list[msgspec.Raw]
    historical_states: None = None


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that can be loaded: `content` is the file, `genesis` its block 0 as anvil wrote it.

    `number` and `timestamp` are its last block's.
    """

    content: bytes
    genesis: bytes
    number: int
    timestamp: int


def read_dump(raw: bytes, *, genesis: bytes | None = None) -> Dump:
    """Take a dump apart and put together what may be loaded. Raises DumpUnfit.

    `genesis` is the block 0 that this chain began with; None for a chain that was never loaded,
    whose dump has only one.
    """
    try:
        state = msgspec.json.decode(raw, type=_Anvil)
        headers = [msgspec.json.decode(block, type=_Block).header for block in state.blocks]
        placed = [msgspec.json.decode(entry, type=_Transaction) for entry in state.transactions]
        environment = msgspec.json.decode(state.block, type=_Environment)
        reached = int(environment.number, 16)
    except (msgspec.DecodeError, ValueError) as error:
        raise DumpUnfit(f"it is no whole dump of anvil ({error})") from error
    head = state.best_block_number
    if reached != head:
        raise DumpUnfit(f"it is half way between blocks {reached} and {head}")
    chain: dict[int, tuple[_Header, msgspec.Raw]] = {}
    for header, block in zip(headers, state.blocks, strict=True):
        number = int(header.number, 16)
        if number == 0 and genesis is not None:
            block = msgspec.Raw(genesis)  # noqa: PLW2901  whichever of the two came up
        elif number in chain:
            raise DumpUnfit(f"it has two blocks {number}")
        chain[number] = header, block
    if any(number not in chain for number in range(head + 1)):
        raise DumpUnfit(f"it lacks blocks below {head}")
    _require_accounts_of_head(state, {n: header.parent_hash for n, (header, _) in chain.items()})
    state.blocks = [chain[number][1] for number in range(head + 1)]
    state.transactions = [
        entry
        for entry, place in zip(state.transactions, placed, strict=True)
        if place.block_number <= head
    ]
    # The environment's own time is not the head's: beside block 0 it is not set yet.
    timestamp = int(msgspec.json.decode(state.blocks[head], type=_Block).header.timestamp, 16)
    return Dump(msgspec.json.encode(state), bytes(state.blocks[0]), head, timestamp)


def _require_accounts_of_head(state: _Anvil, parents: dict[int, str]) -> None:
    """Raise DumpUnfit where the accounts are not those right after the head.

    `parents[n]` is the parent's hash of block n. A block n writes it to slot (n - 1) % 8191 of the
    history contract before its transactions run, so the head's is there and the next one's is not.
    A chain without the contract, such as a fork of an older one, is taken as it is.
    """
    head = state.best_block_number
    found = state.accounts.get(_HISTORY_CONTRACT)
    if found is None:
        return
    storage = msgspec.json.decode(found, type=_Account).storage
    slots = {int(slot, 16): value for slot, value in storage.items()}
    if head > 0 and slots.get((head - 1) % _HISTORY_RING) != parents[head]:
        raise DumpUnfit(f"its accounts are behind block {head}")
    round_before = head - _HISTORY_RING + 1
    expected = parents[round_before] if round_before > 0 else None
    if slots.get(head % _HISTORY_RING) != expected:
        raise DumpUnfit(f"its accounts are ahead of block {head}")


def take_dump(rpc: DevnetRpc, *, genesis: bytes | None) -> Dump:
    """A dump of one moment. Raises DumpUnfit if mining gave none, NodeProblem without anvil.

    `genesis` as for `read_dump`.
    """
    with contextlib.suppress(DumpUnfit):
        return _first_fit_dump(rpc, genesis)
    with _mining_held_back(rpc):
        return _first_fit_dump(rpc, genesis, before=_wait_for_quiet)


def _first_fit_dump(
    rpc: DevnetRpc,
    genesis: bytes | None,
    *,
    before: Callable[[DevnetRpc], None] = lambda _: None,
) -> Dump:
    left = _ATTEMPTS
    while True:
        left -= 1
        before(rpc)
        try:
            return _dump_once(rpc, genesis)
        except DumpUnfit:
            if left == 0:
                raise


@contextmanager
def _mining_held_back(rpc: DevnetRpc) -> Iterator[None]:
    """Transactions wait in the pool meanwhile. A chain that does not mine by itself is left so."""
    mines = rpc.call("anvil_getAutomine")
    if mines:
        rpc.call("evm_setAutomine", False)
    try:
        yield
    finally:
        if mines:
            rpc.call("evm_setAutomine", True)


def _dump_once(rpc: DevnetRpc, genesis: bytes | None) -> Dump:
    return read_dump(
        gzip.decompress(bytes.fromhex(rpc.call("anvil_dumpState")[2:])), genesis=genesis
    )


def _wait_for_quiet(rpc: DevnetRpc) -> None:
    """Blocks that anvil had begun when mining was held back still come; wait a little for them."""
    deadline = time.monotonic() + 1
    last = rpc.head()
    while time.monotonic() < deadline:
        time.sleep(0.01)
        head = rpc.head()
        if head == last:
            return
        last = head
