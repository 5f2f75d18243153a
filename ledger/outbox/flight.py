"""What the holder of a key's lease does, one round after the other: sign, send, look, write down.

A round signs what waits, writes nonces and bytes in one commit, hands them to the node in one
request, asks for all receipts in one request, and writes what it found in another commit. Many
transactions of a key are on their way at once. What is in no block is sent again in the same bytes;
a stuck one is replaced at a higher fee, a missing nonce is filled, a nonce that went to a stranger
halts the key.

It refuses to sign anew for a transaction whose fate is not known, and writes nothing once another
process has the lease.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.chain.addresses import show_address
from ledger.chain.node_words import Fate, fate_of
from ledger.chain.outcomes import Outcome, find_outcomes, is_known
from ledger.chain.replacing import blank, raise_fees, read_fields, with_fees
from ledger.chain.reverts import FailedTransaction, explain_failure
from ledger.chain.sending import Fees
from ledger.chain.signers import Signer, TransactionFields, sign
from ledger.errors import FundsTooLow, KeyHalted, LedgerError, NodeRefused, NonceTaken
from ledger.outbox.calls import Calls
from ledger.outbox.leases import Key, Lease, find_halt, halt, hold
from ledger.outbox.records import (
    Attempt,
    Failure,
    Operation,
    Request,
    State,
    list_open,
    next_own_nonce,
)
from ledger.outbox.rules import STUCK_BLOCKS, Rules
from ledger.outbox.times import now_in_milliseconds, seconds_awake
from ledger.outbox.writes import (
    find_taken,
    insert_attempts,
    insert_operations,
    mark_cancelled,
    mark_failed,
    mark_included,
    mark_sent,
    mark_unsigned,
)
from ledger.store.engine import reading, writing

_TAKEN = (Fate.ACCEPTED, Fate.KNOWN)
_LOOK_AT_NONCES = 0.25


@dataclass(slots=True)
class Round:
    """What a round did.

    settled: the operations that it brought to their end, for now.
    written: those of the fresh ones that are recorded now; `known` of them were so before, and
        `inserted` are those that were not.
    errors: what to tell those who wait, by operation.
    """

    moved: bool = False
    settled: set[bytes] = field(default_factory=set)
    written: set[bytes] = field(default_factory=set)
    known: set[bytes] = field(default_factory=set)
    inserted: list[Operation] = field(default_factory=list)
    errors: dict[bytes, LedgerError] = field(default_factory=dict)


@dataclass(slots=True)
class _Signed:
    """A transaction that this round signed, and the operation that it is for."""

    operation: Operation
    attempt: Attempt
    is_first: bool = False


@dataclass(slots=True)
class _Plan:
    """What a round is going to write: of fresh operations, of waiting ones, and what it signed."""

    fresh: list[Operation] = field(default_factory=list)
    signed: list[_Signed] = field(default_factory=list)
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
class _Seen:
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
    found: Mapping[bytes, tuple[Attempt, Outcome]] = field(default_factory=dict)
    taken_nonces: int | None = None
    failed: dict[bytes, LedgerError] = field(default_factory=dict)
    strangers: list[Operation] = field(default_factory=list)
    lost: dict[bytes, LedgerError] = field(default_factory=dict)

    @property
    def by_id(self) -> dict[bytes, Operation]:
        return {each.request.operation_id: each for each in self.flying}


@dataclass(slots=True)
class _Memory:
    """What the holder remembers as long as it has the lease."""

    next_nonce: int | None = None
    sent_at: dict[bytes, float] = field(default_factory=dict)
    first_sent: dict[bytes, tuple[float, int]] = field(default_factory=dict)
    doubts: dict[object, float] = field(default_factory=dict)
    nonces_seen_at: float = -_LOOK_AT_NONCES
    underpriced: set[bytes] = field(default_factory=set)
    seen: _Seen = field(default_factory=_Seen)
    written_at: float = 0.0
    token: int = 0


class Flight:
    """The transactions of one key on one chain. Without a signer it signs nothing."""

    def __init__(
        self,
        engine: Engine,
        key: Key,
        calls: Calls,
        *,
        rules: Rules,
        signer: Signer | None = None,
    ) -> None:
        self._engine = engine
        self._node = calls.node
        self._key = key
        self._calls = calls
        self._market = calls.market
        self._rules = rules
        self._memory = _Memory()
        self.signer = signer

    def begin(self, lease: Lease | None = None) -> None:
        """Forget what may not be so any more: the lease was taken anew, or a round went wrong.

        Where nobody else had the lease since, only the next nonce is: a stranger may have used it.
        """
        if lease is None or lease.token != self._memory.token + 1:
            self._memory = _Memory()
        self._memory.next_nonce = None
        if lease is not None:
            self._memory.token = lease.token
            self._memory.written_at = seconds_awake()

    def advance(
        self, lease: Lease, fresh: Sequence[Operation] = (), *, to_the_end: bool = False
    ) -> Round:
        """One round. Raises LeaseLost and NodeProblem; what was written then stays written.

        `fresh` are operations that are not written down yet. What a round sees is written with what
        the next one signs, in one commit; with `to_the_end` at once, for a holder who leaves.
        """
        done = Round()
        with reading(self._engine) as connection:
            work = list_open(
                connection,
                self._key.genesis_hash,
                self._key.sender,
                limit=2 * self._rules.in_flight,
            )
            halted = find_halt(connection, self._key)
            ids = [each.request.operation_id for each in fresh]
            done.known.update(find_taken(connection, ids) if ids else ())
        done.written.update(done.known)
        firsts = {each.request.operation_id: each for each in reversed(fresh)}
        new = [each for id_, each in firsts.items() if id_ not in done.known]
        seen = self._memory.seen
        flying = [
            each
            for each in work
            if each.live_attempts and each.request.operation_id not in seen.found
        ]
        queued = [each for each in work if not each.live_attempts]
        plan = _Plan()
        self._plan_queued(plan, queued, len(flying), halted)
        self._plan_fresh(plan, new, len(flying), halted)
        if halted is None and self.signer is not None:
            plan.signed += self._sign_replacements(flying)
            filling = self._fill_gap(flying, seen.taken_nonces)
            plan.signed += filling
            plan.fresh += [each.operation for each in filling]
        self._write(lease, plan, seen, done)
        flying = [each for each in flying if each.request.operation_id not in done.settled]
        # What another process left may be in a block already: that is not sent again.
        found = self._look([each for each in flying if not self._was_sent(each)])
        flying = _with_signed(flying, plan.signed)
        left = [each for each in flying if each.request.operation_id not in found]
        fates = self._send(lease, left, done)
        taken_nonces = self._nonces_taken(left)
        found |= self._look(left)
        self._memory.seen = _Seen(flying, fates, found, taken_nonces)
        done.moved = done.moved or bool(self._memory.seen.found)
        self._judge(self._memory.seen, done)
        if to_the_end:
            self._write(lease, _Plan(), self._memory.seen, done)
        self._forget_all_but(flying)
        return done

    # --- signing ---

    def _plan_queued(
        self, plan: _Plan, queued: Sequence[Operation], in_flight: int, halted: Failure | None
    ) -> None:
        """Sign what waits, as far as there is room; note what will never be signed."""
        for operation in queued:
            id_ = operation.request.operation_id
            if operation.cancel_asked_at is not None:
                plan.cancelled.append(id_)
            elif halted is not None:
                plan.errors[id_] = key_halted(halted)
            elif self.signer is not None and self._has_room(plan, in_flight):
                try:
                    plan.signed.append(self._sign_first(operation, len(plan.signed)))
                except LedgerError as error:
                    plan.errors[id_] = error
                    if _is_verdict(error):
                        plan.refused.append(id_)

    def _plan_fresh(
        self, plan: _Plan, fresh: Sequence[Operation], in_flight: int, halted: Failure | None
    ) -> None:
        """Sign what was not written down yet; what cannot be signed is not written either."""
        for operation in fresh:
            id_ = operation.request.operation_id
            if halted is not None:
                plan.errors[id_] = key_halted(halted)
            elif self._has_room(plan, in_flight):
                try:
                    signed = self._sign_first(operation, len(plan.signed))
                except LedgerError as error:
                    plan.errors[id_] = error
                else:
                    plan.signed.append(signed)
                    plan.fresh.append(operation)
            else:
                plan.fresh.append(operation)

    def _has_room(self, plan: _Plan, in_flight: int) -> bool:
        return in_flight + len(plan.signed) < self._rules.in_flight

    def _sign_first(self, operation: Operation, position: int) -> _Signed:
        """Sign an operation's first transaction, or the next one after those that are over."""
        request = operation.request
        age = now_in_milliseconds() - operation.updated_at
        gas_limit = operation.gas_limit
        if gas_limit is None or age > self._rules.fresh * 1000:
            gas_limit = self._calls.gas_limit(request, self._key.sender)
        fees = self._market.prices().fees
        fields = replace(
            self._calls.fields(request),
            nonce=self._first_nonce() + position,
            gas_limit=gas_limit,
            max_fee=fees.max_fee,
            max_priority_fee=fees.max_priority_fee,
        )
        return _Signed(operation, self._signed(operation, fields), is_first=True)

    def _sign_replacements(self, flying: Sequence[Operation]) -> list[_Signed]:
        """Sign what takes the place of another: a blank to cancel it, or higher fees."""
        signed = []
        for operation in flying:
            if operation.cancel_asked_at is not None and not any(
                _is_blank(each) for each in operation.live_attempts
            ):
                fields = read_fields(operation.live_attempts[-1].raw)
                raised = self._raise(operation) or _fees_of(fields)
                empty = blank(
                    self._key.sender, chain_id=self._calls.chain_id, nonce=fields.nonce, fees=raised
                )
                signed.append(_Signed(operation, self._signed(operation, empty)))
        stuck = self._find_stuck(flying)
        if stuck is not None and all(each.operation is not stuck for each in signed):
            raised_fees = self._raise(stuck)
            if raised_fees is not None:
                fields = with_fees(read_fields(stuck.live_attempts[-1].raw), raised_fees)
                signed.append(_Signed(stuck, self._signed(stuck, fields)))
        return signed

    def _find_stuck(self, flying: Sequence[Operation]) -> Operation | None:
        """The first transaction of the key, where blocks go by without it; the rest wait for it."""
        if not flying:
            return None
        first = min(flying, key=lambda each: each.live_attempts[-1].nonce)
        attempt = first.live_attempts[-1]
        if attempt.transaction_hash in self._memory.underpriced:
            return first
        since = self._memory.first_sent.get(attempt.transaction_hash)
        if since is None or time.monotonic() - since[0] < self._rules.stuck:
            return None
        blocks = self._node.block_number() - since[1]
        return first if blocks >= STUCK_BLOCKS else None

    def _raise(self, operation: Operation) -> Fees | None:
        """Higher fees for an operation; None where no more may be offered, or nothing is gained."""
        live = operation.live_attempts
        if len(live) > self._rules.raises:
            return None
        first, last = (_fees_of(read_fields(each.raw)) for each in (live[0], live[-1]))
        market = self._market.prices().fees
        ceiling = max(first.max_fee, 1) * self._rules.ceiling_factor
        if self._market.ceiling is not None:
            ceiling = min(ceiling, self._market.ceiling)
        return raise_fees(last, market, ceiling=ceiling)

    def _signed(self, operation: Operation, fields: TransactionFields) -> Attempt:
        assert self.signer is not None, "only who has the key signs"  # noqa: S101
        signed = sign(fields, self.signer)
        return Attempt(
            number=max((each.number for each in operation.attempts), default=0) + 1,
            sender=self._key.sender,
            nonce=signed.nonce,
            transaction_hash=signed.hash,
            raw=signed.raw,
            signed_at=now_in_milliseconds(),
            block_number=None,
        )

    def _first_nonce(self) -> int:
        """The next nonce: the chain's or ours, whichever is higher."""
        if self._memory.next_nonce is None:
            pending = self._node.nonce(self._key.sender, "pending")
            with reading(self._engine) as connection:
                own = next_own_nonce(connection, self._key.genesis_hash, self._key.sender)
            self._memory.next_nonce = max(pending, own)
        return self._memory.next_nonce

    # --- writing ---

    def _write(self, lease: Lease, plan: _Plan, seen: _Seen, done: Round) -> None:
        """Write in one commit what the last round saw and what this one signed.

        Nothing that it signed was broadcast before.
        """
        by_id = seen.by_id
        sent = [
            id_
            for id_, (fate, _refusal) in seen.fates.items()
            if fate in _TAKEN and id_ not in seen.found and by_id[id_].state is not State.SENT
        ]
        done.errors.update(plan.errors)
        is_news = sent or seen.found or seen.strangers or seen.lost
        if is_news or plan.is_some:
            try:
                self._commit(lease, plan, seen, sent)
            except IntegrityError:
                ids = [each.request.operation_id for each in plan.fresh]
                with reading(self._engine) as connection:
                    done.known.update(find_taken(connection, ids))
                if not done.known:
                    raise
                # Their nonces would be missing: what was new is signed again in the next round.
                plan.leave_new_ones()
                self._commit(lease, plan, seen, sent)
            self._memory.written_at = seconds_awake()
            self._note_written(plan, seen, done)
        self._memory.seen = _Seen()

    def _commit(self, lease: Lease, plan: _Plan, seen: _Seen, sent: Sequence[bytes]) -> None:
        now = now_in_milliseconds()
        with writing(self._engine) as connection:
            hold(connection, lease)
            mark_sent(connection, sent, at=now)
            self._write_blocks(connection, seen, now)
            for id_, error in seen.lost.items():
                mark_failed(connection, id_, error, at=now)
            for operation in seen.strangers:
                self._write_stranger(connection, lease, operation, now)
            for id_ in plan.cancelled:
                mark_cancelled(connection, id_, at=now)
            for id_ in plan.refused:
                mark_failed(connection, id_, plan.errors[id_], at=now)
            insert_operations(connection, plan.fresh)
            insert_attempts(
                connection,
                [(each.operation.request.operation_id, each.attempt) for each in plan.signed],
            )

    def _note_written(self, plan: _Plan, seen: _Seen, done: Round) -> None:
        done.settled.update(seen.found, seen.lost, plan.cancelled, plan.refused)
        done.errors.update(seen.failed)
        done.errors.update(seen.lost)
        done.inserted.extend(plan.fresh)
        done.written.update(done.known, (each.request.operation_id for each in plan.fresh))
        done.moved = done.moved or bool(done.settled or plan.is_some)
        if seen.strangers or done.known:
            self._memory.next_nonce = None
        elif self._memory.next_nonce is not None and plan.signed:
            highest = max(each.attempt.nonce for each in plan.signed)
            self._memory.next_nonce = max(self._memory.next_nonce, highest + 1)

    def _write_blocks(self, connection: Connection, seen: _Seen, now: int) -> None:
        included = []
        for id_, (attempt, outcome) in seen.found.items():
            block = int(outcome.mined.block_number)
            request = seen.by_id[id_].request
            if id_ in seen.failed:
                in_block = (attempt.number, block)
                mark_failed(connection, id_, seen.failed[id_], in_block=in_block, at=now)
            elif request.contract and _is_blank(attempt):
                mark_cancelled(connection, id_, in_block=(attempt.number, block), at=now)
            else:
                lines = (
                    outcome.lines(request.contract, self._calls.addresses[request.contract])
                    if request.contract
                    else (0, 0)
                )
                included.append((id_, attempt.number, block, lines))
        if included:
            mark_included(connection, included, at=now)

    # --- sending ---

    def _send(
        self, lease: Lease, flying: Sequence[Operation], done: Round
    ) -> dict[bytes, tuple[Fate, NodeRefused | None]]:
        """Hand the newest bytes of each to the node, where they are due; what it said, by id."""
        now = time.monotonic()
        due = [
            each
            for each in flying
            if now - self._memory.sent_at.get(_newest(each).transaction_hash, -1e9)
            >= self._rules.resend
        ]
        if not due:
            self._keep(lease)
            return {}
        self._keep(lease, within=lease.seconds / 3)
        due.sort(key=lambda each: _newest(each).nonce)
        answers = self._node.send_raw_transactions([_newest(each).raw for each in due])
        fates: dict[bytes, tuple[Fate, NodeRefused | None]] = {}
        for operation, refusal in zip(due, answers, strict=True):
            attempt = _newest(operation)
            fate = Fate.ACCEPTED if refusal is None else fate_of(str(refusal.values["message"]))
            if fate in (Fate.UNKNOWN, Fate.REJECTED) and is_known(
                self._node, attempt.transaction_hash
            ):
                fate = Fate.KNOWN
            if fate is Fate.UNDERPRICED:
                self._memory.underpriced.add(attempt.transaction_hash)
            else:
                self._memory.underpriced.discard(attempt.transaction_hash)
            done.moved = done.moved or attempt.transaction_hash not in self._memory.sent_at
            self._memory.sent_at[attempt.transaction_hash] = now
            fates[operation.request.operation_id] = (fate, refusal)
        return fates

    def _was_sent(self, operation: Operation) -> bool:
        return _newest(operation).transaction_hash in self._memory.sent_at

    def _keep(self, lease: Lease, *, within: float | None = None) -> None:
        """Renew the lease unless that was done lately. Raises LeaseLost."""
        if seconds_awake() - self._memory.written_at >= (within or lease.seconds / 3):
            with writing(self._engine) as connection:
                hold(connection, lease)
            self._memory.written_at = seconds_awake()

    # --- looking ---

    def _nonces_taken(self, flying: Sequence[Operation]) -> int | None:
        """How many transactions the chain has of the key; None where it need not be asked yet.

        To be asked before the receipts are: what is taken by then has a receipt, or is not ours.
        """
        now = time.monotonic()
        if not flying or now - self._memory.nonces_seen_at < _LOOK_AT_NONCES:
            return None
        unseen = [each for each in flying if _newest(each).transaction_hash not in self._first()]
        if unseen:
            head = self._node.block_number()
            for each in unseen:
                self._first()[_newest(each).transaction_hash] = (now, head)
        self._memory.nonces_seen_at = now
        return self._node.nonce(self._key.sender, "latest")

    def _first(self) -> dict[bytes, tuple[float, int]]:
        return self._memory.first_sent

    def _look(self, flying: Sequence[Operation]) -> dict[bytes, tuple[Attempt, Outcome]]:
        """Which of the transactions are in a block, by operation."""
        pairs = [(each, attempt) for each in flying for attempt in each.live_attempts]
        if not pairs:
            return {}
        hashes = [attempt.transaction_hash for _each, attempt in pairs]
        outcomes = find_outcomes(self._node, hashes)
        return {
            operation.request.operation_id: (attempt, outcome)
            for (operation, attempt), outcome in zip(pairs, outcomes, strict=True)
            if outcome is not None
        }

    def _judge(self, seen: _Seen, done: Round) -> None:
        """What follows from what was seen; those who wait are told of what keeps them waiting."""
        seen.failed.update(self._explain_failures(seen))
        seen.strangers.extend(self._find_strangers(seen))
        seen.lost.update(self._judge_refusals(seen, done))
        done.moved = done.moved or bool(seen.strangers or seen.lost)

    def _explain_failures(self, seen: _Seen) -> dict[bytes, LedgerError]:
        """The contract's own error for each that reverted in its block."""
        explained: dict[bytes, LedgerError] = {}
        for id_, (attempt, outcome) in seen.found.items():
            if not outcome.mined.succeeded:
                fields = read_fields(attempt.raw)
                explained[id_] = explain_failure(
                    self._node,
                    FailedTransaction(
                        sender=attempt.sender,
                        to=fields.to,
                        calldata=fields.data,
                        block=outcome.mined.block_number,
                        gas_used=outcome.mined.gas_used,
                        gas_limit=fields.gas_limit,
                    ),
                )
        return explained

    def _judge_refusals(self, seen: _Seen, done: Round) -> dict[bytes, LedgerError]:
        """What no node will ever take, with why; those who wait for others are told of trouble."""
        lost: dict[bytes, LedgerError] = {}
        by_id = seen.by_id
        first = min((_newest(each).nonce for each in by_id.values()), default=0)
        for id_, (fate, refusal) in seen.fates.items():
            if id_ in seen.found or refusal is None:
                continue
            if fate is Fate.REJECTED and len(by_id[id_].live_attempts) == 1:
                lost[id_] = refusal
            elif fate is Fate.UNKNOWN:
                done.errors[id_] = refusal
            elif fate is Fate.POOR and _newest(by_id[id_]).nonce == first:
                done.errors[id_] = self._poverty(_newest(by_id[id_]))
        return lost

    def _poverty(self, attempt: Attempt) -> FundsTooLow:
        fields = read_fields(attempt.raw)
        return FundsTooLow(
            address=show_address(attempt.sender),
            balance=self._node.balance(attempt.sender, "latest"),
            needed=fields.gas_limit * fields.max_fee + fields.value,
        )

    # --- nonces that are not as they should be ---

    def _find_strangers(self, seen: _Seen) -> list[Operation]:
        """Operations whose nonce went to a transaction that this outbox did not sign."""
        if seen.taken_nonces is None:
            return []
        suspects = [
            each
            for each in seen.flying
            if _newest(each).nonce < seen.taken_nonces
            and each.request.operation_id not in seen.found
        ]
        return [
            each
            for each in suspects
            if self._is_believed(("taken", each.request.operation_id, _newest(each).nonce))
        ]

    def _is_believed(self, doubt: object) -> bool:
        """Whether something seemed so for long enough; a node may be behind itself."""
        since = self._memory.doubts.setdefault(doubt, time.monotonic())
        return time.monotonic() - since >= self._rules.doubt

    def _write_stranger(
        self, connection: Connection, lease: Lease, operation: Operation, now: int
    ) -> None:
        attempt = _newest(operation)
        id_ = operation.request.operation_id
        if not operation.request.contract:  # it was only there to fill the gap
            taken = NonceTaken(
                transaction_hash="0x" + attempt.transaction_hash.hex(), nonce=attempt.nonce
            )
            mark_failed(connection, id_, taken, at=now)
            return
        mark_unsigned(connection, id_, at=now)
        halt(
            connection,
            lease,
            KeyHalted(address=show_address(attempt.sender), nonce=attempt.nonce),
        )

    def _fill_gap(self, flying: Sequence[Operation], taken_nonces: int | None) -> list[_Signed]:
        """Sign what uses up nonces that nobody has, and without which the others are stuck."""
        if taken_nonces is None or not flying:
            return []
        lowest = min(_newest(each).nonce for each in flying)
        if lowest <= taken_nonces or not self._is_believed(("missing", taken_nonces, lowest)):
            return []
        if self._node.nonce(self._key.sender, "pending") > taken_nonces:
            return []  # somebody's transaction is on its way there
        fees = self._market.prices().fees
        last = min(lowest, taken_nonces + self._rules.in_flight)
        return [self._filling(nonce, fees) for nonce in range(taken_nonces, last)]

    def _filling(self, nonce: int, fees: Fees) -> _Signed:
        now = now_in_milliseconds()
        summary = f"Fill nonce {nonce} of {show_address(self._key.sender)}, which was missing."
        operation = Operation(
            request=Request(secrets.token_bytes(32), "fill", summary, "", b""),
            genesis_hash=self._key.genesis_hash,
            sender=self._key.sender,
            state=State.ACCEPTED,
            created_at=now,
            updated_at=now,
            first_sequence=None,
            last_sequence=None,
            failure=None,
            attempts=(),
        )
        fields = blank(self._key.sender, chain_id=self._calls.chain_id, nonce=nonce, fees=fees)
        return _Signed(operation, self._signed(operation, fields))

    def _forget_all_but(self, flying: Iterable[Operation]) -> None:
        """Keep the memory as small as what is on its way."""
        if len(self._memory.sent_at) > 4 * self._rules.in_flight:
            kept = {attempt.transaction_hash for each in flying for attempt in each.live_attempts}
            for known in (self._memory.sent_at, self._memory.first_sent):
                for gone in known.keys() - kept:
                    del known[gone]


def key_halted(why: Failure) -> KeyHalted:
    """The error that was kept when a key was halted."""
    return KeyHalted(address=why.values["address"], nonce=why.values["nonce"])


def _is_verdict(error: LedgerError) -> bool:
    """Whether an error says that the call can do nothing, or that its key may not sign it."""
    return error.code in (
        "contract.refused",
        "sending.too_large",
        "signer.policy_refused",
        "signer.devnet_key_refused",
    )


def _is_blank(attempt: Attempt) -> bool:
    """Whether a transaction does nothing but use its nonce."""
    fields = read_fields(attempt.raw)
    return fields.to == attempt.sender and not fields.data


def _newest(operation: Operation) -> Attempt:
    return operation.live_attempts[-1]


def _fees_of(fields: TransactionFields) -> Fees:
    return Fees(fields.max_fee, fields.max_priority_fee)


def _with_signed(flying: Sequence[Operation], signed: Sequence[_Signed]) -> list[Operation]:
    """All that is on its way, with what this round signed."""
    by_id = {each.request.operation_id: each for each in flying}
    for each in signed:
        id_ = each.operation.request.operation_id
        known = by_id.get(id_, each.operation)
        by_id[id_] = replace(known, attempts=(*known.attempts, each.attempt))
    return list(by_id.values())
