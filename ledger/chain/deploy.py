"""Puts the contracts on a chain, once, however often it is interrupted.

Each contract is a step. Before a step's transaction is sent, its signed bytes, its nonce and the
address that CREATE gives it are on the disk; after a crash the same bytes are sent again, so that
nothing is deployed twice. A step's code is compared with the build, byte for byte. The deployment
file appears at the end, when every contract has been asked which others it is wired to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ledger.chain.abi import encode_arguments
from ledger.chain.addresses import show_address
from ledger.chain.artifacts import CONTRACTS, contract_of, load_artifact
from ledger.chain.contracts.authority import Authority
from ledger.chain.contracts.registry import WRAPPERS
from ledger.chain.deploy_progress import Plan, Progress, Step
from ledger.chain.deployments import (
    DeployedContract,
    Deployment,
    read_deployment,
    write_deployment,
)
from ledger.chain.keccak import keccak256
from ledger.chain.reverts import NOT_REPRODUCED
from ledger.chain.rpc import BlockName, Node
from ledger.chain.sending import (
    Call,
    Fate,
    Fees,
    Mined,
    broadcast,
    estimate_gas,
    find_mined,
    prepare_transaction,
    read_fees,
)
from ledger.chain.signers import SignedTransaction, Signer, creation_address, sign
from ledger.errors import (
    ChainMismatch,
    CodeMismatch,
    ContractMissing,
    ContractRefused,
    NotDeployed,
    ReceiptOverdue,
    WiringMismatch,
)

RECEIPT_SECONDS = 120.0
_PAUSE = 0.05
_FEE_BUMP = 1.25  # nodes take a replacement for a tenth more at least, some for an eighth

Report = Callable[[DeployedContract], None]


def deploy(
    node: Node,
    signer: Signer,
    *,
    admin: bytes,
    admin_delay: int,
    path: Path,
    report: Report = lambda _contract: None,
) -> Deployment:
    """Deploy every contract and write the deployment file, or return the one that is there.

    `admin` becomes the default admin, whose successors wait `admin_delay` seconds. `report` is
    told of each contract once it is checked. Raises ChainMismatch where the file is of another
    chain, DeploymentBegun where an unfinished run had other values, CodeMismatch, WiringMismatch,
    FundsTooLow, ReceiptOverdue, and whatever the node says.
    """
    try:
        existing = read_deployment(path)
    except NotDeployed:
        pass
    else:
        verify_deployment(node, existing)
        return existing
    plan = Plan(
        chain_id=node.chain_id(),
        genesis_hash=genesis_hash(node),
        deployer=signer.address,
        admin=admin,
        admin_delay=admin_delay,
        build=_build_hash(),
    )
    progress = Progress.open(path.parent, plan)
    contracts: dict[str, DeployedContract] = {}
    for name in CONTRACTS:
        contracts[name] = _ContractStep(node, signer, progress, name, contracts).finish()
        report(contracts[name])
    deployment = Deployment(
        chain_id=plan.chain_id,
        genesis_hash=plan.genesis_hash,
        deployer=plan.deployer,
        admin=admin,
        admin_delay=admin_delay,
        contracts=contracts,
    )
    verify_deployment(node, deployment)
    _check_admin(node, deployment)
    write_deployment(path, deployment)
    progress.discard()
    return deployment


def verify_deployment(node: Node, deployment: Deployment, *, at: BlockName = "latest") -> None:
    """Check that a node's chain carries this ledger, with the code of this build.

    Raises ChainMismatch, ContractMissing, CodeMismatch, WiringMismatch.
    """
    check_chain(node, deployment)
    addresses = {name: contract.address for name, contract in deployment.contracts.items()}
    for name, contract in deployment.contracts.items():
        code = node.code(contract.address, at)
        if not code:
            raise ContractMissing(
                contract=name,
                address=show_address(contract.address),
                block=contract.block_number,
                head=node.block_number(),
            )
        if keccak256(code) != contract.code_hash or code != runtime_code(name, addresses):
            raise CodeMismatch(contract=name, address=show_address(contract.address))
    for name, address in addresses.items():
        wrapper = WRAPPERS[name](node, address)
        for immutable, expected in _immutables(name, addresses).items():
            _compare(f"{name}.{immutable}()", wrapper.read(immutable, at=at), expected)


def check_chain(node: Node, deployment: Deployment) -> None:
    """Raise ChainMismatch unless the node's chain is the one that was deployed on."""
    chain_id = node.chain_id()
    if chain_id != deployment.chain_id:
        raise ChainMismatch(what="its id", found=chain_id, expected=deployment.chain_id)
    found = genesis_hash(node)
    if found != deployment.genesis_hash:
        raise ChainMismatch(
            what="its genesis block",
            found="0x" + found.hex(),
            expected="0x" + deployment.genesis_hash.hex(),
        )


def genesis_hash(node: Node) -> bytes:
    """The hash of block 0, 32 bytes."""
    return bytes.fromhex(node.header(0).hash[2:])


def creation_code(name: str, plan: Plan, addresses: Mapping[str, bytes]) -> bytes:
    """What a contract's deployment sends: its code and the constructor's arguments."""
    artifact = load_artifact(name)
    given: dict[str, object] = {"admin": plan.admin, "adminDelay": plan.admin_delay}
    values = []
    for parameter in artifact.constructor:
        other = contract_of(parameter.name)
        values.append(given[parameter.name] if other is None else addresses[other])
    return artifact.bytecode + encode_arguments(artifact.constructor, values)


def runtime_code(name: str, addresses: Mapping[str, bytes]) -> bytes:
    """The code that a contract has on the chain, wired to the contracts at these addresses."""
    words = {
        immutable: address.rjust(32, b"\0")
        for immutable, address in _immutables(name, addresses).items()
    }
    return load_artifact(name).runtime_with(words)


class _ContractStep:
    """Brings one contract from the plan, or from what an earlier run left, onto the chain."""

    def __init__(
        self,
        node: Node,
        signer: Signer,
        progress: Progress,
        name: str,
        before: Mapping[str, DeployedContract],
    ) -> None:
        self._node = node
        self._signer = signer
        self._progress = progress
        self._name = name
        self._addresses = {each.name: each.address for each in before.values()}
        data = creation_code(name, progress.plan, self._addresses)
        self._call = Call(signer.address, b"", data)

    def finish(self) -> DeployedContract:
        """The contract on the chain, with the code of this build."""
        step = self._progress.steps.get(self._name)
        fresh = step is None
        while True:
            if step is None:
                step, fresh = self._begin(), True
            found = self._find(step) or self._send_and_wait(step)
            if found is not None and found[1].succeeded:
                return self._check(step, *found)
            if found is not None and fresh:
                self._explain(found[1])
            step = None  # its nonce went to something else, or an earlier run's attempt failed

    def _begin(self) -> Step:
        nonce = self._node.nonce(self._signer.address, "pending")
        address = creation_address(self._signer.address, nonce)
        step = Step(self._name, nonce, address, (self._sign(nonce, None),))
        self._progress.record(step)
        return step

    def _send(self, step: Step) -> None:
        """Broadcast a recorded step, with higher fees if the node wants them."""
        if broadcast(self._node, step.attempts[-1].raw) is not Fate.UNDERPRICED:
            return
        now = read_fees(self._node)
        raised = Fees(int(now.max_fee * _FEE_BUMP) + 1, int(now.max_priority_fee * _FEE_BUMP) + 1)
        again = step.with_attempt(self._sign(step.nonce, raised))
        self._progress.record(again)
        broadcast(self._node, again.attempts[-1].raw)

    def _sign(self, nonce: int, fees: Fees | None) -> SignedTransaction:
        plan = self._progress.plan
        fields = prepare_transaction(
            self._node, self._call, chain_id=plan.chain_id, nonce=nonce, fees=fees
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

    def _explain(self, mined: Mined) -> None:
        """Raise why the constructor failed."""
        estimate_gas(self._node, self._call, block=mined.block_number - 1)
        raise ContractRefused(
            name=NOT_REPRODUCED,
            arguments={"contract": self._name},
            meaning="The constructor failed for a reason that held only within its block.",
            hint="Run the same command again.",
        )

    def _check(self, step: Step, transaction_hash: bytes, mined: Mined) -> DeployedContract:
        # Code never changes, and a node need not keep the state of an earlier block.
        code = self._node.code(step.address, "latest")
        if code != runtime_code(self._name, self._addresses):
            raise CodeMismatch(contract=self._name, address=show_address(step.address))
        return DeployedContract(
            name=self._name,
            address=step.address,
            block_number=mined.block_number,
            transaction_hash=transaction_hash,
            code_hash=keccak256(code),
        )


def _check_admin(node: Node, deployment: Deployment) -> None:
    authority = Authority(node, deployment.contracts["Authority"].address)
    admin = authority.default_admin(at="latest")
    _compare("Authority.defaultAdmin()", admin, deployment.admin)
    delay = authority.admin_delay(at="latest")
    _compare("Authority.defaultAdminDelay()", delay, deployment.admin_delay)


def _compare(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise WiringMismatch(what=what, found=_shown(found), expected=_shown(expected))


def _shown(value: object) -> object:
    return show_address(value) if isinstance(value, bytes) and len(value) == 20 else value


def _immutables(name: str, addresses: Mapping[str, bytes]) -> dict[str, bytes]:
    """The address in each immutable; every immutable of ours names another contract."""
    found = {}
    for immutable in load_artifact(name).immutables:
        other = contract_of(immutable)
        if other is not None:
            found[immutable] = addresses[other]
    return found


def _build_hash() -> bytes:
    return keccak256(b"".join(keccak256(load_artifact(name).bytecode) for name in CONTRACTS))
