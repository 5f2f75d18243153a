"""Sends what was asked for, once, whatever happens in between.

What an operation asks for, its nonce and the signed transaction are written in one SQL commit, and
only then is the transaction broadcast. Whoever finds such a row later sends the same bytes again:
they can get into the chain only once, and the contract does the operation only once. A call that
would revert is refused before anything is signed.

It refuses to guess: whether an operation was done is the contract's to say (`operationSequence`),
so that a lost database, a chain that lost its last blocks, and a second process are all the same.
The contract counts by signer and would do the same operation again for another one; so an
operation is bound to its signer here before anything is signed, and refused to every other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from ledger.chain.addresses import show_address
from ledger.chain.contracts.registry import WRAPPERS
from ledger.chain.lines import Line, find_sent, read_lines
from ledger.chain.rpc import Node
from ledger.chain.sending import Call, prepare_transaction
from ledger.chain.signers import Signer, TransactionFields, sign
from ledger.errors import (
    ContractRefused,
    DiskFull,
    LedgerError,
    NonceTaken,
    NotFound,
    OperationConflict,
    OperationOfAnother,
)
from ledger.outbox.rechecking import Rechecker, Resumed
from ledger.outbox.records import (
    Attempt,
    Operation,
    Request,
    State,
    find_operation,
    insert_attempt,
    insert_operation,
    list_senders,
    list_unsettled,
    lock_sender,
    mark_included,
    mark_open,
    next_own_nonce,
    read_operation,
)
from ledger.outbox.settling import Settler, now_in_milliseconds
from ledger.store.engine import reading, writing

DEADLINE_SECONDS = 60.0
FINALITY_BLOCKS = 64

_NONCE_TRIES = 5

_POSTS_IN = {"Benefits": "Credits"}
"""Contracts that post in another's journal by the same operation, and hand on its refusals."""

_SIGNED_REMEDY = (
    "What was asked is signed and kept. Free some space there, then run the same command again, "
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

    Parameters
    ----------
    engine: the database of the outbox; commits there must survive a crash.
    node: where transactions go, and where is asked what became of them.
    chain: the chain that the node serves.
    addresses: the contracts, by name.
    first_block: the block before which none of them has a log.
    deadline: seconds that a transaction is waited for.
    finality_blocks: the blocks at the chain's end that a reorganisation may replace.
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
        finality_blocks: int = FINALITY_BLOCKS,
    ) -> None:
        self.chain = chain
        self._engine = engine
        self._node = node
        self._addresses = addresses
        self._first_block = first_block
        self._settler = Settler(
            engine, node, genesis_hash=chain.genesis_hash, addresses=addresses, deadline=deadline
        )
        self._rechecker = Rechecker(
            engine,
            node,
            self._settler,
            genesis_hash=chain.genesis_hash,
            finality_blocks=finality_blocks,
        )

    def submit(self, request: Request, signer: Signer) -> Operation:
        """Have it done, and return when it is in a block.

        The same request again gives the known result and sends nothing; one that failed is tried
        again, since nothing was done. Raises ContractRefused where the contract would refuse or
        did refuse it, OperationOfAnother where it was asked for with another key, whatever came of
        it, OperationConflict where the id stands for something else, FundsTooLow, and
        ReceiptOverdue where the transaction is in no block in time; it is kept and sent again by
        `resume` or by the same request.
        """
        known = self._find(request, signer)
        if known is not None:
            return self._repeat(known, request, signer)
        try:
            signed = self._sign_new(request, signer)
        except (IntegrityError, ContractRefused) as error:
            # Another process may have taken the same request since our look.
            known = self._find(request, signer) if _is_done_before(error) else None
            if known is None:
                raise
            return self._repeat(known, request, signer)
        try:
            return self._settle(signed, signer)
        except DiskFull as error:
            raise DiskFull(
                what=error.values["what"],
                remedy=_SIGNED_REMEDY.format(_hex(request.operation_id)),
            ) from error

    def resume(self) -> Iterator[Resumed]:
        """Send again what this database signed and the chain has not done, account by account.

        Each transaction in the order of its nonces, the very bytes that were signed. To be run
        to its end at the start of every process that sends. Raises NodeProblem and ReceiptOverdue;
        what a contract refuses is recorded and given with the operation.
        """
        yield from self._rechecker.take_back_lost()
        with reading(self._engine) as connection:
            senders = list_senders(connection, self.chain.genesis_hash)
        for sender in senders:
            nonce = self._node.nonce(sender, "latest")
            with reading(self._engine) as connection:
                unsettled = list_unsettled(connection, self.chain.genesis_hash, sender, nonce)
            for operation in unsettled:
                try:
                    yield Resumed(self._settler.settle(operation), None)
                except (ContractRefused, NonceTaken) as error:
                    yield Resumed(operation, error)

    def recheck(self) -> Iterator[Resumed]:
        """Send again what a reorganisation took out of the chain, without waiting for blocks.

        For a process that stays: to be run to its end every second or so. Each operation is given
        when it is sent again and when it is in a block. Raises NodeProblem.
        """
        return self._rechecker.look()

    def lines_of(self, operation: Operation) -> tuple[Line, ...]:
        """The journal lines that an included operation caused. Raises NotFound if it has none."""
        attempt = operation.last_attempt
        contract = operation.request.contract
        lines = (
            read_lines(self._node, contract, self._addresses[contract], attempt.transaction_hash)
            if attempt is not None
            else ()
        )
        if not lines:
            raise NotFound(
                what="journal line of operation", key=_hex(operation.request.operation_id)
            )
        return lines

    def subjects_of(self, operation: Operation) -> tuple[int, ...]:
        """The ids of what the operation's journal lines are about, in their order."""
        return tuple(line.subject for line in self.lines_of(operation))

    # --- what is known already ---

    def _find(self, request: Request, signer: Signer) -> Operation | None:
        """The operation as it is recorded here, or as the chain has it."""
        with reading(self._engine) as connection:
            known = find_operation(connection, request.operation_id)
        return known or self._find_on_chain(request, signer)

    def _find_on_chain(self, request: Request, signer: Signer) -> Operation | None:
        """The operation as the chain has it, written down where our own record of it is lost.

        None where it was not done. Raises what `_conflict` gives where the id was used for
        something else.
        """
        sequence = self._sequence(request, signer)
        if sequence == 0:
            return None
        contract, address = request.contract, self._addresses[request.contract]
        sent = find_sent(self._node, contract, address, sequence, first_block=self._first_block)
        if sent is None or (sent.sender, sent.calldata) != (signer.address, request.calldata):
            raise self._conflict(request, signer)
        lines = read_lines(self._node, contract, address, sent.hash)
        now = now_in_milliseconds()
        with writing(self._engine) as connection:
            if find_operation(connection, request.operation_id) is None:
                attempt = Attempt(1, sent.sender, sent.nonce, sent.hash, sent.raw, now, None)
                insert_operation(connection, self._accepted(request, signer, now))
                insert_attempt(connection, request.operation_id, attempt)
            mark_included(
                connection,
                request.operation_id,
                block_number=sent.block_number,
                lines=(lines[0].sequence, lines[-1].sequence),
                at=now,
            )
            return read_operation(connection, request.operation_id)

    def _repeat(self, known: Operation, request: Request, signer: Signer) -> Operation:
        """Give the known result, or bring about the one that is not there yet."""
        if known.genesis_hash == self.chain.genesis_hash and known.sender != signer.address:
            raise OperationOfAnother(
                operation_id=_hex(request.operation_id),
                signer=show_address(known.sender),
                given=show_address(signer.address),
            )
        same = (known.request.contract, known.request.calldata) == (
            request.contract,
            request.calldata,
        )
        if not same or known.genesis_hash != self.chain.genesis_hash:
            raise self._conflict(request, signer)
        done = self._sequence(request, signer) != 0
        if done and known.state is State.INCLUDED:
            return known
        if known.state is not State.FAILED:
            return self._settle(known, signer)
        found = self._find_on_chain(request, signer) if done else None
        return found or self._settle(self._sign_again(known, signer), signer)

    def _conflict(self, request: Request, signer: Signer) -> LedgerError:
        """Why an id that stands for something else cannot be used.

        In the contract's own words where it did the operation, else in ours.
        """
        try:
            self._prepare(request, signer)
        except ContractRefused as refusal:
            if _is_done_before(refusal):
                return refusal
        return OperationConflict(operation_id=_hex(request.operation_id))

    def _sequence(self, request: Request, signer: Signer) -> int:
        """The first journal line of the signer's operation; 0 where the contract did not do it."""
        contract = WRAPPERS[request.contract](self._node, self._addresses[request.contract])
        return contract.operation_sequence(signer.address, request.operation_id, at="latest")

    # --- signing ---

    def _prepare(self, request: Request, signer: Signer) -> TransactionFields:
        """What is to be signed, but for the nonce. Raises ContractRefused where it would revert."""
        call = Call(signer.address, self._addresses[request.contract], request.calldata)
        try:
            return prepare_transaction(self._node, call, chain_id=self.chain.chain_id, nonce=0)
        except ContractRefused as refusal:
            if _is_done_before(refusal):
                raise self._say_whose(refusal, request, signer) from refusal
            raise

    def _say_whose(
        self, refusal: ContractRefused, request: Request, signer: Signer
    ) -> ContractRefused:
        """The refusal of an id that was used, with the contract that it was used in.

        As it is where that is the contract that was asked.
        """
        name = _POSTS_IN.get(request.contract)
        if name is None or self._sequence(request, signer):
            return refusal
        contract = WRAPPERS[name](self._node, self._addresses[name])
        sequence = contract.operation_sequence(signer.address, request.operation_id, at="latest")
        if sequence != refusal.values["arguments"]["sequence"]:
            return refusal
        return ContractRefused(
            name=refusal.values["name"],
            arguments=refusal.values["arguments"],
            meaning=f"The operation {_hex(request.operation_id)} was done before in {name}, by its "
            f"journal event {sequence}; {request.contract} takes no id that was used there.",
            hint=refusal.advice,
        )

    def _sign_new(self, request: Request, signer: Signer) -> Operation:
        """Sign, and write request, nonce and signed bytes in one commit.

        The request first: where another process has just written it, for whatever signer, nothing
        is signed (IntegrityError).
        """
        fields = self._prepare(request, signer)
        pending = self._node.nonce(signer.address, "pending")
        now = now_in_milliseconds()
        with writing(self._engine) as connection:
            lock_sender(connection, signer.address)
            operation = self._accepted(request, signer, now)
            insert_operation(connection, operation)
            own = next_own_nonce(connection, self.chain.genesis_hash, signer.address)
            attempt = _sign(1, replace(fields, nonce=max(pending, own)), signer, now)
            insert_attempt(connection, request.operation_id, attempt)
        return replace(operation, attempts=(attempt,))

    def _sign_again(self, known: Operation, signer: Signer) -> Operation:
        """Sign another attempt for an operation that failed, with nothing done."""
        fields = self._prepare(known.request, signer)
        pending = self._node.nonce(signer.address, "pending")
        now = now_in_milliseconds()
        with writing(self._engine) as connection:
            lock_sender(connection, signer.address)
            own = next_own_nonce(connection, self.chain.genesis_hash, signer.address)
            present = read_operation(connection, known.request.operation_id)
            if len(present.attempts) > len(known.attempts):
                return present  # another process was faster
            attempt = _sign(
                len(present.attempts) + 1, replace(fields, nonce=max(pending, own)), signer, now
            )
            insert_attempt(connection, known.request.operation_id, attempt)
            mark_open(connection, known.request.operation_id, State.ACCEPTED, at=now)
            return read_operation(connection, known.request.operation_id)

    def _accepted(self, request: Request, signer: Signer, now: int) -> Operation:
        """The operation before its first attempt."""
        return Operation(
            request=request,
            genesis_hash=self.chain.genesis_hash,
            sender=signer.address,
            state=State.ACCEPTED,
            created_at=now,
            updated_at=now,
            first_sequence=None,
            last_sequence=None,
            failure=None,
            attempts=(),
        )

    # --- sending and waiting ---

    def _settle(self, operation: Operation, signer: Signer) -> Operation:
        """Bring the operation to its end; with another nonce where its own was taken."""
        for _ in range(_NONCE_TRIES):
            try:
                return self._settler.settle(operation)
            except NonceTaken:
                operation = self._sign_again(operation, signer)
        return self._settler.settle(operation)


def _is_done_before(error: Exception) -> bool:
    """Whether an error says that the operation's id is taken, in the database or on the chain."""
    if isinstance(error, ContractRefused):
        return bool(error.values["name"] == "JournalOperationDone")
    return isinstance(error, IntegrityError)


def _sign(number: int, fields: TransactionFields, signer: Signer, now: int) -> Attempt:
    signed = sign(fields, signer)
    return Attempt(number, signer.address, signed.nonce, signed.hash, signed.raw, now, None)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
