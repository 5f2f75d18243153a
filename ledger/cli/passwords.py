"""Asks a person for a password or a secret: from the terminal, without showing it.

Never from an argument, which everybody on the machine could read; and never from a pipe that is
not meant for it: where nobody sits at a terminal, it is refused with what to set instead.
"""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from ledger.chain.keystores import decrypt_keystore, read_password_file
from ledger.errors import InvalidValue, KeyMissing, PasswordUnusable


def ask_password(what: str) -> str:
    """What a person types, unseen. Raises PasswordUnusable where there is no terminal."""
    if not sys.stdin.isatty():
        raise PasswordUnusable(
            problem="no password file is named, this is not the devnet, and there is no terminal "
            "to ask at"
        )
    return getpass(f"{what}: ")


def ask_new_password(what: str) -> str:
    """The same, typed twice. Raises InvalidValue where the two differ."""
    first = ask_password(what)
    if ask_password(f"{what} again") != first:
        raise InvalidValue(field="password", value="what was typed", expected="the same both times")
    return first


def read_private_key(
    keystore: Path | None, keystore_password_file: Path | None, secret_file: Path | None
) -> bytes:
    """A private key from a keystore, a file, or the terminal. 32 bytes.

    Raises InvalidValue, KeyMissing, KeyLocked, InvalidFile and PasswordUnusable.
    """
    if keystore is not None and secret_file is not None:
        expected = "to be given beside --secret-file"
        raise InvalidValue(field="keystore", value=str(keystore), expected=expected)
    if keystore is not None:
        if not keystore.exists():
            raise KeyMissing(key=keystore.name, place=str(keystore.absolute().parent))
        if keystore_password_file is None:
            password = ask_password(f"Password of {keystore.name}")
        else:
            password = read_password_file(keystore_password_file)
        return decrypt_keystore(keystore, password)
    if secret_file is None:
        return _from_hex(ask_password("Private key (64 hex digits)"))
    return _from_hex(read_password_file(secret_file))


def _from_hex(text: str) -> bytes:
    try:
        found = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        found = b""  # neither the value nor the cause is told: they are the secret
    if len(found) != 32:
        raise InvalidValue(field="private key", value="what was given", expected="64 hex digits")
    return found
