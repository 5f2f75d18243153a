"""Proofs of the state that were taken while nodes still had it, kept for exports of later years.

Most nodes keep the state of about 128 blocks. So what an export needs of the state after a block is
asked for in time, checked, and kept in a file of its own, which is never written again: the proofs
of all contracts and of the accounts that act and have code, and the words that balances and totals
are read from. A file is found by its block's hash, so that one of a block which a reorganisation
took away harms nobody. Of balances it has words, as the claims of a bundle have, and no proofs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.audit.bundle import AccountState, encode_account, read_account
from ledger.audit.proving import prove_state
from ledger.audit.state import HEAD_SLOTS, balance_slot, totals_slot
from ledger.chain.artifacts import CONTRACTS, JOURNALLED
from ledger.chain.headers import Header, check_header, encode_header, read_header
from ledger.chain.rlp import NotCanonical, decode, encode, encode_bytes, encode_list
from ledger.chain.rpc import Node
from ledger.disks import folder_unusable
from ledger.errors import InvalidFile

SUFFIX = ".proofs"
_NAME = re.compile(r"[0-9]{12,20}-[0-9a-f]{16}" + re.escape(SUFFIX))
_SLOTS_AT_ONCE = 500
_ACCOUNTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Capture:
    """What was kept of one block. `words` are by slot, all of Credits."""

    header: Header
    accounts: dict[bytes, AccountState]
    words: dict[bytes, bytes]

    def prove(self, address: bytes, slots: Sequence[bytes]) -> AccountState | None:
        """The proofs of an account and some slots; None where they are not all kept."""
        found = self.accounts.get(address)
        if found is None or not set(slots) <= set(found.slots):
            return None
        return AccountState(address, found.proof, {slot: found.slots[slot] for slot in slots})


class Captures:
    """The folder of a chain's captures."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, header: Header) -> Capture | None:
        """What was kept of a block. Raises InvalidFile."""
        path = self.path / _name(header)
        if not path.is_file():
            return None
        found = _read(path)
        if found.header != header:
            raise InvalidFile(path=path, line=1, problem="it is of another block than its name")
        return found

    def numbers(self) -> list[int]:
        """The blocks of which something is kept, in order."""
        return sorted(int(each.name.partition("-")[0]) for each in self._files())

    def newest_time(self) -> int:
        """The time of the last block of which something is kept; 0 where nothing is.

        A damaged file is none: proofs are taken again while nodes still have them.
        """
        for path in reversed(self._files()):
            with suppress(InvalidFile):
                return _read(path).header.timestamp
        return 0

    def _files(self) -> list[Path]:
        found = self.path.glob(f"*{SUFFIX}")
        return sorted(each for each in found if _NAME.fullmatch(each.name))

    def _is_kept(self, path: Path) -> bool:
        """Whether there is such a file, and it can be read."""
        if not path.exists():
            return False
        try:
            _read(path)
        except InvalidFile:
            return False
        return True

    def add(self, header: Header, content: bytes) -> Path:
        """Keep a capture, unless there is a sound one of that block. Raises FolderUnusable."""
        path = self.path / _name(header)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if self._is_kept(path):
                temporary.unlink()
            else:
                temporary.replace(path)
        except OSError as error:
            raise folder_unusable(self.path, error) from error
        return path


def capture_state(
    node: Node,
    addresses: dict[str, bytes],
    block: int,
    *,
    programmes: int,
    organisations: int,
    accounts: Iterable[bytes],
) -> tuple[Header, bytes]:
    """Ask for the state after a block; its header and what to keep.

    `programmes` and `organisations` are how many there are; `accounts` those that may act, of
    which the ones with code are kept. Raises ProofsUnavailable, and the errors of a node.
    """
    answer = node.header(block)
    with node.blamed():
        header = check_header(answer)
    every = range(1, programmes + 1)
    found = []
    for name in CONTRACTS:
        slots = list(HEAD_SLOTS) if name in JOURNALLED else []
        if name == "Credits":
            slots += [totals_slot(each) for each in every]
        found.append(prove_state(node, header, addresses[name], slots))
    known = set(addresses.values())
    acting = _with_code(node, header, sorted(set(accounts) - known))
    found += [prove_state(node, header, account, []) for account in acting]
    wanted = [totals_slot(each) for each in every]
    wanted += [balance_slot(each, org) for each in every for org in range(0, organisations + 1, 4)]
    credits_ = addresses["Credits"]
    words: list[bytes] = []
    for start in range(0, len(wanted), _SLOTS_AT_ONCE):
        part = wanted[start : start + _SLOTS_AT_ONCE]
        words += node.storage([(credits_, slot) for slot in part], header.hash)
    kept = [
        encode_list([encode_bytes(slot), encode_bytes(word)])
        for slot, word in zip(wanted, words, strict=True)
    ]
    parts = [encode_bytes(encode_header(answer)), encode_list([encode_account(a) for a in found])]
    return header, encode_list([*parts, encode_list(kept)])


def _with_code(node: Node, header: Header, accounts: Sequence[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
        part = accounts[start : start + _ACCOUNTS_AT_ONCE]
        where = {"blockHash": "0x" + header.hash.hex()}
        asked = [("0x" + each.hex(), where) for each in part]
        codes = node.ask_many("eth_getCode", asked, str)
        found += [each for each, code in zip(part, codes, strict=True) if code != "0x"]
    return found


def _name(header: Header) -> str:
    return f"{header.number:012d}-{header.hash.hex()[:16]}{SUFFIX}"


def _read(path: Path) -> Capture:
    try:
        match decode(path.read_bytes()):
            case [bytes(header), list(accounts), list(words)]:
                states = [read_account(encode(each)) for each in accounts]
                return Capture(
                    read_header(header),
                    {each.address: each for each in states},
                    dict(_word(each) for each in words),
                )
    except (OSError, NotCanonical) as error:
        raise InvalidFile(path=path, line=1, problem=str(error).rstrip(".")) from error
    raise InvalidFile(path=path, line=1, problem="it holds no proofs")


def _word(item: object) -> tuple[bytes, bytes]:
    match item:
        case [bytes(slot), bytes(word)] if len(slot) == len(word) == 32:
            return slot, word
    raise NotCanonical("a slot and its word take 32 bytes each")
