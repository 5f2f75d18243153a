"""`moonlake operation`: what was asked of the chain from this database, and what came of it.

States: accepted (checked and kept), sent (a node has it), included (in a block), final (no
reorganisation can take it back), failed and cancelled (nothing was done).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import parse_address, show_address
from ledger.cli.ordering import describe
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, SENDING, with_settings
from ledger.cli.view import plain, show_time, table
from ledger.config import Settings
from ledger.domain.operations import parse_operation_id
from ledger.errors import InvalidValue, KeyMissing, LedgerError, NotFound

if TYPE_CHECKING:
    from ledger.chain.signers import Signer
    from ledger.outbox.records import Operation

app = typer.Typer(
    no_args_is_help=True, help="Look at what was asked of the chain; send it again, or cancel it."
)

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it


@app.command("list")
@with_settings(*READING)
def list_command(
    *,
    settings: Settings,
    state: Annotated[
        str, typer.Option(help="accepted, sent, included, final, failed or cancelled.")
    ] = "",
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


@app.command()
@with_settings(*SENDING)
def cancel(
    operation_id: Annotated[str, typer.Argument(help="0x and 64 hex digits.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Take back an operation that is in no block yet, for good: it is not done later either.

    Where it is signed already, a transaction that does nothing takes its place, signed with the
    same key. The chain decides which of the two it takes; what is said is what it took.
    """
    from ledger.outbox.records import read_operation
    from ledger.store.engine import reading
    from ledger.wiring import opened_desk

    wanted = parse_operation_id(operation_id)
    with opened_desk(settings) as desk:
        with reading(desk.engine) as connection:
            known = read_operation(connection, wanted)
        signer = None
        if known.is_open and known.live_attempts:
            signer = _signer_of(settings, known.sender)
            if signer is None:
                raise KeyMissing(key=show_address(known.sender), place="the data folder")
        cancelled = desk.outbox.cancel(wanted, signer)
    text = f"Cancelled: {known.request.summary} Nothing of it was done."
    show({"operation": describe(cancelled)}, text, as_json=as_json)


@app.command()
@with_settings(*SENDING)
def send(
    operation_id: Annotated[
        str, typer.Argument(help="0x and 64 hex digits; all that waits if unset.")
    ] = "",
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Go on with what was asked for and is in no block: sign what is not signed, send it again.

    What is signed is sent in the same bytes. What is not needs its key in the data folder. Ends
    with exit code 1 where something is still not done.
    """
    from ledger.outbox.records import read_operation
    from ledger.store.engine import reading
    from ledger.wiring import opened_desk

    results: list[tuple[Operation, LedgerError | None]] = []
    with opened_desk(settings) as desk:
        if operation_id:
            with reading(desk.engine) as connection:
                waiting = [read_operation(connection, parse_operation_id(operation_id))]
        else:
            waiting = list(desk.outbox.list_waiting())
        signers = {each.sender: _signer_of(settings, each.sender) for each in waiting}
        for operation in waiting:
            try:
                signer = signers[operation.sender]
                if signer is None and not operation.live_attempts:
                    raise KeyMissing(key=show_address(operation.sender), place="the data folder")
                done = desk.outbox.wait_for(operation.request.operation_id, signer)
                results.append((done, None))
            except LedgerError as error:
                with reading(desk.engine) as connection:
                    present = read_operation(connection, operation.request.operation_id)
                results.append((present, error))
    lines = [
        f"{operation.request.summary.removesuffix('.')}: "
        + (f"{operation.state.value}." if error is None else f"{error} {error.advice}".rstrip())
        for operation, error in results
    ]
    answer = [
        describe(operation) | {"problem": None if error is None else plain_error(error)}
        for operation, error in results
    ]
    show({"operations": answer}, "\n".join(lines) or "Nothing waits.", as_json=as_json)
    if any(error is not None for _operation, error in results):
        raise typer.Exit(1)


@app.command()
@with_settings(*SENDING)
def resume(
    key: Annotated[str, typer.Argument(help="A key's name, or its address.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Let a key sign again that was halted because something else had used it."""
    from ledger.chain.keyring import find_named_key
    from ledger.wiring import opened_desk

    sender = (
        parse_address(key, "key") if key.startswith("0x") else find_named_key(settings, key).address
    )
    with opened_desk(settings) as desk:
        if not desk.outbox.resume_key(sender):
            raise NotFound(what="halted key", key=key)
    text = f"{show_address(sender)} signs again. `moonlake operation send` sends what waits."
    show({"address": show_address(sender)}, text, as_json=as_json)


def plain_error(error: LedgerError) -> dict[str, Any]:
    """An error for JSON, in the shape of a recorded one."""
    return {
        "code": error.code,
        "sentence": str(error),
        "advice": error.advice,
        "values": plain(dict(error.facts)),
    }


def _signer_of(settings: Settings, address: bytes) -> Signer | None:
    """The signer of an account, where one of the data folder's keys is its."""
    from ledger.chain.keyring import list_named_keys
    from ledger.wiring import open_named_signer

    name = next((each.name for each in list_named_keys(settings) if each.address == address), None)
    return open_named_signer(settings, name) if name is not None else None


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
    lines.append(f"Asked for with {described['sender']} at {described['created_at']}")
    if operation.request.request_id:
        lines.append(f"Asked for over HTTP by the request {operation.request.request_id}")
    if operation.first_sequence is not None:
        first, last = operation.first_sequence, operation.last_sequence
        lines.append(f"Journal of {operation.request.contract}: lines {first} to {last}")
    return "\n".join(lines)
