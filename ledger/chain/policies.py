"""What a key may sign: an allow-list of contracts' functions and messages, one file a key.

`keys/<name>.policy.json` in the data folder, in words that a person writes:

    {"format": 1, "allow": ["Credits.award", "Credits.AwardBatch", "Shares.*", "deploy"]}

A function or a message by the contract's name and its own; a function with overloads also by its
signature; `*` for all of a contract; `deploy` for creating contracts. Where there is a file,
everything that it does not name is refused, coin sent along with a call included. Where there is
none, the key may sign anything.

Which address is which contract is for the deployment file to say, and which selector which function
for the artifacts. It guards against mistakes and against a caller that was taken over; whoever can
read the key itself can sign without us, and no policy of ours holds him.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ledger.chain.addresses import show_address
from ledger.chain.artifacts import BUILT, load_artifact
from ledger.chain.signers import KeySigner, Signer, TransactionFields
from ledger.disks import folder_unusable
from ledger.errors import InvalidFile, InvalidValue, PolicyRefused

if TYPE_CHECKING:
    from ledger.chain.typed_data import TypedMessage

FORMAT = 1
DEPLOY = "deploy"
EVERYTHING = "*"
SUFFIX = ".policy.json"

_READING = ("view", "pure")

ContractNames = Callable[[int], Mapping[bytes, str]]
"""The contracts' names by address, on the chain of that id."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a key may sign; entries as a person wrote them, sorted."""

    allow: tuple[str, ...]

    def allows(self, call: str, signature: str = "") -> bool:
        """Whether an entry covers `Contract.name` (or `deploy`); `signature` is with types."""
        contract = call.partition(".")[0]
        covering = {call, f"{contract}.{EVERYTHING}"}
        if signature:
            covering.add(f"{contract}.{signature}")
        return not covering.isdisjoint(self.allow)

    def adding(self, entries: Iterable[str]) -> Policy:
        """This one with more entries. Raises InvalidValue for one that names nothing."""
        return Policy(tuple(sorted({*self.allow, *map(check_entry, entries)})))

    def without(self, entries: Iterable[str]) -> Policy:
        """This one with some entries fewer. Raises InvalidValue for one that it has not."""
        gone = set(entries)
        for entry in sorted(gone.difference(self.allow)):
            raise InvalidValue(field="call", value=entry, expected="an entry of this policy")
        return Policy(tuple(entry for entry in self.allow if entry not in gone))


def check_entry(entry: str) -> str:
    """An entry that names something that can be signed. Raises InvalidValue."""
    contract, dot, name = entry.partition(".")
    if entry == DEPLOY:
        return entry
    if dot and contract in BUILT:
        if name == EVERYTHING or name in _functions(contract) or name in _messages(contract):
            return entry
        known = sorted(each for each in _functions(contract) if "(" not in each)
        raise InvalidValue(
            field="call",
            value=entry,
            expected=f"a function that {contract} has: {', '.join([*known, *_messages(contract)])}",
        )
    raise InvalidValue(
        field="call",
        value=entry,
        expected=f"CONTRACT.FUNCTION, CONTRACT.*, or {DEPLOY}; contracts: {', '.join(BUILT)}",
    )


def policy_path(folder: Path, key: str) -> Path:
    """Where a key's policy is, beside its keystore."""
    return folder / f"{key}{SUFFIX}"


def read_policy(folder: Path, key: str) -> Policy | None:
    """A key's policy; None where it has none. Raises InvalidFile where it cannot be relied upon."""
    path = policy_path(folder, key)
    try:
        content = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidFile(
            path=path, line=1, problem=f"it cannot be read: {error.strerror}"
        ) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        problem = f"others than its owner may change it; run `chmod 600 {path}`"
        raise InvalidFile(path=path, line=1, problem=problem)
    try:
        file = msgspec.json.decode(content, type=_PolicyFile)
        if file.format != FORMAT:
            raise InvalidFile(path=path, line=1, problem=f"its format is not {FORMAT}")
        return Policy(()).adding(file.allow)
    except msgspec.DecodeError as error:
        raise InvalidFile(path=path, line=1, problem=f"it is no policy: {error}") from error
    except InvalidValue as error:
        raise InvalidFile(path=path, line=1, problem=str(error).rstrip(".")) from error


def write_policy(folder: Path, key: str, policy: Policy) -> Path:
    """Write a key's policy, whole or not at all, for its owner alone."""
    path = policy_path(folder, key)
    text = json.dumps({"format": FORMAT, "allow": list(policy.allow)}, indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=folder)  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise folder_unusable(folder, error) from error
    return path


class GuardedSigner:
    """A signer that looks at its key's policy before it signs.

    `names` is asked anew each time: a deployment can come while a process runs.
    """

    __slots__ = ("_inner", "_key", "_names", "_policy", "address")

    def __init__(self, key: str, inner: KeySigner, policy: Policy, names: ContractNames) -> None:
        self.address = inner.address
        self._key = key
        self._inner = inner
        self._policy = policy
        self._names = names

    def __repr__(self) -> str:
        return f"GuardedSigner({self._key}, {self._inner!r})"

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """Sign what the policy allows. Raises PolicyRefused."""
        self.check(fields)
        return self._inner.sign_transaction(fields)

    def sign_typed_data(self, message: TypedMessage) -> bytes:
        """Sign a message of a ledger's contract that the policy allows. Raises PolicyRefused."""
        domain = message.domain
        entry = f"{domain.contract}.{message.primary_type}"
        where = f"the message {entry} for {show_address(domain.address)}"
        if self._names(domain.chain_id).get(domain.address) != domain.contract:
            raise self._refuse(where, "")
        if not self._policy.allows(entry):
            raise self._refuse(where, entry)
        return self._inner.sign_typed_data(message)

    def check(self, fields: TransactionFields) -> None:
        """Raise PolicyRefused unless the policy allows a transaction; nonce, gas and fees are
        not looked at."""
        if not fields.to:
            if not self._policy.allows(DEPLOY):
                raise self._refuse("the creation of a contract", DEPLOY)
            return
        if fields.to == self.address and not fields.data and not fields.value:
            return  # it uses up a nonce, in the place of a transaction that is withdrawn
        address = show_address(fields.to)
        contract = self._names(fields.chain_id).get(fields.to)
        if contract is None:
            raise self._refuse(f"a call of {address}, which is no contract of this ledger", "")
        found = _by_selector(contract).get(fields.data[:4])
        if found is None:
            selector = "0x" + fields.data[:4].hex()
            raise self._refuse(f"{selector} of {contract} at {address}, no function of it", "")
        name, signature = found
        entry = f"{contract}.{name}"
        if not self._policy.allows(entry, signature):
            raise self._refuse(f"{entry} at {address}", entry)
        if fields.value:
            raise self._refuse(f"{fields.value} wei to be sent along with {entry}", "")

    def _refuse(self, call: str, entry: str) -> PolicyRefused:
        remedy = f"Sign with another key; `moonlake keys policy {self._key}` shows what it may."
        if entry:
            remedy = (
                f"Sign with a key that may (--as), or let this one: `moonlake keys allow "
                f"{self._key} {entry}`. `moonlake keys policy {self._key}` shows what it may."
            )
        return PolicyRefused(key=self._key, call=call, remedy=remedy)


def require_allowed(signer: Signer, fields: TransactionFields) -> None:
    """Raise PolicyRefused where this signer would not sign these fields, for a caller that asks
    before it writes anything down; nothing for a signer without a policy."""
    if isinstance(signer, GuardedSigner):
        signer.check(fields)


class _PolicyFile(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    allow: list[str]


def _functions(contract: str) -> set[str]:
    """The names and the signatures of what can be sent to a contract."""
    items = [
        each
        for each in load_artifact(contract).items("function")
        if each.state_mutability not in _READING
    ]
    return {each.name for each in items} | {each.signature for each in items}


def _messages(contract: str) -> tuple[str, ...]:
    from ledger.chain.typed_data import MESSAGES  # noqa: PLC0415  which knows signers

    return tuple(MESSAGES.get(contract, ()))


@cache
def _by_selector(contract: str) -> dict[bytes, tuple[str, str]]:
    artifact = load_artifact(contract)
    return {
        artifact.functions[each.signature]: (each.name, each.signature)
        for each in artifact.items("function")
    }
