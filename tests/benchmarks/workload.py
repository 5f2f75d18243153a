"""The chain that the mirror is measured on: the real contracts, and many awards.

At scale 1 it has 200,000 entries: 2,500 blocks of 4 transactions of 20 awards each, to 10,000
organisations that were registered and admitted before. The scale changes the number of blocks;
below 1 that of the organisations too. All transactions are signed, since the mirror refuses what
an impersonated account sends. A built chain is kept as a state of anvil in a folder, so that it is
built once.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.contracts.credits import encode_award
from ledger.chain.deployments import Deployment, read_deployment
from ledger.chain.devnet_dump import take_dump
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.domain.commands import Award
from ledger.domain.ids import OrgId, ProgrammeId
from tests.support.anvil import Anvil, running_anvil
from tests.support.happenings import GAS, Ledger

TRANSACTIONS = 4
AWARDS = 20
BLOCKS = 2_500
ORGANISATIONS = 10_000
PROGRAMME = ProgrammeId(1)
CATEGORIES = ("satellite.build", "data.acquire", "scenario.share")
_MOST_KEPT_BLOCKS = 5_000
STATE = "state.json"
DEPLOYMENT = "deployment.json"  # as tests.support.happenings.Ledger names it
_LARGEST_AWARD = 19
FEE = 10**12
_STEP = 7919  # a prime, so that the awards go round all organisations


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of everything."""

    blocks: int
    organisations: int

    @classmethod
    def of(cls, scale: float) -> Size:
        """The size at a scale; 1 is the whole workload."""
        organisations = ORGANISATIONS if scale >= 1 else max(1, int(ORGANISATIONS * scale))
        return cls(max(1, int(BLOCKS * scale)), organisations)

    @property
    def entries(self) -> int:
        """The journal's entries."""
        return self.blocks * TRANSACTIONS * AWARDS


@dataclass(frozen=True, slots=True)
class Workload:
    """A built chain on a running anvil; `url` is the node to ask, which may serve more blocks."""

    anvil: Anvil
    url: str
    deployment: Deployment
    path: Path
    size: Size


@contextlib.contextmanager
def built_chain(folder: Path, scale: float) -> Iterator[Workload]:
    """The chain of a scale, taken from the folder or built and kept there; a large one is not kept,
    since anvil's state of it would take more memory than there is."""
    size = Size.of(scale)
    kept = folder / f"chain-{size.blocks}-{size.organisations}-{_release()}"
    deployment = kept / DEPLOYMENT
    if size.blocks > _MOST_KEPT_BLOCKS:
        with _new_chain(kept, size) as anvil:
            yield Workload(anvil, anvil.url, read_deployment(deployment), deployment, size)
        return
    if not kept.exists():
        _build(kept, size)
    # A loaded state brings its transactions and receipts, and the accounts after the last block.
    with running_anvil(kept, "--load-state", str(kept / STATE), accounts=0) as anvil:
        yield Workload(anvil, anvil.url, read_deployment(deployment), deployment, size)


def _release() -> str:
    """Tells the contracts of one release from those of another."""
    codes = [load_artifact(name).bytecode for name in JOURNALLED]
    return hashlib.sha256(repr(codes).encode()).hexdigest()[:8]


def say(line: str) -> None:
    """Tell on stderr what is being done."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class Issuer:
    """Writes awards into the workload's ledger."""

    def __init__(self, anvil: Anvil, deployment: Deployment, size: Size) -> None:
        self.rpc = anvil.rpc
        self.node = Node(anvil.url)
        self._size = size
        self._signer = LocalSigner(keccak256(b"issuer"))
        self._chain_id = deployment.chain_id
        self._credits = deployment.contracts["Credits"].address

    def close(self) -> None:
        """Close the connections to the node."""
        self.node.close()

    @property
    def nonce(self) -> int:
        """How many transactions it has sent."""
        return self.node.nonce(self._signer.address, "latest")

    def mine(self, blocks: range) -> None:
        """Add blocks of awards; `blocks` are their numbers, counted from 0, no two alike."""
        self.rpc.call("evm_setAutomine", False)
        nonce = self.nonce
        for block in blocks:
            raws = [(raw,) for raw in self.sign_block(block, nonce)]
            nonce += len(raws)
            self.node.ask_many("eth_sendRawTransaction", raws, str)
            self.rpc.call("evm_mine")
            if len(blocks) > 250 and block % 250 == 249:
                say(f"{block + 1:,} blocks of awards")
        self._require_mined()

    def sign_block(self, block: int, nonce: int) -> list[str]:
        """The signed transactions of a block, the first with this nonce, in hex."""
        raws = []
        for place in range(TRANSACTIONS):
            calldata = award_call(self._size, block * TRANSACTIONS + place)
            fields = TransactionFields(
                self._chain_id, nonce + place, self._credits, calldata, GAS, FEE, 0
            )
            raws.append("0x" + self._signer.sign_transaction(fields).hex())
        return raws

    def _require_mined(self) -> None:
        head = self.node.header("latest")
        [receipts] = self.node.receipts([bytes.fromhex(head.hash[2:])])
        assert [receipt.status for receipt in receipts] == ["0x1"] * TRANSACTIONS


def _build(kept: Path, size: Size) -> None:
    """Build the chain beside its place, so that a broken-off build leaves nothing there."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as built:
        folder = Path(built, kept.name)
        with _new_chain(folder, size) as anvil:
            state = take_dump(anvil.rpc, genesis=None).content
        folder.joinpath(STATE).write_bytes(_without_traces(state))
        folder.rename(kept)


@contextlib.contextmanager
def _new_chain(folder: Path, size: Size) -> Iterator[Anvil]:
    """A chain of this size, just built; its deployment file is in the folder."""
    say(f"building {size.entries:,} entries in {size.blocks:,} blocks")
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(DEPLOYMENT).unlink(missing_ok=True)
    # With the states of late blocks kept, each new block would copy the whole state.
    with running_anvil(folder, accounts=0, states_kept=0) as anvil:
        _fill(anvil, folder, size)
        yield anvil


def _fill(anvil: Anvil, folder: Path, size: Size) -> None:
    ledger = Ledger(anvil, folder)
    issuer = Issuer(anvil, ledger.deployment, size)
    try:
        ledger.appoint_officers()
        programme = ledger.found_programme("alliance")
        ledger.admit(programme, ledger.register(size.organisations))
        issuer.mine(range(size.blocks))
    finally:
        issuer.close()
        ledger.close()


def award_of(size: Size, entry: int) -> Award:
    """The workload's award of this number, counted from 0."""
    return Award(
        OrgId(entry * _STEP % size.organisations + 1),
        entry % _LARGEST_AWARD + 1,
        CATEGORIES[entry % len(CATEGORIES)],
        hashlib.sha256(b"evidence %d" % entry).digest(),
    )


def operation_of(number: int) -> bytes:
    """The id of the operation that the workload's transaction of this number is."""
    return hashlib.sha256(b"award %d" % number).digest()


def award_call(size: Size, number: int) -> bytes:
    """The calldata of the workload's transaction of this number, counted from 0."""
    awards = [award_of(size, entry) for entry in range(number * AWARDS, (number + 1) * AWARDS)]
    return encode_award(PROGRAMME, awards, operation_of(number))


def _without_traces(state: bytes) -> bytes:
    """anvil keeps how each transaction ran; nobody asks here, and it is half of the file."""
    content = msgspec.json.decode(state, type=dict[str, msgspec.Raw])
    transactions = msgspec.json.decode(content["transactions"])
    for each in transactions:
        each["info"]["traces"] = []
    return msgspec.json.encode({**content, "transactions": transactions})
