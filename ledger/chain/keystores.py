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
import stat
import sys
import tempfile
import time
from collections.abc import Callable
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

SET_ASIDE = "set-aside"
"""The folder, beside the keystores, of keys that were taken out of use."""

_OPEN_TO_OTHERS = stat.S_IRWXO | stat.S_IWGRP

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


def read_password(settings: Settings, ask: Callable[[str], str] | None = None) -> str:
    """What opens the keystores of the data folder.

    The first line of the password file, MOONLAKE_KEY_PASSWORD, the devnet's own password, or what
    `ask` is told by a person, whichever there is first. Raises PasswordUnusable where there is
    none, and for a file that cannot be read, is empty, or that others could read or change.
    """
    if settings.key_password_file is not None:
        return read_password_file(settings.key_password_file)
    if password := settings.key_password.get_secret_value():
        return password
    if settings.uses_devnet:
        return read_password_file(_devnet_password_file(key_folder(settings)))
    if ask is None:
        raise PasswordUnusable(problem="no password file is named, and this is not the devnet")
    password = ask("Password of the keys")
    if not password:
        raise PasswordUnusable(problem="it is empty")
    return password


def read_password_file(path: Path) -> str:
    """The first line of a file that its owner alone can change and no stranger can read.

    A group may read it, as a service's own group does. Raises PasswordUnusable.
    """
    try:
        mode = path.stat().st_mode
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PasswordUnusable(problem=f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        # Without the cause, which holds the bytes.
        raise PasswordUnusable(problem=f"{path} is not UTF-8") from None
    if mode & _OPEN_TO_OTHERS:
        raise PasswordUnusable(
            problem=f"others may read or change {path}; run `chmod 600 {path}`, and if others "
            "have read it, change the password"
        )
    password = content.partition("\n")[0].rstrip("\r")
    if not password:
        raise PasswordUnusable(problem=f"the first line of {path} is empty")
    return password


def scrypt_cost(settings: Settings) -> int:
    """How hard a new keystore is to open, as scrypt's n: low only under the devnet's password."""
    return DEVNET_COST if uses_devnets_password(settings) else STRONG_COST


def has_password(settings: Settings) -> bool:
    """Whether the settings have the keystores' password, so that no person need be asked."""
    named = settings.key_password_file is not None or settings.key_password.get_secret_value()
    return bool(named) or settings.uses_devnet


def uses_devnets_password(settings: Settings) -> bool:
    """Whether new keystores get the devnet's own password, which lies beside them."""
    named = settings.key_password_file is not None or settings.key_password.get_secret_value()
    return settings.uses_devnet and not named


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
    return import_key(folder, name, secrets.token_bytes(32), password, cost=cost)


def import_key(
    folder: Path, name: str, private_key: bytes, password: str, *, cost: int = STRONG_COST
) -> KeyInfo:
    """Keep a private key (32 bytes) that was made elsewhere, under a password of ours.

    Raises KeyExists rather than write over a key, InvalidValue for bytes that are no key.
    """
    depth = sys.getrecursionlimit()
    import eth_account  # noqa: PLC0415  two seconds, and only a new key needs it

    # A library of its own lets Python recurse until the stack is full, so that an answer nested
    # deep enough, of a node for one, would end the process.
    sys.setrecursionlimit(depth)
    path = _path(folder, name)
    if path.exists():
        raise KeyExists(key=name, place=str(folder))
    try:
        _require_length(private_key)
        LocalSigner(private_key)
    except ValueError:
        # Neither the value nor the cause, which could show it.
        expected = "32 bytes below the order of secp256k1"
        raise InvalidValue(field="private key", value="what was given", expected=expected) from None
    content = eth_account.Account.encrypt(private_key, password, kdf="scrypt", iterations=cost)
    try:
        write_private_file(path, msgspec.json.format(msgspec.json.encode(content), indent=1))
    except FileExistsError as error:
        raise KeyExists(key=name, place=str(folder)) from error
    return find_key(folder, name)


def _require_length(private_key: bytes) -> None:
    # coincurve would fill up a short one with zeros.
    if len(private_key) != 32:
        raise ValueError("a private key has 32 bytes")


def ensure_key(folder: Path, name: str, password: str, *, cost: int = STRONG_COST) -> KeyInfo:
    """The key of that name, made now where there is none."""
    try:
        return find_key(folder, name)
    except KeyMissing:
        return create_key(folder, name, password, cost=cost)


def decrypt_keystore(path: Path, password: str) -> bytes:
    """The private key in a keystore anywhere, to be imported. Raises as `open_signer` does."""
    return _decrypt(_read(path, path.stem), path, path.stem, password)


def set_key_aside(folder: Path, name: str) -> Path:
    """Take a key out of use: its keystore moves into `set-aside`, where no command looks.

    Nothing is deleted. Raises KeyMissing, FolderUnusable.
    """
    path = find_key(folder, name).path
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = folder / SET_ASIDE / f"{name}-{stamp}.json"
    try:
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        os.link(path, aside)  # which fails where something is there already
        path.unlink()
    except OSError as error:
        raise folder_unusable(aside.parent, error) from error
    return aside


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
            write_private_file(path, secrets.token_urlsafe(32).encode() + b"\n")
    return path


def write_private_file(path: Path, content: bytes) -> None:
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
