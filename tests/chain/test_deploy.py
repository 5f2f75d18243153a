"""Deployments on a real chain, interrupted at every point."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from ledger.chain.artifacts import CONTRACTS, contract_of, load_artifact
from ledger.chain.contracts.registry import WRAPPERS, open_contracts
from ledger.chain.deploy import check_chain, deploy, placement_of, verify_deployment
from ledger.chain.deploy_progress import Plan
from ledger.chain.deploy_steps import creation_code, predict_addresses
from ledger.chain.deployments import (
    DeployedContract,
    Deployment,
    deployment_path,
    only_deployment_path,
    read_deployment,
    write_deployment,
)
from ledger.chain.immutables import Placement, readable_immutables, runtime_code
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.sending import Call, broadcast, prepare_transaction
from ledger.chain.signers import LocalSigner, creation_address, sign
from ledger.config import Settings
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    ChainMismatch,
    CodeMismatch,
    ContractMissing,
    ContractRefused,
    DeployerBusy,
    DeploymentBegun,
    DeploymentUnreadable,
    FundsTooLow,
    InvalidSetting,
    NotDeployed,
    WiringMismatch,
)
from tests.support.anvil import Anvil

ADMIN = bytes.fromhex("70997970c51812dc3a010c7d01b50e0d17dc79c8")
KEYS = iter(range(1, 10**9))


class Killed(BaseException):
    """The process died here."""


class MortalNode(Node):
    """A node whose caller dies at the broadcast with this number, before or after it."""

    def __init__(self, url: str, *, dies_at: int, after: bool) -> None:
        super().__init__(url)
        self.broadcasts = 0
        self._dies_at = dies_at
        self._after = after

    def send_raw_transaction(self, raw: bytes) -> bytes:
        self.broadcasts += 1
        if self.broadcasts == self._dies_at and not self._after:
            raise Killed
        sent = super().send_raw_transaction(raw)
        if self.broadcasts == self._dies_at:
            raise Killed
        return sent


N = TypeVar("N", bound=Node)


class Keep(Protocol):
    """Closes a node at the end of the test."""

    def __call__(self, node: N) -> N: ...


@pytest.fixture
def keep() -> Iterator[Keep]:
    with ExitStack() as kept:

        def close_later(node: N) -> N:
            kept.callback(node.close)
            return node

        yield close_later


@pytest.fixture
def node(anvil: Anvil, keep: Keep) -> Node:
    return keep(Node(anvil.url))


@pytest.fixture
def signer(anvil: Anvil, tmp_path: Path) -> LocalSigner:
    """A deployer of this test alone."""
    return funded(anvil, keccak256(str(tmp_path).encode()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deployments" / "31337.json"


def funded(anvil: Anvil, key: bytes) -> LocalSigner:
    signer = LocalSigner(key)
    anvil.rpc.call("anvil_setBalance", "0x" + signer.address.hex(), hex(10**20))
    return signer


def run(node: Node, signer: LocalSigner, path: Path, **changed: object) -> Deployment:
    values: dict[str, object] = {"admin": ADMIN, "admin_delay": 3600} | changed
    return deploy(node, signer, path=path, **values)  # type: ignore[arg-type]


def test_deploy__on_a_chain_without_a_ledger__puts_every_contract_there(
    node: Node, signer: LocalSigner, path: Path
) -> None:
    told: list[str] = []

    made = deploy(
        node,
        signer,
        admin=ADMIN,
        admin_delay=3600,
        recovery_delay=7200,
        alliance_approvals=3,
        path=path,
        report=lambda contract: told.append(contract.name),
    )

    assert told == list(made.contracts) == list(CONTRACTS)
    assert read_deployment(path) == made
    assert made.first_block == made.contracts["Authority"].block_number
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    addresses = {name: contract.address for name, contract in made.contracts.items()}
    ledger = open_contracts(node, addresses)
    assert ledger.authority.default_admin(at="latest") == ADMIN
    assert ledger.authority.admin_delay(at="latest") == 3600
    assert ledger.authority.sequence(at=made.first_block) == 1
    assert ledger.organisations.recovery_delay(at="latest") == 7200
    assert ledger.council.alliance_approvals(at="latest") == 3
    assert ledger.credits.read("benefits", at="latest") == addresses["Benefits"]
    assert ledger.organisations.read("memberships", at="latest") == addresses["Memberships"]
    for name, contract in made.contracts.items():
        code = node.code(contract.address, "latest")
        assert code == runtime_code(name, placement_of(made))
        assert keccak256(code) == contract.code_hash


def test_deploy__when_it_was_done__does_nothing_more(
    node: Node, signer: LocalSigner, path: Path
) -> None:
    first = run(node, signer, path)
    written = path.read_bytes()

    assert run(node, signer, path) == first

    assert node.nonce(signer.address, "latest") == len(CONTRACTS)
    assert path.read_bytes() == written


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(1, len(CONTRACTS) + 1))
def test_deploy__killed_around_any_broadcast__goes_on_and_deploys_nothing_twice(
    anvil: Anvil, signer: LocalSigner, path: Path, dies_at: int, after: bool, keep: Keep
) -> None:
    with pytest.raises(Killed):
        run(keep(MortalNode(anvil.url, dies_at=dies_at, after=after)), signer, path)
    assert not path.exists()

    node = keep(Node(anvil.url))
    made = run(node, signer, path)

    assert node.nonce(signer.address, "latest") == len(CONTRACTS)
    assert len({contract.address for contract in made.contracts.values()}) == len(CONTRACTS)
    verify_deployment(node, made)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_deploy__killed_before_the_file_was_written__writes_it_without_sending(
    node: Node, signer: LocalSigner, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_given: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("ledger.chain.deploy.write_deployment", die)
        with pytest.raises(Killed):
            run(node, signer, path)

    run(node, signer, path)

    assert node.nonce(signer.address, "latest") == len(CONTRACTS)
    assert path.exists()


def test_deploy__when_another_transaction_took_the_nonce__takes_the_next(
    anvil: Anvil, node: Node, signer: LocalSigner, path: Path, keep: Keep
) -> None:
    with pytest.raises(Killed):
        run(keep(MortalNode(anvil.url, dies_at=2, after=False)), signer, path)
    use_nonce(anvil, node, signer, 1)

    made = run(node, signer, path)

    assert node.nonce(signer.address, "latest") == len(CONTRACTS) + 1
    verify_deployment(node, made)


@pytest.mark.parametrize("predicted", ["Memberships", "Benefits"])
def test_deploy__when_a_foretold_nonce_was_taken__deploys_again_what_foretold_it(
    anvil: Anvil, node: Node, signer: LocalSigner, path: Path, predicted: str, keep: Keep
) -> None:
    # Dies when what foretold the contract is on the chain, and the contract itself not signed.
    position = CONTRACTS.index(predicted)
    with pytest.raises(Killed):
        run(keep(MortalNode(anvil.url, dies_at=position, after=True)), signer, path)
    use_nonce(anvil, node, signer, position)
    told: list[str] = []

    made = run(node, signer, path, report=lambda contract: told.append(contract.name))

    verify_deployment(node, made)
    assert told == [*CONTRACTS[:position], *CONTRACTS[position - 1 :]]
    # The taken nonce, and what foretold it once more.
    assert node.nonce(signer.address, "latest") == len(CONTRACTS) + 2
    abandoned = creation_address(signer.address, position - 1)
    assert node.code(abandoned, "latest")
    assert abandoned not in {contract.address for contract in made.contracts.values()}


@pytest.mark.parametrize("predicted", ["Memberships", "Benefits"])
def test_deploy__when_the_nonce_of_a_signed_step_was_taken__does_so_too(
    anvil: Anvil, node: Node, signer: LocalSigner, path: Path, predicted: str, keep: Keep
) -> None:
    position = CONTRACTS.index(predicted)
    with pytest.raises(Killed):
        run(keep(MortalNode(anvil.url, dies_at=position + 1, after=False)), signer, path)
    use_nonce(anvil, node, signer, position)

    verify_deployment(node, run(node, signer, path))

    assert node.nonce(signer.address, "latest") == len(CONTRACTS) + 2


def test_deploy__when_a_foretold_nonce_is_always_taken__gives_up_and_can_go_on_later(
    anvil: Anvil, signer: LocalSigner, path: Path, keep: Keep
) -> None:
    class Crowded(Node):
        """A node whose deployer's key somebody else uses after each deployment."""

        def send_raw_transaction(self, raw: bytes) -> bytes:
            sent = super().send_raw_transaction(raw)
            anvil.receipt("0x" + sent.hex())
            use_nonce(anvil, node, signer, node.nonce(signer.address, "latest"))
            return sent

    node = keep(Node(anvil.url))
    with pytest.raises(DeployerBusy):
        run(keep(Crowded(anvil.url)), signer, path)
    assert not path.exists()

    verify_deployment(node, run(node, signer, path))


def use_nonce(anvil: Anvil, node: Node, signer: LocalSigner, nonce: int) -> None:
    """Use up one of the deployer's nonces for something else."""
    call = Call(signer.address, signer.address, b"")
    other = sign(prepare_transaction(node, call, chain_id=31337, nonce=nonce), signer)
    broadcast(node, other.raw)
    anvil.receipt("0x" + other.hash.hex())


def test_deploy__when_fees_rose_since_the_crash__replaces_the_transaction(
    start_anvil: Callable[..., Anvil], path: Path, keep: Keep
) -> None:
    anvil = start_anvil()
    signer = funded(anvil, b"\7" * 32)
    with pytest.raises(Killed):
        run(keep(MortalNode(anvil.url, dies_at=3, after=False)), signer, path)
    anvil.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    anvil.mine()
    anvil.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    node = keep(Node(anvil.url))

    made = run(node, signer, path)

    assert node.nonce(signer.address, "latest") == len(CONTRACTS)
    verify_deployment(node, made)


def test_deploy__begun_with_other_values__is_refused(
    anvil: Anvil, node: Node, signer: LocalSigner, path: Path, keep: Keep
) -> None:
    with pytest.raises(Killed):
        run(keep(MortalNode(anvil.url, dies_at=2, after=True)), signer, path)

    with pytest.raises(DeploymentBegun, match="admin_delay"):
        run(node, signer, path, admin_delay=7200)
    with pytest.raises(DeploymentBegun, match="recovery_delay"):
        run(node, signer, path, recovery_delay=7200)
    with pytest.raises(DeploymentBegun, match="alliance_approvals"):
        run(node, signer, path, alliance_approvals=2)
    with pytest.raises(DeploymentBegun, match="deployer"):
        run(node, funded(anvil, b"\2" * 32), path)

    run(node, signer, path)


def test_deploy__without_funds__says_how_much_is_needed(node: Node, path: Path) -> None:
    with pytest.raises(FundsTooLow) as caught:
        run(node, LocalSigner(b"\3" * 32), path)

    assert caught.value.values["balance"] == 0
    assert caught.value.values["needed"] > 10**12


def test_deploy__with_values_that_the_contract_refuses__says_so_by_name(
    node: Node, signer: LocalSigner, path: Path
) -> None:
    with pytest.raises(ContractRefused) as caught:
        run(node, signer, path, admin=bytes(20))
    assert caught.value.values["name"] == "AccessControlInvalidDefaultAdmin"

    with pytest.raises(ContractRefused) as caught:
        run(node, signer, path, admin_delay=2**40)
    assert caught.value.values["name"] == "AuthorityDelayTooLong"

    assert node.nonce(signer.address, "pending") == 0
    assert not path.parent.exists()

    # These come up when other contracts are there already, and leave the deployment begun.
    with pytest.raises(ContractRefused) as caught:
        run(node, signer, path, recovery_delay=60)
    assert caught.value.values["name"] == "OrganisationsDelayUnusable"
    assert node.nonce(signer.address, "pending") == 2
    assert not path.exists()


def test_deployment__on_another_chain__is_refused(
    node: Node, signer: LocalSigner, path: Path, start_anvil: Callable[..., Anvil], keep: Keep
) -> None:
    made = run(node, signer, path)
    # The same id and another genesis; and another id.
    reset = keep(Node(start_anvil("--timestamp", "1600000000").url))
    other = keep(Node(start_anvil("--chain-id", "4242").url))

    with pytest.raises(ChainMismatch, match="genesis"):
        run(reset, signer, path)
    with pytest.raises(ChainMismatch, match="4242"):
        check_chain(other, made)


def test_verification__of_a_contract_with_other_code__fails(
    start_anvil: Callable[..., Anvil], path: Path, keep: Keep
) -> None:
    anvil = start_anvil()
    node = keep(Node(anvil.url))
    made = run(node, funded(anvil, b"\4" * 32), path)
    contract = made.contracts["Credits"]
    code = bytearray(node.code(contract.address, "latest"))
    code[100] ^= 1
    anvil.rpc.call("anvil_setCode", "0x" + contract.address.hex(), "0x" + code.hex())

    with pytest.raises(CodeMismatch, match="Credits"):
        verify_deployment(node, made)

    # A file that was made to fit the altered code does not help.
    forged = replace(contract, code_hash=keccak256(bytes(code)))
    with pytest.raises(CodeMismatch, match="Credits"):
        verify_deployment(node, replace(made, contracts={**made.contracts, "Credits": forged}))


def test_verification__on_a_chain_that_lost_the_contracts__says_where_it_stands(
    start_anvil: Callable[..., Anvil], path: Path, keep: Keep
) -> None:
    anvil = start_anvil()
    node = keep(Node(anvil.url))
    snapshot = anvil.rpc.call("evm_snapshot")
    made = run(node, funded(anvil, b"\6" * 32), path)
    anvil.rpc.call("evm_revert", snapshot)

    with pytest.raises(ContractMissing, match="Authority was deployed in block 1; the node is at"):
        verify_deployment(node, made)


def test_verification__of_contracts_of_two_ledgers__fails(
    anvil: Anvil, node: Node, signer: LocalSigner, path: Path, tmp_path: Path
) -> None:
    one = run(node, signer, path)
    two = run(node, funded(anvil, b"\5" * 32), tmp_path / "second" / "31337.json")
    mixed = {**one.contracts, "Authority": two.contracts["Authority"]}

    with pytest.raises((CodeMismatch, WiringMismatch)):
        verify_deployment(node, replace(one, contracts=mixed))


def test_runtime_code__of_every_contract__has_no_immutable_without_a_meaning() -> None:
    for name in CONTRACTS:
        for immutable in load_artifact(name).immutables:
            known = contract_of(immutable) in CONTRACTS or immutable == "recoveryDelay"
            assert known or immutable.startswith("_"), (name, immutable)
        assert runtime_code(name, PLACEMENT)
    assert tuple(WRAPPERS) == CONTRACTS


def test_immutables__that_a_contract_answers_for__are_all_but_those_of_its_messages() -> None:
    assert readable_immutables("Organisations", PLACEMENT) == {
        "authority": PLACEMENT.addresses["Authority"],
        "memberships": PLACEMENT.addresses["Memberships"],
        "recoveryDelay": 3600,
    }
    assert readable_immutables("Authority", PLACEMENT) == {}


def test_creation_code__of_every_contract__ends_with_its_arguments() -> None:
    plan = Plan(1, bytes(32), ADMIN, ADMIN, 7, 3600, 2, bytes(32))

    def arguments(name: str, *values: str | int | bytes) -> bytes:
        words = [
            PLACEMENT.addresses[value].rjust(32, b"\0")
            if isinstance(value, str)
            else value.rjust(32, b"\0")
            if isinstance(value, bytes)
            else value.to_bytes(32, "big")
            for value in values
        ]
        return load_artifact(name).bytecode + b"".join(words)

    wired: dict[str, tuple[str | int | bytes, ...]] = {
        "Authority": (ADMIN, 7),
        "Programmes": ("Authority",),
        "Organisations": ("Authority", "Memberships", 3600),
        "Memberships": ("Authority", "Programmes", "Organisations"),
        "Credits": ("Authority", "Programmes", "Organisations", "Memberships", "Benefits"),
        "Benefits": ("Authority", "Programmes", "Organisations", "Memberships", "Credits"),
        "Shares": ("Authority", "Programmes", "Organisations"),
        "Council": ("Authority", "Programmes", 2),
        "CreditTokens": ("Programmes", "Organisations", "Credits"),
    }
    assert tuple(wired) == CONTRACTS
    for name, values in wired.items():
        assert creation_code(name, plan, PLACEMENT.addresses) == arguments(name, *values), name


def test_prediction__of_what_comes_later__is_that_of_the_next_nonces() -> None:
    for name in CONTRACTS:
        found = predict_addresses(name, ADMIN, 40)
        later = {"Organisations": "Memberships", "Credits": "Benefits"}.get(name)
        assert found == ({later: creation_address(ADMIN, 41)} if later else {})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text[: len(text) // 2], "line"),
        (lambda text: "[]", "object"),
        (lambda text: text.replace('"format": 2', '"format": 1'), "another release"),
        (lambda text: text.replace('"Credits"', '"Debits"'), "this release needs"),
        (lambda text: text.replace('"genesis_hash": "0x', '"genesis_hash": "0xzz'), "is not hex"),
        (lambda text: text.replace('"deployer": "0x', '"deployer": "0x00'), "is not 20 bytes"),
        (lambda text: text.replace('"chain_id": 31337', '"chain_id": "31337"'), "chain_id"),
    ],
)
def test_deployment_file__that_is_damaged__is_refused(
    tmp_path: Path, change: Callable[[str], str], problem: str
) -> None:
    path = tmp_path / "31337.json"
    write_deployment(path, sample_deployment())
    path.write_text(change(path.read_text()))

    with pytest.raises(DeploymentUnreadable, match=problem) as caught:
        read_deployment(path)

    assert caught.value.values["path"] == path


def test_deployment_file__written_and_read__is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "new" / "31337.json"

    write_deployment(path, sample_deployment())

    assert read_deployment(path) == sample_deployment()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert json.loads(path.read_text())["first_block"] == 11


def test_deployment_path__for_each_setting__is_where_the_file_is_looked_for(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "deployments"
    settings = Settings(home=tmp_path, _env_file=None)  # type: ignore[call-arg]
    named = Settings(home=tmp_path, deployment=tmp_path / "x.json", _env_file=None)  # type: ignore[call-arg]

    assert deployment_path(settings, 7) == folder / "7.json"
    assert deployment_path(named, 7) == only_deployment_path(named) == tmp_path / "x.json"
    with pytest.raises(NotDeployed):
        only_deployment_path(settings)
    with pytest.raises(NotDeployed):
        read_deployment(folder / "7.json")
    write_deployment(folder / "7.json", sample_deployment())
    (folder / "7-00000000.begun.json").write_text("{}")
    assert only_deployment_path(settings) == folder / "7.json"
    write_deployment(folder / "8.json", sample_deployment())
    with pytest.raises(InvalidSetting, match=r"7\.json, 8\.json"):
        only_deployment_path(settings)


PLACEMENT = Placement(
    31337, 3600, {name: bytes([number]) * 20 for number, name in enumerate(CONTRACTS, start=1)}
)


def sample_deployment() -> Deployment:
    return Deployment(
        chain_id=31337,
        genesis_hash=b"\1" * 32,
        deployer=b"\2" * 20,
        admin=b"\3" * 20,
        admin_delay=0,
        recovery_delay=3600,
        alliance_approvals=2,
        contracts={
            name: DeployedContract(
                name=name,
                address=bytes([number]) * 20,
                block_number=BlockNumber(10 + number),
                transaction_hash=bytes([number]) * 32,
                code_hash=bytes([number]) * 32,
            )
            for number, name in enumerate(CONTRACTS, start=1)
        },
    )
