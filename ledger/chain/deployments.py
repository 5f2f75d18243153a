"""Where a ledger's contracts are: one file for each chain, `deployments/<chain id>.json`.

The file is a ledger's birth certificate: addresses, blocks, code hashes, and the chain's genesis,
by which another chain with the same id is told apart. It is written once, whole, and read by
everything else. It refuses a file that is cut, edited by hand into nonsense, or of a release with
other contracts.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ledger.chain.addresses import show_address
from ledger.chain.artifacts import CONTRACTS
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    DeploymentUnreadable,
    InvalidFile,
    InvalidSetting,
    NotDeployed,
)

T = TypeVar("T")

FORMAT = 2

_REMEDY = (
    "Put it back from a backup: nothing else says where the contracts are, and `moonlake deploy` "
    "would make others with an empty ledger. On the devnet, `moonlake up --fresh` moves everything "
    "aside and begins anew; nothing is deleted."
)

_OTHER_RELEASE = (
    "Use the release that wrote it: contracts are not changed once they are deployed. On the "
    "devnet, `moonlake up --fresh` moves everything aside and begins anew; nothing is deleted."
)


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """A contract on the chain. `code_hash` is the Keccak-256 of the runtime code as deployed."""

    name: str
    address: bytes
    block_number: BlockNumber
    transaction_hash: bytes
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class Deployment:
    """A ledger's contracts on one chain, by name, in the order in which they were deployed."""

    chain_id: int
    genesis_hash: bytes
    deployer: bytes
    admin: bytes
    admin_delay: int
    recovery_delay: int
    alliance_approvals: int
    contracts: Mapping[str, DeployedContract]

    @property
    def first_block(self) -> BlockNumber:
        """The first block that can hold an event of the ledger."""
        return min(contract.block_number for contract in self.contracts.values())


def deployment_path(settings: Settings, chain_id: int) -> Path:
    """The deployment file of a chain: MOONLAKE_DEPLOYMENT, or the chain's in the data folder."""
    return settings.deployment or deployment_folder(settings) / f"{chain_id}.json"


def only_deployment_path(settings: Settings) -> Path:
    """The deployment file where no node tells the chain's id.

    Raises NotDeployed where there is none, InvalidSetting where the data folder has several.
    """
    if settings.deployment is not None:
        return settings.deployment
    folder = deployment_folder(settings)
    found = sorted(path for path in folder.glob("*.json") if path.stem.isdecimal())
    if not found:
        raise NotDeployed(path=folder)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise InvalidSetting(
            setting="MOONLAKE_DEPLOYMENT", problem=f"{folder} has several files: {names}"
        )
    return found[0]


def deployment_folder(settings: Settings) -> Path:
    """The folder of the deployment files."""
    return settings.home / "deployments"


def read_deployment(path: Path) -> Deployment:
    """Read a deployment file. Raises NotDeployed, DeploymentUnreadable."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotDeployed(path=path) from error
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise DeploymentUnreadable(path=path, line=1, problem=problem, remedy=_REMEDY) from error
    try:
        return _read(path, content)
    except InvalidFile as error:
        raise DeploymentUnreadable(**error.values, remedy=_REMEDY) from error


def _read(path: Path, content: bytes) -> Deployment:
    found = decode_file(path, content, _FormatFile).format
    if found != FORMAT:
        raise DeploymentUnreadable(
            path=path,
            line=1,
            problem=f"its format is {found}, not {FORMAT}: it is of another release",
            remedy=_OTHER_RELEASE,
        )
    file = decode_file(path, content, _DeploymentFile)
    names = tuple(contract.name for contract in file.contracts)
    if names != CONTRACTS:
        raise DeploymentUnreadable(
            path=path,
            line=1,
            problem=f"it has the contracts {', '.join(names)}; "
            f"this release needs {', '.join(CONTRACTS)}",
            remedy=_OTHER_RELEASE,
        )
    return Deployment(
        chain_id=file.chain_id,
        genesis_hash=read_hex(path, file.genesis_hash, 32),
        deployer=read_hex(path, file.deployer, 20),
        admin=read_hex(path, file.admin, 20),
        admin_delay=file.admin_delay,
        recovery_delay=file.recovery_delay,
        alliance_approvals=file.alliance_approvals,
        contracts={
            contract.name: DeployedContract(
                name=contract.name,
                address=read_hex(path, contract.address, 20),
                block_number=BlockNumber(contract.block_number),
                transaction_hash=read_hex(path, contract.transaction_hash, 32),
                code_hash=read_hex(path, contract.code_hash, 32),
            )
            for contract in file.contracts
        },
    )


def write_deployment(path: Path, deployment: Deployment) -> None:
    """Write the file whole, in place of what was there."""
    write_json(path, show_deployment(deployment))


def show_deployment(deployment: Deployment) -> dict[str, Any]:
    """The file's content, for JSON."""
    return {
        "format": FORMAT,
        "chain_id": deployment.chain_id,
        "genesis_hash": "0x" + deployment.genesis_hash.hex(),
        "first_block": deployment.first_block,
        "deployer": show_address(deployment.deployer),
        "admin": show_address(deployment.admin),
        "admin_delay": deployment.admin_delay,
        "recovery_delay": deployment.recovery_delay,
        "alliance_approvals": deployment.alliance_approvals,
        "contracts": [
            {
                "name": contract.name,
                "address": show_address(contract.address),
                "block_number": contract.block_number,
                "transaction_hash": "0x" + contract.transaction_hash.hex(),
                "code_hash": "0x" + contract.code_hash.hex(),
            }
            for contract in deployment.contracts.values()
        ],
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON so that the file is the old one or the new one, also after a loss of power.

    Raises FolderUnusable, DiskFull.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise folder_unusable(path.parent, error) from error


def _replace(path: Path, content: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)  # it is public: auditors and other users read it
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def decode_file(path: Path, content: bytes, shape: type[T]) -> T:
    """JSON of a known shape. Raises InvalidFile with the line where it is no JSON."""
    try:
        values = json.loads(content)
    except UnicodeDecodeError as error:
        raise InvalidFile(path=path, line=1, problem="it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidFile(path=path, line=error.lineno, problem=error.msg) from error
    try:
        return msgspec.convert(values, shape)
    except msgspec.ValidationError as error:
        raise InvalidFile(path=path, line=1, problem=str(error)) from error


def read_hex(path: Path, text: str, length: int) -> bytes:
    """Bytes of a known length from 0x hex. Raises InvalidFile."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise InvalidFile(path=path, line=1, problem=f"{text!r} is not hex") from error
    if len(raw) != length:
        raise InvalidFile(path=path, line=1, problem=f"{text!r} is not {length} bytes")
    return raw


class _FormatFile(msgspec.Struct):
    format: int


class _ContractFile(msgspec.Struct):
    name: str
    address: str
    block_number: int
    transaction_hash: str
    code_hash: str


class _DeploymentFile(msgspec.Struct):
    format: int
    chain_id: int
    genesis_hash: str
    deployer: str
    admin: str
    admin_delay: int
    recovery_delay: int
    alliance_approvals: int
    contracts: tuple[_ContractFile, ...]
