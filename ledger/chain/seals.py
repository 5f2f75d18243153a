"""Validators' seals in the headers of QBFT and IBFT 2.0: who agreed to a block, and may.

A header's extra data hold the validators in force, a vote of the block's proposer, the round, and
the seals that validators made over the header without the seals (Besu, `BftBlockHashing`, the hash
for committed seals: the round stays in). ⌈2N/3⌉ of them make a block final. Who is a validator
changes by votes alone: more than half of those in force propose blocks that vote for the same. So
from a first set on, every change must follow from votes that were seen. Where validators stand in
a contract, headers name none, and nothing here can tell who they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from ledger.chain.headers import BFT_MIX_HASH
from ledger.chain.keccak import keccak256
from ledger.chain.rlp import (
    EMPTY_LIST,
    Item,
    NotCanonical,
    decode,
    encode,
    encode_bytes,
    encode_list,
)
from ledger.chain.signers import recover_address

_EXTRA_DATA, _MINER, _MIX_HASH = 12, 2, 13
_ADD = b"\xff"
_MOST_SUBJECTS = 4096
"""Accounts that votes are kept for; whoever seals blocks alone could name one in each."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposer's word that somebody should become a validator, or be one no more."""

    recipient: bytes
    adds: bool


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """What a header of QBFT or IBFT 2.0 says of its own making.

    `digest` is what the seals sign; each seal is 65 bytes, r, s and the parity.
    """

    proposer: bytes
    validators: tuple[bytes, ...]
    vote: Vote | None
    seals: tuple[bytes, ...]
    digest: bytes


class SealRefused(ValueError):
    """A block's seals, or its validators, are not as they must be."""


def quorum(validators: int) -> int:
    """How many of so many validators must seal a block: ⌈2N/3⌉."""
    return -(-2 * validators // 3)


def read_sealed(raw: bytes) -> SealedHeader | None:
    """What a raw header says of its sealing; None where its chain has no such seals.

    Raises NotCanonical where it says that it has, and they cannot be read.
    """
    if BFT_MIX_HASH not in raw:
        return None
    fields = decode(raw)
    if not isinstance(fields, list) or fields[_MIX_HASH] != BFT_MIX_HASH:
        return None
    extra = decode(cast("bytes", fields[_EXTRA_DATA]))
    match extra:
        case [bytes(), list(validators), vote, bytes(round_), list(seals)]:
            pass
        case _:
            raise NotCanonical("the extra data are not those of a sealed block")
    is_ibft2 = len(round_) == 4 and round_[0] == 0
    kept = [encode(item) for item in extra[:4]]
    parts = [encode(each) for each in fields]
    parts[_EXTRA_DATA] = encode_bytes(encode_list(kept if is_ibft2 else [*kept, EMPTY_LIST]))
    return SealedHeader(
        proposer=cast("bytes", fields[_MINER]),
        validators=_all_of(validators, 20, "a validator"),
        vote=_read_vote(vote),
        seals=_all_of(seals, 65, "a seal"),
        digest=keccak256(encode_list(parts)),
    )


@dataclass(slots=True)
class Validators:
    """Follows who may seal from block to block. `seals` counts the seals that were checked."""

    in_force: frozenset[bytes] = frozenset()
    seals: int = 0
    changes: int = 0
    _votes: dict[tuple[bytes, bool], set[bytes]] = field(default_factory=dict)

    def take(self, found: SealedHeader) -> bool:
        """The next block's header; whether its validators follow from those before it.

        The first one's are taken as they are. A network forgets votes from time to time, so that
        votes allow a change and do not make it. Raises SealRefused.
        """
        named = frozenset(found.validators)
        if not named or len(named) != len(found.validators):
            raise SealRefused("it names no validators, or one of them twice")
        follows = not self.in_force or self._may_become(named)
        if named != self.in_force:
            self.changes += bool(self.in_force)
            self.in_force = named
            for voters in self._votes.values():
                voters.intersection_update(named)
        self._check_seals(found)
        if found.vote is not None:
            self._count(found.proposer, found.vote)
        return follows

    def _may_become(self, named: frozenset[bytes]) -> bool:
        """Whether more than half voted for each change; their votes are used up by it."""
        changed = named ^ self.in_force
        for account in changed:
            voters = self._votes.pop((account, account in named), set())
            if 2 * len(voters) <= len(self.in_force):
                return False
        return len(changed) < 2  # a block has one vote, so that it makes one change at most

    def _check_seals(self, found: SealedHeader) -> None:
        if found.proposer not in self.in_force:
            raise SealRefused("who proposed it was no validator")
        signers: set[bytes] = set()
        for seal in found.seals:  # the first that is none ends it: of bad ones there may be many
            signer = _signer(found.digest, seal)
            if signer in signers or signer not in self.in_force:
                raise SealRefused("a seal is of nobody who was a validator, or stands there twice")
            signers.add(signer)
        needed = quorum(len(self.in_force))
        if len(signers) < needed:
            raise SealRefused(f"it has {len(signers)} seals of the {needed} that it needs")
        self.seals += len(signers)

    def _count(self, voter: bytes, vote: Vote) -> None:
        """A later vote of the same proposer on somebody takes the place of its earlier one."""
        self._votes.get((vote.recipient, not vote.adds), set()).discard(voter)
        if len(self._votes) > _MOST_SUBJECTS:
            self._votes.clear()  # as a network does at the end of an epoch
        if vote.adds != (vote.recipient in self.in_force):
            self._votes.setdefault((vote.recipient, vote.adds), set()).add(voter)


def _signer(digest: bytes, seal: bytes) -> bytes:
    if seal[64] > 1:
        raise SealRefused("a seal is no signature")
    try:
        return recover_address(digest, seal)
    except ValueError as error:
        raise SealRefused("a seal is no signature") from error


def _read_vote(item: Item) -> Vote | None:
    match item:
        case [] | b"":
            return None
        case [bytes(recipient), bytes(kind)] if len(recipient) == 20 and kind in (_ADD, b"", b"\0"):
            return Vote(recipient, kind == _ADD)
    raise NotCanonical("a vote is an address, and for or against")


def _all_of(items: Sequence[Item], size: int, what: str) -> tuple[bytes, ...]:
    found = tuple(item for item in items if isinstance(item, bytes) and len(item) == size)
    if len(found) != len(items):
        raise NotCanonical(f"{what} takes {size} bytes")
    return found
