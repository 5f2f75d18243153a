"""A desk on a deployed ledger: what a sending process has, with a database of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ledger.chain.contracts.authority import encode_appoint
from ledger.chain.contracts.registry import open_contracts
from ledger.chain.deploy import deploy
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.signers import LocalSigner, Signer
from ledger.domain.commands import Award
from ledger.domain.ids import ALLIANCE_WIDE, BlockNumber
from ledger.errors import NodeRefused
from ledger.mirror.contracts import Followed
from ledger.mirror.follow import sync
from ledger.mirror.look import Mirror
from ledger.office.evidence import EvidenceStore
from ledger.outbox.records import Operation, find_operation
from ledger.outbox.rules import Rules
from ledger.outbox.sending import ChainIdentity, Outbox
from ledger.services.credits import award
from ledger.services.desk import Desk
from ledger.services.orders import Order
from ledger.store.engine import open_engine, reading
from ledger.store.schema import upgrade_schema
from tests.support.anvil import Anvil
from tests.support.databases import copy_migrated
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, Ledger

HASTY = Rules(lease=0.4, resend=0.2, stuck=0.2, doubt=0.2)
"""The rules of sending, for tests that need not wait as long as people."""


class Sender:
    """One sending process on a ledger; several may share a database. `given` is for the outbox."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        folder: Path,
        *,
        node: Node | None = None,
        deadline: float = 30.0,
        **given: Any,
    ) -> None:
        self.ledger = ledger
        self.engine = engine
        deployment = ledger.deployment
        self.outbox = Outbox(
            engine,
            node or ledger.node,
            chain=ChainIdentity(deployment.chain_id, deployment.genesis_hash),
            addresses={name: found.address for name, found in deployment.contracts.items()},
            first_block=deployment.first_block,
            deadline=deadline,
            **given,
        )
        self.desk = Desk(
            node or ledger.node,
            ledger.contracts,
            engine,
            EvidenceStore(folder / "evidence"),
            self.outbox,
        )

    def order(self, operation_id: bytes, *, by: Signer | None = None) -> Order:
        """An order signed by the officer, who holds every office, or by another."""
        return Order(self.outbox, by or self.ledger.officer, operation_id)

    def award(
        self, operation_id: bytes, *, amount: int = 1, by: Signer | None = None, **given: Any
    ) -> Operation:
        """Award credits to the member."""
        awards = [Award(MEMBER, amount, given.get("category", CATEGORY))]
        return award(self.order(operation_id, by=by), PROGRAMME, awards)

    def find(self, operation_id: bytes) -> Operation | None:
        """The operation as it is recorded."""
        with reading(self.engine) as connection:
            return find_operation(connection, operation_id)

    def nonce(self, *, by: Signer | None = None) -> int:
        """How many transactions the chain has of a signer."""
        return self.ledger.node.nonce((by or self.ledger.officer).address, "latest")

    def mirror(self, _block: BlockNumber | None = None) -> None:
        """Bring the mirror in the same database to the chain's head."""
        sync(
            Mirror(
                self.engine,
                [self.ledger.node],
                Followed(self.ledger.deployment),
                finality_blocks=64,
                stop=threading.Event(),
            )
        )


@contextlib.contextmanager
def opened_engine(url: str) -> Iterator[Engine]:
    """A database with the schema."""
    copy_migrated(url)
    # No test loses power: what is committed outlives a killed process without waiting for the disk.
    engine = open_engine(url, durable=False)
    try:
        upgrade_schema(engine)
        yield engine
    finally:
        engine.dispose()


class CutNode(Node):
    """A node whose line is cut, before or after it takes a signed transaction.

    `cut_at` counts the transactions from 1; later ones are cut, too.
    """

    def __init__(self, url: str, *, cut_at: int, taken: bool) -> None:
        super().__init__(url)
        self._left = cut_at - 1
        self._taken = taken

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """Hand them over, or not."""
        if self._left >= len(raws):
            self._left -= len(raws)
            return super().send_raw_transactions(raws)
        if self._taken:
            super().send_raw_transactions(raws)
        raise Cut


@contextlib.contextmanager
def dying_sender(
    ledger: Ledger, engine: Engine, folder: Path, *, cut_at: int = 1, taken: bool = False
) -> Iterator[Sender]:
    """A sender whose process ends at its transaction number `cut_at`, in effect."""
    node = CutNode(ledger.anvil.url, cut_at=cut_at, taken=taken)
    try:
        yield Sender(ledger, engine, folder, node=node)
    finally:
        node.close()


class Cut(Exception):
    """Stands for the end of the process: nothing of ours handles it."""


@contextlib.contextmanager
def bare_ledger(anvil: Anvil, folder: Path) -> Iterator[Ledger]:
    """A deployed ledger without programmes and organisations; `officer` holds every office."""
    officer, issuer = (
        LocalSigner(keccak256(f"{folder} {name}".encode())) for name in ("officer", "issuer")
    )
    for signer in (officer, issuer):
        anvil.rpc.call("anvil_setBalance", "0x" + signer.address.hex(), hex(10**22))
    node = Node(anvil.url)
    try:
        made = deploy(
            node, officer, admin=officer.address, admin_delay=0, path=folder / "31337.json"
        )
        contracts = open_contracts(
            node, {name: each.address for name, each in made.contracts.items()}
        )
        ledger = Ledger(anvil, node, made, contracts, officer, issuer, iter(range(1, 10**6)))
        for role in ("council", "registrar", "treasurer", "issuer"):
            calldata = encode_appoint(role, ALLIANCE_WIDE, officer.address, ledger.operation())
            ledger.do(contracts.authority.address, calldata)
        yield ledger
    finally:
        node.close()
