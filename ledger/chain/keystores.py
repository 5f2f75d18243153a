"""Keys at rest: one encrypted keystore (Web3 Secret Storage, version 3) for each named key.

`keys/<name>.json` in the data folder. A private key leaves its file only inside a LocalSigner; no
function here returns or prints one. eth-account writes the files; reading them takes the standard
library's scrypt and one AES call, because importing eth-account takes two seconds and every command
that signs would wait for it. The tests open ours with eth-account and eth-account's with ours.

On the devnet, where keys guard nothing, a random password lies beside them and scrypt's cost is
lowered from 262,144 (a second and 256 MB) to 4,096 (15 ms), so that a start stays fast.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
from Crypto.Cipher import AES

from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import (
    InvalidFile,
    InvalidValue,
    KeyExists,
    KeyLocked,
    KeyMissing,
    PasswordUnusable,
)

STRONG_COST = 262_144
DEVNET_COST = 4_096
DEVNET_PASSWORD = ".devnet-password"  # noqa: S105  a file's name

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_MOST_MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    name: str
    address: bytes
    path: Path


def key_folder(settings: Settings) -> Path:
    """Where the keystores of a data folder are."""
    return settings.home / "keys"


def read_password(settings: Settings) -> str:
    """What opens the keystores: the password file's first line, or the devnet's own password.

    Raises PasswordUnusable where there is no password file and the chain is not the devnet, or
    where the file cannot be read or is empty.
    """
    named = settings.key_password_file
    if named is None and not settings.uses_devnet:
        raise PasswordUnusable(problem="no password file is named, and this is not the devnet")
    path = named or _devnet_password_file(key_folder(settings))
    try:
        password = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise PasswordUnusable(problem=f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PasswordUnusable(problem=f"{path} is not UTF-8") from error
    if not password:
        raise PasswordUnusable(problem=f"the first line of {path} is empty")
    return password


def scrypt_cost(settings: Settings) -> int:
    """How hard a new keystore is to open, as scrypt's n: low only under the devnet's password."""
    on_devnet = settings.uses_devnet and settings.key_password_file is None
    return DEVNET_COST if on_devnet else STRONG_COST


def list_keys(folder: Path) -> tuple[KeyInfo, ...]:
    """Every key of a folder, by name; a file whose name can be no key's is none.

    Raises InvalidFile, KeyLocked.
    """
    return tuple(
        find_key(folder, path.stem)
        for path in sorted(folder.glob("*.json"))
        if _NAME.fullmatch(path.stem)
    )


def find_key(folder: Path, name: str) -> KeyInfo:
    """A key's address without opening it. Raises KeyMissing, InvalidFile."""
    path = _path(folder, name)
    return KeyInfo(name, _address(_read(path, name), path), path)


def create_key(folder: Path, name: str, password: str, *, cost: int = STRONG_COST) -> KeyInfo:
    """Make a new random key and write its keystore, readable by its owner alone.

    Raises KeyExists rather than write over a key.
    """
    import eth_account  # noqa: PLC0415  two seconds, and only a new key needs it

    path = _path(folder, name)
    if path.exists():
        raise KeyExists(key=name, place=str(folder))
    account = eth_account.Account.create()
    content = eth_account.Account.encrypt(account.key, password, kdf="scrypt", iterations=cost)
    try:
        _write_new(path, msgspec.json.format(msgspec.json.encode(content), indent=1))
    except FileExistsError as error:
        raise KeyExists(key=name, place=str(folder)) from error
    return find_key(folder, name)


def ensure_key(folder: Path, name: str, password: str, *, cost: int = STRONG_COST) -> KeyInfo:
    """The key of that name, made now where there is none."""
    try:
        return find_key(folder, name)
    except KeyMissing:
        return create_key(folder, name, password, cost=cost)


def open_signer(folder: Path, name: str, password: str) -> LocalSigner:
    """A signer with a key of the folder. Raises KeyMissing, KeyLocked, InvalidFile."""
    path = _path(folder, name)
    store = _read(path, name)
    private_key = _decrypt(store, path, name, password)
    signer = LocalSigner(private_key)
    if signer.address != _address(store, path):
        raise InvalidFile(path=path, line=1, problem="the address is not that of the key")
    return signer


class _KdfParams(msgspec.Struct):
    salt: str
    dklen: int = 32
    n: int = 0
    r: int = 0
    p: int = 0
    c: int = 0
    prf: str = ""


class _CipherParams(msgspec.Struct):
    iv: str


class _Crypto(msgspec.Struct):
    cipher: str
    cipherparams: _CipherParams
    ciphertext: str
    kdf: str
    kdfparams: _KdfParams
    mac: str


class _Keystore(msgspec.Struct):
    version: int
    crypto: _Crypto
    address: str = ""


def _path(folder: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            field="key", value=name, expected="1 to 32 lower-case letters, digits and dashes"
        )
    return folder / f"{name}.json"


def _read(path: Path, name: str) -> _Keystore:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise KeyMissing(key=name, place=str(path.parent)) from error
    except OSError as error:
        raise KeyLocked(key=name, problem=f"{path}: {error.strerror}") from error
    try:
        store = msgspec.json.decode(content, type=_Keystore)
    except msgspec.DecodeError as error:
        raise InvalidFile(path=path, line=1, problem=f"it is no keystore: {error}") from error
    if store.version != 3 or store.crypto.cipher != "aes-128-ctr":
        raise InvalidFile(path=path, line=1, problem="it is no keystore of version 3")
    return store


def _address(store: _Keystore, path: Path) -> bytes:
    raw = _bytes(store.address.removeprefix("0x"), path)
    if len(raw) != 20:
        raise InvalidFile(path=path, line=1, problem="it names no address")
    return raw


def _decrypt(store: _Keystore, path: Path, name: str, password: str) -> bytes:
    """Web3 Secret Storage, version 3: derive, compare the MAC, decrypt."""
    crypto = store.crypto
    derived = _derive(crypto, path, password.encode("utf-8"))
    ciphertext = _bytes(crypto.ciphertext, path)
    mac = keccak256(derived[16:32] + ciphertext)
    if not hmac.compare_digest(mac, _bytes(crypto.mac, path)):
        raise KeyLocked(key=name, problem="the password is not the one it was made with")
    iv = _bytes(crypto.cipherparams.iv, path)
    cipher = AES.new(derived[:16], AES.MODE_CTR, initial_value=int.from_bytes(iv, "big"), nonce=b"")
    return cipher.decrypt(ciphertext)


def _derive(crypto: _Crypto, path: Path, password: bytes) -> bytes:
    params = crypto.kdfparams
    salt = _bytes(params.salt, path)
    try:
        if crypto.kdf == "scrypt":
            return hashlib.scrypt(
                password, salt=salt, n=params.n, r=params.r, p=params.p, maxmem=_MOST_MEMORY,
                dklen=params.dklen,
            )  # fmt: skip
        if crypto.kdf == "pbkdf2" and params.prf == "hmac-sha256":
            return hashlib.pbkdf2_hmac("sha256", password, salt, params.c, params.dklen)
    except ValueError as error:
        raise InvalidFile(path=path, line=1, problem=f"its key derivation: {error}") from error
    raise InvalidFile(path=path, line=1, problem=f"its key derivation {crypto.kdf} is unknown")


def _devnet_password_file(folder: Path) -> Path:
    path = folder / DEVNET_PASSWORD
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process's password is as good
            _write_new(path, secrets.token_urlsafe(32).encode() + b"\n")
    return path


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet: whole or not at all, for its owner alone.

    Raises FileExistsError, FolderUnusable, DiskFull.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise folder_unusable(path.parent, error) from error
    finally:
        Path(temporary).unlink()


def _bytes(text: str, path: Path) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InvalidFile(path=path, line=1, problem="it holds what is not hex") from error
