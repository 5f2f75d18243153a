"""What a round of a key's lease works with: what it is going to write, what the node told, memory.

Values and no deeds. What a round sees is written with what the next one signs, so it is kept here
between the two.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.chain.node_words import Fate
from ledger.chain.outcomes import Outcome
from ledger.chain.replacing import read_fields
from ledger.chain.sending import Fees
from ledger.chain.signers import TransactionFields
from ledger.errors import LedgerError, NodeRefused
from ledger.outbox.records import Attempt, Operation, State

LOOK_AT_NONCES = 0.25
"""Seconds between two looks at how many nonces the chain has used, and before the first one at
what was just sent."""


@dataclass(slots=True)
class Round:
    """What a round did.

    settled: the operations that it brought to their end, for now; `finished` of them as they are
        recorded now.
    written: those of the fresh ones that are recorded now; `known` of them were so before, and
        `inserted` are those that were not.
    errors: what to tell those who wait, by operation.
    """

    moved: bool = False
    settled: set[bytes] = field(default_factory=set)
    finished: dict[bytes, Operation] = field(default_factory=dict)
    written: set[bytes] = field(default_factory=set)
    known: set[bytes] = field(default_factory=set)
    inserted: list[Operation] = field(default_factory=list)
    errors: dict[bytes, LedgerError] = field(default_factory=dict)


@dataclass(slots=True)
class Signed:
    """A transaction that this round signed, and the operation that it is for."""

    operation: Operation
    attempt: Attempt
    is_first: bool = False


@dataclass(slots=True)
class Plan:
    """What a round is going to write: of fresh operations, of waiting ones, and what it signed."""

    fresh: list[Operation] = field(default_factory=list)
    signed: list[Signed] = field(default_factory=list)
    cancelled: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    errors: dict[bytes, LedgerError] = field(default_factory=dict)

    def leave_new_ones(self) -> None:
        """Leave out what takes a new nonce, and what is not written down yet."""
        self.signed = [each for each in self.signed if not each.is_first]
        filling = {each.operation.request.operation_id for each in self.signed}
        self.fresh = [each for each in self.fresh if each.request.operation_id in filling]

    @property
    def is_some(self) -> bool:
        return bool(self.fresh or self.signed or self.cancelled or self.refused)


@dataclass(slots=True)
class Seen:
    """What the node told in a round, and what follows; it is written with the next one.

    flying: the operations that are on their way, with all that is signed for them.
    fates: what it said to what was handed to it, by operation.
    found: the attempt that is in a block, and what it did there, by operation; `failed` of them
        reverted.
    taken_nonces: how many nonces of the key the chain has used; None where it was not asked.
    strangers: operations whose nonce somebody else has.
    lost: operations that no node will ever take.
    """

    flying: Sequence[Operation] = ()
    fates: Mapping[bytes, tuple[Fate, NodeRefused | None]] = field(default_factory=dict)
    found: dict[bytes, tuple[Attempt, Outcome]] = field(default_factory=dict)
    taken_nonces: int | None = None
    failed: dict[bytes, LedgerError] = field(default_factory=dict)
    strangers: list[Operation] = field(default_factory=list)
    lost: dict[bytes, LedgerError] = field(default_factory=dict)

    @property
    def by_id(self) -> dict[bytes, Operation]:
        return {each.request.operation_id: each for each in self.flying}


@dataclass(slots=True)
class Memory:
    """What the holder remembers as long as it has the lease.

    known: what is on its way, as it is recorded.
    keeps_early: whether the node takes a transaction before those of lower nonces.
    """

    known: dict[bytes, Operation] = field(default_factory=dict)
    next_nonce: int | None = None
    sent_at: dict[bytes, float] = field(default_factory=dict)
    begun_at: dict[bytes, float] = field(default_factory=dict)
    first_sent: dict[bytes, tuple[float, int]] = field(default_factory=dict)
    doubts: dict[object, float] = field(default_factory=dict)
    nonces_seen_at: float = -LOOK_AT_NONCES
    keeps_early: bool = True
    underpriced: set[bytes] = field(default_factory=set)
    seen: Seen = field(default_factory=Seen)
    written_at: float = 0.0
    token: int = 0

    def is_believed(self, doubt: object, seconds: float) -> bool:
        """Whether something seemed so for long enough; a node may be behind itself."""
        since = self.doubts.setdefault(doubt, time.monotonic())
        return time.monotonic() - since >= seconds

    def note_sent(self, operation_ids: Iterable[bytes], at: int) -> None:
        """Remember what was written of operations that a node took."""
        for id_ in operation_ids:
            if id_ in self.known:
                self.known[id_] = replace(self.known[id_], state=State.SENT, updated_at=at)

    def was_sent(self, operation: Operation) -> bool:
        """Whether its newest transaction was handed to a node."""
        return newest(operation).transaction_hash in self.sent_at

    def is_on_its_way_since(self, operation: Operation, moment: float) -> bool:
        """Whether its newest transaction was first handed to a node at this time or before."""
        return self.begun_at.get(newest(operation).transaction_hash, moment + 1) <= moment

    def forget_all_but(self, flying: Iterable[Operation], *, most: int) -> None:
        """Stay as small as what is on its way, once more than `most` are remembered."""
        if len(self.sent_at) > most:
            kept = {attempt.transaction_hash for each in flying for attempt in each.live_attempts}
            for known in (self.sent_at, self.begun_at, self.first_sent):
                for gone in known.keys() - kept:
                    del known[gone]


def is_blank(attempt: Attempt) -> bool:
    """Whether a transaction does nothing but use its nonce."""
    fields = read_fields(attempt.raw)
    return fields.to == attempt.sender and not fields.data


def newest(operation: Operation) -> Attempt:
    """What was signed last of what may still get into a block."""
    return operation.live_attempts[-1]


def fees_of(fields: TransactionFields) -> Fees:
    """What a transaction offers."""
    return Fees(fields.max_fee, fields.max_priority_fee)


def with_signed(flying: Sequence[Operation], signed: Sequence[Signed]) -> list[Operation]:
    """All that is on its way, with what this round signed."""
    by_id = {each.request.operation_id: each for each in flying}
    for each in signed:
        id_ = each.operation.request.operation_id
        known = by_id.get(id_, each.operation)
        by_id[id_] = replace(known, attempts=(*known.attempts, each.attempt))
    return list(by_id.values())
