"""Takes in what is asked for: checks that it can be done, writes it down, says what is known.

What would revert is refused before anything is signed, and so is what was asked for with another
key: a contract counts operations by actor and would do the same once more for another signer, so
an operation is bound to its signer when it is written down. One that failed is free for another
key as soon as no reorganisation can bring back what was signed for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from ledger.chain.addresses import show_address
from ledger.chain.policies import require_allowed
from ledger.chain.signers import Signer
from ledger.errors import (
    ContractRefused,
    LedgerError,
    OperationCancelled,
    OperationConflict,
    OperationOfAnother,
)
from ledger.outbox.calls import Calls, is_counted, is_done_before
from ledger.outbox.combining import Combiner
from ledger.outbox.rechecking import Rechecker
from ledger.outbox.records import (
    Attempt,
    Operation,
    Request,
    State,
    find_operation,
    read_operation,
)
from ledger.outbox.times import now_in_milliseconds
from ledger.outbox.writes import (
    find_taken,
    insert_operation,
    insert_operations,
    mark_included,
    reopen,
)
from ledger.store.engine import reading, writing

_TRIES = 20


class Intake:
    """What is asked of one chain; threads share its commits (`combiner`)."""

    def __init__(
        self, engine: Engine, calls: Calls, genesis_hash: bytes, rechecker: Rechecker
    ) -> None:
        self._engine = engine
        self._calls = calls
        self._genesis_hash = genesis_hash
        self._rechecker = rechecker
        self.combiner = Combiner(self._write_new)

    def check(self, request: Request, signer: Signer) -> tuple[Operation, bool]:
        """The operation, and whether it is new and has yet to be written. Raises as `submit`."""
        require_allowed(signer, self._calls.fields(request))
        try:
            gas_limit = self._calls.gas_limit(request, signer.address)
        except LedgerError as error:
            known = self.find(request.operation_id)
            if known is None and isinstance(error, ContractRefused):
                known = self._find_on_chain(request, signer)
            if known is None:
                raise
            return self.repeat(known, request, signer), False
        # Whether the id is taken comes out when it is written.
        return self._accepted(request, signer.address, gas_limit), True

    def rehearse(self, request: Request, signer: Signer) -> Operation:
        """The operation as `check` finds it, with nothing written, signed or sent by this.

        One that was done before is given as it is recorded.
        """
        known = self.find(request.operation_id)
        if known is not None:
            self._require_own_or_free(known, signer)
            self._require_same(known, request, signer)
            if known.state is State.CANCELLED:
                raise OperationCancelled(operation_id=show_id(request.operation_id))
            if known.is_open or known.is_done:
                return known
        require_allowed(signer, self._calls.fields(request))
        gas_limit = self._calls.gas_limit(request, signer.address)
        return self._accepted(request, signer.address, gas_limit)

    def write(self, operation: Operation) -> bool:
        """Write a new operation down, with those of other threads; False where its id is taken."""
        return self.combiner.ask(operation)

    def find(self, operation_id: bytes) -> Operation | None:
        """An operation as it is recorded, if it is."""
        with reading(self._engine) as connection:
            return find_operation(connection, operation_id)

    def present(self, known: Operation) -> Operation:
        """An operation as it is recorded now."""
        with reading(self._engine) as connection:
            return read_operation(connection, known.request.operation_id)

    def _find_on_chain(self, request: Request, signer: Signer) -> Operation | None:
        """What the chain has done under this id where our own record of it is lost.

        None where it was not done. Raises what `_conflict` gives where the id was used for
        something else.
        """
        sequence = self._calls.sequence(request, signer.address)
        if sequence == 0:
            return None
        sent = self._calls.find_sent(request, sequence)
        if sent is None or (sent.sender, sent.calldata) != (signer.address, request.calldata):
            raise self._conflict(request, signer)
        lines = self._calls.read_lines(request, sent.hash)
        now = now_in_milliseconds()
        with writing(self._engine) as connection:
            found = self._accepted(request, signer.address, None)
            attempt = Attempt(1, sent.sender, sent.nonce, sent.hash, sent.raw, now, None)
            if not find_taken(connection, [request.operation_id]):
                insert_operation(connection, replace(found, attempts=(attempt,)))
            known = read_operation(connection, request.operation_id)
            require_own(known, signer)
            number = next(
                (each.number for each in known.attempts if each.transaction_hash == sent.hash), 0
            )
            lines_of = (lines[0].sequence, lines[-1].sequence)
            included = known.included(number, sent.block_number, lines_of, at=now)
            mark_included(connection, [included])
            return read_operation(connection, request.operation_id)

    def repeat(self, known: Operation, request: Request, signer: Signer) -> Operation:
        """The known operation, made open again where it has to be done once more."""
        self._require_own_or_free(known, signer)
        self._require_same(known, request, signer)
        if known.is_open or (known.is_done and not is_counted(request)):
            return self.present(known)
        done = self._calls.sequence(request, known.sender) != 0
        if known.is_done:
            if not done:
                self._rechecker.take_back(known)
            return self.present(known)
        if done:
            found = self._find_on_chain(request, signer)
            if found is not None:
                return found
        if known.state is State.CANCELLED:
            raise OperationCancelled(operation_id=show_id(request.operation_id))
        gas_limit = self._calls.gas_limit(request, signer.address)
        with writing(self._engine) as connection:
            reopen(connection, known, signer.address, gas_limit=gas_limit, at=now_in_milliseconds())
            return read_operation(connection, request.operation_id)

    def _require_own_or_free(self, known: Operation, signer: Signer) -> None:
        """Raise OperationOfAnother unless it is the signer's, or nobody's any more."""
        if known.genesis_hash == self._genesis_hash and not self._is_free(known):
            require_own(known, signer)

    def _is_free(self, known: Operation) -> bool:
        """Whether it failed, and nothing that was signed for it can ever get into a block."""
        if known.state is not State.FAILED or self._calls.sequence(known.request, known.sender):
            return False
        nonces = [each.nonce for each in known.attempts if each.sender == known.sender]
        return not nonces or max(nonces) < self._rechecker.final_nonces(known.sender)

    def _require_same(self, known: Operation, request: Request, signer: Signer) -> None:
        """Raise what `_conflict` gives where the id stands for something else."""
        same = (known.request.contract, known.request.calldata) == (
            request.contract,
            request.calldata,
        )
        if not same or known.genesis_hash != self._genesis_hash:
            raise self._conflict(request, signer)

    def _conflict(self, request: Request, signer: Signer) -> LedgerError:
        """Why an id that stands for something else cannot be used.

        In the contract's own words where it did the operation, else in ours.
        """
        try:
            self._calls.gas_limit(request, signer.address)
        except ContractRefused as refusal:
            if is_done_before(refusal):
                return refusal
        return OperationConflict(operation_id=show_id(request.operation_id))

    def _write_new(self, new: Sequence[Operation]) -> list[bool]:
        """Write operations in one commit; which of them are new."""
        ids = [each.request.operation_id for each in new]
        for _ in range(_TRIES):
            with reading(self._engine) as connection:
                taken = find_taken(connection, ids)
            firsts = {each.request.operation_id: each for each in reversed(new)}
            fresh = [each for id_, each in firsts.items() if id_ not in taken]
            try:
                with writing(self._engine) as connection:
                    insert_operations(connection, fresh)
            except IntegrityError:
                continue  # another process was faster
            return [any(each is one for one in fresh) for each in new]
        raise AssertionError("an id that is taken stays taken")

    def _accepted(self, request: Request, sender: bytes, gas_limit: int | None) -> Operation:
        """The operation before its first attempt."""
        now = now_in_milliseconds()
        return Operation(
            request=request,
            genesis_hash=self._genesis_hash,
            sender=sender,
            state=State.ACCEPTED,
            created_at=now,
            updated_at=now,
            first_sequence=None,
            last_sequence=None,
            failure=None,
            attempts=(),
            gas_limit=gas_limit,
        )


def require_own(known: Operation, signer: Signer) -> None:
    """Raise OperationOfAnother where the operation was asked for with another key."""
    if known.sender != signer.address:
        raise OperationOfAnother(
            operation_id=show_id(known.request.operation_id),
            signer=show_address(known.sender),
            given=show_address(signer.address),
        )


def show_id(operation_id: bytes) -> str:
    """An operation's id as people read it."""
    return "0x" + operation_id.hex()
