"""Brings the contracts onto the chain one by one, each at the address that the others know it by.

Two contracts name one that comes after them, by the address that CREATE will give it: that of the
deployer's next nonce. Where somebody else uses that nonce in between, the later contract cannot
stand where it was said to; the one that named it is deployed again, and what came after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ledger.chain.abi import encode_arguments
from ledger.chain.addresses import show_address
from ledger.chain.artifacts import CONTRACTS, contract_of, load_artifact
from ledger.chain.deploy_progress import Plan, Progress, Step
from ledger.chain.deployments import DeployedContract
from ledger.chain.immutables import Placement, runtime_code
from ledger.chain.keccak import keccak256
from ledger.chain.node_words import Fate
from ledger.chain.reverts import NOT_REPRODUCED
from ledger.chain.rpc import Node
from ledger.chain.sending import (
    Call,
    Fees,
    Mined,
    broadcast,
    estimate_gas,
    find_mined,
    prepare_transaction,
    read_fees,
)
from ledger.chain.signers import SignedTransaction, Signer, creation_address, sign
from ledger.errors import CodeMismatch, ContractRefused, DeployerBusy, FeesTooHigh, ReceiptOverdue

RECEIPT_SECONDS = 120.0
_PAUSE = 0.05
_FEE_BUMP = 1.25  # nodes take a replacement for a tenth more at least, some for an eighth
_MOST_DISPLACEMENTS = 5

Report = Callable[[DeployedContract], None]


class Displaced(Exception):
    """A contract cannot stand where `predictor` was told that it would; no failure of anything."""

    def __init__(self, predictor: str) -> None:
        super().__init__(predictor)
        self.predictor = predictor


def place_contracts(
    node: Node,
    signer: Signer,
    progress: Progress,
    report: Report,
    *,
    ceiling: int | None = None,
) -> dict[str, DeployedContract]:
    """Every contract on the chain, in order; `report` is told of each, again if it was displaced.

    `ceiling` is the most wei that one unit of gas may cost. Raises DeployerBusy where the
    deployer's key is used by others all the time, CodeMismatch, FundsTooLow, FeesTooHigh,
    ReceiptOverdue, and ContractRefused for terms that a constructor refuses.
    """
    contracts: dict[str, DeployedContract] = {}
    displacements = 0
    while len(contracts) < len(CONTRACTS):
        name = CONTRACTS[len(contracts)]
        try:
            step = ContractStep(node, signer, progress, name, contracts, ceiling=ceiling)
            contracts[name] = step.finish()
        except Displaced as error:
            displacements += 1
            if displacements > _MOST_DISPLACEMENTS:
                raise DeployerBusy(address=show_address(signer.address)) from error
            again = CONTRACTS[CONTRACTS.index(error.predictor) :]
            progress.forget(again)
            contracts = {name: made for name, made in contracts.items() if name not in again}
            continue
        report(contracts[name])
    return contracts


def predict_addresses(name: str, deployer: bytes, nonce: int) -> dict[str, bytes]:
    """Where the contracts that `name` names, and that come after it, are going to stand.

    Each takes the deployer's next nonce, counted from `nonce`, which is that of `name` itself.
    """
    position = CONTRACTS.index(name)
    named = {contract_of(parameter.name) for parameter in load_artifact(name).constructor}
    return {
        later: creation_address(deployer, nonce + distance)
        for distance, later in enumerate(CONTRACTS[position:])
        if distance and later in named
    }


def creation_code(name: str, plan: Plan, addresses: Mapping[str, bytes]) -> bytes:
    """What a contract's deployment sends: its code and the constructor's arguments."""
    artifact = load_artifact(name)
    given: dict[str, object] = {
        "admin": plan.admin,
        "adminDelay": plan.admin_delay,
        "recoveryDelay_": plan.recovery_delay,
        "allianceApprovals_": plan.alliance_approvals,
    }
    values = []
    for parameter in artifact.constructor:
        other = contract_of(parameter.name)
        values.append(given[parameter.name] if other is None else addresses[other])
    return artifact.bytecode + encode_arguments(artifact.constructor, values)


class ContractStep:
    """Brings one contract from the plan, or from what an earlier run left, onto the chain."""

    def __init__(
        self,
        node: Node,
        signer: Signer,
        progress: Progress,
        name: str,
        before: Mapping[str, DeployedContract],
        *,
        ceiling: int | None = None,
    ) -> None:
        self._ceiling = ceiling
        self._node = node
        self._signer = signer
        self._progress = progress
        self._name = name
        self._addresses = {each.name: each.address for each in before.values()}

    def finish(self) -> DeployedContract:
        """The contract on the chain, with the code of this build. Raises Displaced."""
        step = self._progress.steps.get(self._name)
        fresh = step is None
        while True:
            if step is None:
                step, fresh = self._begin(), True
            found = self._find(step) or self._send_and_wait(step)
            if found is not None and found[1].succeeded:
                return self._check(step, *found)
            if found is not None and fresh:
                self._explain(step, found[1])
            step = None  # its nonce went to something else, or an earlier run's attempt failed

    def _begin(self) -> Step:
        deployer = self._signer.address
        nonce = self._node.nonce(deployer, "pending")
        address = creation_address(deployer, nonce)
        for other in self._progress.steps.values():
            if other.predicts.get(self._name, address) != address:
                raise Displaced(other.name)
        predicts = predict_addresses(self._name, deployer, nonce)
        step = Step(self._name, nonce, address, predicts, ())
        step = step.with_attempt(self._sign(step, None))
        self._progress.record(step)
        return step

    def _send(self, step: Step) -> None:
        """Broadcast a recorded step, with higher fees if the node wants them."""
        if broadcast(self._node, step.attempts[-1].raw) is not Fate.UNDERPRICED:
            return
        now = read_fees(self._node, ceiling=self._ceiling)
        raised = Fees(int(now.max_fee * _FEE_BUMP) + 1, int(now.max_priority_fee * _FEE_BUMP) + 1)
        if self._ceiling is not None and raised.max_fee > self._ceiling:
            raise FeesTooHigh(price=raised.max_fee, ceiling=self._ceiling)
        again = step.with_attempt(self._sign(step, raised))
        self._progress.record(again)
        broadcast(self._node, again.attempts[-1].raw)

    def _call(self, step: Step) -> Call:
        data = creation_code(self._name, self._progress.plan, {**self._addresses, **step.predicts})
        return Call(self._signer.address, b"", data)

    def _sign(self, step: Step, fees: Fees | None) -> SignedTransaction:
        fields = prepare_transaction(
            self._node,
            self._call(step),
            chain_id=self._progress.plan.chain_id,
            nonce=step.nonce,
            fees=fees,
            ceiling=self._ceiling,
        )
        return sign(fields, self._signer)

    def _send_and_wait(self, step: Step) -> tuple[bytes, Mined] | None:
        """Where the step's transaction is; None where its nonce was used for something else."""
        if not self._is_void(step):
            self._send(step)
        deadline = time.monotonic() + RECEIPT_SECONDS
        while True:
            found = self._find(self._progress.steps[step.name])
            if found is not None:
                return found
            if self._is_void(step):
                return self._find(self._progress.steps[step.name])
            if time.monotonic() >= deadline:
                shown = "0x" + step.attempts[-1].hash.hex()
                raise ReceiptOverdue(transaction_hash=shown, seconds=RECEIPT_SECONDS)
            time.sleep(_PAUSE)

    def _is_void(self, step: Step) -> bool:
        """Whether the nonce is used up and no contract came of it."""
        used = self._node.nonce(self._signer.address, "latest") > step.nonce
        return used and not self._node.code(step.address, "latest")

    def _find(self, step: Step) -> tuple[bytes, Mined] | None:
        for attempt in step.attempts:
            mined = find_mined(self._node, attempt.hash)
            if mined is not None:
                return attempt.hash, mined
        return None

    def _explain(self, step: Step, mined: Mined) -> None:
        """Raise why the constructor failed."""
        estimate_gas(self._node, self._call(step), block=mined.block_number - 1)
        raise ContractRefused(
            name=NOT_REPRODUCED,
            arguments={"contract": self._name},
            meaning="The constructor failed for a reason that held only within its block.",
            hint="Run the same command again.",
        )

    def _check(self, step: Step, transaction_hash: bytes, mined: Mined) -> DeployedContract:
        # Code never changes, and a node need not keep the state of an earlier block.
        code = self._node.code(step.address, "latest")
        plan = self._progress.plan
        addresses = {**self._addresses, **step.predicts, self._name: step.address}
        placement = Placement(plan.chain_id, plan.recovery_delay, addresses)
        if code != runtime_code(self._name, placement):
            raise CodeMismatch(contract=self._name, address=show_address(step.address))
        return DeployedContract(
            name=self._name,
            address=step.address,
            block_number=mined.block_number,
            transaction_hash=transaction_hash,
            code_hash=keccak256(code),
        )
