"""Gives a command that sends what all of these have, and runs it in one of three ways.

    @app.command("cap")
    @sends("council", "Programmes.changeSupplyCap", who="a council officer of the programme")
    def change_supply_cap(programme: ProgrammeArgument, *, sending: Sending) -> None: ...

takes `--as`, `--operation-id`, `--dry-run`, `--json` and the settings besides its own options. It
is done; or with `--dry-run` checked to the last step before signing; or, within `drafting`, its
call is handed over for a council to decide on, and no key is opened.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.ordering import (
    Desktop,
    OperationIdOption,
    describe,
    opened_desktop,
    show_done,
    signer_option,
)
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import SENDING, take_instead, with_settings
from ledger.cli.view import plain
from ledger.config import Settings
from ledger.domain.operations import new_operation_id, parse_operation_id
from ledger.errors import Interrupted, LedgerError, OutcomeOpen

if TYPE_CHECKING:
    from ledger.chain.signers import TransactionFields
    from ledger.outbox.records import Operation
    from ledger.services.desk import Desk

# ruff: noqa: PLC0415  sending takes a second to import, and --help must not wait for it

DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check all that can be checked, say what would be done, send nothing."
    ),
]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a command asks of the chain: functions of contracts, and who may have them called.

    `key` is the name of the key that usually signs. `several`: it places one order after the other,
    whose ids follow from what it is about, so that it takes no `--operation-id`, and no council can
    decide on it as one call.
    """

    calls: tuple[str, ...]
    who: str
    key: str
    several: bool = False


@dataclass(frozen=True, slots=True)
class Sending:
    """How a command that sends was asked for. `several` as in `Sent`."""

    settings: Settings
    key: str
    operation_id: bytes
    dry_run: bool
    as_json: bool
    several: bool = False

    @contextmanager
    def ordering(self) -> Iterator[Desktop]:
        """A desk with the command's order. Where it is only rehearsed, the command ends in it.

        Raises what `ledger.cli.ordering.ordering` does, Drafted within `drafting`, and OutcomeOpen
        where something goes wrong once the operation is written down.
        """
        from ledger.services.orders import Rehearsed

        drafts = _drafting.get()
        if drafts is not None:
            with _drafted_desktop(self.settings, drafts) as desktop:
                yield desktop
            return
        with opened_desktop(
            self.settings, self.key, self.operation_id, rehearses=self.dry_run
        ) as desktop:
            try:
                yield desktop
            except Rehearsed as rehearsed:
                _show_rehearsed(rehearsed.operation, desktop.desk, as_json=self.as_json)
                raise typer.Exit(0) from rehearsed
            except LedgerError as error:
                if self.dry_run or self.several or not _is_open(desktop.desk, self.operation_id):
                    raise
                raise OutcomeOpen(
                    problem=str(error),
                    operation_id="0x" + self.operation_id.hex(),
                    cause=error.code,
                ) from error

    def show_done(self, operation: Operation, *, text: str = "", **more: Any) -> None:
        """Say what was done, in which transaction and block."""
        show_done(operation, as_json=self.as_json, text=text, **more)

    def interrupted(self) -> Interrupted:
        """What to say where the command was interrupted, at whatever step."""
        if self.dry_run or _drafting.get() is not None:
            return Interrupted()
        if self.several:
            remedy = "Run the same command again: it goes on, and does nothing twice."
            return Interrupted(remedy=remedy)
        shown = "0x" + self.operation_id.hex()
        remedy = (
            f"It may be on its way as operation {shown}: run the same command with that id as its "
            "--operation-id, and it is done once. `moonlake operation show` says how far it is."
        )
        return Interrupted(remedy=remedy, operation_id=shown)


def sends(
    key: str, *calls: str, who: str, several: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for a command that takes `sending`; the arguments are those of `Sent`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:

        @functools.wraps(command)
        def with_sending(
            *,
            signer: str,
            operation_id: str = "",
            dry_run: bool,
            as_json: bool,
            settings: Settings,
            **given: Any,
        ) -> None:
            chosen = parse_operation_id(operation_id) if operation_id else new_operation_id()
            sending = Sending(settings, signer, chosen, dry_run, as_json, several)
            try:
                command(**given, sending=sending)
            except KeyboardInterrupt as error:
                raise sending.interrupted() from error

        options: tuple[tuple[str, Any, Any], ...] = (
            ("signer", str, signer_option(key)),
            *(() if several else (("operation_id", OperationIdOption, ""),)),
            ("dry_run", DryRunOption, False),
            ("as_json", JsonOption, False),
            ("settings", Settings, inspect.Parameter.empty),
        )
        take_instead(with_sending, command, "sending", options)
        decorated = with_settings(*SENDING)(with_sending)
        decorated.sent = Sent(calls, who, key, several)  # type: ignore[attr-defined]
        return decorated

    return decorate


def _is_open(desk: Desk, operation_id: bytes) -> bool:
    """Whether an operation is written down and not at its end; so too where that cannot be seen."""
    from ledger.outbox.records import find_operation
    from ledger.store.engine import reading

    try:
        with reading(desk.engine) as connection:
            found = find_operation(connection, operation_id)
    except LedgerError:
        return True
    return found is not None and found.is_open


def sent_by(command: Callable[..., object] | None) -> Sent | None:
    """What a command asks of the chain; None for one that sends nothing."""
    found: Sent | None = getattr(command, "sent", None)
    return found


# --- drafting ---


@dataclass(frozen=True, slots=True)
class _Drafts:
    """For whom calls are drafted: the account that will make them, and the call's operation."""

    account: bytes
    operation_id: bytes


_drafting: ContextVar[_Drafts | None] = ContextVar("drafting", default=None)


@contextmanager
def drafting(account: bytes, operation_id: bytes) -> Iterator[None]:
    """Within this, a command that sends raises Drafted with its call, which `account` will make."""
    token = _drafting.set(_Drafts(account, operation_id))
    try:
        yield
    finally:
        _drafting.reset(token)


@dataclass(frozen=True, slots=True)
class _Seat:
    """Stands for the signer of a draft: a council's seat acts, and signs nothing."""

    address: bytes

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        raise AssertionError(f"a draft is not signed: {fields}")


@contextmanager
def _drafted_desktop(settings: Settings, drafts: _Drafts) -> Iterator[Desktop]:
    from ledger.services.orders import Draft
    from ledger.wiring import opened_desk

    with opened_desk(settings) as desk:
        draft = Draft(desk.outbox, _Seat(drafts.account), drafts.operation_id)
        yield Desktop(desk, draft)


# --- rehearsing ---


def _show_rehearsed(operation: Operation, desk: Desk, *, as_json: bool) -> None:
    """Say what would be done, by whom, and what it would cost at most."""
    from ledger.chain.contracts.contract import decode_call

    described = describe(operation)
    request = operation.request
    call = f"{request.contract}.{decode_call(request.contract, request.calldata).function}"
    values: dict[str, Any] = {"dry_run": True, "call": call, "operation": described}
    if operation.attempts or operation.is_done:
        lines = [f"{request.summary} It was asked for before and is {operation.state.value}."]
    else:
        max_fee = desk.outbox.prices().fees.max_fee
        gas = operation.gas_limit or 0
        lines = [
            f"{request.summary} This would be done; nothing was sent.",
            f"{call} by {described['sender']}: at most {gas} gas and {gas * max_fee} wei.",
        ]
        values |= {
            "gas_limit": gas,
            "max_fee_per_gas": str(max_fee),
            "most_cost": str(gas * max_fee),
            "calldata": plain(request.calldata),
            "operation": described | {"state": None},
        }
    lines.append(f"Operation {described['operation_id']}.")
    show(values, "\n".join(lines), as_json=as_json)
