"""What a round finds out about what it sent: blocks, reverts, refusals, nonces of strangers.

It asks the node and judges the answers, and writes nothing. It refuses to believe at once that a
nonce went to somebody else: a node may be behind itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ledger.chain.addresses import show_address
from ledger.chain.node_words import Fate
from ledger.chain.outcomes import Outcome, find_outcomes
from ledger.chain.replacing import read_fields
from ledger.chain.reverts import FailedTransaction, explain_failure
from ledger.errors import FundsTooLow, LedgerError
from ledger.outbox.calls import Calls
from ledger.outbox.leases import Key
from ledger.outbox.records import Attempt, Operation
from ledger.outbox.rounds import LOOK_AT_NONCES, Memory, Round, Seen, newest
from ledger.outbox.rules import Rules


class Looking:
    """Looks for the rounds of one key; `memory` is that of who has the lease."""

    def __init__(self, key: Key, calls: Calls, rules: Rules, memory: Memory) -> None:
        self._key = key
        self._calls = calls
        self._rules = rules
        self._memory = memory

    def nonces_taken(self, flying: Sequence[Operation]) -> int | None:
        """How many transactions the chain has of the key; None where it need not be asked yet.

        To be asked before the receipts are: what is taken by then has a receipt, or is not ours.
        """
        now = time.monotonic()
        if now - self._memory.nonces_seen_at < LOOK_AT_NONCES or not any(
            self._memory.is_on_its_way_since(each, now - LOOK_AT_NONCES) for each in flying
        ):
            return None
        unseen = [
            each for each in flying if newest(each).transaction_hash not in self._memory.first_sent
        ]
        if unseen:
            head = self._calls.node.block_number()
            for each in unseen:
                self._memory.first_sent[newest(each).transaction_hash] = (now, head)
        self._memory.nonces_seen_at = now
        return self._calls.node.nonce(self._key.sender, "latest")

    def look(self, flying: Sequence[Operation]) -> dict[bytes, tuple[Attempt, Outcome]]:
        """Which of the transactions are in a block, by operation."""
        pairs = [(each, attempt) for each in flying for attempt in each.live_attempts]
        if not pairs:
            return {}
        hashes = [attempt.transaction_hash for _each, attempt in pairs]
        outcomes = find_outcomes(self._calls.node, hashes)
        return {
            operation.request.operation_id: (attempt, outcome)
            for (operation, attempt), outcome in zip(pairs, outcomes, strict=True)
            if outcome is not None
        }

    def judge(self, seen: Seen, done: Round) -> None:
        """What follows from what was seen; those who wait are told of what keeps them waiting."""
        seen.failed.update(self._explain_failures(seen))
        seen.strangers.extend(self._find_strangers(seen))
        seen.lost.update(self._judge_refusals(seen, done))
        done.moved = done.moved or bool(seen.strangers or seen.lost)

    def _explain_failures(self, seen: Seen) -> dict[bytes, LedgerError]:
        """The contract's own error for each that reverted in its block."""
        explained: dict[bytes, LedgerError] = {}
        for id_, (attempt, outcome) in seen.found.items():
            if not outcome.mined.succeeded:
                fields = read_fields(attempt.raw)
                explained[id_] = explain_failure(
                    self._calls.node,
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

    def _judge_refusals(self, seen: Seen, done: Round) -> dict[bytes, LedgerError]:
        """What no node will ever take, with why; those who wait for others are told of trouble."""
        lost: dict[bytes, LedgerError] = {}
        by_id = seen.by_id
        first = min((newest(each).nonce for each in by_id.values()), default=0)
        for id_, (fate, refusal) in seen.fates.items():
            if id_ in seen.found or refusal is None:
                continue
            if fate is Fate.REJECTED and len(by_id[id_].live_attempts) == 1:
                lost[id_] = refusal
            elif fate is Fate.UNKNOWN:
                done.errors[id_] = refusal
            elif fate is Fate.POOR and newest(by_id[id_]).nonce == first:
                done.errors[id_] = self._poverty(newest(by_id[id_]))
        return lost

    def _poverty(self, attempt: Attempt) -> FundsTooLow:
        fields = read_fields(attempt.raw)
        return FundsTooLow(
            address=show_address(attempt.sender),
            balance=self._calls.node.balance(attempt.sender, "latest"),
            needed=fields.gas_limit * fields.max_fee + fields.value,
        )

    def _find_strangers(self, seen: Seen) -> list[Operation]:
        """Operations whose nonce went to a transaction that this outbox did not sign."""
        if seen.taken_nonces is None:
            return []
        suspects = [
            each
            for each in seen.flying
            if newest(each).nonce < seen.taken_nonces
            and each.request.operation_id not in seen.found
        ]
        return [
            each
            for each in suspects
            if self._memory.is_believed(
                ("taken", each.request.operation_id, newest(each).nonce), self._rules.doubt
            )
        ]
