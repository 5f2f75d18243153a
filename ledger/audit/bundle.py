"""A bundle: which files it has, in which order, how large each can be, and how each is written.

docs/audit-format.md says it for people. Every file has one way to be written, and a file written
otherwise is refused: what two readers could read differently proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from ledger.audit.archive import Member, hash_member, read_member, read_members
from ledger.chain.artifacts import CONTRACTS
from ledger.chain.rlp import Item, NotCanonical, decode, encode_bytes, encode_list
from ledger.domain.commitments import canonical_json
from ledger.errors import BundleUnreadable, InvalidValue

T = TypeVar("T")

FORMAT = 1

BLOCKS = "blocks.rlp"
STATE = "state.rlp"
CLAIMS = "claims.json"
PLACES = "contracts.json"
SOURCES = "sources.json"
MANIFEST = "manifest.json"
ORDER = (BLOCKS, STATE, CLAIMS, PLACES, SOURCES, MANIFEST)
"""The files in the order in which they stand. The manifest is last, since it has their digests."""

_MIB = 1 << 20
LARGEST_RECORD = 64 * _MIB
"""One block with all that is in it; far beyond what a block's gas lets be."""
_LARGEST = {STATE: 64 * _MIB, CLAIMS: 16 * _MIB, PLACES: _MIB, SOURCES: 16 * _MIB, MANIFEST: _MIB}
_LARGEST_NUMBER = 1 << 63
_HASH = 66


class MemberDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a file is, and its SHA-256."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bundle is of: blocks of a chain, the last by its hash; and the files' digests."""

    format: int
    chain_id: int
    first_block: int
    last_block: int
    last_hash: str
    files: dict[str, MemberDigest]


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the ledger is: its chain, and its contracts' addresses by name."""

    chain_id: int
    genesis_hash: str
    recovery_delay: int
    contracts: dict[str, str]

    @property
    def addresses(self) -> dict[str, bytes]:
        """The contracts' addresses, 20 bytes, by name in the order of their deployment."""
        return {name: bytes.fromhex(self.contracts[name][2:]) for name in CONTRACTS}


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator says that the state after the last block is, for people to read.

    `balances` are (programme, organisation, credits), `totals` (programme, outstanding,
    refundable). Zero balances are left out.
    """

    balances: list[tuple[int, int, int]]
    totals: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class AccountState:
    """The nodes that prove an account and some of its slots (32 bytes each)."""

    address: bytes
    proof: Sequence[bytes]
    slots: Mapping[bytes, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle whose archive is whole; that its digests are right is another question."""

    path: Path
    file: BinaryIO
    members: Mapping[str, Member]
    manifest: Manifest

    def wrong_digests(self) -> Iterator[str]:
        """The names of the files that are not what the manifest says, one after the other."""
        for name in ORDER[:-1]:
            said, member = self.manifest.files[name], self.members[name]
            if said != MemberDigest(member.size, hash_member(self.file, member).hex()):
                yield name

    def read(self, name: str) -> bytes:
        """A whole file of the bundle, but for the blocks. Raises BundleUnreadable."""
        return read_member(self.file, self.members[name], _LARGEST[name], self.path)

    def places(self) -> Places:
        """Where the contracts are. Raises BundleUnreadable."""
        found = self._json(PLACES, Places)
        shown = [found.genesis_hash, *found.contracts.values()]
        if tuple(sorted(found.contracts)) != tuple(sorted(CONTRACTS)):
            raise self.broken(f"{PLACES} names other contracts than this release has")
        if any(_unhex(text) is None for text in shown):
            raise self.broken(f"{PLACES} has an address or a hash that is none")
        if len(found.genesis_hash) != _HASH or not _is_number(found.chain_id, found.recovery_delay):
            raise self.broken(f"{PLACES} has a hash or a number that is none")
        if any(len(text) != 42 for text in shown[1:]) or len(set(shown[1:])) != len(CONTRACTS):
            raise self.broken(f"{PLACES} has an address that is none, or one for two contracts")
        return found

    def claims(self) -> Claims:
        """What the operator says. Raises BundleUnreadable."""
        found = self._json(CLAIMS, Claims)
        if found.balances != sorted(set(found.balances)) or found.totals != sorted(
            set(found.totals)
        ):
            raise self.broken(f"{CLAIMS} is not in order")
        return found

    def state(self) -> list[AccountState]:
        """The proofs of the state after the last block. Raises BundleUnreadable."""
        try:
            return [_read_account(item) for item in _items(decode(self.read(STATE)))]
        except NotCanonical as error:
            raise self.broken(f"{STATE}: {error}") from error

    def records(self) -> Iterator[bytes]:
        """The blocks' records, one after the other, as they stand. Raises BundleUnreadable."""
        member = self.members[BLOCKS]
        at, end = member.start, member.start + member.size
        while at < end:
            self.file.seek(at)
            head = self.file.read(min(9, end - at))
            length = _record_length(head)
            if length is None or length > min(LARGEST_RECORD, end - at):
                raise self.broken(f"{BLOCKS} has no record at byte {at - member.start}")
            yield head[:length] + self.file.read(max(0, length - len(head)))
            at += length

    def broken(self, problem: str) -> BundleUnreadable:
        """The error that says what is wrong with it."""
        return BundleUnreadable(path=self.path, problem=problem)

    def _json(self, name: str, shape: type[T]) -> T:
        return read_canonical(self.path, name, self.read(name), shape)


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """A bundle with its archive checked, and not yet its digests. Raises BundleUnreadable."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BundleUnreadable(path=path, problem=f"{error.strerror}") from error
    with file:
        members = read_members(file, path)
        if tuple(members) != ORDER:
            found = ", ".join(members) or "nothing"
            raise BundleUnreadable(path=path, problem=f"it holds {found}")
        content = read_member(file, members[MANIFEST], _LARGEST[MANIFEST], path)
        manifest = read_canonical(path, MANIFEST, content, Manifest)
        if manifest.format != FORMAT or tuple(sorted(manifest.files)) != tuple(sorted(ORDER[:-1])):
            raise BundleUnreadable(path=path, problem="its format is of another release")
        numbers = (manifest.chain_id, manifest.first_block, manifest.last_block)
        hash_ = manifest.last_hash
        if not _is_number(*numbers) or len(hash_) != _HASH or _unhex(hash_) is None:
            raise BundleUnreadable(
                path=path, problem=f"{MANIFEST} has a number or hash that is none"
            )
        yield Bundle(path, file, members, manifest)


def read_canonical(path: Path, name: str, content: bytes, shape: type[T]) -> T:
    """JSON of a known shape, written in the one canonical way. Raises BundleUnreadable."""
    try:
        found = msgspec.json.decode(content, type=shape)
        if write_canonical(found) == content:
            return found
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidValue) as error:
        raise BundleUnreadable(path=path, problem=f"{name} cannot be read ({error})") from error
    raise BundleUnreadable(path=path, problem=f"{name} is not in its canonical form")


def write_canonical(value: Any) -> bytes:
    """The one way to write a value of the shapes above."""
    return canonical_json(msgspec.to_builtins(value)) + b"\n"


def encode_record(header: bytes, transactions: Sequence[bytes], receipts: Sequence[bytes]) -> bytes:
    """A block with all of its transactions and receipts, each as the block's roots have them."""
    lists = [
        encode_list([encode_bytes(each) for each in part]) for part in (transactions, receipts)
    ]
    return encode_list([encode_bytes(header), *lists])


def encode_bare_record(header: bytes) -> bytes:
    """A block whose bloom says that it holds nothing of the ledger."""
    return encode_list([encode_bytes(header)])


def encode_state(accounts: Iterable[AccountState]) -> bytes:
    """The proofs as the bundle has them."""
    return encode_list([encode_account(each) for each in accounts])


def encode_account(account: AccountState) -> bytes:
    """One account's proofs."""
    slots = [
        encode_list([encode_bytes(slot), _encode_nodes(nodes)])
        for slot, nodes in account.slots.items()
    ]
    parts = [encode_bytes(account.address), _encode_nodes(account.proof), encode_list(slots)]
    return encode_list(parts)


def read_account(raw: bytes) -> AccountState:
    """One account's proofs, as `encode_account` writes them. Raises NotCanonical."""
    return _read_account(decode(raw))


def _encode_nodes(nodes: Sequence[bytes]) -> bytes:
    return encode_list([encode_bytes(node) for node in nodes])


def _read_account(item: Item) -> AccountState:
    match item:
        case [bytes(address), list(proof), list(slots)] if len(address) == 20:
            found = dict(_read_slot(slot) for slot in slots)
            if len(found) == len(slots):
                return AccountState(address, _strings(proof), found)
    raise NotCanonical("an account is an address, its proof and its slots")


def _read_slot(item: Item) -> tuple[bytes, list[bytes]]:
    match item:
        case [bytes(slot), list(proof)] if len(slot) == 32:
            return slot, _strings(proof)
    raise NotCanonical("a slot is 32 bytes and its proof")


def _strings(items: list[Item]) -> list[bytes]:
    if not all(isinstance(item, bytes) for item in items):
        raise NotCanonical("a proof is a list of nodes")
    return [item for item in items if isinstance(item, bytes)]


def _items(item: Item) -> list[Item]:
    if isinstance(item, bytes):
        raise NotCanonical("a list is missing")
    return item


def _record_length(head: bytes) -> int | None:
    """How long a list is in all, by its first nine bytes; None where it is no list."""
    if not head or head[0] < 0xC0:
        return None
    if head[0] <= 0xF7:
        return 1 + head[0] - 0xC0
    size = head[0] - 0xF7
    return 1 + size + int.from_bytes(head[1 : 1 + size], "big")


def _is_number(*values: int) -> bool:
    return all(0 <= value < _LARGEST_NUMBER for value in values)


def _unhex(text: str) -> bytes | None:
    try:
        raw = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return raw if text == "0x" + raw.hex() else None
