"""Puts the contracts on a chain, once, however often it is interrupted.

Each contract is a step. Before a step's transaction is sent, its signed bytes, its nonce and the
address that CREATE gives it are on the disk; after a crash the same bytes are sent again, so that
nothing is deployed twice. A step's code is compared with the build, byte for byte. The deployment
file appears at the end, when every contract has been asked which others it is wired to.
"""

from __future__ import annotations

from pathlib import Path

from ledger.chain.addresses import show_address
from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.contracts.authority import Authority
from ledger.chain.contracts.council import Council
from ledger.chain.contracts.registry import WRAPPERS
from ledger.chain.deploy_progress import Plan, Progress
from ledger.chain.deploy_steps import Report, place_contracts
from ledger.chain.deployments import Deployment, read_deployment, write_deployment
from ledger.chain.immutables import Placement, readable_immutables, runtime_code
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import BlockName, Node
from ledger.chain.signers import Signer
from ledger.chain.typed_data import MESSAGES, MessageDomain
from ledger.errors import (
    ChainMismatch,
    CodeMismatch,
    ContractMissing,
    NotDeployed,
    WiringMismatch,
)

USUAL_RECOVERY_DELAY = 7 * 24 * 3600
"""A week, in which a controller that still has its key can object to being recovered."""

USUAL_APPROVALS = 1
"""One checker beside the maker, until the alliance has the councillors to ask for more."""


def deploy(
    node: Node,
    signer: Signer,
    *,
    admin: bytes,
    admin_delay: int,
    recovery_delay: int = USUAL_RECOVERY_DELAY,
    alliance_approvals: int = USUAL_APPROVALS,
    path: Path,
    report: Report = lambda _contract: None,
    ceiling: int | None = None,
) -> Deployment:
    """Deploy every contract and write the deployment file, or return the one that is there.

    `admin` becomes the default admin, whose successors wait `admin_delay` seconds. A controller has
    `recovery_delay` seconds to object to a recovery; proposals of the whole alliance need
    `alliance_approvals` others than their maker. `report` is told of each contract once it is
    checked; `ceiling` is the most wei that one unit of gas may cost. Raises ChainMismatch where the
    file is of another chain, DeploymentBegun where an unfinished run had other values,
    CodeMismatch, WiringMismatch, FundsTooLow, FeesTooHigh, ReceiptOverdue, what the signer raises,
    and whatever the node says.
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
        recovery_delay=recovery_delay,
        alliance_approvals=alliance_approvals,
        build=_build_hash(),
    )
    progress = Progress.open(path.parent, plan)
    deployment = Deployment(
        chain_id=plan.chain_id,
        genesis_hash=plan.genesis_hash,
        deployer=plan.deployer,
        admin=admin,
        admin_delay=admin_delay,
        recovery_delay=recovery_delay,
        alliance_approvals=alliance_approvals,
        contracts=place_contracts(node, signer, progress, report, ceiling=ceiling),
    )
    verify_deployment(node, deployment)
    _check_terms(node, deployment)
    write_deployment(path, deployment)
    progress.discard()
    return deployment


def verify_deployment(node: Node, deployment: Deployment, *, at: BlockName = "latest") -> None:
    """Check that a node's chain carries this ledger, with the code of this build.

    Raises ChainMismatch, ContractMissing, CodeMismatch, WiringMismatch.
    """
    check_chain(node, deployment)
    placement = placement_of(deployment)
    for name, contract in deployment.contracts.items():
        code = node.code(contract.address, at)
        if not code:
            raise ContractMissing(
                contract=name,
                address=show_address(contract.address),
                block=contract.block_number,
                head=node.block_number(),
            )
        if keccak256(code) != contract.code_hash or code != runtime_code(name, placement):
            raise CodeMismatch(contract=name, address=show_address(contract.address))
    for name, address in placement.addresses.items():
        wrapper = WRAPPERS[name](node, address)
        for immutable, expected in readable_immutables(name, placement).items():
            _compare(f"{name}.{immutable}()", wrapper.read(immutable, at=at), expected)
        if name in MESSAGES:
            found = wrapper.read("eip712Domain", at=at)
            for field, wanted in MessageDomain(name, deployment.chain_id, address).values.items():
                _compare(f"{name}.eip712Domain().{field}", found[field], wanted)


def placement_of(deployment: Deployment) -> Placement:
    """Where a deployment's contracts stand, and the terms that are in their code."""
    addresses = {name: contract.address for name, contract in deployment.contracts.items()}
    return Placement(deployment.chain_id, deployment.recovery_delay, addresses)


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


def _check_terms(node: Node, deployment: Deployment) -> None:
    """Compare what may change later, and so is asked of a ledger that is new alone."""
    authority = Authority(node, deployment.contracts["Authority"].address)
    admin = authority.default_admin(at="latest")
    _compare("Authority.defaultAdmin()", admin, deployment.admin)
    delay = authority.admin_delay(at="latest")
    _compare("Authority.defaultAdminDelay()", delay, deployment.admin_delay)
    approvals = Council(node, deployment.contracts["Council"].address).alliance_approvals(
        at="latest"
    )
    _compare("Council.allianceApprovals()", approvals, deployment.alliance_approvals)


def _compare(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise WiringMismatch(what=what, found=_shown(found), expected=_shown(expected))


def _shown(value: object) -> object:
    return show_address(value) if isinstance(value, bytes) and len(value) == 20 else value


def _build_hash() -> bytes:
    return keccak256(b"".join(keccak256(load_artifact(name).bytecode) for name in CONTRACTS))
