"""Takes back what an import has written down and nothing was signed for.

A batch that was handed to the outbox, and of which the outbox knows nothing, can be on its way in a
process that is about to write it there, or was in one that is dead. So its operation is written
down as cancelled: whoever comes with it later finds its id taken, and gives up. What is signed is
not touched; `moonlake operation cancel` takes such a thing back on the chain.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.outbox.records import Operation, Request, State
from ledger.outbox.times import now_in_milliseconds
from ledger.outbox.writes import find_taken, insert_operation
from ledger.services.imports import journal
from ledger.store.engine import writing

_TRIES = 3


def cancel_unsent(engine: Engine, found: journal.Import) -> int:
    """Take back the batches that no operation is known of; how many rows those were."""
    for _ in range(_TRIES):
        try:
            with writing(engine) as connection:
                return _cancel(connection, found)
        except IntegrityError:
            continue  # one of them was handed over in this very moment
    raise AssertionError("a batch that was handed over is known as such")


def _cancel(connection: Connection, found: journal.Import) -> int:
    batches = journal.open_batches(connection, found.import_id)
    known = find_taken(connection, [each.request.operation_id for each in batches])
    count = 0
    for operation_id in (each.request.operation_id for each in batches):
        batch = journal.read_batch(connection, operation_id) if operation_id not in known else None
        state = batch and journal.withdraw(connection, found.import_id, operation_id)
        if batch is None or state is None:
            continue
        if state == journal.ASKED:
            insert_operation(connection, _cancelled(found, batch.request))
        count += batch.row_count
    return count


def _cancelled(found: journal.Import, request: Request) -> Operation:
    now = now_in_milliseconds()
    return Operation(
        request=request,
        genesis_hash=found.genesis_hash,
        sender=found.sender,
        state=State.CANCELLED,
        created_at=now,
        updated_at=now,
        first_sequence=None,
        last_sequence=None,
        failure=None,
        attempts=(),
        cancel_asked_at=now,
    )
