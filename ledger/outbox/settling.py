"""From signed bytes to what became of them: broadcasting, waiting, writing down.

It signs nothing, so it needs no key: what a crash left behind can be brought to its end by anybody
who has the database. It gives up waiting after a deadline and keeps the bytes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NoReturn

from sqlalchemy import Engine

from ledger.chain.addresses import show_address
from ledger.chain.lines import gas_limit_of, read_lines
from ledger.chain.reverts import FailedTransaction, explain_failure
from ledger.chain.rpc import Node
from ledger.chain.sending import Fate, Mined, broadcast, find_mined, is_lack_of_funds
from ledger.errors import (
    ContractRefused,
    FundsTooLow,
    LedgerError,
    NodeRefused,
    NonceTaken,
    ReceiptOverdue,
)
from ledger.outbox.records import (
    OPEN,
    Attempt,
    Operation,
    Request,
    State,
    list_unsettled,
    mark_failed,
    mark_included,
    mark_open,
    read_operation,
)
from ledger.store.engine import reading, writing

_FIRST_LOOK = 0.004
_LONGEST_LOOK = 0.25
_SEND_AGAIN_EVERY = 2.0


class Settler:
    """Brings signed operations to their end; the parameters are those of the Outbox."""

    def __init__(
        self,
        engine: Engine,
        node: Node,
        *,
        genesis_hash: bytes,
        addresses: Mapping[str, bytes],
        deadline: float,
    ) -> None:
        self._engine = engine
        self._node = node
        self._genesis_hash = genesis_hash
        self._addresses = addresses
        self._deadline = deadline

    def settle(self, operation: Operation) -> Operation:
        """Send the bytes of the last attempt and wait for its block.

        Raises ContractRefused where it reverted there, NonceTaken where it can get into no block,
        FundsTooLow, ReceiptOverdue and NodeProblem.
        """
        attempt = operation.last_attempt
        assert attempt is not None, "an operation without an attempt is done"  # noqa: S101
        mined = find_mined(self._node, attempt.transaction_hash)
        if mined is None:
            self._take_back(operation)
            self._send(operation, attempt)
            mined = self._wait(operation, attempt)
        return self._record(operation, attempt, mined)

    def put_right(self, operation: Operation) -> Operation:
        """Record where the last attempt is; where it is in no block, send it and wait for nothing.

        Raises what `settle` does, but for ReceiptOverdue.
        """
        attempt = operation.last_attempt
        assert attempt is not None, "an operation without an attempt is done"  # noqa: S101
        mined = find_mined(self._node, attempt.transaction_hash)
        if mined is not None:
            return self._record(operation, attempt, mined)
        self._take_back(operation)
        self._send(operation, attempt)
        with reading(self._engine) as connection:
            return read_operation(connection, operation.request.operation_id)

    def take_back(self, operation: Operation) -> bool:
        """Record that it is in no block any more; False where its last attempt is in one."""
        attempt = operation.last_attempt
        if attempt is None or find_mined(self._node, attempt.transaction_hash) is not None:
            return False
        self._take_back(operation)
        return True

    def _take_back(self, operation: Operation) -> None:
        """Take back that it is in a block, if that was recorded: the chain lost its block."""
        if operation.state.value not in OPEN:
            self._mark_open(operation, State.ACCEPTED)

    def _send(self, operation: Operation, attempt: Attempt) -> None:
        """Hand the signed bytes to the node. Raises NonceTaken, FundsTooLow, NodeProblem."""
        try:
            fate = broadcast(self._node, attempt.raw)
        except NodeRefused as error:
            if is_lack_of_funds(error):
                self._refuse_poor(attempt)
            raise
        if fate in (Fate.ACCEPTED, Fate.KNOWN):
            self._mark_open(operation, State.SENT)
        elif fate is Fate.NONCE_TOO_LOW and not find_mined(self._node, attempt.transaction_hash):
            taken = NonceTaken(transaction_hash=_hex(attempt.transaction_hash), nonce=attempt.nonce)
            self._mark_failed(operation, taken, block_number=None)
            raise taken
        # Another transaction in the way or a full pool: the wait sends the bytes again.

    def _wait(self, operation: Operation, attempt: Attempt) -> Mined:
        """Look for the block, ever less often; send again what may have been dropped."""
        started = time.monotonic()
        pause = _FIRST_LOOK
        sent_at = started
        while (mined := find_mined(self._node, attempt.transaction_hash)) is None:
            now = time.monotonic()
            if now - started >= self._deadline:
                raise ReceiptOverdue(
                    transaction_hash=_hex(attempt.transaction_hash), seconds=self._deadline
                )
            if now - sent_at >= _SEND_AGAIN_EVERY:
                self._send_all_of(operation.sender)
                sent_at = now
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK)
        return mined

    def _send_all_of(self, sender: bytes) -> None:
        """Send again whatever is open for an account: a missing nonce holds up those after it."""
        nonce = self._node.nonce(sender, "latest")
        with reading(self._engine) as connection:
            unsettled = list_unsettled(connection, self._genesis_hash, sender, nonce)
        for operation in unsettled:
            attempt = operation.last_attempt
            if attempt is not None and attempt.nonce >= nonce:
                broadcast(self._node, attempt.raw)

    def _record(self, operation: Operation, attempt: Attempt, mined: Mined) -> Operation:
        """Write down what became of the attempt. Raises ContractRefused where it reverted."""
        request = operation.request
        if not mined.succeeded:
            refusal = self._explain(request, attempt, mined)
            self._mark_failed(operation, refusal, block_number=mined.block_number)
            raise refusal
        address = self._addresses[request.contract]
        lines = read_lines(self._node, request.contract, address, attempt.transaction_hash)
        with writing(self._engine) as connection:
            mark_included(
                connection,
                request.operation_id,
                block_number=mined.block_number,
                lines=(lines[0].sequence, lines[-1].sequence),
                at=now_in_milliseconds(),
            )
            return read_operation(connection, request.operation_id)

    def _explain(self, request: Request, attempt: Attempt, mined: Mined) -> ContractRefused:
        return explain_failure(
            self._node,
            FailedTransaction(
                sender=attempt.sender,
                to=self._addresses[request.contract],
                calldata=request.calldata,
                block=mined.block_number,
                gas_used=mined.gas_used,
                gas_limit=gas_limit_of(attempt.raw),
            ),
        )

    def _refuse_poor(self, attempt: Attempt) -> NoReturn:
        balance = self._node.balance(attempt.sender, "latest")
        raise FundsTooLow(
            address=show_address(attempt.sender),
            balance=balance,
            needed=f"more than {balance}",
        )

    def _mark_open(self, operation: Operation, state: State) -> None:
        with writing(self._engine) as connection:
            mark_open(connection, operation.request.operation_id, state, at=now_in_milliseconds())

    def _mark_failed(
        self, operation: Operation, error: LedgerError, *, block_number: int | None
    ) -> None:
        with writing(self._engine) as connection:
            mark_failed(
                connection,
                operation.request.operation_id,
                error,
                block_number=block_number,
                at=now_in_milliseconds(),
            )


def now_in_milliseconds() -> int:
    """The time now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
