"""What the contracts say of what is asked: whether they would do it, and whether they did.

A contract counts operations by actor, so each question names whose operation is meant. It refuses
to guess: where the chain has a line of the operation, the transaction that made it is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.chain.contracts.messages import actor_of
from ledger.chain.contracts.registry import WRAPPERS
from ledger.chain.lines import Line, SentTransaction, find_sent, read_events, read_lines
from ledger.chain.rpc import Node
from ledger.chain.sending import Call
from ledger.chain.signers import TransactionFields
from ledger.errors import ContractRefused, NotFound
from ledger.outbox.market import Market
from ledger.outbox.records import Operation, Request

_POSTS_IN = {"Benefits": "Credits"}
"""Contracts that post in another's journal by the same operation, and hand on its refusals."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The contracts of one ledger, by name; before `first_block` none of them has a log."""

    node: Node
    chain_id: int
    addresses: Mapping[str, bytes]
    first_block: int
    market: Market

    def fields(self, request: Request) -> TransactionFields:
        """What a key's policy looks at."""
        return TransactionFields(
            chain_id=self.chain_id,
            nonce=0,
            to=self.addresses[request.contract],
            data=request.calldata,
            gas_limit=0,
            max_fee=0,
            max_priority_fee=0,
        )

    def gas_limit(self, request: Request, sender: bytes) -> int:
        """Run it without sending it: the gas that it may use. Raises as `Market.gas_limit`."""
        call = Call(sender, self.addresses[request.contract], request.calldata)
        try:
            return self.market.gas_limit(call)
        except ContractRefused as refusal:
            if is_done_before(refusal):
                raise self._say_whose(refusal, request, sender) from refusal
            raise

    def sequence(self, request: Request, sender: bytes) -> int:
        """The first journal line of the operation; 0 where the contract did not do it.

        It is the sender's, or that of who signed the message that the call brings. 0 also of a
        call that carries no operation id, which no contract counts.
        """
        if not is_counted(request):
            return 0
        return self._sequence(request.contract, request, sender)

    def find_sent(self, request: Request, sequence: int) -> SentTransaction | None:
        """The transaction that made a line of the contract's journal."""
        address = self.addresses[request.contract]
        return find_sent(
            self.node, request.contract, address, sequence, first_block=self.first_block
        )

    def read_lines(self, request: Request, transaction_hash: bytes) -> tuple[Line, ...]:
        """The journal lines of the request's contract that a transaction made."""
        address = self.addresses[request.contract]
        return read_lines(self.node, request.contract, address, transaction_hash)

    def read_events(self, operation: Operation) -> tuple[dict[str, Any], ...]:
        """The events of the request's contract that an included operation caused."""
        attempt = operation.last_attempt
        if attempt is None:
            return ()
        name = operation.request.contract
        return read_events(self.node, name, self.addresses[name], attempt.transaction_hash)

    def lines_of(self, operation: Operation) -> tuple[Line, ...]:
        """The journal lines that an included operation caused. Raises NotFound if it has none."""
        attempt = operation.last_attempt
        lines = (
            self.read_lines(operation.request, attempt.transaction_hash)
            if attempt is not None
            else ()
        )
        if not lines:
            key = "0x" + operation.request.operation_id.hex()
            raise NotFound(what="journal line of operation", key=key)
        return lines

    def _say_whose(
        self, refusal: ContractRefused, request: Request, sender: bytes
    ) -> ContractRefused:
        """The refusal of an id that was used, with the contract that it was used in.

        As it is where that is the contract that was asked.
        """
        name = _POSTS_IN.get(request.contract)
        if name is None or self.sequence(request, sender):
            return refusal
        sequence = self._sequence(name, request, sender)
        if sequence != refusal.values["arguments"]["sequence"]:
            return refusal
        return ContractRefused(
            name=refusal.values["name"],
            arguments=refusal.values["arguments"],
            meaning=f"The operation 0x{request.operation_id.hex()} was done before in {name}, by "
            f"its journal event {sequence}; {request.contract} takes no id that was used there.",
            hint=refusal.advice,
        )

    def _sequence(self, contract: str, request: Request, sender: bytes) -> int:
        wrapper = WRAPPERS[contract](self.node, self.addresses[contract])
        actor = actor_of(request.contract, request.calldata, sender)
        return wrapper.operation_sequence(actor, request.operation_id, at="latest")


def is_counted(request: Request) -> bool:
    """Whether the contract counts the call as an operation, so that it is done at most once.

    OpenZeppelin's functions of the default admin take no id, and CreditTokens none: of those the
    outbox's own record is all that there is.
    """
    return request.operation_id in request.calldata


def is_done_before(refusal: ContractRefused) -> bool:
    """Whether a contract refuses an operation id because its actor used it."""
    return bool(refusal.values["name"] == "JournalOperationDone")
