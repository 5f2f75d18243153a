"""`moonlake operation`: what was asked of the chain from this database, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.ordering import describe
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import show_time, table
from ledger.config import Settings
from ledger.domain.operations import parse_operation_id
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.outbox.records import Operation

app = typer.Typer(no_args_is_help=True, help="Look at what was asked of the chain.")

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it


@app.command("list")
@with_settings(*READING)
def list_command(
    *,
    settings: Settings,
    state: Annotated[str, typer.Option(help="accepted, sent, included or failed.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: JsonOption = False,
) -> None:
    """The latest operations, newest first."""
    from ledger.outbox.records import State, list_operations
    from ledger.store.engine import reading
    from ledger.wiring import genesis_here, opened_database

    if state and state not in [each.value for each in State]:
        states = ", ".join(each.value for each in State)
        raise InvalidValue(field="state", value=state, expected=f"one of {states}")
    with opened_database(settings) as engine, reading(engine) as connection:
        found = list_operations(connection, state=State(state) if state else None, limit=limit)
    here = genesis_here(settings)
    rows = [
        (
            show_time(each.created_at // 1000),
            _state(each, here),
            each.request.summary,
            "0x" + each.request.operation_id.hex(),
        )
        for each in found
    ]
    text = table(("asked at", "state", "what", "operation"), rows) if rows else "None yet."
    show({"operations": [describe(each, here=here) for each in found]}, text, as_json=as_json)


@app.command("show")
@with_settings(*READING)
def show_command(
    operation_id: Annotated[str, typer.Argument(help="0x and 64 hex digits.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """One operation, with its transaction and why it failed if it did."""
    from ledger.outbox.records import read_operation
    from ledger.store.engine import reading
    from ledger.wiring import genesis_here, opened_database

    wanted = parse_operation_id(operation_id)
    with opened_database(settings) as engine, reading(engine) as connection:
        found = read_operation(connection, wanted)
    here = genesis_here(settings)
    show({"operation": describe(found, here=here)}, _text(found, here), as_json=as_json)


def _state(operation: Operation, here: bytes | None) -> str:
    """How far it is; what another chain did is no fact of the one that is here."""
    is_other = here not in (None, operation.genesis_hash)
    return f"{operation.state.value} (on another chain)" if is_other else operation.state.value


def _text(operation: Operation, here: bytes | None) -> str:
    described = describe(operation)
    lines = [operation.request.summary, f"State: {_state(operation, here)}"]
    if operation.failure is not None:
        lines.append(f"{operation.failure.sentence} {operation.failure.advice}".rstrip())
    for attempt in operation.attempts:
        place = f"in block {attempt.block_number}" if attempt.block_number else "in no block"
        lines.append(f"Transaction 0x{attempt.transaction_hash.hex()}, {place}")
    lines.append(f"Signed by {described['sender']} at {described['created_at']}")
    if operation.first_sequence is not None:
        first, last = operation.first_sequence, operation.last_sequence
        lines.append(f"Journal of {operation.request.contract}: lines {first} to {last}")
    return "\n".join(lines)
