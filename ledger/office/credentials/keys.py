"""The issuer's keys: what membership credentials are signed with, each in a file of its own.

`keys/credentials/<kid>.json` in the data folder, readable by its owner alone. The newest signs. An
older one stays published, so that what it signed can still be checked; one that was stolen is set
aside, and then nothing that it signed holds any more. They are no keys of the chain: P-256, because
every library that reads a JSON Web Token knows ES256, and none of them secp256k1.

The secret is sealed by AES-256-GCM under scrypt of the password that opens the keystores; the
public half lies open beside it, since a server publishes it before anybody has typed a password. A
private key leaves this module only inside a SigningKey, which shows none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from Crypto.Cipher import AES
from Crypto.PublicKey import ECC

from ledger.chain.keystores import SET_ASIDE, STRONG_COST, write_private_file
from ledger.disks import folder_unusable
from ledger.errors import InvalidFile, IssuerKeyMissing, KeyExists, KeyLocked, KeyMissing
from ledger.office.credentials.jose import encode_base64url, sign_compact

FOLDER = "credentials"
"""Beside the keystores, which are found by their own folder alone."""

_KID = re.compile(r"[0-9a-f]{16}")
_CURVE = "P-256"
_BYTES = 32
_MOST_MEMORY = 1 << 30
_MOST_COST = 1 << 20


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """The public half of a key; `created_at` is in milliseconds since 1970 UTC."""

    kid: str
    created_at: int
    x: str
    y: str
    path: Path

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JSON Web Key (RFC 7517), without a name."""
        return {"kty": "EC", "crv": _CURVE, "x": self.x, "y": self.y}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that was opened."""

    public: IssuerKey
    _secret: ECC.EccKey = field(repr=False)

    def sign(self, header: Mapping[str, str], payload: Mapping[str, object]) -> str:
        """The compact JSON Web Signature of a payload (RFC 7515, ES256)."""
        return sign_compact(self._secret, header, payload)


class _Sealed(msgspec.Struct):
    n: int
    salt: str
    nonce: str
    secret: str


class _File(msgspec.Struct):
    version: int
    kid: str
    created_at: int
    x: str
    y: str
    sealed: _Sealed


def issuer_key_folder(keys: Path) -> Path:
    """Where the issuer's keys are, of the folder that the keystores are in."""
    return keys / FOLDER


def list_issuer_keys(folder: Path) -> tuple[IssuerKey, ...]:
    """Every key that is published, the newest first. Raises InvalidFile, KeyLocked."""
    found = []
    for path in folder.glob("*.json"):
        if _KID.fullmatch(path.stem):
            with contextlib.suppress(IssuerKeyMissing):  # it was set aside just now
                found.append(_public(_read(path), path))
    return tuple(sorted(found, key=lambda key: (key.created_at, key.kid), reverse=True))


def newest_issuer_key(folder: Path) -> IssuerKey:
    """The key that signs. Raises IssuerKeyMissing, InvalidFile, KeyLocked."""
    keys = list_issuer_keys(folder)
    if not keys:
        raise IssuerKeyMissing()
    return keys[0]


def create_issuer_key(
    folder: Path, password: str, *, cost: int = STRONG_COST, now: float | None = None
) -> IssuerKey:
    """Make a key, which signs from now on. `now` is in seconds since 1970 UTC.

    Raises FolderUnusable, DiskFull.
    """
    made = ECC.generate(curve=_CURVE)
    x, y = (encode_base64url(int(each).to_bytes(_BYTES, "big")) for each in made.pointQ.xy)
    kid = _kid_of(x, y)
    salt, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    cipher = AES.new(_stretch(password, salt, cost), AES.MODE_GCM, nonce=nonce)
    cipher.update(kid.encode())
    sealed, tag = cipher.encrypt_and_digest(int(made.d).to_bytes(_BYTES, "big"))
    # Later than every other one, whatever the clock says: the newest is the one that signs.
    before = [each.created_at for each in list_issuer_keys(folder)]
    created = max([int((time.time() if now is None else now) * 1000), *(at + 1 for at in before)])
    content = _File(
        version=1,
        kid=kid,
        created_at=created,
        x=x,
        y=y,
        sealed=_Sealed(n=cost, salt=salt.hex(), nonce=nonce.hex(), secret=(sealed + tag).hex()),
    )
    path = folder / f"{kid}.json"
    try:
        write_private_file(path, msgspec.json.format(msgspec.json.encode(content), indent=1))
    except FileExistsError as error:
        raise KeyExists(key=kid, place=str(folder)) from error
    return _public(content, path)


def open_issuer_key(key: IssuerKey, password: str) -> SigningKey:
    """The key, to sign with.

    Raises KeyLocked for another password, InvalidFile, IssuerKeyMissing.
    """
    content = _read(key.path)
    sealed = content.sealed
    try:
        salt, nonce, secret = (
            bytes.fromhex(each) for each in (sealed.salt, sealed.nonce, sealed.secret)
        )
        cipher = AES.new(_stretch(password, salt, sealed.n), AES.MODE_GCM, nonce=nonce)
    except ValueError as error:
        problem = f"it is no issuer's key: {error}"
        raise InvalidFile(path=key.path, line=1, problem=problem) from error
    cipher.update(content.kid.encode())
    try:
        opened = cipher.decrypt_and_verify(secret[:-16], secret[-16:])
    except ValueError:
        raise KeyLocked(key=key.kid, problem="its password is another") from None
    made = ECC.construct(curve=_CURVE, d=int.from_bytes(opened, "big"))
    x, y = (encode_base64url(int(each).to_bytes(_BYTES, "big")) for each in made.pointQ.xy)
    if (x, y) != (key.x, key.y):
        raise InvalidFile(path=key.path, line=1, problem="its public key is not that of its secret")
    return SigningKey(key, made)


def set_issuer_key_aside(folder: Path, kid: str) -> Path:
    """Take a key out of what is published: nothing that it signed can be checked any more.

    Its file moves into `set-aside`; nothing is deleted. Raises KeyMissing, FolderUnusable.
    """
    path = folder / f"{kid}.json"
    if not _KID.fullmatch(kid) or not path.exists():
        raise KeyMissing(key=kid, place=str(folder))
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = folder / SET_ASIDE / f"{kid}-{stamp}.json"
    try:
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        os.link(path, aside)  # which fails where something is there already
        path.unlink()
    except OSError as error:
        raise folder_unusable(aside.parent, error) from error
    return aside


def _kid_of(x: str, y: str) -> str:
    """The first 64 bits of the key's thumbprint (RFC 7638): members sorted, no blanks."""
    members = {"crv": _CURVE, "kty": "EC", "x": x, "y": y}
    return hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).hexdigest()[:16]


def _stretch(password: str, salt: bytes, cost: int) -> bytes:
    """Raises ValueError for a cost that is none, or takes too much."""
    if cost > _MOST_COST:
        raise ValueError("its cost is out of bounds")
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=8, p=1, maxmem=_MOST_MEMORY, dklen=32
    )


def _read(path: Path) -> _File:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError as error:
        raise IssuerKeyMissing() from error
    except OSError as error:
        raise KeyLocked(key=path.stem, problem=f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InvalidFile(path=path, line=1, problem=f"it is no issuer's key: {error}") from error
    if (
        content.version != 1
        or content.kid != path.stem
        or content.kid != _kid_of(content.x, content.y)
    ):
        raise InvalidFile(path=path, line=1, problem="its name is not that of its public key")
    return content


def _public(content: _File, path: Path) -> IssuerKey:
    return IssuerKey(content.kid, content.created_at, content.x, content.y, path)
