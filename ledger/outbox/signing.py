"""What a round signs: what waits, what replaces a transaction or cancels one, what fills a gap.

It sends nothing and writes nothing: nonces and bytes are written by the flight before anything is
broadcast. Without a signer it signs nothing. It refuses to sign anew for a transaction whose fate
is not known; what it signs in its place has the same nonce.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine

from ledger.chain.addresses import show_address
from ledger.chain.replacing import blank, raise_fees, read_fields, with_fees
from ledger.chain.sending import Fees
from ledger.chain.signers import Signer, TransactionFields, sign
from ledger.errors import FeesTooHigh, KeyHalted, LedgerError
from ledger.outbox.calls import Calls
from ledger.outbox.leases import Key
from ledger.outbox.records import Attempt, Failure, Operation, Request, State, next_own_nonce
from ledger.outbox.rounds import Memory, Plan, Signed, fees_of, is_blank, newest
from ledger.outbox.rules import STUCK_BLOCKS, Rules
from ledger.outbox.times import now_in_milliseconds
from ledger.store.engine import reading


class Signing:
    """Plans what the rounds of one key sign; `memory` is that of who has the lease."""

    def __init__(
        self,
        engine: Engine,
        key: Key,
        calls: Calls,
        *,
        rules: Rules,
        memory: Memory,
        signer: Signer | None,
    ) -> None:
        self._engine = engine
        self._key = key
        self._calls = calls
        self._rules = rules
        self._memory = memory
        self._signer = signer

    def plan(
        self,
        queued: Sequence[Operation],
        fresh: Sequence[Operation],
        flying: Sequence[Operation],
        halted: Failure | None,
    ) -> Plan:
        """Sign what there is to sign; `queued` waits, `fresh` is not written down yet.

        `flying` is on its way. With `halted`, why the key is, nothing is signed.
        """
        plan = Plan()
        self._plan_queued(plan, queued, len(flying), halted)
        self._plan_fresh(plan, fresh, len(flying), halted)
        if halted is None and self._signer is not None:
            plan.signed += self._sign_replacements(flying)
            filling = self._fill_gap(flying, self._memory.seen.taken_nonces)
            plan.signed += filling
            plan.fresh += [each.operation for each in filling]
        return plan

    def _plan_queued(
        self, plan: Plan, queued: Sequence[Operation], in_flight: int, halted: Failure | None
    ) -> None:
        """Sign what waits, as far as there is room; note what will never be signed."""
        for operation in queued:
            id_ = operation.request.operation_id
            if operation.cancel_asked_at is not None:
                plan.cancelled.append(id_)
            elif halted is not None:
                plan.errors[id_] = key_halted(halted)
            elif self._signer is not None and self._has_room(plan, in_flight):
                try:
                    plan.signed.append(self._sign_first(operation, len(plan.signed)))
                except LedgerError as error:
                    plan.errors[id_] = error
                    if _is_verdict(error):
                        plan.refused.append(id_)

    def _plan_fresh(
        self, plan: Plan, fresh: Sequence[Operation], in_flight: int, halted: Failure | None
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

    def _has_room(self, plan: Plan, in_flight: int) -> bool:
        return in_flight + len(plan.signed) < self._rules.in_flight

    def _sign_first(self, operation: Operation, position: int) -> Signed:
        """Sign an operation's first transaction, or the next one after those that are over."""
        request = operation.request
        age = now_in_milliseconds() - operation.updated_at
        gas_limit = operation.gas_limit
        if gas_limit is None or age > self._rules.fresh * 1000:
            gas_limit = self._calls.gas_limit(request, self._key.sender)
        fees = self._calls.market.prices().fees
        fields = replace(
            self._calls.fields(request),
            nonce=self._first_nonce() + position,
            gas_limit=gas_limit,
            max_fee=fees.max_fee,
            max_priority_fee=fees.max_priority_fee,
        )
        return Signed(operation, self._signed(operation, fields), is_first=True)

    def _sign_replacements(self, flying: Sequence[Operation]) -> list[Signed]:
        """Sign what takes the place of another: a blank to cancel it, or higher fees."""
        signed = []
        for operation in flying:
            if operation.cancel_asked_at is not None and not any(
                is_blank(each) for each in operation.live_attempts
            ):
                fields = read_fields(operation.live_attempts[-1].raw)
                raised = self._raise(operation) or fees_of(fields)
                empty = blank(
                    self._key.sender, chain_id=self._calls.chain_id, nonce=fields.nonce, fees=raised
                )
                signed.append(Signed(operation, self._signed(operation, empty)))
        stuck = self._find_stuck(flying)
        if stuck is not None and all(each.operation is not stuck for each in signed):
            raised_fees = self._raise(stuck)
            if raised_fees is not None:
                fields = with_fees(read_fields(stuck.live_attempts[-1].raw), raised_fees)
                signed.append(Signed(stuck, self._signed(stuck, fields)))
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
        blocks = self._calls.node.block_number() - since[1]
        return first if blocks >= STUCK_BLOCKS else None

    def _raise(self, operation: Operation) -> Fees | None:
        """Higher fees for an operation; None where no more may be offered, or nothing is gained."""
        live = operation.live_attempts
        if len(live) > self._rules.raises:
            return None
        first, last = (fees_of(read_fields(each.raw)) for each in (live[0], live[-1]))
        try:
            market = self._calls.market.prices().fees
        except FeesTooHigh:
            return None  # nothing new may be signed now; what is on its way still is
        ceiling = max(first.max_fee, 1) * self._rules.ceiling_factor
        if self._calls.market.ceiling is not None:
            ceiling = min(ceiling, self._calls.market.ceiling)
        return raise_fees(last, market, ceiling=ceiling)

    def _signed(self, operation: Operation, fields: TransactionFields) -> Attempt:
        assert self._signer is not None, "only who has the key signs"  # noqa: S101
        signed = sign(fields, self._signer)
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
            pending = self._calls.node.nonce(self._key.sender, "pending")
            with reading(self._engine) as connection:
                own = next_own_nonce(connection, self._key.genesis_hash, self._key.sender)
            self._memory.next_nonce = max(pending, own)
        return self._memory.next_nonce

    def _fill_gap(self, flying: Sequence[Operation], taken_nonces: int | None) -> list[Signed]:
        """Sign what uses up nonces that nobody has, and without which the others are stuck."""
        if taken_nonces is None or not flying:
            return []
        lowest = min(newest(each).nonce for each in flying)
        if lowest <= taken_nonces or not self._memory.is_believed(
            ("missing", taken_nonces, lowest), self._rules.doubt
        ):
            return []
        if self._calls.node.nonce(self._key.sender, "pending") > taken_nonces:
            return []  # somebody's transaction is on its way there
        try:
            fees = self._calls.market.prices().fees
        except FeesTooHigh:
            return []
        last = min(lowest, taken_nonces + self._rules.in_flight)
        return [self._filling(nonce, fees) for nonce in range(taken_nonces, last)]

    def _filling(self, nonce: int, fees: Fees) -> Signed:
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
        return Signed(operation, self._signed(operation, fields))


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
