"""Sends what was asked for, once, whatever happens in between.

What is asked for is simulated and written down first: accepted. Then whoever holds the lease of its
key signs it and writes nonce and signed bytes in one SQL commit, and only then broadcasts them.
Whoever finds such a row later sends the same bytes again: they can get into the chain only once,
and the contract does the operation only once. A call that would revert is refused before anything
is signed.

It refuses to guess: whether an operation was done is the contract's to say (`operationSequence`),
so that a lost database, a chain that lost its last blocks, and a second process are all the same.
The contract counts by signer and would do the same operation again for another one; so an
operation is bound to its signer when it is written down, before anything of it is sent, and refused
to every other, until it has failed for good.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from ledger.chain.lines import Line as JournalLine
from ledger.chain.rpc import Node
from ledger.chain.signers import Signer
from ledger.domain.verification import Finality
from ledger.errors import DiskFull, LedgerError, OperationCancelled, OperationSettled
from ledger.outbox.calls import Calls
from ledger.outbox.flight import Flight
from ledger.outbox.intake import Intake, require_own, show_id
from ledger.outbox.leases import Key, is_free, resume
from ledger.outbox.line import Line
from ledger.outbox.market import Market, Prices
from ledger.outbox.rechecking import Rechecker, Resumed
from ledger.outbox.records import (
    Operation,
    Request,
    State,
    list_open,
    list_operations,
    list_signed_senders,
    read_operation,
)
from ledger.outbox.rules import Rules
from ledger.outbox.times import now_in_milliseconds
from ledger.outbox.writes import ask_to_cancel
from ledger.store.engine import reading, writing

DEADLINE_SECONDS = 60.0
FINALITY_BLOCKS = 64

_AT_ONCE = 10_000

_KEPT_REMEDY = (
    "What was asked is kept. Free some space there, then run the same command again, "
    "with --operation-id {} where it takes one: then it is done once."
)
"""The same command alone would ask for the same once more, under another id."""


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Which chain is meant: its id (EIP-155) and the hash of its first block."""

    chain_id: int
    genesis_hash: bytes


class Outbox:
    """The way to send for one ledger: its database, a node, and the contracts' addresses.

    Threads may share it, and should: they share each other's commits and requests.

    Parameters
    ----------
    engine: the database of the outbox; commits there must survive a crash.
    node: where transactions go, and where is asked what became of them.
    chain: the chain that the node serves.
    addresses: the contracts, by name.
    first_block: the block before which none of them has a log.
    deadline: seconds that a transaction is waited for.
    finality: what makes a block final, so that no reorganisation takes it back.
    finality_blocks: how deep a block is final by its depth.
    fee_ceiling: the most wei for one unit of gas; unbounded where it is None.
    rules: how long is waited for what.
    """

    def __init__(
        self,
        engine: Engine,
        node: Node,
        *,
        chain: ChainIdentity,
        addresses: Mapping[str, bytes],
        first_block: int = 0,
        deadline: float = DEADLINE_SECONDS,
        finality: Finality = Finality.EITHER,
        finality_blocks: int = FINALITY_BLOCKS,
        fee_ceiling: int | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.chain = chain
        self.addresses = addresses
        self.first_block = first_block
        self._engine = engine
        self._node = node
        self._deadline = deadline
        self._rules = rules or Rules()
        self._market = Market(node, chain_id=chain.chain_id, ceiling=fee_ceiling)
        self._calls = Calls(node, chain.chain_id, addresses, first_block, self._market)
        self._lock = threading.Lock()
        self._lines: dict[tuple[bytes, bool], Line] = {}
        self._rechecker = Rechecker(
            engine,
            node,
            genesis_hash=chain.genesis_hash,
            finality=finality,
            finality_blocks=finality_blocks,
        )
        self._intake = Intake(engine, self._calls, chain.genesis_hash, self._rechecker)

    def submit(self, request: Request, signer: Signer) -> Operation:
        """Have it done, and return when it is in a block.

        The same request again gives the known result and sends nothing; one that failed is tried
        again, since nothing was done. Raises ContractRefused where the contract would refuse or
        did refuse it, OperationOfAnother where it was asked for with another key and may still be
        done, OperationConflict where the id stands for something else, OperationCancelled,
        KeyHalted where somebody else uses the key, FundsTooLow, and ReceiptOverdue where the
        transaction is in no block in time; it is kept and goes on with `resume` or with the same
        request.
        """
        operation, is_new = self._intake.check(request, signer)
        if operation.is_done:
            return operation
        line = self._line(signer.address, signer)
        fresh = operation if is_new else None
        try:
            done = line.wait_for(request.operation_id, self._deadline, fresh=fresh)
        except DiskFull as error:
            if self._intake.find(request.operation_id) is None:
                raise
            raise DiskFull(
                what=error.values["what"],
                remedy=_KEPT_REMEDY.format(show_id(request.operation_id)),
            ) from error
        if done is not None:
            return done
        known = self._intake.repeat(self._intake.present(operation), request, signer)
        return known if known.is_done else self.wait_for(request.operation_id, signer)

    def accept(self, request: Request, signer: Signer) -> Operation:
        """Check that it can be done and write it down; it is not sent by this.

        Once it returns, the operation is done at some time, or has a recorded end: `wait_for`, or
        anybody who sends with the same key, goes on with it. Raises as `submit`.
        """
        operation, is_new = self._intake.check(request, signer)
        if not is_new or self._intake.write(operation):
            return operation
        return self._intake.repeat(self._intake.present(operation), request, signer)

    def rehearse(self, request: Request, signer: Signer) -> Operation:
        """What `submit` would do: rights, values, fees and coin are checked, and nothing is kept.

        Raises as `submit` does before it signs. An operation that is known comes back as it is.
        """
        return self._intake.rehearse(request, signer)

    def prices(self) -> Prices:
        """What a transaction would cost now. Raises FeesTooHigh, ChainMismatch, NodeProblem."""
        return self._market.prices()

    def wait_for(self, operation_id: bytes, signer: Signer | None = None) -> Operation:
        """See an accepted operation through, and return when it is in a block. Raises as `submit`.

        Without a signer only what is signed already is sent.
        """
        with reading(self._engine) as connection:
            known = read_operation(connection, operation_id)
        if signer is not None:
            require_own(known, signer)
        if known.is_done:
            return known
        done = self._line(known.sender, signer).wait_for(operation_id, self._deadline)
        return done or self._intake.present(known)

    def cancel(self, operation_id: bytes, signer: Signer | None = None) -> Operation:
        """Take an operation back, and return when nothing of it can be done any more.

        One that is not signed is cancelled at once. Else a transaction that does nothing takes its
        nonce at a higher fee, which `signer` signs; the chain decides which of the two it takes.
        Raises OperationSettled where the operation was done, or ended before.
        """
        with writing(self._engine) as connection:
            known = read_operation(connection, operation_id)
            if signer is not None:
                require_own(known, signer)
            if known.state is State.CANCELLED:
                return known
            asked = ask_to_cancel(connection, operation_id, at=now_in_milliseconds())
        if asked:
            try:
                self._line(known.sender, signer).wait_for(operation_id, self._deadline)
            except OperationCancelled:
                with reading(self._engine) as connection:
                    return read_operation(connection, operation_id)
        with reading(self._engine) as connection:
            known = read_operation(connection, operation_id)
        raise OperationSettled(operation_id=show_id(operation_id), state=known.state.value)

    def resume(self) -> Iterator[Resumed]:
        """Send again what this database signed and the chain has not done, account by account.

        Each transaction in the very bytes that were signed. To be run to its end at the start of
        every process that sends. What another process is sending now is left to it, and what is not
        signed to the next one that has the key. Raises NodeProblem and ReceiptOverdue; what a
        contract refuses is recorded and given with the operation.
        """
        self._rechecker.take_back_lost()
        with reading(self._engine) as connection:
            senders = list_signed_senders(connection, self.chain.genesis_hash)
        for sender in senders:
            yield from self._resume(sender)

    def _resume(self, sender: bytes) -> Iterator[Resumed]:
        line = self._line(sender, None)
        if not is_free(self._engine, Key(self.chain.genesis_hash, sender)):
            return
        with reading(self._engine) as connection:
            left = list_open(connection, self.chain.genesis_hash, sender, limit=_AT_ONCE)
        for operation in (each for each in left if each.live_attempts):
            operation_id = operation.request.operation_id
            try:
                done = line.wait_for(operation_id, self._deadline)
                yield Resumed(done or self._intake.present(operation), None)
            except LedgerError as error:
                with reading(self._engine) as connection:
                    present = read_operation(connection, operation_id)
                if present.is_open and present.live_attempts:
                    raise  # of the node or of the time, and not of this operation
                yield Resumed(present, error)

    def recheck(self) -> Iterator[Resumed]:
        """Put right what a reorganisation undid, without waiting for blocks; note what is final.

        For a process that stays: to be run to its end every second or so. Each operation is given
        when it is sent again and when it is in a block. Raises NodeProblem.
        """
        self._rechecker.look()
        with reading(self._engine) as connection:
            senders = list_signed_senders(connection, self.chain.genesis_hash)
        for sender in senders:
            self._line(sender, None).go_once()
        yield from self._rechecker.find_returned()

    def list_waiting(self) -> tuple[Operation, ...]:
        """All that is on its way on this chain, the oldest first."""
        with reading(self._engine) as connection:
            found = [
                each
                for state in (State.ACCEPTED, State.SENT)
                for each in list_operations(connection, state=state, limit=_AT_ONCE)
                if each.genesis_hash == self.chain.genesis_hash
            ]
        return tuple(sorted(found, key=lambda each: each.created_at))

    def resume_key(self, sender: bytes) -> bool:
        """Let a halted key sign again; False where it was not halted."""
        return resume(self._engine, Key(self.chain.genesis_hash, sender))

    def lines_of(self, operation: Operation) -> tuple[JournalLine, ...]:
        """The journal lines that an included operation caused. Raises NotFound if it has none."""
        return self._calls.lines_of(operation)

    def subjects_of(self, operation: Operation) -> tuple[int, ...]:
        """The ids of what the operation's journal lines are about, in their order."""
        return tuple(line.subject for line in self.lines_of(operation))

    def made_by(self, operation: Operation, field: str) -> tuple[int, ...]:
        """The number that each of an included operation's events has in a field (`proposalId`)."""
        return tuple(int(each[field]) for each in self._calls.read_events(operation))

    def close(self) -> None:
        """Give back the leases that are kept for whoever comes next."""
        with self._lock:
            lines = tuple(self._lines.values())
        for line in lines:
            line.close()

    def _line(self, sender: bytes, signer: Signer | None) -> Line:
        """The line of a key, one for all threads; with the key, and without."""
        with self._lock:
            place = (sender, signer is not None)
            if place not in self._lines:
                key = Key(self.chain.genesis_hash, sender)
                flight = Flight(
                    self._engine,
                    key,
                    self._calls,
                    rules=self._rules,
                    signer=signer,
                )
                self._lines[place] = Line(
                    self._engine, key, flight, self._rules, self._intake.combiner
                )
            other = self._lines.get((sender, signer is None))
            line = self._lines[place]
        if other is not None:
            other.leave_if_idle()
        return line
