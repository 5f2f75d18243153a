"""What the log says of operations as they go: handed to a node, in a block, failed, taken back.

Each line names the operation and the HTTP request that asked for it, so that a request is followed
from the server's log to the chain. They are below warnings: whoever sends from a command line is
told by the command.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from ledger.errors import LedgerError
from ledger.outbox.records import Operation, State

log = logging.getLogger("moonlake.outbox")


def tell_of_sent(operations: Iterable[Operation]) -> None:
    """A node has taken them."""
    if log.isEnabledFor(logging.INFO):
        for operation in operations:
            log.info("operation sent", extra=_facts(operation))


def tell_of_settled(
    operations: Iterable[Operation],
    finished: Mapping[bytes, Operation],
    errors: Mapping[bytes, LedgerError],
) -> None:
    """They are in blocks (`finished` of them, as recorded now), failed, or were taken back."""
    if not log.isEnabledFor(logging.INFO):
        return
    for operation in operations:
        id_ = operation.request.operation_id
        if id_ in finished:
            log.info("operation included", extra=_facts(finished[id_]))
        elif id_ in errors:
            log.info("operation failed", extra={**_facts(operation), "code": errors[id_].code})
        else:
            log.info("operation %s", State.CANCELLED.value, extra=_facts(operation))


def _facts(operation: Operation) -> dict[str, object]:
    attempt = operation.last_attempt
    return {
        "operation_id": "0x" + operation.request.operation_id.hex(),
        "request_id": operation.request.request_id,
        "command": operation.request.command,
        "transaction_hash": "0x" + attempt.transaction_hash.hex() if attempt else None,
        "block_number": attempt.block_number if attempt else None,
    }
