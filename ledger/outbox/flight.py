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

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.chain.addresses import show_address
from ledger.chain.node_words import Fate, fate_of
from ledger.chain.outcomes import is_known
from ledger.chain.signers import Signer
from ledger.errors import KeyHalted, NodeRefused, NonceTaken
from ledger.outbox.calls import Calls
from ledger.outbox.leases import Key, Lease, find_halt, halt, hold, kept
from ledger.outbox.looking import Looking
from ledger.outbox.records import Operation, State, list_open
from ledger.outbox.rounds import Memory, Plan, Round, Seen, is_blank, newest, with_signed
from ledger.outbox.rules import Rules
from ledger.outbox.signing import Signing
from ledger.outbox.telling import tell_of_sent, tell_of_settled
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
        self._rules = rules
        self.signer = signer
        self._work: dict[bytes, Operation] = {}
        self._remember(Memory())

    @property
    def on_its_way(self) -> int:
        """How many transactions of the key are in no block, as far as the last round saw."""
        return len(self._memory.known) - len(self._memory.seen.found)

    @property
    def found(self) -> int:
        """How many are in a block, with that not written down yet."""
        return len(self._memory.seen.found)

    def glance(self) -> None:
        """Look once more for blocks with what is on its way; the next round writes it down."""
        seen = self._memory.seen
        seen.found |= self._looking.look(
            [each for each in seen.flying if each.request.operation_id not in seen.found]
        )

    def begin(self, lease: Lease | None = None) -> None:
        """Forget what may not be so any more: the lease was taken anew, or a round went wrong.

        Where nobody else had the lease since, only the next nonce is: a stranger may have used it.
        """
        if lease is None or lease.token != self._memory.token + 1:
            self._remember(Memory())
        self._memory.next_nonce = None
        if lease is not None:
            self._memory.token = lease.token
            self._memory.written_at = seconds_awake()

    def pause(self) -> None:
        """Forget the next nonce: while nothing is sent from here, a stranger may use it."""
        self._memory.next_nonce = None

    def advance(
        self,
        lease: Lease,
        fresh: Sequence[Operation] = (),
        *,
        to_the_end: bool = False,
        tell: Callable[[Round], object] = lambda _: None,
    ) -> Round:
        """One round. Raises LeaseLost and NodeProblem; what was written then stays written.

        `fresh` are operations that are not written down yet. What a round sees is written with what
        the next one signs, in one commit; with `to_the_end` at once, for a holder who leaves.
        `tell` is called once that is written, before anything is sent: who hears there of a result
        can ask for more while the node is busy.
        """
        done = Round()
        with reading(self._engine) as connection:
            work = list_open(
                connection,
                self._key.genesis_hash,
                self._key.sender,
                limit=2 * self._rules.in_flight,
                known=self._memory.known,
            )
            halted = find_halt(connection, self._key)
            ids = [each.request.operation_id for each in fresh]
            done.known.update(find_taken(connection, ids) if ids else ())
        done.written.update(done.known)
        firsts = {each.request.operation_id: each for each in reversed(fresh)}
        new = [each for id_, each in firsts.items() if id_ not in done.known]
        seen = self._memory.seen
        self._looking.judge(seen, done)
        flying = [
            each
            for each in work
            if each.live_attempts and each.request.operation_id not in seen.found
        ]
        queued = [each for each in work if not each.live_attempts]
        with kept(self._engine, lease) if self.signer is not None else nullcontext():
            plan = self._signing.plan(queued, new, flying, halted)
        self._memory.known = {each.request.operation_id: each for each in flying}
        self._work = {each.request.operation_id: each for each in (*new, *work)}
        self._write(lease, plan, seen, done)
        if done.settled or done.errors:
            tell(done)
        flying = [
            self._memory.known.get(each.request.operation_id, each)
            for each in flying
            if each.request.operation_id not in done.settled
        ]
        # What another process left may be in a block already: that is not sent again.
        found = self._looking.look([each for each in flying if not self._memory.was_sent(each)])
        flying = with_signed(flying, plan.signed)
        self._memory.known = {each.request.operation_id: each for each in flying}
        left = [each for each in flying if each.request.operation_id not in found]
        fates = self._send(lease, left, done)
        taken_nonces = self._looking.nonces_taken(left)
        found |= self._looking.look(left)
        self._memory.seen = Seen(flying, fates, found, taken_nonces)
        done.moved = done.moved or bool(self._memory.seen.found)
        if to_the_end:
            self._looking.judge(self._memory.seen, done)
            self._write(lease, Plan(), self._memory.seen, done)
        self._memory.forget_all_but(flying, most=4 * self._rules.in_flight)
        return done

    def _remember(self, memory: Memory) -> None:
        self._memory = memory
        self._looking = Looking(self._key, self._calls, self._rules, memory)
        self._signing = Signing(
            self._engine,
            self._key,
            self._calls,
            rules=self._rules,
            memory=memory,
            signer=self.signer,
        )

    # --- writing ---

    def _write(self, lease: Lease, plan: Plan, seen: Seen, done: Round) -> None:
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
            now = now_in_milliseconds()
            try:
                done.finished.update(self._commit(lease, plan, seen, sent, now))
            except IntegrityError:
                ids = [each.request.operation_id for each in plan.fresh]
                with reading(self._engine) as connection:
                    done.known.update(find_taken(connection, ids))
                if not done.known:
                    raise
                # Their nonces would be missing: what was new is signed again in the next round.
                plan.leave_new_ones()
                done.finished.update(self._commit(lease, plan, seen, sent, now))
            self._memory.written_at = seconds_awake()
            self._memory.note_sent(sent, now)
            self._note_written(plan, seen, done)
            tell_of_sent(by_id[id_] for id_ in sent)
            ended = (*seen.found, *seen.lost, *plan.cancelled, *plan.refused)
            known = {**self._work, **by_id}
            tell_of_settled(
                (known[id_] for id_ in ended if id_ in known), done.finished, done.errors
            )
        self._memory.seen = Seen()

    def _commit(
        self, lease: Lease, plan: Plan, seen: Seen, sent: Sequence[bytes], now: int
    ) -> dict[bytes, Operation]:
        """Write it, at this time; the operations that are done, as they are recorded then."""
        with writing(self._engine) as connection:
            hold(connection, lease)
            mark_sent(connection, sent, at=now)
            done = self._write_blocks(connection, seen, now)
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
        return done

    def _note_written(self, plan: Plan, seen: Seen, done: Round) -> None:
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

    def _write_blocks(self, connection: Connection, seen: Seen, now: int) -> dict[bytes, Operation]:
        """Write what is in blocks; the operations that did there what was asked."""
        done: dict[bytes, Operation] = {}
        by_id = seen.by_id
        for id_, (attempt, outcome) in seen.found.items():
            block = int(outcome.mined.block_number)
            operation = by_id[id_]
            contract = operation.request.contract
            if id_ in seen.failed:
                in_block = (attempt.number, block)
                mark_failed(connection, id_, seen.failed[id_], in_block=in_block, at=now)
            elif contract and is_blank(attempt):
                mark_cancelled(connection, id_, in_block=(attempt.number, block), at=now)
            else:
                lines = (
                    outcome.lines(contract, self._calls.addresses[contract]) if contract else (0, 0)
                )
                done[id_] = operation.included(attempt.number, block, lines, at=now)
        if done:
            mark_included(connection, list(done.values()))
        return done

    def _write_stranger(
        self, connection: Connection, lease: Lease, operation: Operation, now: int
    ) -> None:
        attempt = newest(operation)
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

    # --- sending ---

    def _send(
        self, lease: Lease, flying: Sequence[Operation], done: Round
    ) -> dict[bytes, tuple[Fate, NodeRefused | None]]:
        """Hand the newest bytes of each to the node, where they are due; what it said, by id."""
        now = time.monotonic()
        due = [
            each
            for each in flying
            if now - self._memory.sent_at.get(newest(each).transaction_hash, -1e9)
            >= self._rules.resend
        ]
        if not due:
            self._keep(lease)
            return {}
        self._keep(lease, within=lease.seconds / 3)
        fates: dict[bytes, tuple[Fate, NodeRefused | None]] = {}
        for operation, refusal in self._hand_over(due):
            attempt = newest(operation)
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
            self._memory.begun_at.setdefault(attempt.transaction_hash, now)
            fates[operation.request.operation_id] = (fate, refusal)
        return fates

    def _hand_over(self, due: Sequence[Operation]) -> list[tuple[Operation, NodeRefused | None]]:
        """Hand transactions to the node; what it refused beside each.

        The first nonce goes last, where all of them are new: the others wait in the node's pool for
        it, so that a node which makes a block as soon as it can makes one of all. Given in their
        order, anvil makes three blocks of ten. Who keeps nothing that is too early gets them in
        their order.
        """
        ordered = sorted(due, key=lambda each: newest(each).nonce)
        first, later = ordered[:1], ordered[1:]
        if not later or not self._memory.keeps_early or any(map(self._memory.was_sent, ordered)):
            return self._ask_to_take(ordered)
        handed = self._ask_to_take(later)
        self._memory.keeps_early = not any(_is_too_early(refusal) for _each, refusal in handed)
        if self._memory.keeps_early:
            return [*handed, *self._ask_to_take(first)]
        return self._ask_to_take(ordered)

    def _ask_to_take(
        self, ordered: Sequence[Operation]
    ) -> list[tuple[Operation, NodeRefused | None]]:
        answers = self._node.send_raw_transactions([newest(each).raw for each in ordered])
        return list(zip(ordered, answers, strict=True))

    def _keep(self, lease: Lease, *, within: float | None = None) -> None:
        """Renew the lease unless that was done lately. Raises LeaseLost."""
        if seconds_awake() - self._memory.written_at >= (within or lease.seconds / 3):
            with writing(self._engine) as connection:
                hold(connection, lease)
            self._memory.written_at = seconds_awake()


def _is_too_early(refusal: NodeRefused | None) -> bool:
    return refusal is not None and fate_of(str(refusal.values["message"])) is Fate.TOO_EARLY
