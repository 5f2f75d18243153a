"""A deployed ledger on a running chain, small but complete, for tests that need real contracts.

Programme 1 has two tiers, one open category, an epoch in force and a cap of 1,000 credits.
Organisation 1 is a member of it, organisation 2 is not. `officer` holds every office alliance-wide;
`issuer` is an issuer of programme 1 alone, with a budget of 50 an award and 80 an epoch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.chain.contracts import authority, memberships, organisations, programmes
from ledger.chain.contracts.registry import LedgerContracts, open_contracts
from ledger.chain.deploy import deploy
from ledger.chain.deployments import Deployment
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.sending import (
    Call,
    Fate,
    Mined,
    broadcast,
    prepare_transaction,
    wait_until_mined,
)
from ledger.chain.signers import LocalSigner, TransactionFields, sign
from ledger.domain.commands import Admission, Budget, Registration
from ledger.domain.ids import ALLIANCE_WIDE, OrgId, ProgrammeId, TierId
from tests.support.anvil import Anvil

PROGRAMME = ProgrammeId(1)
MEMBER, STRANGER = OrgId(1), OrgId(2)
FIRST_TIER, SECOND_TIER = TierId(1), TierId(2)
CATEGORY = "data.acquire"
BUDGET = Budget(per_award=50, per_epoch=80)
SUPPLY_CAP = 1000
PROFILE = bytes(range(32))
CONTROLLERS = {MEMBER: b"\x01" * 20, STRANGER: b"\x02" * 20}


@dataclass
class Ledger:
    """What a test holds of it. `do` sends, waits, and is sure that it worked."""

    anvil: Anvil
    node: Node
    deployment: Deployment
    contracts: LedgerContracts
    officer: LocalSigner
    issuer: LocalSigner
    operations: Iterator[int]

    def operation(self) -> bytes:
        """An operation id that was not used before."""
        return next(self.operations).to_bytes(32, "big")

    def prepare(
        self, to: bytes, calldata: bytes, *, by: LocalSigner | None = None, **given: Any
    ) -> TransactionFields:
        """The fields of a transaction with the sender's next nonce."""
        sender = (by or self.officer).address
        nonce = self.node.nonce(sender, "pending")
        call = Call(sender, to, calldata)
        return prepare_transaction(
            self.node, call, chain_id=self.deployment.chain_id, nonce=nonce, **given
        )

    def do(self, to: bytes, calldata: bytes, *, by: LocalSigner | None = None) -> Mined:
        """Send a call and wait for its block."""
        signed = sign(self.prepare(to, calldata, by=by), by or self.officer)
        assert broadcast(self.node, signed.raw) is Fate.ACCEPTED
        mined = wait_until_mined(self.node, signed.hash, seconds=30)
        assert mined.succeeded
        return mined


@contextlib.contextmanager
def running_ledger(anvil: Anvil, folder: Path) -> Iterator[Ledger]:
    """Deploy a ledger with keys of its own; many can stand on one chain."""
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
        addresses = {name: contract.address for name, contract in made.contracts.items()}
        contracts = open_contracts(node, addresses)
        ledger = Ledger(anvil, node, made, contracts, officer, issuer, iter(range(1, 10**6)))
        for to, calldata in _first_commands(ledger):
            ledger.do(to, calldata)
        yield ledger
    finally:
        node.close()


def _first_commands(ledger: Ledger) -> Iterator[tuple[bytes, bytes]]:
    now = int(ledger.node.header("latest").timestamp, 16)
    op = ledger.operation
    contracts = ledger.contracts
    to = contracts.authority.address
    for role in ("council", "registrar", "issuer", "treasurer"):
        appointed = authority.encode_appoint(role, ALLIANCE_WIDE, ledger.officer.address, op())
        yield to, appointed
    yield to, authority.encode_appoint("issuer", PROGRAMME, ledger.issuer.address, op())
    to = contracts.programmes.address
    yield to, programmes.encode_create_programme("alliance", PROFILE, SUPPLY_CAP, 2, op())
    yield to, programmes.encode_add_tiers(PROGRAMME, ["founding", "regular"], op())
    yield to, programmes.encode_open_categories(PROGRAMME, [CATEGORY], op())
    yield to, programmes.encode_append_boundaries(PROGRAMME, [now - 60, now + 10**7], op())
    yield to, programmes.encode_set_budget(PROGRAMME, ledger.issuer.address, BUDGET, op())
    registered = [
        Registration(CONTROLLERS[MEMBER], "company", PROFILE),
        Registration(CONTROLLERS[STRANGER], "investor"),
    ]
    yield contracts.organisations.address, organisations.encode_register(registered, op())
    admitted = [Admission(MEMBER, FIRST_TIER, now + 10**6, PROFILE)]
    yield (
        contracts.memberships.address,
        memberships.encode_admit(PROGRAMME, admitted, "founding", op()),
    )
