"""An order: who signs for an operation, its id, and the way to send it.

An id is given, or derived from the very call that it is for. A job of many commands derives them:
run again after an interruption, it asks for the same operations under the same ids.

A command places one order. So an order that is only rehearsed, or drafted for somebody else to give
(a council), ends its command there: nothing that follows from doing it would be true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger.chain.signers import Signer
from ledger.domain.operations import derive_operation_id
from ledger.outbox.records import Operation, Request
from ledger.outbox.sending import Outbox

Encode = Callable[[bytes], bytes]
"""Makes the calldata that carry an operation id."""


class NotSent(Exception):
    """Ends a command whose order was not to be sent; no error."""


class Rehearsed(NotSent):
    """All that can be checked before signing was checked; `operation` is what would be sent.

    It may be known: then it is done, or on its way, and stands in the state that it has.
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.request.summary)
        self.operation = operation


class Drafted(NotSent):
    """The call that was to be made is written down, for another to make it."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.summary)
        self.request = request


@dataclass(frozen=True, slots=True)
class Order:
    """What every command of a service begins with.

    `operation_id` is 32 bytes. Empty, the id is SHA-256 over `purpose`, the chain's first block,
    the contract's name, and the calldata with an operation id of zero; see `derive_operation_id`.
    `rehearses`: it is checked and not sent. `request_id` is that of the HTTP request that it came
    with.
    """

    outbox: Outbox
    signer: Signer
    operation_id: bytes = b""
    purpose: str = ""
    rehearses: bool = False
    request_id: str = ""

    def place(self, contract: str, command: str, summary: str, encode: Encode) -> Operation:
        """Have the call done; see `Outbox.submit`. `summary` is a sentence for people.

        Raises Rehearsed where it is only to be rehearsed, and Drafted where it is a draft.
        """
        operation_id = self.operation_id or derive_operation_id(
            self.purpose,
            self.outbox.chain.genesis_hash,
            contract.encode("ascii"),
            encode(bytes(32)),
        )
        request = Request(
            operation_id, command, summary, contract, encode(operation_id), self.request_id
        )
        return self.give(request)

    def give(self, request: Request) -> Operation:
        """Send what is written down. Raises as `place`."""
        if self.rehearses:
            raise Rehearsed(self.outbox.rehearse(request, self.signer))
        return self.outbox.submit(request, self.signer)

    def under(self, operation_id: bytes) -> Order:
        """The same order under another id."""
        return replace(self, operation_id=operation_id)


@dataclass(frozen=True, slots=True)
class Draft(Order):
    """An order that nobody signs here: its call is written down. `signer` is who will act."""

    def give(self, request: Request) -> Operation:
        """Hand the call over. Raises Drafted."""
        raise Drafted(request)
