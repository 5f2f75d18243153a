"""Which signer stands behind a key's name: a keystore, a remote signer, or a secret of the devnet.

Commands name keys by what they are for (`deployer`, `admin`, `issuer`, `relayer`), and the setting
`signers` says what is behind a name where it is not the keystore of that name. Every signer comes
from here, with its key's policy around it. It refuses to fall back: a name that is set to a remote
signer never opens a keystore that has the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ledger.chain.addresses import parse_address
from ledger.chain.deployments import deployment_path, read_deployment
from ledger.chain.devnet_anvil import CHAIN_ID as DEVNET_CHAIN_ID
from ledger.chain.keystores import (
    ensure_key,
    find_key,
    key_folder,
    list_keys,
    open_signer,
    read_password,
    scrypt_cost,
)
from ledger.chain.policies import ContractNames, GuardedSigner, Policy, read_policy
from ledger.chain.remote_signers import RemoteSigner
from ledger.chain.signers import KeySigner, LocalSigner, TransactionFields
from ledger.config import RemoteAccount, Settings
from ledger.errors import DevnetKeyRefused, InvalidSetting, NotDeployed

if TYPE_CHECKING:
    from pydantic import SecretStr

    from ledger.chain.typed_data import TypedMessage

Ask = Callable[[str], str]
"""Asks a person for a password; the argument is what to ask."""


class Kind(StrEnum):
    """What holds a key."""

    KEYSTORE = "keystore"
    REMOTE = "remote signer"
    DEVNET = "devnet secret"


@dataclass(frozen=True, slots=True)
class NamedKey:
    """What may be shown of a key: where it is held, and what it may sign (None: anything)."""

    name: str
    address: bytes
    kind: Kind
    place: str
    policy: Policy | None


class DevnetSigner:
    """Signs with a secret from the environment, for the devnet alone."""

    __slots__ = ("_inner", "_key", "address")

    def __init__(self, key: str, secret: SecretStr) -> None:
        try:
            self._inner = LocalSigner(bytes.fromhex(secret.get_secret_value()[2:]))
        except ValueError:
            # Without the cause, which could show the key.
            raise InvalidSetting(
                setting="MOONLAKE_DEVNET_KEYS", problem=f"what {key} stands for is no secret key"
            ) from None
        self._key = key
        self.address = self._inner.address

    def __repr__(self) -> str:
        return f"DevnetSigner({self._key}, 0x{self.address.hex()})"

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """Sign for the devnet. Raises DevnetKeyRefused for any other chain."""
        self._check(fields.chain_id)
        return self._inner.sign_transaction(fields)

    def sign_typed_data(self, message: TypedMessage) -> bytes:
        """Sign for the devnet. Raises DevnetKeyRefused for any other chain."""
        self._check(message.domain.chain_id)
        return self._inner.sign_typed_data(message)

    def _check(self, chain_id: int) -> None:
        if chain_id != DEVNET_CHAIN_ID:
            raise DevnetKeyRefused(key=self._key, chain_id=chain_id, devnet=DEVNET_CHAIN_ID)


def find_named_key(settings: Settings, name: str) -> NamedKey:
    """A key by its name, without opening it or asking anybody.

    Raises KeyMissing, KeyLocked, InvalidFile, InvalidValue, InvalidSetting.
    """
    folder = key_folder(settings)
    policy = read_policy(folder, name)
    behind = _behind(settings, name)
    if isinstance(behind, RemoteAccount):
        remote = _remote(behind)
        return NamedKey(name, remote.address, Kind.REMOTE, remote.url, policy)
    if isinstance(behind, DevnetSigner):
        place = "MOONLAKE_DEVNET_KEYS"
        return NamedKey(name, behind.address, Kind.DEVNET, place, policy)
    found = find_key(folder, behind)
    return NamedKey(name, found.address, Kind.KEYSTORE, str(found.path), policy)


def list_named_keys(settings: Settings) -> tuple[NamedKey, ...]:
    """Every key of the data folder and of the settings, by name."""
    names = {key.name for key in list_keys(key_folder(settings))}
    names |= set(settings.signers_by_name) | set(settings.devnet_keys_by_name)
    return tuple(find_named_key(settings, name) for name in sorted(names))


def open_named_signer(settings: Settings, name: str, ask: Ask | None = None) -> KeySigner:
    """The signer with a key, by its name, as far as its policy lets it.

    A remote signer is asked when it signs. `ask` asks a person for the password of a keystore where
    no setting has it. Raises KeyMissing, KeyLocked, PasswordUnusable, InvalidFile, InvalidSetting.
    """
    folder = key_folder(settings)
    policy = read_policy(folder, name)
    signer = _open(settings, name, ask)
    if policy is None:
        return signer
    return GuardedSigner(name, signer, policy, contract_names(settings))


def ensure_named_key(settings: Settings, name: str) -> NamedKey:
    """A key by its name; its keystore is made now where there is none and nothing else is meant.

    Raises what `find_named_key` does, and PasswordUnusable.
    """
    if name not in settings.signers_by_name and name not in settings.devnet_keys_by_name:
        password = read_password(settings)
        ensure_key(key_folder(settings), name, password, cost=scrypt_cost(settings))
    return find_named_key(settings, name)


def open_remote(settings: Settings, name: str) -> RemoteSigner | None:
    """The remote signer behind a name, to be asked how it is; None where it is none."""
    behind = _behind(settings, name)
    return _remote(behind) if isinstance(behind, RemoteAccount) else None


def contract_names(settings: Settings) -> ContractNames:
    """The names of this ledger's contracts by address; none where nothing is deployed yet.

    The file is written once and never changed, so it is read until it is there.
    """
    known: dict[int, Mapping[bytes, str]] = {}

    def names(chain_id: int) -> Mapping[bytes, str]:
        if chain_id not in known:
            try:
                deployment = read_deployment(deployment_path(settings, chain_id))
            except NotDeployed:
                return {}
            if deployment.chain_id != chain_id:
                return {}
            found = {each.address: name for name, each in deployment.contracts.items()}
            known[chain_id] = found
        return known[chain_id]

    return names


def _open(settings: Settings, name: str, ask: Ask | None) -> KeySigner:
    behind = _behind(settings, name)
    if isinstance(behind, RemoteAccount):
        return _remote(behind)
    if isinstance(behind, DevnetSigner):
        return behind
    folder = key_folder(settings)
    find_key(folder, behind)  # a missing key is said before a missing password
    return open_signer(folder, behind, read_password(settings, ask))


def _behind(settings: Settings, name: str) -> RemoteAccount | DevnetSigner | str:
    """A remote account, a secret of the devnet, or the name of a keystore."""
    secret = settings.devnet_keys_by_name.get(name)
    named = settings.signers_by_name.get(name)
    if secret is not None and named is not None:
        raise InvalidSetting(
            setting="MOONLAKE_SIGNERS", problem=f"MOONLAKE_DEVNET_KEYS has the key {name}, too"
        )
    if secret is not None:
        return DevnetSigner(name, secret)
    return name if named is None else named


def _remote(account: RemoteAccount) -> RemoteSigner:
    return RemoteSigner(account.url, parse_address(account.address, "MOONLAKE_SIGNERS"))
