"""An order: who signs for an operation, its id, and the way to send it.

An id is given, or derived from the very call that it is for. A job of many commands derives them:
run again after an interruption, it asks for the same operations under the same ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.chain.signers import Signer
from ledger.domain.operations import derive_operation_id
from ledger.outbox.records import Operation, Request
from ledger.outbox.sending import Outbox

Encode = Callable[[bytes], bytes]
"""Makes the calldata that carry an operation id."""


@dataclass(frozen=True, slots=True)
class Order:
    """What every command of a service begins with.

    `operation_id` is 32 bytes. Empty, the id is SHA-256 over `purpose`, the chain's first block,
    the contract's name, and the calldata with an operation id of zero; see `derive_operation_id`.
    """

    outbox: Outbox
    signer: Signer
    operation_id: bytes = b""
    purpose: str = ""

    def place(self, contract: str, command: str, summary: str, encode: Encode) -> Operation:
        """Have the call done; see `Outbox.submit`. `summary` is a sentence for people."""
        operation_id = self.operation_id or derive_operation_id(
            self.purpose,
            self.outbox.chain.genesis_hash,
            contract.encode("ascii"),
            encode(bytes(32)),
        )
        request = Request(operation_id, command, summary, contract, encode(operation_id))
        return self.outbox.submit(request, self.signer)
